/*-------------------------------------------------------------------------
 *
 * summary.h
 *	  What an audit of row security came to, for those who ask often.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SUMMARY_H
#define OPS_SUMMARY_H

#include "core/report.h"
#include "datatype/timestamp.h"

#define OPS_RLS_MAX_WORST	5

typedef struct OpsRlsSummaryItem
{
	OpsSeverity severity;
	const char *code;
	const char *schema_name;	/* or NULL */
	const char *object_name;	/* or NULL */
	const char *object;			/* as it is written in SQL */
	const char *role_name;		/* or NULL */
	const char *remediation;	/* or NULL */
} OpsRlsSummaryItem;

/* Security findings; those that are waived are counted apart. */
typedef struct OpsRlsSummary
{
	TimestampTz taken;
	int			relations;		/* that hold rows of tenants */
	int			count[OPS_P3 + 1];	/* by severity */
	int			unproved;		/* of them: what nobody could prove */
	int			waived;
	TimestampTz waived_until;	/* when the first of them comes back */
	int			nworst;
	OpsRlsSummaryItem worst[OPS_RLS_MAX_WORST];
} OpsRlsSummary;

/* The last audit of this session, if it still holds; NULL if not. */
extern const OpsRlsSummary *ops_rls_last_summary(TimestampTz now);

/* A new one. */
extern const OpsRlsSummary *ops_rls_new_summary(TimestampTz now);

#endif							/* OPS_SUMMARY_H */
