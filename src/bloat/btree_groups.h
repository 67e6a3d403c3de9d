/*-------------------------------------------------------------------------
 *
 * btree_groups.h
 *	  Groups of equal keys, some of whose rows are gone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_BTREE_GROUPS_H
#define OPS_BTREE_GROUPS_H

#include "bloat/bloat.h"
#include "bloat/btree_pack.h"
#include "common/pg_prng.h"

/* Groups of that many heap pointers, or more, are alike. */
#define OPS_MANY_EQUAL 8

typedef struct OpsBtreePacks
{
	OpsBtreePack mixed;
	OpsBtreePack runs;			/* full posting lists of one key */
} OpsBtreePacks;

/* A group that was packed, for another time. */
typedef struct OpsKeptGroup
{
	uint16		key_size;
	uint16		pointers;		/* all, also those known to be ... */
	uint16		live;
	uint16		dead;
	bool		continues;
} OpsKeptGroup;

/* A small group whose rows are all to be looked up. */
typedef struct OpsProbedGroup
{
	int			pointers;
	ItemPointerData tids[OPS_MANY_EQUAL];
} OpsProbedGroup;

/* Some such groups, drawn from all that were seen */
typedef struct OpsProbes
{
	OpsProbedGroup *group;
	int			count;
	double		seen;
	double		pointers;		/* of those seen */
} OpsProbes;

/* Pairs of heap pointers of one group, both of a known fate */
typedef struct OpsFatePairs
{
	double		pairs;
	double		alike;			/* both live, or both dead */
	double		live;			/* heap pointers of them, two each */
} OpsFatePairs;

typedef struct OpsBtreeGroups
{
	OpsBloatMeasure *measure;
	pg_prng_state random;

	/* the one that is being read */
	OpsKeptGroup current;
	bool		looked_up;
	ItemPointerData tids[OPS_MANY_EQUAL];
	OpsRootState fates[OPS_MANY_EQUAL];

	/* one in so many, so that they are not too many */
	OpsKeptGroup *kept;
	int			nkept;
	int			stride;
	int			skip;
	bool		all_packed;		/* those known to be dead as well */

	/* by pointers of the group */
	double		known_live[OPS_MANY_EQUAL + 1];
	double		known_dead[OPS_MANY_EQUAL + 1];
	double		heap_share;		/* of the table's pages, that were read */
	double		known_pairs;	/* from different pages */
	OpsFatePairs pairs[OPS_MANY_EQUAL + 1];

	OpsProbes	singles;		/* that share their key with no other */
	OpsProbes	few;			/* small groups of more than one */
	double		pointers;		/* of all groups that were looked up */
} OpsBtreeGroups;

extern OpsBtreeGroups *ops_btree_groups_create(OpsBloatMeasure *measure,
											   bool all_packed);
extern void ops_btree_groups_add(OpsBtreeGroups *groups, ItemPointer tids,
								 const OpsRootState *fates, int count);

/* The same of an entry whose heap pointers are not looked up. */
extern void ops_btree_groups_count(OpsBtreeGroups *groups, int count);
extern void ops_btree_groups_end(OpsBtreeGroups *groups,
								 const OpsBtreeGroup *group);

/*
 * The share of the packed pages that is left when a share of the entries
 * goes, and its standard error.
 */
extern double ops_btree_groups_left(OpsBtreeGroups *groups, double dead,
									double *error);

extern void ops_btree_packs_init(OpsBtreePacks *packs, Relation rel,
								 bool dedup);
extern void ops_btree_packs_add(OpsBtreePacks *packs,
								const OpsBtreeGroup *group);
extern double ops_btree_packs_pages(const OpsBtreePacks *packs);

#endif							/* OPS_BTREE_GROUPS_H */
