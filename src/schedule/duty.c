/*-------------------------------------------------------------------------
 *
 * duty.c
 *	  The jobs that we have, and when pg_cron has to start them.
 *
 * A job with a window is started every few minutes while its window can be
 * open, and then finds out by itself whether it is, and whether anything is
 * left to do.  So a minute that was missed, a restart or a failover costs a
 * few minutes and not a week, and pg_cron need not know the window's zone.
 *
 * When a window can be open is told in hours and weekdays on pg_cron's clock.
 * Days of the month are left alone: pg_cron takes them or the weekdays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "schedule/duty.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* How far we look ahead: past every change of the clocks. */
#define AHEAD			(731 * USECS_PER_DAY)

/* What is spared on both sides of a window, as laws on clocks change. */
#define SPARE			USECS_PER_HOUR

/* No zone's hours begin between quarters of an hour. */
#define QUARTER			(15 * USECS_PER_MINUTE)

/*
 * How soon after its window opens a job has to be started; in shorter windows
 * it is tried every minute.
 */
#define SOON			(10 * USECS_PER_MINUTE)

#define EVERY_FEW_MINUTES	"*/5"

#define HOURS			24
#define ALL_HOURS		((1 << HOURS) - 1)
#define WEEKDAYS		7
#define ALL_WEEKDAYS	((1 << WEEKDAYS) - 1)

/* Names of jobs are of type name in pg_cron 1.4. */
#define DATABASE_BYTES	44
#define HASH_BYTES		9

const OpsDuty ops_duty_table[] = {
	{
		.name = "health",
		.window = OPS_NO_WINDOW,
		.routine = "record_health",
		.schedule = EVERY_FEW_MINUTES " * * * *",
		.command = "SELECT ops.record_health()",
	},
	{
		.name = "retention",
		.window = OPS_NIGHTLY_WINDOW,
		.routine = "run_maintenance",
		.tasks = "{retention}",
	},
	{
		.name = "maintenance",
		.window = OPS_WEEKLY_WINDOW,
		.routine = "run_maintenance",
	},
	{
		.name = "audit",
		.window = OPS_MONTHLY_WINDOW,
		.routine = "run_maintenance",
		.tasks = "{audit}",
	},
	{
		.name = "history",
		.window = OPS_NO_WINDOW,
		.routine = "prune_history",
		.schedule = "17 3 * * *",
		.command = "SELECT ops.prune_history()",
	},
	{
		/* A run that never started, as the server stopped, has no time. */
		.name = "cron_history",
		.window = OPS_NO_WINDOW,
		.schedule = "27 3 * * *",
		.command = "DELETE FROM cron.job_run_details AS r"
		" WHERE coalesce(r.end_time, r.start_time) < now() - interval '14 days'"
		" OR coalesce(r.end_time, r.start_time) IS NULL AND r.runid <"
		" (SELECT max(o.runid) FROM cron.job_run_details AS o WHERE o.start_time < now() - interval '14 days')",
		.cleans_cron = true,
	},
};
const int	ops_nduty = lengthof(ops_duty_table);

static void touch(const OpsWindow *window, const OpsCronClock *clock,
				  TimestampTz now, int *hours, int *weekdays);
static void append_set(StringInfo string, int set, int all, int count);

/*
 * Name of the job for a database, within what pg_cron keeps of a name.
 *
 * One pg_cron serves all databases.  A long name of a database keeps its
 * beginning, and the rest of it as a hash.
 */
const char *
ops_duty_job(const OpsDuty *duty, const char *database)
{
	int			length = strlen(database);
	int			clipped;

	if (length <= DATABASE_BYTES)
		return psprintf("ops_%s@%s", duty->name, database);
	clipped = pg_mbcliplen(database, length, DATABASE_BYTES - HASH_BYTES);
	return psprintf("ops_%s@%.*s~%08x", duty->name, clipped, database,
					hash_bytes((const unsigned char *) database, length));
}

/*
 * The names of all jobs for a database.
 */
List *
ops_duty_jobs(const char *database)
{
	List	   *names = NIL;

	for (int i = 0; i < ops_nduty; i++)
		names = lappend(names,
						unconstify(char *,
								   ops_duty_job(&ops_duty_table[i], database)));
	return names;
}

/*
 * The job's one statement.
 */
const char *
ops_duty_command(const OpsDuty *duty, const char *window)
{
	if (duty->window == OPS_NO_WINDOW)
		return duty->command;
	if (duty->tasks)
		return psprintf("CALL ops.run_maintenance(%s, tasks => %s, wait => false)",
						quote_literal_cstr(window),
						quote_literal_cstr(duty->tasks));
	return psprintf("CALL ops.run_maintenance(%s, wait => false)",
					quote_literal_cstr(window));
}

/*
 * When pg_cron has to start the job.
 */
const char *
ops_duty_schedule(const OpsDuty *duty, const OpsWindow *window,
				  const OpsCronClock *clock, TimestampTz now)
{
	StringInfoData schedule;
	int			hours;
	int			weekdays;

	if (duty->window == OPS_NO_WINDOW)
		return duty->schedule;
	touch(window, clock, now, &hours, &weekdays);
	initStringInfo(&schedule);
	appendStringInfo(&schedule, "%s ",
					 window->duration < SOON ? "*" : EVERY_FEW_MINUTES);
	append_set(&schedule, hours, ALL_HOURS, HOURS);
	appendStringInfoString(&schedule, " * * ");
	append_set(&schedule, weekdays, ALL_WEEKDAYS, WEEKDAYS);
	return schedule.data;
}

/*
 * The hours and the weekdays on pg_cron's clock at which a window can be open.
 */
static void
touch(const OpsWindow *window, const OpsCronClock *clock, TimestampTz now,
	  int *hours, int *weekdays)
{
	OpsOccurrence occurrence;
	TimestampTz after = now - window->duration;

	*hours = 0;
	*weekdays = 0;
	while (ops_window_next(window, after, &occurrence) &&
		   occurrence.starts < now + AHEAD &&
		   (*hours != ALL_HOURS || *weekdays != ALL_WEEKDAYS))
	{
		TimestampTz end = occurrence.ends + SPARE;

		CHECK_FOR_INTERRUPTS();
		for (TimestampTz at = occurrence.starts - SPARE; at < end + QUARTER;
			 at += QUARTER)
		{
			pg_time_t	instant = timestamptz_to_time_t(Min(at, end - 1));
			struct pg_tm *tm = pg_localtime(&instant, clock->zone);

			if (tm == NULL)
				continue;
			*hours |= 1 << tm->tm_hour;
			*weekdays |= 1 << tm->tm_wday;
		}
		after = occurrence.starts;
	}

	/* Whatever it is that never opens, it shall not be our fault. */
	if (*hours == 0)
	{
		*hours = ALL_HOURS;
		*weekdays = ALL_WEEKDAYS;
	}
}

/*
 * A field of a schedule: "*", or numbers and ranges.
 */
static void
append_set(StringInfo string, int set, int all, int count)
{
	bool		first = true;

	if (set == all)
	{
		appendStringInfoChar(string, '*');
		return;
	}
	for (int from = 0; from < count; from++)
	{
		int			to = from;

		if ((set & 1 << from) == 0)
			continue;
		while (to + 1 < count && (set & 1 << (to + 1)) != 0)
			to++;
		appendStringInfo(string, "%s%d", first ? "" : ",", from);
		if (to > from)
			appendStringInfo(string, "-%d", to);
		first = false;
		from = to;
	}
}

/*
 * Whether a schedule starts a job soon after each time a window opens, as far
 * as we look ahead.
 */
bool
ops_schedule_fits(const OpsCronExpression *expression,
				  const OpsCronClock *clock, const OpsWindow *window,
				  TimestampTz now)
{
	OpsOccurrence occurrence;
	TimestampTz after = now;
	TimestampTz start;

	while (ops_window_next(window, after, &occurrence) &&
		   occurrence.starts < now + AHEAD)
	{
		TimestampTz last = Min(occurrence.starts + SOON, occurrence.ends);

		CHECK_FOR_INTERRUPTS();
		if (!ops_cron_next(expression, clock, occurrence.starts - 1, last,
						   &start))
			return false;
		after = occurrence.starts;
	}
	return true;
}
