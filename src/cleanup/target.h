/*-------------------------------------------------------------------------
 *
 * target.h
 *	  What the files that look at one table tell each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_TARGET_H
#define OPS_TARGET_H

#include "cleanup/cleanup.h"
#include "core/scope.h"

/* target.c: as run_as, closed, without waiting for any lock */
extern void ops_target_enter(OpsScope *scope, Oid role);
extern void ops_target_demand_name(const OpsTarget *target);
extern List *ops_target_children(Oid relid);
extern bool ops_target_still_expired(const OpsTarget *target);

/* partition.c */
extern char *ops_target_quoted_name(Oid relid);

/* guard.c */
extern bool ops_target_overrides(const OpsTarget *target, const char *name);

/* choice.c: the index that finds the rows */
extern void ops_target_choose_index(OpsTarget *target);

/* reference.c: what else happens when rows go */
extern void ops_target_trace(OpsTarget *target);

/* archive_columns.c: whether rows fit their archive */
extern void ops_target_match_archive(OpsTarget *target);

/* bounds.c: whether all of a partition is old */
extern Oid	ops_target_parent(Oid relid, bool *detaching);
extern bool ops_target_outlived(const OpsTarget *target);
extern bool ops_target_is_young(const OpsTarget *target);

#endif							/* OPS_TARGET_H */
