/*-------------------------------------------------------------------------
 *
 * standing.h
 *	  Whether windows are used: how their last occurrences went.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_STANDING_H
#define OPS_STANDING_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* Of a window that is switched on and has had a run. */
typedef struct OpsWindowStanding
{
	const char *window_name;
	TimestampTz last_run;		/* the occurrence that it belongs to */
	int			unfinished;		/* occurrences in a row, up to that one, whose
								 * runs did not finish */
	const char *trouble;		/* with the last of them, or NULL */
	int			missed;			/* occurrences since, all over */
} OpsWindowStanding;

extern List *ops_window_standings(TimestampTz now);

#endif							/* OPS_STANDING_H */
