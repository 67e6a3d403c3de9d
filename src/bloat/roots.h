/*-------------------------------------------------------------------------
 *
 * roots.h
 *	  Which index entries lead to a row: how the table's side fills it in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ROOTS_H
#define OPS_ROOTS_H

#include "access/htup_details.h"
#include "bloat/bloat.h"

#define OPS_ROOT_WORDS (MaxHeapTuplesPerPage / 64 + 1)

/* The roots of one page: bit n for line pointer n. */
typedef struct OpsPageRoots
{
	int			nlive;
	int			ndead;
	OffsetNumber last;			/* line pointer of any of them */
	uint64		live[OPS_ROOT_WORDS];
	uint64		dead[OPS_ROOT_WORDS];
} OpsPageRoots;

static inline void
ops_page_root(OpsPageRoots *page, OffsetNumber offset, bool live)
{
	if (live)
	{
		page->nlive++;
		page->live[offset / 64] |= UINT64CONST(1) << (offset % 64);
	}
	else
	{
		page->ndead++;
		page->dead[offset / 64] |= UINT64CONST(1) << (offset % 64);
	}
	page->last = Max(page->last, offset);
}

extern struct OpsHeapRoots *ops_roots_create(const OpsBloatMeasure *measure);
extern void ops_roots_add(struct OpsHeapRoots *roots, BlockNumber block,
						  const OpsPageRoots *page);

/* The share of the table's pages that were read. */
extern double ops_roots_share(const struct OpsHeapRoots *roots);

/* The standard error of ops_bloat_live_roots(). */
extern double ops_roots_live_error(const struct OpsHeapRoots *roots);

/* That of the share of dead roots among them and live ones. */
extern double ops_roots_share_error(const struct OpsHeapRoots *roots);
extern void ops_roots_finish(struct OpsHeapRoots *roots,
							 const OpsBloatMeasure *measure);

#endif							/* OPS_ROOTS_H */
