/*-------------------------------------------------------------------------
 *
 * performance_report.c
 *	  What is slow about one policy, as findings, each with its remedy.
 *
 * Generated schemas have the same policy on thousands of tables, and naming
 * the parts of a tree is what costs most here.  So the text of a remedy is
 * kept for the next table whose policy, and whose columns in it, are alike.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rls/deparse.h"
#include "rls/formula.h"
#include "rls/performance_report.h"
#include "utils/builtins.h"

#define MAX_REMEDIES_KEPT	16

/* Clauses of ALTER POLICY, and the policy that they are the remedy for. */
typedef struct Remedy
{
	const OpsRlsRelation *relation;
	Node	   *qual;
	Node	   *check;
	Bitmapset  *columns;		/* as pull_varattnos() numbers them */
	const char *clauses;		/* NULL: cannot be had */
} Remedy;

static OpsRlsFinding *report(OpsRlsAudit *audit, OpsRlsCodeId code,
							 const OpsRlsRelation *relation,
							 const OpsRlsPolicy *policy);
static void report_calls(OpsRlsAudit *audit, const OpsRlsRelation *relation,
						 const OpsRlsPolicy *policy, Node *qual, Node *check,
						 const OpsSlowness *slow);
static void report_volatiles(OpsRlsAudit *audit,
							 const OpsRlsRelation *relation,
							 const OpsRlsPolicy *policy,
							 const OpsSlowness *slow, bool finds_rows);
static void report_per_row(OpsRlsAudit *audit, const OpsRlsRelation *relation,
						   const OpsRlsPolicy *policy,
						   const OpsSlowness *slow);
static void report_correlated(OpsRlsAudit *audit,
							  const OpsRlsRelation *relation,
							  const OpsRlsPolicy *policy);
static char *function_names(OpsRlsAudit *audit, List *functions);
static const char *wrapped_clauses(OpsRlsAudit *audit,
								   const OpsRlsRelation *relation,
								   Node *qual, Node *check,
								   const OpsSlowness *slow);
static const char *known_clauses(OpsRlsAudit *audit,
								 const OpsRlsRelation *relation,
								 Node *qual, Node *check);
static bool same_columns(const OpsRlsRelation *a, const OpsRlsRelation *b,
						 const Bitmapset *columns);
static const char *make_clauses(OpsRlsAudit *audit,
								const OpsRlsRelation *relation,
								Node *qual, Node *check);
static bool append_wrapped(StringInfo clauses, const char *keyword,
						   OpsRlsAudit *audit, const OpsRlsRelation *relation,
						   Node *condition);

/*
 * Report what was seen of a policy; CurrentMemoryContext may be a short one.
 */
void
ops_rls_report_slowness(OpsRlsAudit *audit, OpsRlsRelation *relation,
						OpsRlsPolicy *policy, Node *qual, Node *check,
						const OpsSlowness *slow)
{
	MemoryContext caller = MemoryContextSwitchTo(audit->context);

	if (ops_rls_policy_is_met(audit, relation, policy))
	{
		if (slow->ncalls > 0)
			report_calls(audit, relation, policy, qual, check, slow);
		if (slow->volatiles != NIL || slow->tame_volatiles != NIL)
			report_volatiles(audit, relation, policy, slow, qual != NULL);
		if (slow->per_row != NIL || slow->per_new_row != NIL)
			report_per_row(audit, relation, policy, slow);
		if (slow->correlated)
			report_correlated(audit, relation, policy);
		ops_rls_note_unserved(audit, relation, policy, slow->unserved);
	}
	MemoryContextSwitchTo(caller);
}

static OpsRlsFinding *
report(OpsRlsAudit *audit, OpsRlsCodeId code, const OpsRlsRelation *relation,
	   const OpsRlsPolicy *policy)
{
	OpsRlsFinding *finding = ops_rls_report(audit, code, relation);

	finding->policies = list_make1(unconstify(char *, policy->name));
	finding->command = ops_rls_command_name(policy->command);
	return finding;
}

static void
report_calls(OpsRlsAudit *audit, const OpsRlsRelation *relation,
			 const OpsRlsPolicy *policy, Node *qual, Node *check,
			 const OpsSlowness *slow)
{
	OpsRlsFinding *finding = report(audit, PERF_POLICY_INITPLAN, relation,
									policy);
	char	   *names = function_names(audit, slow->calls);
	const char *clauses = wrapped_clauses(audit, relation, qual, check, slow);

	/* Tested once as it stands, but not beside a second permissive policy. */
	if (slow->nonce == slow->ncalls)
		finding->severity = OPS_P3;
	finding->message = psprintf(_("policy \"%s\" calls %s again for each row, with the same result"),
								policy->name, names);
	ops_rls_evidence(finding, "functions", "%s", names);
	if (clauses)
		finding->remediation = psprintf("ALTER POLICY %s ON %s%s;",
										quote_identifier(policy->name),
										ops_rls_relation_name(relation),
										clauses);
}

/*
 * A volatile function is evaluated for each row, whatever its arguments,
 * unless the planner puts its body in its place or a sub-select shields it.
 */
static void
report_volatiles(OpsRlsAudit *audit, const OpsRlsRelation *relation,
				 const OpsRlsPolicy *policy, const OpsSlowness *slow,
				 bool finds_rows)
{
	OpsRlsFinding *finding = report(audit, PERF_POLICY_VOLATILE_FUNCTION,
									relation, policy);
	List	   *functions = slow->volatiles ? slow->volatiles :
	slow->tame_volatiles;
	char	   *names = function_names(audit, functions);
	StringInfoData remedy;
	ListCell   *lc;

	if (slow->volatiles != NIL && finds_rows)
		finding->message = psprintf(_("policy \"%s\" calls %s, which is volatile, so no index can be used for it"),
									policy->name, names);
	else
	{
		finding->severity = OPS_P3;
		finding->message = psprintf(_("policy \"%s\" calls %s, which is volatile; here that costs little"),
									policy->name, names);
	}
	ops_rls_evidence(finding, "functions", "%s", names);

	initStringInfo(&remedy);
	foreach(lc, functions)
	{
		char	   *signature = ops_rls_signature(lfirst_oid(lc));

		if (signature)
			appendStringInfo(&remedy, "%sALTER FUNCTION %s STABLE;",
							 remedy.len > 0 ? " " : "", signature);
	}
	if (remedy.len > 0)
		finding->remediation = remedy.data;
}

static void
report_per_row(OpsRlsAudit *audit, const OpsRlsRelation *relation,
			   const OpsRlsPolicy *policy, const OpsSlowness *slow)
{
	OpsRlsFinding *finding = report(audit, PERF_POLICY_PER_ROW_FUNCTION,
									relation, policy);
	char	   *names = function_names(audit, slow->per_row ? slow->per_row :
									   slow->per_new_row);

	/* A new row comes by itself; the query is one beside its INSERT. */
	if (slow->per_row == NIL)
		finding->severity = OPS_P3;
	finding->message = psprintf(_("policy \"%s\" calls %s with columns of the row, which runs a query for each row; a function without arguments that returns all of the session's values, in IN (SELECT ...), runs once"),
								policy->name, names);
	ops_rls_evidence(finding, "functions", "%s", names);
}

static void
report_correlated(OpsRlsAudit *audit, const OpsRlsRelation *relation,
				  const OpsRlsPolicy *policy)
{
	OpsRlsFinding *finding = report(audit, PERF_POLICY_CORRELATED_SUBQUERY,
									relation, policy);

	finding->message = psprintf(_("policy \"%s\" has a sub-select that depends on the row by equality alone; as IN (SELECT ...) it runs once"),
								policy->name);
}

static char *
function_names(OpsRlsAudit *audit, List *functions)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, functions)
	{
		const OpsFunction *function = ops_rls_function(audit, lfirst_oid(lc));

		appendStringInfo(&names, "%s%s()", names.len > 0 ? ", " : "",
						 function->name ? function->name : function->proname);
	}
	return names.data;
}

/*
 * The clauses of ALTER POLICY with each call in a sub-select of its own.
 */
static const char *
wrapped_clauses(OpsRlsAudit *audit, const OpsRlsRelation *relation,
				Node *qual, Node *check, const OpsSlowness *slow)
{
	struct OpsPerformance *performance = audit->performance;
	const char *clauses;
	Remedy	   *remedy;

	/* In a sub-select, columns are shown with the table's name. */
	if (slow->has_sublinks)
		return make_clauses(audit, relation, qual, check);

	clauses = known_clauses(audit, relation, qual, check);
	if (clauses)
		return clauses;

	clauses = make_clauses(audit, relation, qual, check);
	if (clauses == NULL)
		return NULL;
	remedy = palloc0(sizeof(Remedy));
	remedy->relation = relation;
	remedy->qual = copyObject(qual);
	remedy->check = copyObject(check);
	pull_varattnos(qual, 1, &remedy->columns);
	pull_varattnos(check, 1, &remedy->columns);
	remedy->clauses = clauses;
	if (list_length(performance->remedies) >= MAX_REMEDIES_KEPT)
		performance->remedies = list_delete_last(performance->remedies);
	performance->remedies = lcons(remedy, performance->remedies);
	return clauses;
}

static const char *
known_clauses(OpsRlsAudit *audit, const OpsRlsRelation *relation,
			  Node *qual, Node *check)
{
	ListCell   *lc;

	foreach(lc, audit->performance->remedies)
	{
		const Remedy *remedy = lfirst(lc);

		if (equal(remedy->qual, qual) && equal(remedy->check, check) &&
			same_columns(remedy->relation, relation, remedy->columns))
			return remedy->clauses;
	}
	return NULL;
}

static bool
same_columns(const OpsRlsRelation *a, const OpsRlsRelation *b,
			 const Bitmapset *columns)
{
	int			member = -1;

	while ((member = bms_next_member(columns, member)) >= 0)
	{
		int			column = member + FirstLowInvalidHeapAttributeNumber;

		if (column <= 0 || column > a->ncolumns || column > b->ncolumns ||
			a->columns[column - 1].name == NULL ||
			b->columns[column - 1].name == NULL ||
			strcmp(a->columns[column - 1].name,
				   b->columns[column - 1].name) != 0)
			return false;
	}
	return true;
}

static const char *
make_clauses(OpsRlsAudit *audit, const OpsRlsRelation *relation, Node *qual,
			 Node *check)
{
	StringInfoData clauses;

	initStringInfo(&clauses);
	if (!append_wrapped(&clauses, "USING", audit, relation, qual) ||
		!append_wrapped(&clauses, "WITH CHECK", audit, relation, check))
		return NULL;
	return clauses.data;
}

/*
 * One clause, if there is anything to change in it; false if it cannot be
 * had.
 */
static bool
append_wrapped(StringInfo clauses, const char *keyword, OpsRlsAudit *audit,
			   const OpsRlsRelation *relation, Node *condition)
{
	Node	   *wrapped;
	char	   *sql;

	if (condition == NULL)
		return true;
	wrapped = ops_tree_wrap_calls(condition, audit);
	if (equal(wrapped, condition))
		return true;
	sql = ops_rls_deparse(relation, wrapped);
	if (sql == NULL)
		return false;
	appendStringInfo(clauses, " %s (%s)", keyword, sql);
	return true;
}
