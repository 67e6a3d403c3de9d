/*-------------------------------------------------------------------------
 *
 * mode.c
 *	  Maintenance mode of a database, and what of maintenance is on.
 *
 * The mode is the one row of ops.maintenance_mode, if there is one whose time
 * is not over: so it ends by itself, on a standby too, and no process has to
 * see to it.  The row is written as the owner of the table, by whoever may
 * execute the function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/query.h"
#include "core/relation.h"
#include "core/report.h"
#include "core/rows.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "schedule/mode.h"
#include "schedule/window.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(ops_set_maintenance);
PG_FUNCTION_INFO_V1(ops_maintenance_state);

/* Columns of ops.maintenance_mode. */
enum
{
	COLUMN_ONLY_ROW,
	COLUMN_WHO,
	COLUMN_SINCE,
	COLUMN_UNTIL,
	COLUMN_REASON,
	NUM_COLUMNS
};

#define STATE_COLUMNS	5

const char *const ops_maintenance_kind_name[] = {"mode", "window"};

typedef struct ModeRows
{
	TimestampTz at;
	List	   *on;
} ModeRows;

static bool switch_on(TimestampTz now, TimestampTz until, Datum reason,
					  bool no_reason);
static bool switch_off(TimestampTz now);
static void read_mode(TupleTableSlot *slot, void *arg);
static List *open_windows(TimestampTz at);
static void put_maintenance(ReturnSetInfo *rsinfo,
							const OpsMaintenanceState *maintenance);

/*
 * ops.set_maintenance("on" boolean, until timestamptz, reason text)
 * RETURNS boolean
 *
 * Switches maintenance mode of this database on or off; whether it was on
 * before.  Switched on again, it keeps the instant since when it is on and
 * gets the new end and the new reason.
 *
 * Errors: 22004 if nothing says on or off, 22023 for an end that is over and
 * for an end or a reason of what is switched off, 55P03 if somebody else is
 * about to change it or has locked the table, 25006 in a read-only
 * transaction.
 */
Datum
ops_set_maintenance(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz until = DT_NOEND;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"on\" must be true or false")));
	if (!PG_GETARG_BOOL(0) && !(PG_ARGISNULL(1) && PG_ARGISNULL(2)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("maintenance mode that is switched off has no end and no reason"),
				 errhint("Leave out \"until\" and \"reason\".")));
	if (!PG_ARGISNULL(1))
		until = PG_GETARG_TIMESTAMPTZ(1);
	if (until <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("maintenance mode cannot end in the past"),
				 errdetail("It is %s.", timestamptz_to_str(now))));

	PreventCommandDuringRecovery("ops.set_maintenance()");
	PreventCommandIfReadOnly("ops.set_maintenance()");

	/* Nobody else changes it until the transaction ends; readers are let in. */
	ops_own_relation_lock("maintenance_mode", ShareRowExclusiveLock);
	if (PG_GETARG_BOOL(0))
		PG_RETURN_BOOL(switch_on(now, until, PG_GETARG_DATUM(2),
								 PG_ARGISNULL(2)));
	PG_RETURN_BOOL(switch_off(now));
}

/*
 * ops.maintenance_state() RETURNS SETOF record
 *
 * What of maintenance is on now, the mode first.
 */
Datum
ops_maintenance_state(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentTimestamp();

	InitMaterializedSRF(fcinfo, 0);
	for (OpsMaintenanceKind kind = 0; kind < OPS_NUM_MAINTENANCE_KINDS; kind++)
	{
		ListCell   *lc;

		foreach(lc, ops_maintenance_at(kind, now))
			put_maintenance(rsinfo, lfirst(lc));
	}
	return (Datum) 0;
}

List *
ops_maintenance_at(OpsMaintenanceKind kind, TimestampTz at)
{
	ModeRows	rows = {.at = at};

	if (kind == OPS_MAINTENANCE_WINDOW)
		return open_windows(at);
	ops_rows_demand("maintenance_mode", NUM_COLUMNS, read_mode, &rows);
	return rows.on;
}

static bool
switch_on(TimestampTz now, TimestampTz until, Datum reason, bool no_reason)
{
	Oid			types[] = {NAMEOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "    ";
	NameData	who;
	OpsQuery	query;
	bool		was_on;

	namestrcpy(&who, GetUserNameFromId(GetUserId(), false));
	values[0] = NameGetDatum(&who);
	values[1] = TimestampTzGetDatum(now);
	values[2] = TimestampTzGetDatum(until);
	if (TIMESTAMP_IS_NOEND(until))
		nulls[2] = 'n';
	values[3] = reason;
	if (no_reason)
		nulls[3] = 'n';
	ops_query_execute(&query, ops_own_relation_owner("maintenance_mode"),
					  "WITH before AS (SELECT m.since FROM ops.maintenance_mode m"
					  " WHERE m.until > $2 OR m.until IS NULL), made AS ("
					  " INSERT INTO ops.maintenance_mode (who, since, until, reason)"
					  " VALUES ($1, coalesce((SELECT since FROM before), $2), $3, $4)"
					  " ON CONFLICT (only_row) DO UPDATE"
					  " SET (who, since, until, reason) ="
					  " (excluded.who, excluded.since, excluded.until, excluded.reason))"
					  " SELECT EXISTS (SELECT FROM before)",
					  lengthof(types), types, values, nulls);
	was_on = ops_query_bool(&query, 0, 1);
	ops_query_end(&query);
	return was_on;
}

static bool
switch_off(TimestampTz now)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(now)};
	OpsQuery	query;
	bool		was_on;

	ops_query_execute(&query, ops_own_relation_owner("maintenance_mode"),
					  "DELETE FROM ops.maintenance_mode m"
					  " RETURNING m.until > $1 OR m.until IS NULL",
					  lengthof(types), types, values, NULL);
	was_on = query.nrows > 0 && ops_query_bool(&query, 0, 1);
	ops_query_end(&query);
	return was_on;
}

/*
 * The row, unless its time is over.
 */
static void
read_mode(TupleTableSlot *slot, void *arg)
{
	ModeRows   *rows = arg;
	OpsMaintenanceState *mode;
	TimestampTz until = DT_NOEND;

	if (!slot->tts_isnull[COLUMN_UNTIL])
		until = DatumGetTimestampTz(slot->tts_values[COLUMN_UNTIL]);
	if (until <= rows->at)
		return;

	mode = palloc0(sizeof(OpsMaintenanceState));
	mode->kind = OPS_MAINTENANCE_MODE;
	mode->name = pstrdup(NameStr(*DatumGetName(slot->tts_values[COLUMN_WHO])));
	mode->since = DatumGetTimestampTz(slot->tts_values[COLUMN_SINCE]);
	mode->until = until;
	if (!slot->tts_isnull[COLUMN_REASON])
		mode->reason = TextDatumGetCString(slot->tts_values[COLUMN_REASON]);
	rows->on = lappend(rows->on, mode);
}

static List *
open_windows(TimestampTz at)
{
	List	   *open = NIL;
	OpsOccurrence occurrence;
	int			count;
	OpsWindow  *windows = ops_windows_read(NULL, &count);

	for (int i = 0; i < count; i++)
	{
		OpsMaintenanceState *window;

		if (!ops_window_at(&windows[i], at, &occurrence))
			continue;
		window = palloc0(sizeof(OpsMaintenanceState));
		window->kind = OPS_MAINTENANCE_WINDOW;
		window->name = windows[i].name;
		window->since = occurrence.starts;
		window->until = occurrence.ends;
		window->reason = windows[i].comment;
		open = lappend(open, window);
	}
	return open;
}

static void
put_maintenance(ReturnSetInfo *rsinfo, const OpsMaintenanceState *maintenance)
{
	Datum		values[STATE_COLUMNS];
	bool		isnull[STATE_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(ops_maintenance_kind_name[maintenance->kind]);
	values[1] = CStringGetTextDatum(maintenance->name);
	values[2] = TimestampTzGetDatum(maintenance->since);
	values[3] = TimestampTzGetDatum(maintenance->until);
	isnull[3] = TIMESTAMP_IS_NOEND(maintenance->until);
	ops_report_text(&values[4], &isnull[4], maintenance->reason);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
}
