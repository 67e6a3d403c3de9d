/*-------------------------------------------------------------------------
 *
 * summary.h
 *	  How the policies are doing, for who has no time to read the log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SUMMARY_H
#define OPS_SUMMARY_H

#include "nodes/pg_list.h"

typedef struct OpsRetentionState
{
	const char *policy_name;
	double		hours;			/* since it last finished a table, or was made */
	bool		ever;			/* it did finish one */
	const char *relation;		/* of a table whose last run went wrong, or
								 * NULL */
	const char *trouble;		/* what went wrong there */
} OpsRetentionState;

/* Of enabled policies, those that wait longest first. */
extern List *ops_retention_summarize(void);

#endif							/* OPS_SUMMARY_H */
