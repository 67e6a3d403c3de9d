/*-------------------------------------------------------------------------
 *
 * window.h
 *	  Maintenance windows: when routine work may be done.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_WINDOW_H
#define OPS_WINDOW_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

typedef enum OpsFrequency
{
	OPS_DAILY,
	OPS_WEEKLY,
	OPS_MONTHLY,
	OPS_QUARTERLY,
} OpsFrequency;

#define OPS_NTH_LAST	(-1)

/* A row of ops.maintenance_window. */
typedef struct OpsWindow
{
	const char *name;
	OpsFrequency frequency;
	int			weekday;		/* 0 is Sunday; not of daily ones */
	int			nth;			/* of monthly and quarterly ones */
	TimeADT		starts_at;		/* on a clock on the wall of the zone */
	int64		duration;		/* in microseconds, as is notice */
	int64		notice;
	pg_tz	   *zone;
	const char *comment;		/* what it is for, or NULL */
	TimestampTz changed_at;		/* its rule */
	bool		enabled;
} OpsWindow;

/* One time that a window is open: from starts on, and before ends. */
typedef struct OpsOccurrence
{
	TimestampTz starts;
	TimestampTz ends;
	TimestampTz notice_at;		/* users are to be told by then */
} OpsOccurrence;

/* table.c: an array, in the order of names; a NULL name is all of them */
extern OpsWindow *ops_windows_read(const char *name, int *count);
extern OpsWindow *ops_windows_read_all(const char *name, int *count);

/* table.c: whether the list of zones has a name, as an SQL function */
extern Datum ops_time_zone_exists(PG_FUNCTION_ARGS);

/* rule.c */
extern bool ops_window_next(const OpsWindow *window, TimestampTz after,
							OpsOccurrence *occurrence);
extern bool ops_window_at(const OpsWindow *window, TimestampTz at,
						  OpsOccurrence *occurrence);

#endif							/* OPS_WINDOW_H */
