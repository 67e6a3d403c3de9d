/*-------------------------------------------------------------------------
 *
 * expression.h
 *	  What pg_cron understands by a schedule, and when it fires.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_EXPRESSION_H
#define OPS_EXPRESSION_H

#include "datatype/timestamp.h"
#include "pgtime.h"

/* How pg_cron reads schedules. */
typedef struct OpsCronClock
{
	pg_tz	   *zone;
	bool		both_days;		/* day of month and weekday must both fit */
} OpsCronClock;

/* Sets of numbers, a bit for each. */
typedef struct OpsCronExpression
{
	uint64		minutes;
	uint64		hours;
	uint64		days;
	uint64		months;
	uint64		weekdays;
	bool		last_day;		/* of the month, besides those in days */
	bool		any_day;		/* one of the two kinds of days is a star */
	bool		at_start;		/* when the server starts, and never else */
	int			seconds;		/* between starts; 0: at the minutes above */
} OpsCronExpression;

extern bool ops_cron_parse(const char *schedule,
						   OpsCronExpression *expression);
extern bool ops_cron_next(const OpsCronExpression *expression,
						  const OpsCronClock *clock, TimestampTz after,
						  TimestampTz until, TimestampTz *next);
extern int	ops_cron_count(const OpsCronExpression *expression,
						   const OpsCronClock *clock, TimestampTz after,
						   TimestampTz until, int enough);

#endif							/* OPS_EXPRESSION_H */
