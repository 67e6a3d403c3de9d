/*-------------------------------------------------------------------------
 *
 * summary.h
 *	  What bloat comes to in the largest relations, for those who ask often.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SUMMARY_H
#define OPS_SUMMARY_H

#include "datatype/timestamp.h"

#define OPS_BLOAT_MAX_WORST	5

typedef struct OpsBloatSummaryItem
{
	const char *schema_name;
	const char *relation;		/* its name alone */
	int64		size;
	int64		reclaimable;
	int64		low;			/* and the ends of a 95 % interval */
	int64		high;
	const char *action;			/* as in ops.bloat_report() */
	const char *command;		/* or NULL */
} OpsBloatSummaryItem;

typedef struct OpsBloatSummary
{
	/* What is asked for */
	int64		min_size;		/* bytes */
	int			most;			/* relations, the largest ones */
	TimestampTz until;			/* begin no other one after this */

	/* What was found */
	int			eligible;		/* relations of that size, up to that many */
	int			measured;
	int			skipped;		/* locked, unreadable or of unknown kind */
	int64		size;			/* of those measured, in bytes */
	int64		reclaimable;
	int64		low;			/* sums, errors added in quadrature */
	int64		high;
	int			advised;		/* those with an action other than "none" */
	int			nworst;			/* by low, largest first */
	OpsBloatSummaryItem worst[OPS_BLOAT_MAX_WORST];
} OpsBloatSummary;

/* report.c; strings are in the caller's memory context. */
extern void ops_bloat_summarize(OpsBloatSummary *summary);

#endif							/* OPS_SUMMARY_H */
