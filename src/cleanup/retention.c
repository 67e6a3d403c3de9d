/*-------------------------------------------------------------------------
 *
 * retention.c
 *	  Making, changing and dropping policies.
 *
 * A policy runs with the rights of a role, so nobody makes, changes or drops
 * one who does not have them.  It is checked whole whenever it is written,
 * see define.c; a change is one of a row that is locked, so that two at a
 * time do not mix.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "cleanup/retention.h"
#include "core/compat.h"
#include "core/report.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(ops_add_retention);
PG_FUNCTION_INFO_V1(ops_alter_retention);
PG_FUNCTION_INFO_V1(ops_drop_retention);

/*
 * Parameters of ops.alter_retention(); those of ops.add_retention() are the
 * same, but the name comes after KEEP and nothing can be cleared.
 */
typedef enum Parameter
{
	POLICY_NAME,
	TARGET,
	TIME_COLUMN,
	KEEP,
	CONDITION,
	HOLD,
	KEEP_FOR,
	TIME_FORMAT,
	SNOWFLAKE_EPOCH,
	NULL_IS_OLD,
	ARCHIVE,
	PARTITIONS,
	MIN_KEEP,
	MAX_SHARE,
	ROW_CAP,
	BATCH_TARGET,
	OVERRIDES,
	ENABLED,
	RUN_AS,
	TIME_ZONE,
	CLEAR,
} Parameter;

/* What was given, by parameter. */
typedef struct Given
{
	FunctionCallInfo fcinfo;
	bool		adding;
} Given;

/* What can be given up again, by its name. */
typedef struct Clearable
{
	const char *name;
	Parameter	parameter;
} Clearable;

static const Clearable clearable[] = {
	{"condition", CONDITION},
	{"hold", HOLD},
	{"keep_for", KEEP_FOR},
	{"time_format", TIME_FORMAT},
	{"snowflake_epoch", SNOWFLAKE_EPOCH},
	{"archive", ARCHIVE},
	{"row_cap", ROW_CAP},
	{"time_zone", TIME_ZONE},
};

static int	place_of(const Given *args, Parameter parameter);
static bool given(const Given *args, Parameter parameter);
static Datum value_of(const Given *args, Parameter parameter);
static const char *text_of(const Given *args, Parameter parameter,
						   const char *other);
static void demand(const Given *args, Parameter parameter, const char *name);
static void take(const Given *args, OpsRetention *policy,
				 OpsRetentionNews *news);
static void take_expressions(const Given *args, OpsRetention *policy,
							 OpsRetentionNews *news);
static OpsPartitions partitions_of(const char *name);
static List *overrides_of(ArrayType *array);
static void clear(const Given *args, OpsRetention *policy);
static void clear_one(OpsRetention *policy, Parameter parameter);
static const char *free_name(const OpsRetention *policy);

/*
 * ops.add_retention(target text, time_column text, keep interval,
 *		policy_name text, condition text, hold text, keep_for text,
 *		time_format text, snowflake_epoch timestamptz, null_is_old boolean,
 *		archive regclass, partitions text, min_keep interval,
 *		max_share float8, row_cap bigint, batch_target interval,
 *		overrides text[], enabled boolean, run_as name, time_zone text)
 * RETURNS text
 *
 * Makes a policy; the result is its name.  A null stands for the default.
 * Errors are those of ops_retention_define() and 42710; no lock on a table is
 * waited for.  The caller needs the privileges of the role it runs as.
 */
Datum
ops_add_retention(PG_FUNCTION_ARGS)
{
	Given		args = {.fcinfo = fcinfo,.adding = true};
	OpsRetention *policy = ops_retention_defaults();
	OpsRetentionNews news = {0};

	demand(&args, TARGET, "target");
	demand(&args, TIME_COLUMN, "time_column");
	demand(&args, KEEP, "keep");
	policy->name = text_of(&args, POLICY_NAME, NULL);
	take(&args, policy, &news);
	PG_RETURN_TEXT_P(cstring_to_text(ops_retention_make(policy, &news)));
}

/*
 * Check a policy, write it and tell what it lacks; the result is its name.
 */
const char *
ops_retention_make(OpsRetention *policy, const OpsRetentionNews *news)
{
	ops_retention_define(policy, news);
	if (policy->name == NULL)
		policy->name = free_name(policy);
	ops_retention_insert(policy);
	ops_retention_advise(policy);
	return policy->name;
}

/*
 * ops.alter_retention(policy_name text, ..., clear text[]) RETURNS void
 *
 * Changes what is given of a policy and checks all of it anew.  The caller
 * needs the privileges of the role that it ran as, and of the one that it is
 * going to run as.
 */
Datum
ops_alter_retention(PG_FUNCTION_ARGS)
{
	Given		args = {.fcinfo = fcinfo,.adding = false};
	OpsRetentionNews news = {0};
	OpsRetention *policy;

	demand(&args, POLICY_NAME, "policy_name");
	policy = ops_retention_lock(text_of(&args, POLICY_NAME, NULL), false);
	ops_retention_demand_right(policy);
	clear(&args, policy);
	take(&args, policy, &news);
	ops_retention_define(policy, &news);
	ops_retention_update(policy);
	if (given(&args, TARGET) || given(&args, TIME_COLUMN))
		ops_retention_advise(policy);
	PG_RETURN_VOID();
}

/*
 * ops.drop_retention(policy_name text) RETURNS boolean
 *
 * Whether there was such a policy.  The caller needs the privileges of the
 * role that it ran as.
 */
Datum
ops_drop_retention(PG_FUNCTION_ARGS)
{
	Given		args = {.fcinfo = fcinfo,.adding = false};
	const OpsRetention *policy;

	demand(&args, POLICY_NAME, "policy_name");
	policy = ops_retention_lock(text_of(&args, POLICY_NAME, NULL), true);
	if (policy == NULL)
		PG_RETURN_BOOL(false);
	ops_retention_demand_right(policy);
	PG_RETURN_BOOL(ops_retention_delete(policy->name));
}

/*
 * Raise 42501 unless the caller has the privileges of the policy's role.
 */
void
ops_retention_demand_right(const OpsRetention *policy)
{
	const char *name = policy->name;
	const char *role = GetUserNameFromId(policy->run_as, true);

	/* Of a role that is gone, a superuser disposes. */
	if (superuser() ||
		(role && (has_privs_of_role(GetUserId(), policy->run_as) ||
				  ops_compat_can_set_role(GetUserId(), policy->run_as))))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 name == NULL ? errmsg("permission denied to delete as role \"%s\"",
								   role) :
			 role ? errmsg("permission denied: retention policy \"%s\" runs as role \"%s\"",
						   name, role) :
			 errmsg("permission denied: retention policy \"%s\" runs as a role that does not exist any more",
					name),
			 errhint("Whoever makes, changes, drops or runs it needs the privileges of its role.")));
}

/*
 * The role that a policy of one table runs as if none is given: the table's
 * owner where the caller has his privileges, else the caller.
 */
Oid
ops_retention_default_role(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return has_privs_of_role(GetUserId(), owner) ? owner : GetUserId();
}

/*
 * Where a parameter stands among the arguments; the name of a new policy
 * comes fourth.
 */
static int
place_of(const Given *args, Parameter parameter)
{
	if (!args->adding || parameter > KEEP)
		return parameter;
	return parameter == POLICY_NAME ? KEEP : parameter - 1;
}

static bool
given(const Given *args, Parameter parameter)
{
	int			place = place_of(args, parameter);

	return place < args->fcinfo->nargs && !args->fcinfo->args[place].isnull;
}

static Datum
value_of(const Given *args, Parameter parameter)
{
	return args->fcinfo->args[place_of(args, parameter)].value;
}

/*
 * A text that was given, or what is there otherwise.
 */
static const char *
text_of(const Given *args, Parameter parameter, const char *other)
{
	return given(args, parameter) ?
		TextDatumGetCString(value_of(args, parameter)) : other;
}

static void
demand(const Given *args, Parameter parameter, const char *name)
{
	if (!given(args, parameter))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

/*
 * Put into a policy whatever was given.
 */
static void
take(const Given *args, OpsRetention *policy, OpsRetentionNews *news)
{
	take_expressions(args, policy, news);
	if (given(args, TARGET))
		ops_retention_aim(policy,
						  TextDatumGetCString(value_of(args, TARGET)));
	if (given(args, KEEP))
		policy->keep = DatumGetIntervalP(value_of(args, KEEP));
	if (given(args, MIN_KEEP))
		policy->min_keep = DatumGetIntervalP(value_of(args, MIN_KEEP));
	if (given(args, SNOWFLAKE_EPOCH))
		policy->snowflake_epoch =
			DatumGetTimestampTz(value_of(args, SNOWFLAKE_EPOCH));
	if (given(args, NULL_IS_OLD))
		policy->null_is_old = DatumGetBool(value_of(args, NULL_IS_OLD));
	if (given(args, ARCHIVE))
		policy->archive = DatumGetObjectId(value_of(args, ARCHIVE));
	if (given(args, PARTITIONS))
		policy->partitions =
			partitions_of(TextDatumGetCString(value_of(args, PARTITIONS)));
	if (given(args, MAX_SHARE))
		policy->max_share = DatumGetFloat8(value_of(args, MAX_SHARE));
	if (given(args, ROW_CAP))
	{
		policy->row_cap = DatumGetInt64(value_of(args, ROW_CAP));
		if (policy->row_cap == 0)
			policy->row_cap = -1;	/* not "none", but an error */
	}
	if (given(args, BATCH_TARGET))
		policy->batch_ms =
			ops_interval_ms(DatumGetIntervalP(value_of(args, BATCH_TARGET)));
	if (given(args, OVERRIDES))
		policy->overrides =
			overrides_of(DatumGetArrayTypeP(value_of(args, OVERRIDES)));
	if (given(args, ENABLED))
		policy->enabled = DatumGetBool(value_of(args, ENABLED));
	if (given(args, RUN_AS))
		news->run_as = pstrdup(NameStr(*DatumGetName(value_of(args, RUN_AS))));
	policy->time_format = text_of(args, TIME_FORMAT, policy->time_format);
	policy->time_zone = text_of(args, TIME_ZONE, policy->time_zone);
}

/*
 * Those are as the caller wrote them, until they are analysed.
 */
static void
take_expressions(const Given *args, OpsRetention *policy,
				 OpsRetentionNews *news)
{
	news->time = text_of(args, TIME_COLUMN, NULL);
	policy->condition = text_of(args, CONDITION, policy->condition);
	policy->hold = text_of(args, HOLD, policy->hold);
	policy->keep_for = text_of(args, KEEP_FOR, policy->keep_for);
	news->condition = given(args, CONDITION);
	news->hold = given(args, HOLD);
	news->keep_for = given(args, KEEP_FOR);
}

static OpsPartitions
partitions_of(const char *name)
{
	for (int i = OPS_PARTITIONS_DROP; i <= OPS_PARTITIONS_ROWS; i++)
	{
		if (strcmp(name, ops_partitions_name[i]) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("partitions cannot be \"%s\"", name),
			 errhint("It says what becomes of partitions all of whose rows are old: drop, detach or rows.")));
}

static List *
overrides_of(ArrayType *array)
{
	List	   *names = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("overrides must not contain nulls")));
		names = lappend(names, TextDatumGetCString(elements[i]));
	}
	return names;
}

/*
 * Give up what the argument "clear" names.
 */
static void
clear(const Given *args, OpsRetention *policy)
{
	ListCell   *lc;

	if (!given(args, CLEAR))
		return;
	foreach(lc, ops_argument_texts(args->fcinfo, CLEAR))
	{
		const char *name = lfirst(lc);
		const Clearable *found = NULL;

		for (int i = 0; i < lengthof(clearable); i++)
		{
			if (strcmp(name, clearable[i].name) == 0)
				found = &clearable[i];
		}
		if (found == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" cannot be cleared", name),
					 errhint("What can be is condition, hold, keep_for, time_format, snowflake_epoch, archive, row_cap and time_zone.")));
		if (found && given(args, found->parameter))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is both given and cleared", name)));
		if (found)
			clear_one(policy, found->parameter);
	}
}

static void
clear_one(OpsRetention *policy, Parameter parameter)
{
	switch (parameter)
	{
		case CONDITION:
			policy->condition = NULL;
			break;
		case HOLD:
			policy->hold = NULL;
			break;
		case KEEP_FOR:
			policy->keep_for = NULL;
			break;
		case TIME_FORMAT:
			policy->time_format = NULL;
			break;
		case SNOWFLAKE_EPOCH:
			policy->snowflake_epoch = DT_NOBEGIN;
			break;
		case ARCHIVE:
			policy->archive = InvalidOid;
			break;
		case ROW_CAP:
			policy->row_cap = 0;
			break;
		case TIME_ZONE:
			policy->time_zone = NULL;
			break;
		default:
			elog(ERROR, "unexpected parameter: %d", parameter);
	}
}

/*
 * A policy without a name is called after its table or pattern, with a number
 * if there is one of that name.
 */
static const char *
free_name(const OpsRetention *policy)
{
	const char *base = policy->pattern ? policy->pattern :
	ops_retention_table_name(policy->relation);
	const char *name = base;
	List	   *policies = ops_retention_all();
	bool		taken = true;

	for (int number = 2; taken; number++)
	{
		ListCell   *lc;

		taken = false;
		foreach(lc, policies)
		{
			if (strcmp(((const OpsRetention *) lfirst(lc))->name, name) == 0)
				taken = true;
		}
		if (taken)
			name = psprintf("%s (%d)", base, number);
	}
	return name;
}
