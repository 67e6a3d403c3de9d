/*-------------------------------------------------------------------------
 *
 * ginkeys.h
 *	  The entries that a GIN index has once its pending list is merged.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GINKEYS_H
#define OPS_GINKEYS_H

#include "access/itup.h"
#include "bloat/ginbuild.h"

/* Entries, or rows, that have to be looked up to know a dead share. */
#define GIN_MIN_KNOWN		50

struct OpsGinKeys;

extern struct OpsGinKeys *ops_gin_keys_create(void);
extern void ops_gin_keys_add(struct OpsGinKeys *keys, IndexTuple item,
							 const OpsGinEntry *entry);

/* What the rows of the pending list make of the entries. */
typedef struct OpsGinMerged
{
	OpsGinEntry *entries;
	int			nentries;
	double		scale;			/* entries of the index for each one */
	double		tree_bytes;		/* that come to posting trees that are there */
	double		new_trees;		/* posting trees that are made, */
	double		new_bytes;		/* and their rows */
} OpsGinMerged;

extern void ops_gin_keys_merged(struct OpsGinKeys *keys, double dead,
								double waiting_dead, OpsGinMerged *merged);

#endif							/* OPS_GINKEYS_H */
