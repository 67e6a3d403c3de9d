/*-------------------------------------------------------------------------
 *
 * retention.h
 *	  Between the files that make, change and keep policies.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RETENTION_H
#define OPS_RETENTION_H

#include "cleanup/cleanup.h"

/* The values of OpsPartitions, as users write them. */
extern const char *const ops_partitions_name[];

/* pattern.c */
extern void ops_retention_aim(OpsRetention *policy, const char *target);
extern bool ops_retention_below(Oid relation, List *tables);
extern const char *ops_retention_table_name(Oid relation);

/* define.c */

/* Which of the policy's expressions are as the caller wrote them. */
typedef struct OpsRetentionNews
{
	const char *time;			/* column or expression, or NULL: as it was */
	bool		condition;
	bool		hold;
	bool		keep_for;
	const char *run_as;			/* NULL: as it was, or the default */
} OpsRetentionNews;

extern void ops_retention_define(OpsRetention *policy,
								 const OpsRetentionNews *news);

/* advice.c */
extern void ops_retention_advise(const OpsRetention *policy);

/* store.c */
extern void ops_retention_insert(const OpsRetention *policy);
extern void ops_retention_update(const OpsRetention *policy);
extern bool ops_retention_delete(const char *name);
extern OpsRetention *ops_retention_lock(const char *name, bool missing_ok);
extern const char *ops_retention_about(Oid relation);

/* retention.c */
extern const char *ops_retention_make(OpsRetention *policy,
									  const OpsRetentionNews *news);

#endif							/* OPS_RETENTION_H */
