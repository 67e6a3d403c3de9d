/*-------------------------------------------------------------------------
 *
 * table.c
 *	  Reading ops.maintenance_window, and what its constraints need.
 *
 * Health and the scheduler ask often, so the table is read without SPI, and
 * never waited for.  Windows that are switched off are as good as absent,
 * except that their names are known.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "core/compat.h"
#include "core/errors.h"
#include "core/relation.h"
#include "core/rows.h"
#include "lib/stringinfo.h"
#include "schedule/window.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(ops_time_zone_exists);
PG_FUNCTION_INFO_V1(ops_window_changed);

/* Columns of ops.maintenance_window. */
enum
{
	COLUMN_WINDOW_NAME,
	COLUMN_FREQUENCY,
	COLUMN_WEEKDAY,
	COLUMN_NTH,
	COLUMN_STARTS_AT,
	COLUMN_DURATION,
	COLUMN_TIME_ZONE,
	COLUMN_NOTICE,
	COLUMN_ENABLED,
	COLUMN_COMMENT,
	COLUMN_CHANGED_AT,
	NUM_COLUMNS
};

/* More names than that are not told in a hint. */
#define NAMES_TO_TELL	20

/* Words of columns; a word's place is what it stands for. */
static const char *const frequency_name[] = {
	"daily", "weekly", "monthly", "quarterly",
};

static const char *const weekday_name[] = {
	"sunday", "monday", "tuesday", "wednesday", "thursday", "friday",
	"saturday",
};

typedef struct WindowRows
{
	const char *wanted;			/* a name, or NULL for all */
	bool		disabled_too;
	bool		found;
	OpsWindow  *windows;
	int			count;
	int			space;
	List	   *names;			/* of all */
} WindowRows;

static OpsWindow *read_windows(WindowRows *rows, int *count);
static void read_window(TupleTableSlot *slot, void *arg);
static int	word_place(Datum word, const char *const *words, int count);
static int64 elapsed(const Interval *interval);
pg_noreturn static void report_unknown(const WindowRows *rows);
pg_noreturn static void report_broken(const char *name);
static int	compare_windows(const void *a, const void *b);
static int	compare_names(const ListCell *a, const ListCell *b);
static bool zone_is_listed(const char *name);

/*
 * Read the windows that are switched on, or the named one if it is.
 *
 * Errors: 42704 if no window has this name, 55P03 if somebody has locked the
 * table, 22023 if a zone is gone from the server's list.
 */
OpsWindow *
ops_windows_read(const char *name, int *count)
{
	WindowRows	rows = {.wanted = name};

	return read_windows(&rows, count);
}

/*
 * The same with those that are switched off.
 */
OpsWindow *
ops_windows_read_all(const char *name, int *count)
{
	WindowRows	rows = {.wanted = name,.disabled_too = true};

	return read_windows(&rows, count);
}

static OpsWindow *
read_windows(WindowRows *rows, int *count)
{
	rows->space = 8;
	rows->windows = palloc(rows->space * sizeof(OpsWindow));
	ops_rows_demand("maintenance_window", NUM_COLUMNS, read_window, rows);

	if (rows->wanted && !rows->found)
		report_unknown(rows);
	qsort(rows->windows, rows->count, sizeof(OpsWindow), compare_windows);
	*count = rows->count;
	return rows->windows;
}

/*
 * Add a row to the windows, if it is wanted.
 */
static void
read_window(TupleTableSlot *slot, void *arg)
{
	WindowRows *rows = arg;
	OpsWindow	window = {0};
	Datum	   *values = slot->tts_values;
	bool	   *isnull = slot->tts_isnull;
	int			frequency;
	const char *zone;

	window.name = TextDatumGetCString(values[COLUMN_WINDOW_NAME]);
	rows->names = lappend(rows->names, unconstify(char *, window.name));
	if (rows->wanted && strcmp(rows->wanted, window.name) != 0)
		return;
	rows->found = true;
	window.enabled = DatumGetBool(values[COLUMN_ENABLED]);
	if (!window.enabled && !rows->disabled_too)
		return;

	frequency = word_place(values[COLUMN_FREQUENCY], frequency_name,
						   lengthof(frequency_name));
	if (frequency < 0)
		report_broken(window.name);
	window.frequency = frequency;
	if (!isnull[COLUMN_WEEKDAY])
		window.weekday = word_place(values[COLUMN_WEEKDAY], weekday_name,
									lengthof(weekday_name));
	if (window.weekday < 0)
		report_broken(window.name);
	if (!isnull[COLUMN_NTH])
		window.nth = DatumGetInt32(values[COLUMN_NTH]);
	window.starts_at = DatumGetTimeADT(values[COLUMN_STARTS_AT]);
	window.duration = elapsed(DatumGetIntervalP(values[COLUMN_DURATION]));
	window.notice = elapsed(DatumGetIntervalP(values[COLUMN_NOTICE]));
	if (!isnull[COLUMN_COMMENT])
		window.comment = TextDatumGetCString(values[COLUMN_COMMENT]);
	window.changed_at = DatumGetTimestampTz(values[COLUMN_CHANGED_AT]);

	zone = TextDatumGetCString(values[COLUMN_TIME_ZONE]);
	window.zone = pg_tzset(zone);
	if (window.zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" of maintenance window \"%s\" not recognized",
						zone, window.name),
				 errhint("Names are listed in pg_timezone_names.")));

	if (rows->count == rows->space)
	{
		rows->space *= 2;
		rows->windows = repalloc(rows->windows,
								 rows->space * sizeof(OpsWindow));
	}
	rows->windows[rows->count++] = window;
}

static int
word_place(Datum word, const char *const *words, int count)
{
	const char *wanted = TextDatumGetCString(word);

	for (int i = 0; i < count; i++)
	{
		if (strcmp(words[i], wanted) == 0)
			return i;
	}
	return -1;
}

/*
 * Microseconds of an interval without months; a day has 24 hours.
 *
 * Unsigned, since days and a negative time that all but cancel each other are
 * free to leave the range on the way.
 */
static int64
elapsed(const Interval *interval)
{
	return (int64) ((uint64) interval->time +
					(uint64) interval->day * (uint64) USECS_PER_DAY);
}

static void
report_unknown(const WindowRows *rows)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	list_sort(rows->names, compare_names);
	foreach(lc, rows->names)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
						 (char *) lfirst(lc));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("maintenance window \"%s\" does not exist", rows->wanted),
			 rows->names == NIL ? errhint("There is none yet; insert a row into ops.maintenance_window.") :
			 list_length(rows->names) > NAMES_TO_TELL ? errhint("They are listed in ops.maintenance_window.") :
			 errhint("There are: %s.", names.data)));
}

static void
report_broken(const char *name)
{
	ereport(ERROR,
			(errcode(OPS_ERRCODE_BROKEN_INSTALL),
			 errmsg("maintenance window \"%s\" has no rule that is known",
					name),
			 errhint("Put back the constraints of ops.maintenance_window.")));
}

static int
compare_windows(const void *a, const void *b)
{
	return strcmp(((const OpsWindow *) a)->name,
				  ((const OpsWindow *) b)->name);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * ops.time_zone_exists(time_zone text) RETURNS boolean
 *
 * Whether pg_timezone_names lists a zone.  Behind a constraint of
 * ops.maintenance_window.
 *
 * The setting TimeZone takes more, and less than it seems: abbreviations with
 * a number count as zones by POSIX, and "UTC+2" is a zone west of Greenwich,
 * "Europa/Prag1" one east of it.  Zones with leap seconds are not for us.
 */
Datum
ops_time_zone_exists(PG_FUNCTION_ARGS)
{
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	pg_tz	   *zone;

	/* The listing loads every zone, and only a number can mislead. */
	if (strpbrk(name, "0123456789"))
		PG_RETURN_BOOL(zone_is_listed(name));

	if (name[0] == '\0')
		PG_RETURN_BOOL(false);
	zone = pg_tzset(name);
	PG_RETURN_BOOL(zone != NULL && pg_tz_acceptable(zone));
}

static bool
zone_is_listed(const char *name)
{
	pg_tzenum  *zones = pg_tzenumerate_start();
	bool		found = false;
	pg_tz	   *zone;

	while (!found && (zone = pg_tzenumerate_next(zones)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		found = pg_strcasecmp(pg_get_timezone_name(zone), name) == 0;
	}
	pg_tzenumerate_end(zones);
	return found;
}

/*
 * ops.window_changed() RETURNS trigger
 *
 * Before a row of ops.maintenance_window is updated that gets another rule.
 */
Datum
ops_window_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	int			column = COLUMN_CHANGED_AT + 1;
	Datum		now = TimestampTzGetDatum(GetCurrentTimestamp());
	bool		isnull = false;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != ops_own_relation("maintenance_window"))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ops.window_changed() is for the trigger of ops.maintenance_window only")));
	return PointerGetDatum(heap_modify_tuple_by_cols(trigger->tg_newtuple,
													 RelationGetDescr(trigger->tg_relation),
													 1, &column, &now,
													 &isnull));
}
