/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  ops.cleanup_plan(): what would go, how, and what stands against it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "cleanup/plan.h"
#include "core/attempt.h"
#include "core/json.h"
#include "core/report.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* From here on compressing the WAL is worth a word. */
#define MUCH_WAL		(100.0 * 1024 * 1024)

/* What stops a cleanup if no guard does */
#define FAILURE			"error"

enum Argument
{
	ARGUMENT_POLICY,
	ARGUMENT_TARGET,
	ARGUMENT_TIME_COLUMN,
	ARGUMENT_KEEP,
	ARGUMENT_CONDITION,
	ARGUMENT_HOLD,
	ARGUMENT_TIME_FORMAT,
	ARGUMENT_ARCHIVE,
	ARGUMENT_OVERRIDES,
	ARGUMENT_EXACT,
};

enum Column
{
	COLUMN_POLICY,
	COLUMN_RELATION,
	COLUMN_CUTOFF,
	COLUMN_METHOD,
	COLUMN_ROWS,
	COLUMN_ROWS_LOW,
	COLUMN_ROWS_HIGH,
	COLUMN_SHARE,
	COLUMN_BYTES,
	COLUMN_BATCHES,
	COLUMN_MS,
	COLUMN_WAL,
	COLUMN_CASCADES,
	COLUMN_TRIGGERS,
	COLUMN_UNINDEXED,
	COLUMN_REPLICATION,
	COLUMN_GUARDS,
	COLUMN_STOPPED_BY,
	COLUMN_REMEDY,
	COLUMN_PREDICATE,
	COLUMN_NOTE,
	COLUMN_DETAILS,
	NUM_COLUMNS
};

static const char *const method_name[] = {
	[OPS_METHOD_DROP] = "drop partition",
	[OPS_METHOD_DETACH] = "detach partition",
	[OPS_METHOD_INDEX] = "index blocks",
	[OPS_METHOD_SWEEP] = "block sweep",
	[OPS_METHOD_NOTHING] = "nothing",
	[OPS_METHOD_REFUSED] = "refused",
};

/* One policy to be planned, and where its rows go. */
typedef struct Planning
{
	const OpsRetention *policy;
	TimestampTz now;
	bool		exact;
	List	   *planned;		/* of OpsPlanned */
} Planning;

typedef struct Counting
{
	const OpsTarget *target;
	bool		exact;
	OpsEstimate *estimate;
} Counting;

static const OpsRetention *policy_of_call(FunctionCallInfo fcinfo);
static void plan_all(ReturnSetInfo *rsinfo, TimestampTz now, bool exact);
static void plan_policy(const OpsRetention *policy, ReturnSetInfo *rsinfo, TimestampTz now, bool exact);
static void demand_and_plan(void *arg);
static void plan_targets(Planning *planning);
static void count(OpsPlanned *planned, bool exact);
static void count_rows(void *arg);
static OpsCleanupMethod choose_method(const OpsPlanned *planned);
static void return_all(const Planning *planning, ReturnSetInfo *rsinfo);
static void return_failure(const OpsRetention *policy, const ErrorData *error, ReturnSetInfo *rsinfo);
static void return_planned(const OpsPlanned *planned, ReturnSetInfo *rsinfo);
static void return_figures(const OpsPlanned *planned, Datum *values, bool *nulls);
static void return_guards(const OpsTarget *target, Datum *values, bool *nulls);
static const char *note_of(const OpsPlanned *planned);
static void remark(StringInfo note, const char *sentence);
static void remark_lock(StringInfo note, const OpsTarget *target);
static void remark_restricting(StringInfo note, const OpsTarget *target);
static Jsonb *details_of(const OpsPlanned *planned);
static void add_references(OpsJsonbState *state, const OpsTarget *target);

PG_FUNCTION_INFO_V1(ops_cleanup_plan);

/*
 * ops.cleanup_plan(policy_name, target, time_column, keep, condition, hold,
 *					time_format, archive, overrides, exact)
 *
 * One row for each table whose own rows would go: those of one policy, of the
 * arguments, or of all policies that are enabled.  Rows are counted in small
 * tables, or where exact is wanted, and else estimated with a 95 % interval.
 *
 * Needs the privileges of the role that the policy runs as; of all policies,
 * those of others are told with the reason.  Changes nothing, and waits for
 * no lock: works on a standby and in a read-only transaction as well.
 */
Datum
ops_cleanup_plan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentStatementStartTimestamp();
	bool		exact = !PG_ARGISNULL(ARGUMENT_EXACT) &&
	PG_GETARG_BOOL(ARGUMENT_EXACT);
	const OpsRetention *policy;

	InitMaterializedSRF(fcinfo, 0);
	policy = policy_of_call(fcinfo);
	if (policy)
		plan_policy(policy, rsinfo, now, exact);
	else
		plan_all(rsinfo, now, exact);
	return (Datum) 0;
}

/*
 * The policy that is asked about, NULL for all.
 */
static const OpsRetention *
policy_of_call(FunctionCallInfo fcinfo)
{
	OpsRetention *policy;

	if (!PG_ARGISNULL(ARGUMENT_TARGET))
	{
		if (!PG_ARGISNULL(ARGUMENT_POLICY))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("policy_name and target cannot be given together"),
					 errhint("Name a policy, or give the table and how long its rows are kept.")));
		return ops_retention_of_call(PG_GETARG_OID(ARGUMENT_TARGET),
									 PG_ARGISNULL(ARGUMENT_TIME_COLUMN) ? NULL :
									 NameStr(*PG_GETARG_NAME(ARGUMENT_TIME_COLUMN)),
									 PG_ARGISNULL(ARGUMENT_KEEP) ? NULL :
									 PG_GETARG_INTERVAL_P(ARGUMENT_KEEP),
									 ops_argument_text(fcinfo, ARGUMENT_CONDITION, NULL),
									 ops_argument_text(fcinfo, ARGUMENT_HOLD, NULL),
									 ops_argument_text(fcinfo, ARGUMENT_TIME_FORMAT, NULL),
									 PG_ARGISNULL(ARGUMENT_ARCHIVE) ? InvalidOid :
									 PG_GETARG_OID(ARGUMENT_ARCHIVE),
									 ops_argument_texts(fcinfo, ARGUMENT_OVERRIDES));
	}
	for (int i = ARGUMENT_TIME_COLUMN; i <= ARGUMENT_ARCHIVE; i++)
	{
		if (!PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("arguments that describe a cleanup need a target"),
					 errhint("A policy is planned as it is; to plan something else, name the table with target.")));
	}
	if (PG_ARGISNULL(ARGUMENT_POLICY))
		return NULL;
	policy = ops_retention_by_name(ops_argument_text(fcinfo, ARGUMENT_POLICY, NULL));
	ops_retention_demand_right(policy);
	policy->overrides = list_concat(policy->overrides,
									ops_argument_texts(fcinfo, ARGUMENT_OVERRIDES));
	return policy;
}

/*
 * All policies that are enabled.  One that cannot be planned is a row.
 */
static void
plan_all(ReturnSetInfo *rsinfo, TimestampTz now, bool exact)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "operations_runbook policy",
												  ALLOCSET_DEFAULT_SIZES);
	ListCell   *lc;

	foreach(lc, ops_retention_all())
	{
		Planning	planning = {.policy = lfirst(lc),.now = now,.exact = exact};
		MemoryContext caller = MemoryContextSwitchTo(context);
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		if (planning.policy->enabled)
		{
			error = ops_attempt(demand_and_plan, &planning);
			if (error)
				return_failure(planning.policy, error, rsinfo);
			else
				return_all(&planning, rsinfo);
		}
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
}

static void
demand_and_plan(void *arg)
{
	Planning   *planning = arg;

	ops_retention_demand_right(planning->policy);
	plan_targets(planning);
}

static void
plan_policy(const OpsRetention *policy, ReturnSetInfo *rsinfo,
			TimestampTz now, bool exact)
{
	Planning	planning = {.policy = policy,.now = now,.exact = exact};

	plan_targets(&planning);
	return_all(&planning, rsinfo);
}

/*
 * What may go is weighed by the table, so nothing can be said of one target
 * before all are counted.
 */
static void
plan_targets(Planning *planning)
{
	List	   *targets = ops_cleanup_targets(planning->policy, planning->now);
	List	   *estimates = NIL;
	ListCell   *lc;

	foreach(lc, targets)
	{
		OpsPlanned *planned = palloc0(sizeof(OpsPlanned));

		CHECK_FOR_INTERRUPTS();
		planned->target = lfirst(lc);
		ops_cleanup_guards(planned->target);
		count(planned, planning->exact);
		planning->planned = lappend(planning->planned, planned);
		estimates = lappend(estimates, planned->estimate);
	}
	ops_cleanup_weigh_all(targets, estimates);
	foreach(lc, planning->planned)
	{
		OpsPlanned *planned = lfirst(lc);

		planned->method = choose_method(planned);
		if (planned->method != OPS_METHOD_NOTHING)
			ops_plan_expect(planned);
	}
}

/*
 * Count the rows of a target, unless it cannot be read at all.
 */
static void
count(OpsPlanned *planned, bool exact)
{
	Counting	counting = {.target = planned->target,.exact = exact};
	ErrorData  *error;
	ListCell   *lc;

	if (planned->target->predicate == NULL)
		return;
	foreach(lc, planned->target->guards)
	{
		const OpsGuard *guard = lfirst(lc);

		if (strcmp(guard->name, "no_privilege") == 0)
			return;
	}
	counting.estimate = palloc0(sizeof(OpsEstimate));
	if (planned->target->young && planned->target->reltuples > 0)
	{
		counting.estimate->total = planned->target->reltuples;
		planned->estimate = counting.estimate;
		return;
	}
	error = ops_attempt(count_rows, &counting);
	if (error == NULL)
	{
		planned->estimate = counting.estimate;
		return;
	}
	planned->trouble = error->detail ?
		psprintf("%s: %s", error->message, error->detail) : error->message;
	planned->fails = error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE;
}

static void
count_rows(void *arg)
{
	const Counting *counting = arg;

	ops_cleanup_estimate(counting->target, counting->exact,
						 counting->estimate);
}

static OpsCleanupMethod
choose_method(const OpsPlanned *planned)
{
	const OpsTarget *target = planned->target;

	if (planned->fails || ops_cleanup_stop(target))
		return OPS_METHOD_REFUSED;
	if (target->expired)
		return target->policy->partitions == OPS_PARTITIONS_DETACH ?
			OPS_METHOD_DETACH : OPS_METHOD_DROP;
	if (planned->estimate && planned->estimate->high == 0)
		return OPS_METHOD_NOTHING;
	return OidIsValid(target->index) ? OPS_METHOD_INDEX : OPS_METHOD_SWEEP;
}

static void
return_all(const Planning *planning, ReturnSetInfo *rsinfo)
{
	Datum		values[NUM_COLUMNS] = {0};
	bool		nulls[NUM_COLUMNS];
	ListCell   *lc;

	foreach(lc, planning->planned)
		return_planned(lfirst(lc), rsinfo);
	if (planning->planned != NIL)
		return;

	memset(nulls, true, sizeof(nulls));
	ops_report_text(&values[COLUMN_POLICY], &nulls[COLUMN_POLICY],
					planning->policy->name);
	ops_report_text(&values[COLUMN_METHOD], &nulls[COLUMN_METHOD],
					method_name[OPS_METHOD_NOTHING]);
	ops_report_text(&values[COLUMN_NOTE], &nulls[COLUMN_NOTE],
					planning->policy->pattern ?
					_("No table fits the pattern.") :
					_("The table does not exist any more, or has no partitions."));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * A policy of which nothing is known but why.
 */
static void
return_failure(const OpsRetention *policy, const ErrorData *error,
			   ReturnSetInfo *rsinfo)
{
	Datum		values[NUM_COLUMNS] = {0};
	bool		nulls[NUM_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	if (OidIsValid(policy->relation))
	{
		values[COLUMN_RELATION] = ObjectIdGetDatum(policy->relation);
		nulls[COLUMN_RELATION] = false;
	}
	ops_report_text(&values[COLUMN_POLICY], &nulls[COLUMN_POLICY], policy->name);
	ops_report_text(&values[COLUMN_METHOD], &nulls[COLUMN_METHOD],
					method_name[OPS_METHOD_REFUSED]);
	ops_report_text(&values[COLUMN_STOPPED_BY], &nulls[COLUMN_STOPPED_BY], FAILURE);
	ops_report_text(&values[COLUMN_REMEDY], &nulls[COLUMN_REMEDY], error->hint);
	ops_report_text(&values[COLUMN_NOTE], &nulls[COLUMN_NOTE], error->message);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
return_planned(const OpsPlanned *planned, ReturnSetInfo *rsinfo)
{
	const OpsTarget *target = planned->target;
	Datum		values[NUM_COLUMNS] = {0};
	bool		nulls[NUM_COLUMNS];

#define TEXT(column, string) \
	ops_report_text(&values[COLUMN_##column], &nulls[COLUMN_##column], string)
#define TEXTS(column, strings) \
	ops_report_texts(&values[COLUMN_##column], &nulls[COLUMN_##column], strings)

	memset(nulls, true, sizeof(nulls));
	TEXT(POLICY, target->policy->name);
	values[COLUMN_RELATION] = ObjectIdGetDatum(target->relid);
	nulls[COLUMN_RELATION] = false;
	if (target->predicate)
	{
		values[COLUMN_CUTOFF] = TimestampTzGetDatum(target->cutoff);
		nulls[COLUMN_CUTOFF] = false;
	}
	TEXT(METHOD, method_name[planned->method]);
	if (planned->estimate)
		return_figures(planned, values, nulls);
	TEXTS(CASCADES, ops_plan_cascades(target));
	TEXTS(TRIGGERS, target->triggers);
	TEXTS(UNINDEXED, ops_plan_unindexed(target));
	TEXTS(REPLICATION, ops_plan_replication(target));
	return_guards(target, values, nulls);
	if (planned->fails && nulls[COLUMN_STOPPED_BY])
		TEXT(STOPPED_BY, FAILURE);
	TEXT(PREDICATE, target->predicate);
	TEXT(NOTE, note_of(planned));
	values[COLUMN_DETAILS] = JsonbPGetDatum(details_of(planned));
	nulls[COLUMN_DETAILS] = false;
#undef TEXT
#undef TEXTS

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
return_figures(const OpsPlanned *planned, Datum *values, bool *nulls)
{
	const OpsEstimate *estimate = planned->estimate;

#define NUMBER(column, number) \
	(values[COLUMN_##column] = Int64GetDatum((int64) rint(number)), \
	 nulls[COLUMN_##column] = false)
#define FRACTION(column, number) \
	(values[COLUMN_##column] = Float8GetDatum(rint(10 * (number)) / 10), \
	 nulls[COLUMN_##column] = false)

	NUMBER(ROWS, estimate->rows);
	NUMBER(ROWS_LOW, estimate->low);
	NUMBER(ROWS_HIGH, estimate->high);
	NUMBER(BYTES, estimate->bytes);
	NUMBER(BATCHES, planned->batches);
	NUMBER(WAL, planned->wal_bytes);
	FRACTION(MS, planned->ms);
	if (estimate->total > 0)
		FRACTION(SHARE, 100 * estimate->rows / estimate->total);
#undef NUMBER
#undef FRACTION
}

static void
return_guards(const OpsTarget *target, Datum *values, bool *nulls)
{
	const OpsGuard *stop = ops_cleanup_stop(target);
	List	   *guards = NIL;
	ListCell   *lc;

	foreach(lc, target->guards)
	{
		const OpsGuard *guard = lfirst(lc);

		guards = lappend(guards,
						 psprintf(guard->overridden ? _("%s (overridden): %s") : "%s: %s",
								  guard->name, guard->message));
	}
	ops_report_texts(&values[COLUMN_GUARDS], &nulls[COLUMN_GUARDS], guards);
	if (stop == NULL)
		return;
	ops_report_text(&values[COLUMN_STOPPED_BY], &nulls[COLUMN_STOPPED_BY],
					stop->name);
	ops_report_text(&values[COLUMN_REMEDY], &nulls[COLUMN_REMEDY],
					stop->remedy);
}

/*
 * What else somebody should know, as sentences.
 */
static const char *
note_of(const OpsPlanned *planned)
{
	const OpsTarget *target = planned->target;
	StringInfoData note;

	initStringInfo(&note);
	if (!target->policy->enabled)
		remark(&note, _("The policy is not enabled."));
	if (planned->trouble)
		remark(&note, psprintf(_("Its rows could not be counted: %s."),
							   planned->trouble));
	else if (target->locked && target->holder != 0)
		remark(&note, psprintf(_("Process %d has it locked."), target->holder));
	else if (target->locked)
		remark(&note, _("Another process has it locked."));
	if (planned->method == OPS_METHOD_SWEEP && target->create_index)
		remark(&note, psprintf(_("No index finds its old rows, so all pages are read; this one would: %s"),
							   target->create_index));
	if (planned->method == OPS_METHOD_INDEX ||
		planned->method == OPS_METHOD_SWEEP)
	{
		remark_restricting(&note, target);
		if (target->has_deferrable)
			remark(&note, _("Deferred triggers run at each commit."));
		if (planned->wal_bytes > MUCH_WAL && !wal_compression)
			remark(&note, _("With wal_compression the WAL would be about 40 % smaller."));
		remark(&note, _("The file does not shrink by this: see ops.bloat_report()."));
	}
	if (planned->method == OPS_METHOD_DROP ||
		planned->method == OPS_METHOD_DETACH)
		remark_lock(&note, target);
	return note.len > 0 ? note.data : NULL;
}

static void
remark(StringInfo note, const char *sentence)
{
	appendStringInfo(note, "%s%s", note->len > 0 ? " " : "", sentence);
}

/*
 * Whether others notice that a partition goes.
 */
static void
remark_lock(StringInfo note, const OpsTarget *target)
{
	const char *why;

	if (target->detaching)
		remark(note, _("A run began to detach it concurrently."));
	else if (ops_cleanup_concurrent(target, &why))
		remark(note, _("ops.run_cleanup() detaches it concurrently."));
	else
		remark(note, psprintf(_("It is not detached concurrently: %s."), why));
}

/*
 * Rows that others refer to make their batch fail.
 */
static void
remark_restricting(StringInfo note, const OpsTarget *target)
{
	ListCell   *lc;

	foreach(lc, target->references)
	{
		const OpsReference *reference = lfirst(lc);
		char	   *name = get_rel_name(reference->relation);

		if (name && (reference->action == FKCONSTR_ACTION_NOACTION ||
					 reference->action == FKCONSTR_ACTION_RESTRICT))
			remark(note, psprintf(_("Rows that \"%s\" refers to by \"%s\" cannot go."),
								  name, reference->constraint));
	}
}

static Jsonb *
details_of(const OpsPlanned *planned)
{
	const OpsTarget *target = planned->target;
	OpsJsonbState state = {0};

	ops_json_begin_object(&state, NULL);
	ops_json_text(&state, "run_as", GetUserNameFromId(target->run_as, true));
	ops_json_text(&state, "root", get_rel_name(target->root));
	ops_json_integer(&state, "blocks", target->blocks);
	if (planned->estimate)
	{
		ops_json_number(&state, "table_rows", planned->estimate->total, 0);
		ops_json_number(&state, "pages", planned->estimate->pages, 0);
		ops_json_bool(&state, "exact", planned->estimate->exact);
	}
	ops_json_text(&state, "index",
				  OidIsValid(target->index) ? get_rel_name(target->index) : NULL);
	ops_json_text(&state, "create_index", target->create_index);
	ops_json_text(&state, "archive", target->archive_name);
	ops_json_bool(&state, "deferrable", target->has_deferrable);
	add_references(&state, target);
	ops_json_end_object(&state);
	return ops_json_finish(&state);
}

static void
add_references(OpsJsonbState *state, const OpsTarget *target)
{
	ListCell   *lc;

	ops_json_begin_array(state, "references");
	foreach(lc, target->references)
	{
		const OpsReference *reference = lfirst(lc);

		ops_json_begin_object(state, NULL);
		ops_json_text(state, "relation", get_rel_name(reference->relation));
		ops_json_text(state, "constraint", reference->constraint);
		ops_json_text(state, "on_delete",
					  ops_plan_action_name(reference->action));
		ops_json_bool(state, "indexed", reference->indexed);
		ops_json_bool(state, "deferrable", reference->deferrable);
		ops_json_integer(state, "depth", reference->depth);
		ops_json_end_object(state);
	}
	ops_json_end_array(state);
}
