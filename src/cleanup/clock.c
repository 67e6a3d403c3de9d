/*-------------------------------------------------------------------------
 *
 * clock.c
 *	  When a row is old: the cutoff, as a predicate over the row.
 *
 * The cutoff is an instant.  Columns tell the time in many ways, so the
 * instant is turned into a value of the column's type once, and the column is
 * compared with that literal as it is: an index on it serves.  A number or
 * identifier stands for the instant at which its unit begins; a day is old
 * when all of it is, and local times of the hour that a zone goes through
 * twice count as those of the second time.
 *
 * Rows that have an interval of their own are judged by it one by one, but
 * none that is younger than the policy's least interval.
 *
 * A time of infinity is never old, one of minus infinity always, and an
 * interval without end keeps its row for ever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "cleanup/clock.h"
#include "cleanup/expression.h"
#include "core/compat.h"
#include "core/scope.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#define MS_BITS_OF_UUID	48
#define ULID_RANDOM_DIGITS	16

#define VERSION_7_UUID	"'^.{14}7.{4}[89ab]'"
#define ANY_ULID		"'^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$'"

/* Names of formats, by OpsTimeFormat. */
static const char *const format_name[] = {
	"date", "timestamp", "timestamptz", "epoch_s", "epoch_ms", "epoch_us",
	"uuid_v7", "ulid", "snowflake",
};

/* A type that can tell the time, and the ways in which it can. */
typedef struct ClockType
{
	Oid			type;
	const char *name;			/* as SQL */
	int			formats;		/* a bit for each */
	bool		obvious;		/* only one: need not be said */
} ClockType;

#define BIT(format) (1 << (format))
#define EPOCHS (BIT(OPS_TIME_EPOCH_S) | BIT(OPS_TIME_EPOCH_MS) | \
				BIT(OPS_TIME_EPOCH_US))

static const ClockType clock_type[] = {
	{DATEOID, "pg_catalog.date", BIT(OPS_TIME_DATE), true},
	{TIMESTAMPOID, "pg_catalog.timestamp", BIT(OPS_TIME_TIMESTAMP), true},
	{TIMESTAMPTZOID, "pg_catalog.timestamptz", BIT(OPS_TIME_TIMESTAMPTZ), true},
	{UUIDOID, "pg_catalog.uuid", BIT(OPS_TIME_UUID_V7), true},
	{INT4OID, "pg_catalog.int4", BIT(OPS_TIME_EPOCH_S), false},
	{INT8OID, "pg_catalog.int8", EPOCHS | BIT(OPS_TIME_SNOWFLAKE), false},
	{NUMERICOID, "pg_catalog.numeric", EPOCHS | BIT(OPS_TIME_SNOWFLAKE), false},
	{FLOAT8OID, "pg_catalog.float8", EPOCHS, false},
	{TEXTOID, "pg_catalog.text", BIT(OPS_TIME_ULID), false},
	{VARCHAROID, "pg_catalog.varchar", BIT(OPS_TIME_ULID), false},
	{BPCHAROID, "pg_catalog.bpchar", BIT(OPS_TIME_ULID), false},
};

static void find_time(OpsTarget *target);
static void find_column(OpsTarget *target);
static void find_expression(OpsTarget *target);
static const ClockType *type_of(const OpsTarget *target);
static const char *type_name(const OpsTarget *target);
static OpsTimeFormat format_of(const OpsTarget *target);
static const char *formats_of(const ClockType *type);
static TimestampTz before(TimestampTz now, Interval *span,
						  const OpsRetention *policy);
static void explain_overflow(void *arg);
static void set_bound(OpsTarget *target, TimestampTz instant);
static char *set_number(OpsTarget *target, TimestampTz instant);
static char *set_integer(OpsTarget *target, int64 value);
static char *set_decimal(OpsTarget *target, char *digits);
static void set_uuid(OpsTarget *target, TimestampTz instant, char **literal);
static Timestamp local_time(TimestampTz instant, pg_tz *zone);
static DateADT local_date(Timestamp local);
static int64 unix_us(TimestampTz instant);
static int64 round_up(int64 value, int64 unit);
static char *ulid_of(TimestampTz instant);
static const char *date_text(DateADT date);
static const char *older_than_bound(const OpsTarget *target,
									TimestampTz instant);

/*
 * Set everything about a target that depends on the clock: format, cutoff,
 * time_sql, time_type, bound, bound_sql and predicate.
 *
 * Reads of the target policy, relid, root, run_as and now.  The expressions
 * of the policy have to be canonical already.  A column is looked up without
 * a lock; for a time expression the table is locked if that can be done at
 * once.  Errors: 42703 or 42804 for a column or expression that does not tell
 * the time, 22023 for a format that does not fit it, 22008 for a time out of
 * range, 55P03.
 *
 * The bound of ULIDs is in small letters, behind those of both cases in the
 * order of collation "C"; no other index finds them by it.
 */
void
ops_clock_set(OpsTarget *target)
{
	const OpsRetention *policy = target->policy;
	StringInfoData predicate;
	TimestampTz youngest;

	find_time(target);
	target->format = format_of(target);
	target->cutoff = before(target->now, policy->keep, policy);
	youngest = policy->keep_for ?
		before(target->now, policy->min_keep, policy) : target->cutoff;
	set_bound(target, youngest);

	initStringInfo(&predicate);
	appendStringInfoString(&predicate, older_than_bound(target, youngest));
	if (policy->keep_for)
		appendStringInfo(&predicate, " AND CASE WHEN %s THEN %s ELSE false END",
						 older_than_bound(target, youngest),
						 ops_clock_own(target));
	if (policy->null_is_old)
	{
		char	   *old = pstrdup(predicate.data);

		resetStringInfo(&predicate);
		appendStringInfo(&predicate, "(%s IS NULL OR %s)",
						 target->time_sql, old);
	}
	if (policy->condition)
		appendStringInfo(&predicate, " AND (%s)", policy->condition);
	if (policy->hold)
		appendStringInfo(&predicate, " AND (%s) IS FALSE", policy->hold);
	target->predicate = predicate.data;
}

/*
 * Which column or expression tells the time.
 */
static void
find_time(OpsTarget *target)
{
	if (target->policy->time_column)
		find_column(target);
	else
		find_expression(target);
}

static void
find_column(OpsTarget *target)
{
	const char *name = target->policy->time_column;
	HeapTuple	tuple = SearchSysCacheAttName(target->relid, name);
	Form_pg_attribute column;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, get_rel_name(target->relid)),
				 errhint("The time column is one of the table, or an SQL expression over its columns.")));
	column = (Form_pg_attribute) GETSTRUCT(tuple);
	target->time_type = column->attnum > 0 ?
		getBaseType(column->atttypid) : InvalidOid;
	target->time_sql = pstrdup(quote_identifier(name));
	ReleaseSysCache(tuple);
}

/*
 * It is canonical, so it is read under our search_path, and as the role that
 * carries it out, since the analysis can call input functions of types.
 */
static void
find_expression(OpsTarget *target)
{
	const char *alias = get_rel_name(OidIsValid(target->root) ?
									 target->root : target->relid);
	OpsExpression *expression;
	OpsScope	scope;

	ops_scope_enter(&scope, target->run_as);
	expression = ops_expression_read(target->relid, alias ? alias : "",
									 target->policy->time_expression,
									 InvalidOid, "time_column");
	ops_scope_leave(&scope);
	target->time_type = getBaseType(expression->type);
	target->time_sql = psprintf("(%s)", expression->sql);
}

/*
 * NULL if the type cannot tell the time.
 */
static const ClockType *
type_of(const OpsTarget *target)
{
	for (int i = 0; i < lengthof(clock_type); i++)
	{
		if (clock_type[i].type == target->time_type)
			return &clock_type[i];
	}
	return NULL;
}

/*
 * The type's name in SQL.
 */
static const char *
type_name(const OpsTarget *target)
{
	const ClockType *type = type_of(target);

	if (type == NULL)
		elog(ERROR, "type %u tells no time", target->time_type);
	return type->name;
}

/*
 * The format as the policy says or, if it says none, as the type does.
 */
static OpsTimeFormat
format_of(const OpsTarget *target)
{
	const char *wanted = target->policy->time_format;
	const ClockType *type = type_of(target);

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s of relation \"%s\" cannot tell the time",
						target->time_sql, get_rel_name(target->relid)),
				 OidIsValid(target->time_type) ?
				 errdetail("It is of type %s.",
						   format_type_be(target->time_type)) :
				 errdetail("It is a system column."),
				 errhint("Types that can are date, timestamp, timestamptz, uuid (version 7), bigint, integer, numeric, double precision and text (ULID).")));

	for (int format = 0; format < lengthof(format_name); format++)
	{
		if (wanted ? strcmp(wanted, format_name[format]) != 0 : !type->obvious)
			continue;
		if (type->formats & BIT(format))
			return format;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 wanted ?
			 errmsg("%s of relation \"%s\" cannot tell the time in the format \"%s\"",
					target->time_sql, get_rel_name(target->relid), wanted) :
			 errmsg("%s of relation \"%s\" can tell the time in more than one way",
					target->time_sql, get_rel_name(target->relid)),
			 errdetail("It is of type %s.", format_type_be(target->time_type)),
			 errhint("Set time_format to one of: %s.", formats_of(type))));
}

static const char *
formats_of(const ClockType *type)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int format = 0; format < lengthof(format_name); format++)
	{
		if (type->formats & BIT(format))
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 format_name[format]);
	}
	return list.data;
}

/*
 * The instant that lies an interval before "now", with days and months as
 * they are in the policy's time zone.
 */
static TimestampTz
before(TimestampTz now, Interval *span, const OpsRetention *policy)
{
	ErrorContextCallback callback;
	TimestampTz result;
	int			level = NewGUCNestLevel();

	callback.callback = explain_overflow;
	callback.arg = NULL;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	if (policy->time_zone)
		(void) set_config_option("timezone", policy->time_zone,
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	result = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
													 TimestampTzGetDatum(now),
													 IntervalPGetDatum(span)));

	error_context_stack = callback.previous;
	AtEOXact_GUC(false, level);
	return result;
}

static void
explain_overflow(void *arg)
{
	if (geterrcode() == ERRCODE_DATETIME_VALUE_OUT_OF_RANGE)
		errhint("The interval reaches back before the first time that the server knows, in 4714 BC.");
	errcontext("cutoff of a retention policy");
}

/*
 * The value of the column's type that only older rows are below.
 */
static void
set_bound(OpsTarget *target, TimestampTz instant)
{
	pg_tz	   *zone = ops_clock_zone(target->policy);
	Timestamp	local;
	DateADT		date;
	char	   *literal = NULL;

	switch (target->format)
	{
		case OPS_TIME_TIMESTAMPTZ:
			target->bound = TimestampTzGetDatum(instant);
			literal = pstrdup(ops_clock_text(instant, true));
			break;
		case OPS_TIME_TIMESTAMP:
			local = local_time(instant, zone);
			target->bound = TimestampGetDatum(local);
			literal = pstrdup(ops_clock_text(local, false));
			break;
		case OPS_TIME_DATE:
			date = local_date(local_time(instant, zone));
			target->bound = DateADTGetDatum(date);
			literal = pstrdup(date_text(date));
			break;
		case OPS_TIME_UUID_V7:
			set_uuid(target, instant, &literal);
			break;
		case OPS_TIME_ULID:
			literal = ulid_of(instant);
			for (char *p = literal; *p; p++)
				*p = pg_tolower((unsigned char) *p);
			target->bound = CStringGetTextDatum(literal);
			break;
		case OPS_TIME_EPOCH_S:
		case OPS_TIME_EPOCH_MS:
		case OPS_TIME_EPOCH_US:
		case OPS_TIME_SNOWFLAKE:
			literal = set_number(target, instant);
			break;
	}
	target->bound_sql = psprintf("'%s'::%s", literal, type_name(target));
}

/*
 * A number since some epoch: the instant itself if the type has fractions,
 * else the next whole number, below which are just those that are before it.
 */
static char *
set_number(OpsTarget *target, TimestampTz instant)
{
	static const int64 per_second[] = {
		[OPS_TIME_EPOCH_S] = 1,
		[OPS_TIME_EPOCH_MS] = 1000,
		[OPS_TIME_EPOCH_US] = 1000000,
	};
	int64		unit;
	int64		us;
	int64		ms;

	if (target->format == OPS_TIME_SNOWFLAKE)
	{
		ms = ops_clock_unix_ms(instant);
		if (ms != PG_INT64_MIN && ms != PG_INT64_MAX)
			ms -= ops_clock_unix_ms(target->policy->snowflake_epoch);
		ms = Min(Max(ms, 0), PG_INT64_MAX >> SNOWFLAKE_SHIFT);
		return set_integer(target, ms << SNOWFLAKE_SHIFT);
	}

	unit = USECS_PER_SEC / per_second[target->format];
	us = unix_us(instant);
	if (target->time_type == INT4OID || target->time_type == INT8OID)
		return set_integer(target, round_up(us, unit));
	if (TIMESTAMP_NOT_FINITE(instant))
		return set_decimal(target, pstrdup(TIMESTAMP_IS_NOBEGIN(instant) ?
										   "-Infinity" : "Infinity"));
	if (unit == 1)
		return set_decimal(target, psprintf("%lld", (long long) us));
	return set_decimal(target,
					   psprintf("%s%llu.%0*llu", us < 0 ? "-" : "",
								(unsigned long long) (us < 0 ? -us : us) / unit,
								unit == USECS_PER_SEC ? 6 : 3,
								(unsigned long long) (us < 0 ? -us : us) % unit));
}

/*
 * No value of an integer column is above its largest, which is kept.
 */
static char *
set_integer(OpsTarget *target, int64 value)
{
	char	   *digits;

	if (target->time_type == INT4OID)
		value = Min(Max(value, PG_INT32_MIN), PG_INT32_MAX);
	digits = psprintf("%lld", (long long) value);
	if (target->time_type == NUMERICOID)
		return set_decimal(target, digits);
	target->bound = target->time_type == INT4OID ?
		Int32GetDatum((int32) value) : Int64GetDatum(value);
	return digits;
}

static char *
set_decimal(OpsTarget *target, char *digits)
{
	if (target->time_type == NUMERICOID)
		target->bound = DirectFunctionCall3(numeric_in,
											CStringGetDatum(digits),
											ObjectIdGetDatum(InvalidOid),
											Int32GetDatum(-1));
	else
		target->bound = DirectFunctionCall1(float8in,
											CStringGetDatum(digits));
	return digits;
}

/*
 * The smallest UUID of the instant's millisecond; version and variant, which
 * only make it larger, left out.
 */
static void
set_uuid(OpsTarget *target, TimestampTz instant, char **literal)
{
	int64		most = (INT64CONST(1) << MS_BITS_OF_UUID) - 1;
	int64		ms = Min(Max(ops_clock_unix_ms(instant), 0), most);

	*literal = psprintf("%08x-%04x-0000-0000-000000000000",
						(unsigned int) (ms >> 16),
						(unsigned int) (ms & 0xffff));
	target->bound = DirectFunctionCall1(uuid_in, CStringGetDatum(*literal));
}

/*
 * The zone in which days begin; it was looked at when the policy was made,
 * but could be gone from the system since.
 */
pg_tz *
ops_clock_zone(const OpsRetention *policy)
{
	pg_tz	   *zone = session_timezone;

	if (policy->time_zone)
		zone = pg_tzset(policy->time_zone);
	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized",
						policy->time_zone)));
	return zone;
}

/*
 * The local time such that whatever a clock on the wall showed before it was
 * before the instant.
 *
 * In the first pass through an hour that is going to be repeated, that is
 * the beginning of this hour.
 */
static Timestamp
local_time(TimestampTz instant, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	Timestamp	local;
	Timestamp	repeated;
	pg_time_t	time;
	pg_time_t	boundary;
	long int	before_offset;
	long int	after_offset;
	int			before_isdst;
	int			after_isdst;

	if (TIMESTAMP_NOT_FINITE(instant))
		return instant;
	if (timestamp2tm(instant, &tz, &tm, &fsec, NULL, zone) != 0 ||
		tm2timestamp(&tm, fsec, NULL, &local) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range"),
				 errhint("The cutoff is at the end of the times that the server knows.")));

	time = timestamptz_to_time_t(instant);
	if (pg_next_dst_boundary(&time, &before_offset, &before_isdst, &boundary,
							 &after_offset, &after_isdst, zone) == 1 &&
		after_offset < before_offset)
	{
		repeated = time_t_to_timestamptz(boundary + after_offset);
		local = Min(local, repeated);
	}
	return local;
}

static DateADT
local_date(Timestamp local)
{
	if (TIMESTAMP_IS_NOBEGIN(local))
		return DATEVAL_NOBEGIN;
	if (TIMESTAMP_IS_NOEND(local))
		return DATEVAL_NOEND;
	return (DateADT) - round_up(-local, USECS_PER_DAY);
}

/*
 * Microseconds since 1970; infinity is the end of all integers.
 */
static int64
unix_us(TimestampTz instant)
{
	if (TIMESTAMP_NOT_FINITE(instant))
		return instant;
	return instant +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

/*
 * Value divided by unit, rounded up; the ends of all integers stay.
 */
static int64
round_up(int64 value, int64 unit)
{
	if (value == PG_INT64_MIN || value == PG_INT64_MAX)
		return value;
	return value / unit + (value % unit > 0 ? 1 : 0);
}

int64
ops_clock_unix_ms(TimestampTz instant)
{
	return round_up(unix_us(instant), 1000);
}

/*
 * The smallest ULID of the instant's millisecond.
 */
static char *
ulid_of(TimestampTz instant)
{
	int64		most = (INT64CONST(1) << MS_BITS_OF_UUID) - 1;
	int64		ms = Min(Max(ops_clock_unix_ms(instant), 0), most);
	char	   *ulid = palloc(ULID_TIME_DIGITS + ULID_RANDOM_DIGITS + 1);

	for (int i = ULID_TIME_DIGITS - 1; i >= 0; i--)
	{
		ulid[i] = CROCKFORD[ms & 31];
		ms >>= 5;
	}
	memset(ulid + ULID_TIME_DIGITS, '0', ULID_RANDOM_DIGITS);
	ulid[ULID_TIME_DIGITS + ULID_RANDOM_DIGITS] = '\0';
	return ulid;
}

/*
 * A time as every session reads it: ISO, and in UTC if it has a zone.
 */
const char *
ops_clock_text(Timestamp timestamp, bool with_zone)
{
	char		buffer[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_IS_NOBEGIN(timestamp))
		return "-infinity";
	if (TIMESTAMP_IS_NOEND(timestamp))
		return "infinity";
	if (timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	tm.tm_isdst = 0;			/* or it would leave out the zone */
	EncodeDateTime(&tm, fsec, with_zone, 0, NULL, USE_ISO_DATES, buffer);
	return pstrdup(buffer);
}

static const char *
date_text(DateADT date)
{
	char		buffer[MAXDATELEN + 1];
	struct pg_tm tm;

	if (DATE_IS_NOBEGIN(date))
		return "-infinity";
	if (DATE_IS_NOEND(date))
		return "infinity";
	memset(&tm, 0, sizeof(tm));
	j2date(date + POSTGRES_EPOCH_JDATE,
		   &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, buffer);
	return pstrdup(buffer);
}

/*
 * SQL: the row is from before the instant, whose bound is set.
 */
static const char *
older_than_bound(const OpsTarget *target, TimestampTz instant)
{
	const char *time = target->time_sql;

	switch (target->format)
	{
		case OPS_TIME_UUID_V7:
			return psprintf("%s < %s AND (%s)::pg_catalog.text COLLATE \"C\" ~ "
							VERSION_7_UUID,
							time, target->bound_sql, time);
		case OPS_TIME_ULID:
			return psprintf("(%s)::pg_catalog.text COLLATE \"C\" ~ " ANY_ULID
							" AND pg_catalog.upper((%s)::pg_catalog.text COLLATE \"C\") < '%s'",
							time, time, ulid_of(instant));
		case OPS_TIME_SNOWFLAKE:
			return psprintf("%s >= 0 AND %s < %s",
							time, time, target->bound_sql);
		default:
			return psprintf("%s < %s", time, target->bound_sql);
	}
}
