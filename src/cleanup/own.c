/*-------------------------------------------------------------------------
 *
 * own.c
 *	  Rows that have an interval of their own, as SQL over the row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "cleanup/clock.h"
#include "core/compat.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/*
 * No interval of a row reaches further back; "now" minus it is a time that
 * the server can represent, and so are values not below those of EARLIEST.
 */
#define LONGEST_INTERVAL	"'6700 years'::pg_catalog.interval"
#define EARLIEST_TIMESTAMP	"'4700-01-01 00:00:00 BC'::pg_catalog.timestamp"
#define EARLIEST_DATE		"'4700-01-01 BC'::pg_catalog.date"

static const char *own_cutoff(const OpsTarget *target);
static const char *interval_text(const Interval *span);
static const char *own_milliseconds(const char *cutoff);
static const char *ulid_milliseconds(const char *time_sql);
static const char *zone_literal(const OpsRetention *policy);

/*
 * SQL: the row is from before its own cutoff.
 *
 * The row's time is turned into an instant only where the instant's value is
 * not easily had in the column's type.  It is evaluated for rows that are
 * older than the policy's bound: neither null nor late, so that only the
 * earliest times are left to overflow.
 */
const char *
ops_clock_own(const OpsTarget *target)
{
	const char *time = target->time_sql;
	const char *cutoff = own_cutoff(target);
	const char *zone = zone_literal(target->policy);
	const char *ms = own_milliseconds(cutoff);
	bool		whole = target->time_type == INT4OID ||
	target->time_type == INT8OID;
	const char *seconds = psprintf("EXTRACT(epoch FROM %s)", cutoff);

	switch (target->format)
	{
		case OPS_TIME_TIMESTAMPTZ:
			return psprintf("%s < %s", time, cutoff);
		case OPS_TIME_TIMESTAMP:
			return psprintf("pg_catalog.timezone(%s, GREATEST(%s, " EARLIEST_TIMESTAMP ")) < %s",
							zone, time, cutoff);
		case OPS_TIME_DATE:
			return psprintf("pg_catalog.timezone(%s, (GREATEST(%s, " EARLIEST_DATE ") + 1)::pg_catalog.timestamp) <= %s",
							zone, time, cutoff);
		case OPS_TIME_EPOCH_S:
			return psprintf(whole ? "%s < pg_catalog.ceil(%s)" : "%s < %s",
							time, seconds);
		case OPS_TIME_EPOCH_MS:
			return psprintf(whole ? "%s < pg_catalog.ceil(%s * 1000)" :
							"%s < %s * 1000", time, seconds);
		case OPS_TIME_EPOCH_US:
			return psprintf("%s < %s * 1000000", time, seconds);
		case OPS_TIME_SNOWFLAKE:
			return psprintf("%s < (%s - %lld) * %d", time, ms,
							(long long) ops_clock_unix_ms(target->policy->snowflake_epoch),
							1 << SNOWFLAKE_SHIFT);
		case OPS_TIME_UUID_V7:
			return psprintf("%s < pg_catalog.rpad(pg_catalog.lpad(pg_catalog.to_hex(GREATEST(%s, 0)::pg_catalog.int8), 12, '0'), 32, '0')::pg_catalog.uuid",
							time, ms);
		case OPS_TIME_ULID:
			return psprintf("%s < %s", ulid_milliseconds(time), ms);
	}
	pg_unreachable();
}

/*
 * SQL: "now" minus the row's interval or, where that is null, the policy's;
 * null, and so no row's cutoff, if the interval is longer than any time ago.
 */
static const char *
own_cutoff(const OpsTarget *target)
{
	const OpsRetention *policy = target->policy;
	const char *now = ops_clock_text(target->now, true);
	const char *zone = zone_literal(policy);
	const char *span;

	span = psprintf("NULLIF(GREATEST(LEAST(COALESCE((%s)::pg_catalog.interval, '%s'::pg_catalog.interval), "
					LONGEST_INTERVAL "), '0'::pg_catalog.interval), "
					LONGEST_INTERVAL ")",
					policy->keep_for, interval_text(policy->keep));
	if (policy->time_zone == NULL)
		return psprintf("('%s'::pg_catalog.timestamptz - %s)", now, span);
	if (ops_compat_subtracts_in_zone())
		return psprintf("pg_catalog.date_subtract('%s'::pg_catalog.timestamptz, %s, %s)",
						now, span, zone);

	/* Days and months are local ones, and the rest is as it is anywhere. */
	return psprintf("(SELECT CASE WHEN own.days = '0' THEN '%s'::pg_catalog.timestamptz ELSE"
					" pg_catalog.timezone(%s, pg_catalog.timezone(%s, '%s'::pg_catalog.timestamptz) - own.days) END"
					" - (own.span - own.days)"
					" FROM (SELECT given.span, pg_catalog.date_trunc('day', given.span)"
					" FROM (SELECT %s OFFSET 0) AS given(span)) AS own(span, days))",
					now, zone, zone, now, span);
}

static const char *
own_milliseconds(const char *cutoff)
{
	return psprintf("pg_catalog.ceil(EXTRACT(epoch FROM %s) * 1000)", cutoff);
}

/*
 * SQL: the milliseconds that a ULID begins with.
 */
static const char *
ulid_milliseconds(const char *time_sql)
{
	StringInfoData sum;

	initStringInfo(&sum);
	for (int i = 0; i < ULID_TIME_DIGITS; i++)
		appendStringInfo(&sum, "%s((pg_catalog.strpos('" CROCKFORD "', pg_catalog.substr(pg_catalog.upper((%s)::pg_catalog.text COLLATE \"C\"), %d, 1)) - 1)::pg_catalog.int8 << %d)",
						 i == 0 ? "(" : " | ", time_sql, i + 1,
						 5 * (ULID_TIME_DIGITS - 1 - i));
	appendStringInfoChar(&sum, ')');
	return sum.data;
}

static const char *
zone_literal(const OpsRetention *policy)
{
	return quote_literal_cstr(pg_get_timezone_name(ops_clock_zone(policy)));
}

/*
 * An interval with a sign at every field, so that no IntervalStyle carries
 * one over to the next.
 */
static const char *
interval_text(const Interval *span)
{
	if (ops_compat_interval_infinite(span))
		return span->month > 0 ? "infinity" : "-infinity";
	return psprintf("%+d mons %+d days %+lld us", span->month, span->day,
					(long long) span->time);
}
