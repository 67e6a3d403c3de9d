/*-------------------------------------------------------------------------
 *
 * spgpages.h
 *	  Leaf pages of an SP-GiST index that is built for play: no more than how
 *	  much is on them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SPGPAGES_H
#define OPS_SPGPAGES_H

#include "access/spgist_private.h"

/* Bytes of a page, and of a placeholder with its line pointer. */
#define OPS_SPG_PAGE		((int) SPGIST_PAGE_CAPACITY)
#define OPS_SPG_PLACEHOLDER	((int) (SGDTSIZE + sizeof(ItemIdData)))

/* A node of an inner tuple: a label is a datum. */
#define OPS_SPG_NODE(labelled) \
	((int) (SGNTHDRSZ + ((labelled) ? sizeof(Datum) : 0)))

/* The root is a leaf until it overflows; as a page it is not counted. */
#define OPS_SPG_ROOT		0
#define OPS_SPG_NOWHERE		(-1)

/* Placeholders stay where entries were moved away. */
typedef struct OpsSpgPage
{
	int			free;
	int			placeholders;
	int			entries;
} OpsSpgPage;

typedef struct OpsSpgPages
{
	OpsSpgPage *page;
	int			count;
	int			space;
	int			last_page;		/* that was put something on, -1: none */
	int			last_free;		/* what was free there when it was */
	int			reserve;		/* that is left free on a page */
} OpsSpgPages;

extern void ops_spg_pages_init(OpsSpgPages *pages, int reserve);
extern int	ops_spg_page_with_room(OpsSpgPages *pages, int bytes);
extern void ops_spg_used_page(OpsSpgPages *pages, int page);

/* Bytes of entries have their line pointers included. */
extern int	ops_spg_room(const OpsSpgPage *page);
extern void ops_spg_put(OpsSpgPage *page, int bytes);
extern void ops_spg_remove(OpsSpgPage *page, int bytes);

#endif							/* OPS_SPGPAGES_H */
