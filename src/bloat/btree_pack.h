/*-------------------------------------------------------------------------
 *
 * btree_pack.h
 *	  The leaf pages that a build of a B-tree would fill, entry by entry.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_BTREE_PACK_H
#define OPS_BTREE_PACK_H

#include "access/itup.h"
#include "utils/rel.h"

typedef struct OpsBtreePack
{
	Relation	rel;
	bool		dedup;			/* equal keys share a posting list */
	bool		truncates;		/* high keys have fewer columns */
	int			reserve;		/* free space at which a page is full */

	/* the page that is being filled */
	double		closed;			/* pages before it */
	int			free;
	int			nitems;
	int			last_size;		/* of its last item, and how much of that */
	int			last_extra;		/* is a posting list */
	int			pending;		/* bytes of a posting list yet to be written */
	double		usual;			/* what a page holds when it is closed */

	/* the last two keys put on it, as long as both are in reach */
	IndexTuple	key;
	IndexTuple	previous_key;
	int			key_size;
	int			previous_size;

	/* what leads to a page from above */
	double		pivots;
	double		pivot_bytes;
} OpsBtreePack;

/* A key and the heap pointers that it has on a page. */
typedef struct OpsBtreeGroup
{
	IndexTuple	key;			/* on the page */
	int			key_size;		/* without the posting list */
	int			pointers;		/* 0: there is no group */
	bool		continues;		/* on the next page */
} OpsBtreeGroup;

extern void ops_btree_pack_init(OpsBtreePack *pack, Relation rel, bool dedup);
extern void ops_btree_pack_group(OpsBtreePack *pack,
								 const OpsBtreeGroup *group);

/* Many entries of one size, the first of which is given, one after another. */
extern void ops_btree_pack_alike(OpsBtreePack *pack, IndexTuple key,
								 int key_size, int count);

/* Keys that were seen are not to be looked at any more. */
extern void ops_btree_pack_forget(OpsBtreePack *pack);
extern double ops_btree_pack_pages(const OpsBtreePack *pack);

/* Inner pages above so many leaf pages, whose high keys both packed. */
extern double ops_btree_pack_inner(const OpsBtreePack *pack,
								   const OpsBtreePack *other, double leaves,
								   bool whole);

/* Heap pointers that fit into one posting list, 1 if there are none. */
extern int	ops_btree_posting_pointers(const OpsBtreePack *pack,
									   int key_size);

#endif							/* OPS_BTREE_PACK_H */
