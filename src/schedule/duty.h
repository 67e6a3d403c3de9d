/*-------------------------------------------------------------------------
 *
 * duty.h
 *	  The jobs that we have, and when pg_cron has to start them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_DUTY_H
#define OPS_DUTY_H

#include "nodes/pg_list.h"
#include "schedule/expression.h"
#include "schedule/window.h"

/* Which of the caller's windows a job keeps to. */
typedef enum OpsDutyWindow
{
	OPS_NIGHTLY_WINDOW,
	OPS_WEEKLY_WINDOW,
	OPS_MONTHLY_WINDOW,
	OPS_NO_WINDOW,
} OpsDutyWindow;

#define OPS_DUTY_WINDOWS	OPS_NO_WINDOW

typedef struct OpsDuty
{
	const char *name;
	OpsDutyWindow window;
	const char *routine;		/* in our schema; NULL: the command has none */
	const char *tasks;			/* of a job with a window; NULL: all */
	const char *schedule;		/* of a job without */
	const char *command;		/* likewise */
	bool		cleans_cron;	/* runs where pg_cron keeps its jobs */
} OpsDuty;

extern const OpsDuty ops_duty_table[];
extern const int ops_nduty;

extern List *ops_duty_jobs(const char *database);
extern const char *ops_duty_job(const OpsDuty *duty, const char *database);
extern const char *ops_duty_command(const OpsDuty *duty, const char *window);
extern const char *ops_duty_schedule(const OpsDuty *duty,
									 const OpsWindow *window,
									 const OpsCronClock *clock,
									 TimestampTz now);

/* Whether a schedule starts a job soon after each time the window opens. */
extern bool ops_schedule_fits(const OpsCronExpression *expression,
							  const OpsCronClock *clock,
							  const OpsWindow *window, TimestampTz now);

#endif							/* OPS_DUTY_H */
