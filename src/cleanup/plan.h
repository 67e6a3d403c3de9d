/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  What a plan says of one target.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PLAN_H
#define OPS_PLAN_H

#include "cleanup/cleanup.h"

typedef enum OpsCleanupMethod
{
	OPS_METHOD_DROP,
	OPS_METHOD_DETACH,
	OPS_METHOD_INDEX,
	OPS_METHOD_SWEEP,
	OPS_METHOD_NOTHING,
	OPS_METHOD_REFUSED,
} OpsCleanupMethod;

typedef struct OpsPlanned
{
	OpsTarget  *target;
	OpsEstimate *estimate;		/* NULL if its rows could not be counted */
	const char *trouble;		/* why not, or NULL */
	bool		fails;			/* and that deleting them would fail, too */
	OpsCleanupMethod method;
	double		batches;
	double		ms;
	double		wal_bytes;
} OpsPlanned;

/* expect.c: how long it will take, and how much WAL it will write */
extern void ops_plan_expect(OpsPlanned *planned);

/* effects.c: who else will feel it, as lists of strings */
extern const char *ops_plan_action_name(char action);
extern List *ops_plan_cascades(const OpsTarget *target);
extern List *ops_plan_unindexed(const OpsTarget *target);
extern List *ops_plan_replication(const OpsTarget *target);

#endif							/* OPS_PLAN_H */
