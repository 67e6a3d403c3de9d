/*-------------------------------------------------------------------------
 *
 * threshold.c
 *	  Limits that the table ops.threshold changes, and its constraints.
 *
 * The table is read on every run, so it is read without SPI.  It is ours,
 * but somebody may hold a lock on it; then the built-in limits apply and the
 * document says so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/table.h"
#include "access/tableam.h"
#include "core/compat.h"
#include "core/relation.h"
#include "health/check.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(ops_check_exists);
PG_FUNCTION_INFO_V1(ops_limits_in_order);

/* Columns of ops.threshold. */
enum
{
	COLUMN_CHECK_NAME,
	COLUMN_ENABLED,
	COLUMN_WARNING,
	COLUMN_CRITICAL,
	COLUMN_SEVERITY,
	COLUMN_GATES,
	NUM_COLUMNS
};

static int	scan_thresholds(Relation table, OpsThreshold **thresholds);
static bool read_threshold(TupleTableSlot *slot, OpsThreshold *threshold);
static OpsSeverity severity_of(const char *name);

/*
 * Read all of ops.threshold; the result is the number of rows.
 *
 * *note says why the table was not read, if it was not.
 */
int
ops_threshold_read(OpsThreshold **thresholds, const char **note)
{
	Oid			relid = ops_own_relation("threshold");
	Relation	table;
	int			count;
	int			holder;

	if (!ops_relation_try_lock(relid, &holder))
	{
		*note = psprintf(_("ops.threshold is locked by process %d, built-in limits apply"),
						 holder);
		return 0;
	}
	table = table_open(relid, NoLock);
	count = scan_thresholds(table, thresholds);
	table_close(table, AccessShareLock);
	return count;
}

static int
scan_thresholds(Relation table, OpsThreshold **thresholds)
{
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = ops_compat_beginscan(table, GetActiveSnapshot());
	int			count = 0;
	int			space = 8;

	*thresholds = palloc(space * sizeof(OpsThreshold));
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		if (count == space)
		{
			space *= 2;
			*thresholds = repalloc(*thresholds, space * sizeof(OpsThreshold));
		}
		if (read_threshold(slot, &(*thresholds)[count]))
			count++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return count;
}

/*
 * Read one row; false if it is about a check that this version lacks.
 */
static bool
read_threshold(TupleTableSlot *slot, OpsThreshold *threshold)
{
	Datum	   *values;
	bool	   *isnull;

	slot_getsomeattrs(slot, NUM_COLUMNS);
	values = slot->tts_values;
	isnull = slot->tts_isnull;

	memset(threshold, 0, sizeof(OpsThreshold));
	threshold->check = ops_check_find(TextDatumGetCString(values[COLUMN_CHECK_NAME]));
	threshold->enabled = DatumGetBool(values[COLUMN_ENABLED]);
	threshold->has_warning = !isnull[COLUMN_WARNING];
	if (threshold->has_warning)
		threshold->warning = DatumGetFloat8(values[COLUMN_WARNING]);
	threshold->has_critical = !isnull[COLUMN_CRITICAL];
	if (threshold->has_critical)
		threshold->critical = DatumGetFloat8(values[COLUMN_CRITICAL]);
	threshold->has_severity = !isnull[COLUMN_SEVERITY];
	if (threshold->has_severity)
		threshold->severity =
			severity_of(TextDatumGetCString(values[COLUMN_SEVERITY]));
	threshold->has_gates = !isnull[COLUMN_GATES];
	if (threshold->has_gates)
		threshold->gates = DatumGetBool(values[COLUMN_GATES]);
	return threshold->check != NULL;
}

static OpsSeverity
severity_of(const char *name)
{
	for (OpsSeverity severity = OPS_P0; severity < OPS_P3; severity++)
	{
		if (strcmp(name, ops_severity_name[severity]) == 0)
			return severity;
	}
	return OPS_P3;
}

/*
 * ops.check_exists(check_name text) RETURNS boolean
 *
 * Whether this version has such a check.  Behind a constraint of
 * ops.threshold.
 */
Datum
ops_check_exists(PG_FUNCTION_ARGS)
{
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_BOOL(ops_check_find(name) != NULL);
}

/*
 * ops.limits_in_order(check_name text, warning float8, critical float8)
 * RETURNS boolean
 *
 * Whether a warning would come before the failure, with the built-in limit in
 * the place of a null one.  Behind a constraint of ops.threshold; a check
 * that does not exist is another constraint's matter.
 */
Datum
ops_limits_in_order(PG_FUNCTION_ARGS)
{
	const OpsCheck *check;
	double		warning;
	double		critical;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(true);
	check = ops_check_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (check == NULL)
		PG_RETURN_BOOL(true);

	if ((!PG_ARGISNULL(1) && isnan(PG_GETARG_FLOAT8(1))) ||
		(!PG_ARGISNULL(2) && isnan(PG_GETARG_FLOAT8(2))))
		PG_RETURN_BOOL(false);

	warning = PG_ARGISNULL(1) ? check->warning : PG_GETARG_FLOAT8(1);
	critical = PG_ARGISNULL(2) ? check->critical : PG_GETARG_FLOAT8(2);
	if (isnan(warning) || isnan(critical))
		PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(check->lower_is_worse ? warning >= critical :
				   warning <= critical);
}
