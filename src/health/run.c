/*-------------------------------------------------------------------------
 *
 * run.c
 *	  One run of the checks: which ones, within what time, errors and all.
 *
 * A check that fails is a result, not an error.  To that end the checks run
 * in a subtransaction; an error ends it, becomes the result of the check at
 * hand, and a new subtransaction takes up the rest.  So a run without errors,
 * the usual one, pays for one subtransaction and not for one a check.
 *
 * Class 57 (cancel, timeout, shutdown) is re-thrown: it belongs to the
 * server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "core/errors.h"
#include "core/guc.h"
#include "health/maintenance.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

/* The steps before the first check. */
enum
{
	STEP_MAINTENANCE_MODE = -3, /* see ops.maintenance_mode */
	STEP_WINDOWS,				/* see ops.maintenance_window */
	STEP_THRESHOLDS,			/* see ops.threshold */
	STEP_FIRST_CHECK
};

StaticAssertDecl(STEP_FIRST_CHECK == 0, "checks are steps by their place");

static void select_checks(OpsRun *run, ArrayType *wanted);
static bool *wanted_checks(ArrayType *wanted, OpsDepth depth, int total);
static void add_result(OpsRun *run, const OpsCheck *check);
static void apply_thresholds(OpsRun *run, bool named);
static void drop_result(OpsRun *run, int place);
static int	run_steps(OpsRun *run, int first, bool named);
static void prepare(OpsRun *run, int step, bool named);
static void run_check(OpsRun *run, OpsResult *result);
static bool refused(OpsRun *run, OpsResult *result);
static void report_error(OpsRun *run, int step, const ErrorData *edata);
static double budget_ms(OpsDepth depth, Interval *budget);
static int	count_checks(void);

/*
 * Run the wanted checks (NULL: all of this depth) and return their results.
 *
 * Raises an error for a name that stands for nothing, before any check runs,
 * and nothing but class 57 later.  The run lives in a context of its own
 * below the current one; delete run->context when done.
 */
OpsRun *
ops_run(OpsDepth depth, ArrayType *wanted, Interval *budget)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	OpsRun	   *run;
	int			step = STEP_MAINTENANCE_MODE;

	context = AllocSetContextCreate(caller, "operations_runbook run",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);

	run = palloc0(sizeof(OpsRun));
	run->context = context;
	INSTR_TIME_SET_CURRENT(run->start);
	run->budget_ms = budget_ms(depth, budget);
	run->now = GetCurrentTimestamp();
	run->depth = depth;
	run->standby = RecoveryInProgress();
	run->superuser = superuser();
	run->monitor = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);

	select_checks(run, wanted);
	while (step < run->nresults)
		step = run_steps(run, step, wanted != NULL);

	MemoryContextSwitchTo(caller);
	return run;
}

/*
 * Called by a probe in its loops, for every so many rows.
 */
void
ops_run_check_budget(OpsRun *run)
{
	CHECK_FOR_INTERRUPTS();
	if (ops_run_elapsed_ms(run) > run->budget_ms)
		ereport(ERROR,
				(errcode(OPS_ERRCODE_OUT_OF_BUDGET),
				 errmsg("the budget of %g ms is used up", run->budget_ms)));
}

/*
 * What the run as a whole says.
 *
 * Only a check that gates readiness can fail the whole: anything else is no
 * reason to send no traffic here.  What is unknown counts if it is of
 * severity P0 or P1 and could have been known.
 */
OpsStatus
ops_run_status(const OpsRun *run)
{
	OpsStatus	status = OPS_OK;

	for (int i = 0; i < run->nresults; i++)
	{
		const OpsResult *result = &run->results[i];
		OpsStatus	counted = result->status;

		if (counted == OPS_FAIL && !result->gates)
			counted = OPS_WARN;
		if (counted == OPS_UNKNOWN &&
			(result->reason == OPS_NOT_APPLICABLE ||
			 result->severity > OPS_P1))
			counted = OPS_OK;
		status = Max(status, counted);
	}
	return status;
}

double
ops_run_elapsed_ms(const OpsRun *run)
{
	instr_time	elapsed;

	INSTR_TIME_SET_CURRENT(elapsed);
	INSTR_TIME_SUBTRACT(elapsed, run->start);
	return INSTR_TIME_GET_MILLISEC(elapsed);
}

/*
 * Fill in one result for each check that is to run, the fast ones first.
 */
static void
select_checks(OpsRun *run, ArrayType *wanted)
{
	int			total = count_checks();
	bool	   *chosen = wanted_checks(wanted, run->depth, total);

	run->results = palloc0(total * sizeof(OpsResult));
	for (OpsDepth depth = OPS_FAST; depth <= OPS_DEEP; depth++)
	{
		int			n = 0;

		for (const OpsFamily *family = ops_family_table; family->name; family++)
		{
			for (int i = 0; i < *family->count; i++, n++)
			{
				const OpsCheck *check = &family->checks[i];

				if (check->depth != depth)
					continue;
				if (chosen ? chosen[n] : check->depth <= run->depth)
					add_result(run, check);
			}
		}
	}
}

/*
 * Which checks the names stand for, by their place over all families; NULL
 * if there are no names.
 *
 * The name of a check means that check, also a deep one in a fast run; any
 * other name of a family means its checks of the run's depth.
 */
static bool *
wanted_checks(ArrayType *wanted, OpsDepth depth, int total)
{
	Datum	   *names;
	bool	   *nulls;
	int			nnames;
	bool	   *chosen;

	if (wanted == NULL)
		return NULL;

	deconstruct_array(wanted, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, &nulls, &nnames);
	if (nnames == 0)
		ereport(ERROR,
				(errcode(OPS_ERRCODE_UNDEFINED_CHECK),
				 errmsg("the list of checks is empty"),
				 errhint("Leave \"only\" out for all checks. Valid names are: %s.",
						 ops_check_names())));

	chosen = palloc0(total * sizeof(bool));
	for (int i = 0; i < nnames; i++)
	{
		const char *name = nulls[i] ? NULL : TextDatumGetCString(names[i]);
		const OpsCheck *check = name ? ops_check_find(name) : NULL;
		const OpsFamily *wanted_family = name && !check ?
		ops_family_find(name) : NULL;
		int			n = 0;

		if (check == NULL && wanted_family == NULL)
			ereport(ERROR,
					(errcode(OPS_ERRCODE_UNDEFINED_CHECK),
					 name ? errmsg("no check is named \"%s\"", name) :
					 errmsg("a check's name cannot be null"),
					 errhint("Valid names, family by family: %s.",
							 ops_check_names())));

		for (const OpsFamily *family = ops_family_table; family->name; family++)
		{
			for (int j = 0; j < *family->count; j++, n++)
			{
				if (&family->checks[j] == check ||
					(family == wanted_family &&
					 family->checks[j].depth <= depth))
					chosen[n] = true;
			}
		}
	}
	return chosen;
}

static void
add_result(OpsRun *run, const OpsCheck *check)
{
	OpsResult  *result = &run->results[run->nresults++];

	result->check = check;
	result->severity = check->severity;
	result->warning = check->warning;
	result->critical = check->critical;
	result->gates = check->gates;
	result->value = get_float8_nan();
}

/*
 * Change limits as ops.threshold says, and leave out what it switches off.
 *
 * A check that the caller named stays, so that nothing asked for is missing
 * from the answer.
 */
static void
apply_thresholds(OpsRun *run, bool named)
{
	OpsThreshold *thresholds;
	int			count = ops_threshold_read(&thresholds, &run->note);

	for (int i = 0; i < count; i++)
	{
		const OpsThreshold *threshold = &thresholds[i];

		for (int place = 0; place < run->nresults; place++)
		{
			OpsResult  *result = &run->results[place];

			if (result->check != threshold->check)
				continue;
			if (threshold->has_severity)
				result->severity = threshold->severity;
			if (threshold->has_warning)
				result->warning = threshold->warning;
			if (threshold->has_critical)
				result->critical = threshold->critical;
			if (threshold->has_gates)
				result->gates = threshold->gates;
			if (!threshold->enabled && named)
				ops_result_unknown(result, OPS_NOT_APPLICABLE,
								   _("not applicable: switched off in ops.threshold"));
			else if (!threshold->enabled)
				drop_result(run, place);
			break;
		}
	}
}

static void
drop_result(OpsRun *run, int place)
{
	run->nresults--;
	memmove(&run->results[place], &run->results[place + 1],
			(run->nresults - place) * sizeof(OpsResult));
}

/*
 * Run the steps from the given one on, up to and including one that raises
 * an error; return the step to go on with.
 */
static int
run_steps(OpsRun *run, int first, bool named)
{
	ResourceOwner owner = CurrentResourceOwner;
	volatile int step = first;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(run->context);
	PG_TRY();
	{
		for (; step < STEP_FIRST_CHECK; step++)
			prepare(run, step, named);
		for (; step < run->nresults; step++)
			run_check(run, &run->results[step]);

		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(run->context);
		edata = CopyErrorData();
		FlushErrorState();

		/*
		 * Also before throwing on: whoever catches the error outside knows
		 * nothing of our subtransaction, and would leave it open.
		 */
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
			ReThrowError(edata);
		report_error(run, step, edata);
		step++;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(run->context);
	CurrentResourceOwner = owner;
	return step;
}

static void
prepare(OpsRun *run, int step, bool named)
{
	switch (step)
	{
		case STEP_MAINTENANCE_MODE:
			ops_maintenance_note(run, OPS_MAINTENANCE_MODE);
			break;
		case STEP_WINDOWS:
			ops_maintenance_note(run, OPS_MAINTENANCE_WINDOW);
			break;
		case STEP_THRESHOLDS:
			apply_thresholds(run, named);
			break;
	}
}

static void
run_check(OpsRun *run, OpsResult *result)
{
	CHECK_FOR_INTERRUPTS();
	if (refused(run, result))
		return;

	result->check->probe(run, result);
	ops_result_judge(result);
}

/*
 * Say that a check cannot run here, for this caller or in the time left.
 */
static bool
refused(OpsRun *run, OpsResult *result)
{
	const OpsCheck *check = result->check;

	if (result->reason != OPS_REASON_NONE)
		return true;

	if (check->where == OPS_ON_PRIMARY && run->standby)
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("not applicable: this server is a standby"));
	else if (check->where == OPS_ON_STANDBY && !run->standby)
		ops_result_unknown(result, OPS_NOT_APPLICABLE,
						   _("not applicable: this server is no standby"));
	else if (check->audience == OPS_FOR_SUPERUSER && !run->superuser)
		ops_result_unknown(result, OPS_DENIED,
						   _("needs superuser"));
	else if (check->audience == OPS_FOR_MONITOR && !run->monitor)
	{
		ops_result_unknown(result, OPS_DENIED,
						   _("needs pg_monitor"));
		ops_result_remedy(result, "GRANT pg_monitor TO %s;",
						  quote_identifier(GetUserNameFromId(GetUserId(), false)));
	}
	else if (ops_run_elapsed_ms(run) > run->budget_ms)
	{
		ops_result_unknown(result, OPS_OUT_OF_BUDGET,
						   _("not reached: the budget of %g ms is used up"),
						   run->budget_ms);
		run->truncated = true;
	}
	return result->reason != OPS_REASON_NONE;
}

/*
 * Turn a step's error into its result.
 */
static void
report_error(OpsRun *run, int step, const ErrorData *edata)
{
	OpsResult  *result;

	switch (step)
	{
		case STEP_MAINTENANCE_MODE:
			ops_maintenance_unknown(run, OPS_MAINTENANCE_MODE, edata->message);
			return;
		case STEP_WINDOWS:
			ops_maintenance_unknown(run, OPS_MAINTENANCE_WINDOW, edata->message);
			return;
		case STEP_THRESHOLDS:
			run->note = psprintf(_("ops.threshold could not be read, built-in limits apply: %s"),
								 edata->message);
			return;
	}

	result = &run->results[step];
	result->nculprits = 0;
	result->remedy = NULL;
	if (edata->sqlerrcode == OPS_ERRCODE_OUT_OF_BUDGET)
	{
		ops_result_unknown(result, OPS_OUT_OF_BUDGET,
						   _("not finished: %s"), edata->message);
		run->truncated = true;
	}
	else if (edata->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		ops_result_unknown(result, OPS_LOCKED,
						   _("locked: %s"), edata->message);
	else if (edata->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
		ops_result_unknown(result, OPS_DENIED,
						   _("denied: %s"), edata->message);
	else
		ops_result_unknown(result, OPS_FAILED,
						   _("could not be measured: %s"), edata->message);
}

/*
 * The budget in milliseconds: the caller's, else the setting of this depth.
 */
static double
budget_ms(OpsDepth depth, Interval *budget)
{
	double		days;
	double		ms;

	if (budget == NULL)
		return depth == OPS_FAST ? ops_guc_fast_budget : ops_guc_deep_budget;

	days = (double) budget->month * DAYS_PER_MONTH + budget->day;
	ms = (days * USECS_PER_DAY + budget->time) / 1000;
	if (ms <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the budget must be more than zero"),
				 errhint("Leave \"budget\" out for the setting operations_runbook.%s.",
						 depth == OPS_FAST ? "fast_budget" : "deep_budget")));
	return ms;
}

static int
count_checks(void)
{
	int			total = 0;

	for (const OpsFamily *family = ops_family_table; family->name; family++)
		total += *family->count;
	return total;
}
