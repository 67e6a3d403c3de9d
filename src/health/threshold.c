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

#include "core/rows.h"
#include "health/check.h"
#include "utils/builtins.h"

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

typedef struct ThresholdRows
{
	OpsThreshold *thresholds;
	int			count;
	int			space;
} ThresholdRows;

static void read_threshold(TupleTableSlot *slot, void *arg);
static OpsSeverity severity_of(const char *name);

/*
 * Read all of ops.threshold; the result is the number of rows.
 *
 * *note says why the table was not read, if it was not.
 */
int
ops_threshold_read(OpsThreshold **thresholds, const char **note)
{
	ThresholdRows rows = {.space = 8};
	int			holder;

	rows.thresholds = palloc(rows.space * sizeof(OpsThreshold));
	if (!ops_rows_read("threshold", NUM_COLUMNS, read_threshold, &rows,
					   &holder))
		*note = psprintf(_("ops.threshold is locked by process %d, built-in limits apply"),
						 holder);
	*thresholds = rows.thresholds;
	return rows.count;
}

/*
 * Read one row, unless it is about a check that this version lacks.
 */
static void
read_threshold(TupleTableSlot *slot, void *arg)
{
	ThresholdRows *rows = arg;
	Datum	   *values = slot->tts_values;
	bool	   *isnull = slot->tts_isnull;
	OpsThreshold threshold = {0};

	threshold.check = ops_check_find(TextDatumGetCString(values[COLUMN_CHECK_NAME]));
	if (threshold.check == NULL)
		return;
	threshold.enabled = DatumGetBool(values[COLUMN_ENABLED]);
	threshold.has_warning = !isnull[COLUMN_WARNING];
	if (threshold.has_warning)
		threshold.warning = DatumGetFloat8(values[COLUMN_WARNING]);
	threshold.has_critical = !isnull[COLUMN_CRITICAL];
	if (threshold.has_critical)
		threshold.critical = DatumGetFloat8(values[COLUMN_CRITICAL]);
	threshold.has_severity = !isnull[COLUMN_SEVERITY];
	if (threshold.has_severity)
		threshold.severity =
			severity_of(TextDatumGetCString(values[COLUMN_SEVERITY]));
	threshold.has_gates = !isnull[COLUMN_GATES];
	if (threshold.has_gates)
		threshold.gates = DatumGetBool(values[COLUMN_GATES]);

	if (rows->count == rows->space)
	{
		rows->space *= 2;
		rows->thresholds = repalloc(rows->thresholds,
									rows->space * sizeof(OpsThreshold));
	}
	rows->thresholds[rows->count++] = threshold;
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
