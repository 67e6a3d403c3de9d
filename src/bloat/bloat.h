/*-------------------------------------------------------------------------
 *
 * bloat.h
 *	  What a rewrite of a relation would give back, from a sample of its
 *	  pages.
 *
 * A page reader looks at one page and says how many pages its content takes
 * once rewritten (TOTAL_NEED), and whatever else adds up over pages.  The
 * sampler (sample.c) chooses the pages, scales the totals up to the relation
 * and tells how sure it is of the need.  What is above the pages, inner pages
 * of an index for example, the file of its kind adds afterwards.
 *
 * report.c lists and opens relations, verdict.c says what to do about them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_BLOAT_H
#define OPS_BLOAT_H

#include "core/compat.h"
#include "nodes/pg_list.h"
#include "storage/block.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/rel.h"

typedef enum OpsBloatKind
{
	BLOAT_HEAP,					/* tables and materialized views */
	BLOAT_TOAST,
	BLOAT_BTREE,
	BLOAT_HASH,
	BLOAT_GIN,
	BLOAT_GIST,
	BLOAT_SPGIST,
	BLOAT_BRIN,
} OpsBloatKind;

/* What adds up over pages.  Bytes are those of the page, headers included. */
typedef enum OpsBloatTotal
{
	TOTAL_NEED,					/* pages that the content takes, rewritten */
	TOTAL_LIVE,					/* rows, index entries (not heap pointers) */
	TOTAL_DEAD_BYTES,			/* a VACUUM would free now */
	TOTAL_HELD_BYTES,			/* dead, but an old snapshot may need them */
	TOTAL_FREE_BYTES,			/* that new rows can use as they are */
	TOTAL_DROPPED_BYTES,		/* of columns that were dropped */
	TOTAL_LIVE_ROOTS,			/* heap: what an index entry can lead to and */
	TOTAL_DEAD_ROOTS,			/* find a row, or none */
	TOTAL_POINTERS,				/* index: heap pointers, dead ones too */
	TOTAL_UNUSED_PAGES,			/* new, empty, deleted, half dead */
	TOTAL_INNER_PAGES,			/* B-tree: of which nothing is counted */
	TOTAL_OWN_1,				/* whatever the file of the kind means by it */
	TOTAL_OWN_2,
	TOTAL_OWN_3,
	TOTAL_OWN_4,
	NUM_TOTALS
} OpsBloatTotal;

struct OpsHeapRoots;			/* heap.c: which index entries lead to a row */
struct OpsToastValues;			/* heap.c: what its rows keep out of line */

/* One relation that is measured; one context, dropped with it. */
typedef struct OpsBloatMeasure
{
	/* report.c: what is measured, open under AccessShareLock */
	Relation	rel;
	Relation	heap;			/* the table of an index, else rel itself */
	OpsBloatKind kind;
	BlockNumber nblocks;		/* when it was opened */
	BufferAccessStrategy ring;	/* BAS_BULKREAD */
	struct OpsHeapRoots *roots; /* of the table: heap.c fills it if wanted, */
	bool		wants_roots;	/* and indexes of the table go by it, */
	bool		only_roots;		/* nobody wants to know more of the table */
	uint32		all_roots;		/* so many pages are all read if any root is
								 * dead */
	TransactionId horizon;		/* of the table: rows deleted before are dead */
	struct OpsToastValues *values;	/* of the table: heap.c fills it if there
									 * is a TOAST table, which goes by it */

	/* report.c: how well */
	double		target;			/* half-width wanted, share of nblocks */
	int			first_sample;	/* blocks, see result.h; less for a partition */
	int			last_sample;
	bool		exact;			/* every page */
	bool		learns;			/* density.c: how the model compares with an
								 * index that is as its build left it */
	uint64		seed;			/* of this relation */

	/* the file of its kind, before it samples; NULL if there is none: */
	double		(*own_error) (void *state); /* standard error beyond that of
											 * the sample, share of the need */
	double		(*error_share) (void *state);	/* of the sample's error, that
												 * matters: less than 1 */
	double		inner_pages;	/* all of them; 0: that is not known */
	uint32		small;			/* so many pages are read, all of them */
	bool		skims;			/* goes by line pointers, on most pages; may
								 * change while it reads */

	/* sample.c */
	uint32		sampled;		/* pages that were read */
	bool		census;			/* that was every page, */
	bool		in_order;		/* one after the other; set before reading */
	bool		with_map;		/* the free space map sharpened it */
	double		total[NUM_TOTALS];	/* scaled up to the relation */
	double		need_error;		/* standard error of TOTAL_NEED, in pages */
	double		roots_error;	/* of TOTAL_LIVE_ROOTS, */
	double		dead_roots_error;	/* and of the share of roots that is dead */

	/* the file of its kind */
	double		pages_after;	/* after VACUUM FULL or REINDEX */
	double		pages_low;		/* and the ends of a 95 % interval */
	double		pages_high;
	bool		modelled;		/* by a model of how its pages are filled */
	double		density;		/* modelled: pages of a new index for each of
								 * the model's, 0 unless this one is new */
	double		dead_entries;	/* index: share that leads to no row */
	BlockNumber truncatable;	/* pages at the end that VACUUM gives back */
	const char *note;			/* translated, or NULL */
	List	   *details;		/* OpsBloatDetail */
} OpsBloatMeasure;

/* Further facts, shown in the report's details. */
typedef struct OpsBloatDetail
{
	const char *key;
	double		value;
	int			decimals;
} OpsBloatDetail;

/*
 * Adds what a page holds to totals, which start at zero for each page.  The
 * page is share-locked: no reading of other pages, no user code, be quick.
 */
typedef void (*OpsPageReader) (OpsBloatMeasure *measure, void *state,
							   BlockNumber block, Page page, double *totals);

/* sample.c: read pages [first, nblocks), in ascending order in each round */
extern void ops_bloat_sample(OpsBloatMeasure *measure, BlockNumber first,
							 OpsPageReader reader, void *state);
extern uint64 ops_bloat_seed(uint64 seed, Oid relation);

/* Raises an error if the header of a page that is not new does not hold. */
extern void ops_bloat_check_header(Relation rel, BlockNumber block,
								   Page page);

/* estimate.c: the interval from the standard error and a margin, in pages */
extern void ops_bloat_conclude(OpsBloatMeasure *measure, double pages_after,
							   double margin);

/* tail.c */
extern BlockNumber ops_bloat_truncatable(OpsBloatMeasure *measure);

/* One for each kind: samples, and fills in pages_after and what follows. */
extern void ops_bloat_heap(OpsBloatMeasure *measure);	/* TOAST, too */
extern void ops_bloat_btree(OpsBloatMeasure *measure);
extern void ops_bloat_hash(OpsBloatMeasure *measure);
extern void ops_bloat_gin(OpsBloatMeasure *measure);
extern void ops_bloat_gist(OpsBloatMeasure *measure);
extern void ops_bloat_spgist(OpsBloatMeasure *measure);
extern void ops_bloat_brin(OpsBloatMeasure *measure);

/* heap.c: where an index entry leads to */
typedef enum OpsRootState
{
	ROOT_UNKNOWN,				/* its page is not of the sample */
	ROOT_LIVE,					/* a row that a rewrite keeps */
	ROOT_DEAD,
} OpsRootState;

extern OpsRootState ops_bloat_root(const struct OpsHeapRoots *roots,
								   ItemPointer tid);

/*
 * How many times as likely as any other an entry leads to a row: 0 if it does
 * not, infinite if it does, else by the rows near by.
 */
extern double ops_bloat_root_odds(const struct OpsHeapRoots *roots,
								  ItemPointer tid);

/* Index entries that a full index on the table has after a REINDEX. */
extern double ops_bloat_live_roots(const struct OpsHeapRoots *roots);
extern double ops_bloat_dead_roots(const struct OpsHeapRoots *roots);

extern void ops_bloat_detail(OpsBloatMeasure *measure, const char *key,
							 double value, int decimals);

#endif							/* OPS_BLOAT_H */
