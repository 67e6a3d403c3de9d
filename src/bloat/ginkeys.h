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

/* Entries, how many of the index each stands for, and new posting trees. */
extern OpsGinEntry *ops_gin_keys_merged(struct OpsGinKeys *keys,
										double dead, double waiting_dead,
										int *nentries, double *scale,
										double *tree_bytes,
										double *new_trees);

#endif							/* OPS_GINKEYS_H */
