/*-------------------------------------------------------------------------
 *
 * rule.c
 *	  When a window opens: from its rule to instants.
 *
 * A rule gives days, and a day with a time on the wall gives an instant as
 * AT TIME ZONE does: a time that the clock skips is as much later, and of an
 * hour that comes twice it is the second one.  A window ends when its duration
 * has elapsed.  Nothing of this is kept, so that the zone's rules of today
 * decide.
 *
 * Days are counted as the server counts them, by Julian date.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"
#include "schedule/window.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define DAYS_OF_WEEK	7
#define MONTHS_OF_QUARTER	3

/* Local days that can hold an instant, in any zone. */
#define FIRST_DAY	(DATETIME_MIN_JULIAN - 2)
#define LAST_DAY	(TIMESTAMP_END_JULIAN + 2)

/* What zones have put their clocks back by, and a day more. */
#define DAYS_PUT_BACK	2

static int	local_day(TimestampTz instant, pg_tz *zone);
static int	rule_day(const OpsWindow *window, int from);
static int	weekday_of_period(const OpsWindow *window, int from);
static int	next_weekday(int weekday, int from);
static bool occurrence_on(const OpsWindow *window, int day,
						  OpsOccurrence *occurrence);

/*
 * The first occurrence that starts later than an instant; false if time ends
 * before.
 *
 * Two days can give the same instant, where a zone left out a day: that is
 * one occurrence.
 */
bool
ops_window_next(const OpsWindow *window, TimestampTz after,
				OpsOccurrence *occurrence)
{
	int			day = FIRST_DAY;

	CHECK_FOR_INTERRUPTS();
	if (TIMESTAMP_IS_NOEND(after))
		return false;
	if (!TIMESTAMP_IS_NOBEGIN(after))
		day = local_day(after, window->zone) - DAYS_PUT_BACK;

	for (day = rule_day(window, day); day <= LAST_DAY;
		 day = rule_day(window, day + 1))
	{
		if (occurrence_on(window, day, occurrence) &&
			occurrence->starts > after)
			return true;
	}
	return false;
}

/*
 * The occurrence that is open at an instant, the last to start if there are
 * two.
 *
 * There are two for an hour when a window that is always open, the one ending
 * as the next one starts, loses that hour to daylight saving.
 */
bool
ops_window_at(const OpsWindow *window, TimestampTz at,
			  OpsOccurrence *occurrence)
{
	OpsOccurrence next;
	TimestampTz after;
	bool		found = false;

	if (TIMESTAMP_NOT_FINITE(at))
		return false;
	if (pg_sub_s64_overflow(at, window->duration, &after) ||
		!IS_VALID_TIMESTAMP(after))
		TIMESTAMP_NOBEGIN(after);

	while (ops_window_next(window, after, &next) && next.starts <= at)
	{
		*occurrence = next;
		found = true;
		after = next.starts;
	}
	return found;
}

/*
 * The day that a calendar on the wall shows at an instant.
 */
static int
local_day(TimestampTz instant, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (timestamp2tm(instant, &tz, &tm, &fsec, NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
}

/*
 * The first day of a rule that is not before the given one.
 */
static int
rule_day(const OpsWindow *window, int from)
{
	switch (window->frequency)
	{
		case OPS_DAILY:
			return from;
		case OPS_WEEKLY:
			return next_weekday(window->weekday, from);
		case OPS_MONTHLY:
		case OPS_QUARTERLY:
			return weekday_of_period(window, from);
	}
	pg_unreachable();
}

/*
 * The nth weekday of a month or quarter that is not before a day.
 *
 * Not every month has a fifth one; a month that has none is passed over.
 */
static int
weekday_of_period(const OpsWindow *window, int from)
{
	int			span = window->frequency == OPS_QUARTERLY ?
	MONTHS_OF_QUARTER : 1;
	int			year;
	int			month;
	int			day;
	int			begin;
	int			end;

	j2date(from, &year, &month, &day);
	month -= (month - 1) % span;
	for (begin = date2j(year, month, 1); begin <= LAST_DAY; begin = end)
	{
		month += span;
		if (month > MONTHS_PER_YEAR)
		{
			month = 1;
			year++;
		}
		end = date2j(year, month, 1);

		if (window->nth == OPS_NTH_LAST)
			day = next_weekday(window->weekday, end - DAYS_OF_WEEK);
		else
			day = next_weekday(window->weekday, begin) +
				(window->nth - 1) * DAYS_OF_WEEK;
		if (day >= from && day < end)
			return day;
	}
	return begin;
}

static int
next_weekday(int weekday, int from)
{
	return from + (weekday - j2day(from) + DAYS_OF_WEEK) % DAYS_OF_WEEK;
}

/*
 * The occurrence of a day; false if it does not fit into time.
 */
static bool
occurrence_on(const OpsWindow *window, int day, OpsOccurrence *occurrence)
{
	struct pg_tm tm = {0};
	fsec_t		fsec;
	int			tz;

	time2tm(window->starts_at, &tm, &fsec);
	j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tz = DetermineTimeZoneOffset(&tm, window->zone);
	if (tm2timestamp(&tm, fsec, &tz, &occurrence->starts) != 0)
		return false;

	if (pg_add_s64_overflow(occurrence->starts, window->duration,
							&occurrence->ends) ||
		!IS_VALID_TIMESTAMP(occurrence->ends))
		return false;
	if (pg_sub_s64_overflow(occurrence->starts, window->notice,
							&occurrence->notice_at) ||
		!IS_VALID_TIMESTAMP(occurrence->notice_at))
		TIMESTAMP_NOBEGIN(occurrence->notice_at);
	return true;
}
