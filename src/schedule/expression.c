/*-------------------------------------------------------------------------
 *
 * expression.c
 *	  What pg_cron understands by a schedule, and when it fires.
 *
 * Schedules were accepted by pg_cron before they come here, so what it would
 * refuse need not be told apart from what we do not know: either has no next
 * time.
 *
 * An expression is a set of minutes on a clock on the wall; where a clock is
 * put forward, the minutes left out never come, and those of an hour that
 * comes twice come twice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>
#include <limits.h>

#include "schedule/expression.h"
#include "utils/timestamp.h"

/* What a field of an expression can hold. */
typedef struct Field
{
	int			low;
	int			high;
	const char *const *names;	/* of low and what follows; ends with NULL */
} Field;

static const char *const month_name[] = {
	"jan", "feb", "mar", "apr", "may", "jun",
	"jul", "aug", "sep", "oct", "nov", "dec", NULL,
};

static const char *const weekday_name[] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL,
};

static const Field minute_field = {0, 59, NULL};
static const Field hour_field = {0, 23, NULL};
static const Field day_field = {1, 31, NULL};
static const Field month_field = {1, 12, month_name};
static const Field weekday_field = {0, 7, weekday_name};

/* Words for whole schedules. */
static const struct
{
	const char *word;
	const char *schedule;
}			nickname[] = {
	{"yearly", "0 0 1 1 *"},
	{"annually", "0 0 1 1 *"},
	{"monthly", "0 0 1 * *"},
	{"weekly", "0 0 * * 0"},
	{"daily", "0 0 * * *"},
	{"midnight", "0 0 * * *"},
	{"hourly", "0 * * * *"},
};

static bool parse_nickname(const char *word, OpsCronExpression *expression);
static bool parse_fields(const char *schedule, OpsCronExpression *expression);
static bool parse_seconds(const char *schedule, int *seconds);
static bool parse_list(const char **place, const Field *field, uint64 *set);
static bool parse_range(const char **place, const Field *field, uint64 *set);
static bool parse_number(const char **place, const Field *field, int *number);
static const char *skip_blanks(const char *place);
static bool day_fits(const OpsCronExpression *expression,
					 const OpsCronClock *clock, pg_time_t instant,
					 const struct pg_tm *tm);

static inline bool
has(uint64 set, int number)
{
	return (set & (UINT64CONST(1) << number)) != 0;
}

/*
 * Read a schedule; false if it is none.
 */
bool
ops_cron_parse(const char *schedule, OpsCronExpression *expression)
{
	memset(expression, 0, sizeof(*expression));
	schedule = skip_blanks(schedule);
	if (*schedule == '@')
		return parse_nickname(schedule + 1, expression);
	return parse_seconds(schedule, &expression->seconds) ||
		parse_fields(schedule, expression);
}

static bool
parse_nickname(const char *word, OpsCronExpression *expression)
{
	size_t		length = strcspn(word, " \t\n");
	char	   *wanted = pnstrdup(word, length);

	if (strcmp(wanted, "reboot") == 0 || strcmp(wanted, "restart") == 0)
	{
		expression->at_start = true;
		return true;
	}
	for (int i = 0; i < lengthof(nickname); i++)
	{
		if (strcmp(wanted, nickname[i].word) == 0)
			return parse_fields(nickname[i].schedule, expression);
	}
	return false;
}

static bool
parse_fields(const char *schedule, OpsCronExpression *expression)
{
	const char *place = schedule;
	bool		star = false;

	if (!parse_list(&place, &minute_field, &expression->minutes) ||
		!parse_list(&place, &hour_field, &expression->hours))
		return false;
	if (place[0] == '$' && (place[1] == ' ' || place[1] == '\t'))
	{
		expression->last_day = true;
		place = skip_blanks(place + 1);
	}
	else
	{
		star = *place == '*';
		if (!parse_list(&place, &day_field, &expression->days))
			return false;
	}
	if (!parse_list(&place, &month_field, &expression->months))
		return false;
	expression->any_day = star || *place == '*';
	if (!parse_list(&place, &weekday_field, &expression->weekdays))
		return false;
	if (has(expression->weekdays, 7))
		expression->weekdays |= 1;
	return true;
}

/*
 * "30 seconds"
 */
static bool
parse_seconds(const char *schedule, int *seconds)
{
	const char *place = schedule;
	int			number = 0;

	while (isdigit((unsigned char) *place) && number < 60)
		number = number * 10 + *place++ - '0';
	if (place == schedule || number < 1 || number > 59)
		return false;
	place = skip_blanks(place);
	if (pg_strncasecmp(place, "second", 6) != 0)
		return false;
	place += 6;
	if (*place == 's' || *place == 'S')
		place++;
	if (*skip_blanks(place) != '\0')
		return false;
	*seconds = number;
	return true;
}

/*
 * Ranges with commas in between, and the blanks behind them.
 */
static bool
parse_list(const char **place, const Field *field, uint64 *set)
{
	for (;;)
	{
		if (!parse_range(place, field, set))
			return false;
		if (**place != ',')
			break;
		(*place)++;
	}

	/* What stands behind a list up to the next blank does not count. */
	*place = skip_blanks(*place + strcspn(*place, " \t\n"));
	return true;
}

static bool
parse_range(const char **place, const Field *field, uint64 *set)
{
	static const Field step_field = {0, INT_MAX, NULL};
	int			from = field->low;
	int			to = field->high;
	int			step = 1;

	if (**place == '*')
		(*place)++;
	else
	{
		if (!parse_number(place, field, &from))
			return false;
		to = from;
		if (**place == '-')
		{
			(*place)++;
			if (!parse_number(place, field, &to))
				return false;
		}
		else if (**place == '/')
			return false;
	}
	if (**place == '/')
	{
		(*place)++;
		if (!parse_number(place, &step_field, &step) || step < 1)
			return false;
	}

	step = Min(step, field->high + 1);
	for (int i = from; i <= to; i += step)
		*set |= UINT64CONST(1) << i;
	return true;
}

static bool
parse_number(const char **place, const Field *field, int *number)
{
	const char *word = *place;
	size_t		length = 0;

	while (isalnum((unsigned char) word[length]))
		length++;
	*place += length;
	for (int i = 0; field->names && field->names[i]; i++)
	{
		if (length == strlen(field->names[i]) &&
			pg_strncasecmp(word, field->names[i], length) == 0)
		{
			*number = field->low + i;
			return true;
		}
	}
	if (length == 0 || length > 9 || strspn(word, "0123456789") < length)
		return false;
	*number = atoi(word);
	return *number >= field->low && *number <= field->high;
}

static const char *
skip_blanks(const char *place)
{
	return place + strspn(place, " \t\n");
}

/*
 * The first time later than one instant, and not later than another one;
 * false if there is none.
 *
 * Of schedules in seconds nobody knows the phase; the caller gives it with
 * the instant.
 */
bool
ops_cron_next(const OpsCronExpression *expression, const OpsCronClock *clock,
			  TimestampTz after, TimestampTz until, TimestampTz *next)
{
	pg_time_t	instant = timestamptz_to_time_t(after);
	pg_time_t	end = timestamptz_to_time_t(until);

	if (expression->at_start)
		return false;
	if (expression->seconds > 0)
	{
		*next = after + expression->seconds * USECS_PER_SEC;
		return *next <= until;
	}

	instant -= instant % SECS_PER_MINUTE;
	instant += SECS_PER_MINUTE;
	while (instant <= end)
	{
		struct pg_tm *tm = pg_localtime(&instant, clock->zone);
		int			minute;
		bool		fits;

		if (tm == NULL)
			return false;
		minute = tm->tm_min;
		fits = has(expression->hours, tm->tm_hour) &&
			has(expression->months, tm->tm_mon + 1);

		/* This needs the library's only tm again, so comes last. */
		fits = fits && day_fits(expression, clock, instant, tm);
		if (fits && has(expression->minutes, minute))
		{
			*next = time_t_to_timestamptz(instant);
			return true;
		}
		instant += fits ? SECS_PER_MINUTE :
			(MINS_PER_HOUR - minute) * SECS_PER_MINUTE;
	}
	return false;
}

static bool
day_fits(const OpsCronExpression *expression, const OpsCronClock *clock,
		 pg_time_t instant, const struct pg_tm *tm)
{
	bool		day = has(expression->days, tm->tm_mday);
	bool		weekday = has(expression->weekdays, tm->tm_wday);

	if (expression->last_day && !day)
	{
		pg_time_t	tomorrow = instant + SECS_PER_DAY;

		tm = pg_localtime(&tomorrow, clock->zone);
		day = tm && tm->tm_mday == 1;
	}
	return expression->any_day || clock->both_days ? day && weekday :
		day || weekday;
}

/*
 * How often it fires after one instant, and not after another one; no more
 * than enough.
 */
int
ops_cron_count(const OpsCronExpression *expression, const OpsCronClock *clock,
			   TimestampTz after, TimestampTz until, int enough)
{
	int			count = 0;

	while (count < enough &&
		   ops_cron_next(expression, clock, after, until, &after))
		count++;
	return count;
}
