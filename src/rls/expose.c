/*-------------------------------------------------------------------------
 *
 * expose.c
 *	  What rows of tenant data a view or a function hands out.
 *
 * The rows that a query reads become rows of a problem, and each row of
 * tenant data is asked about: can it be somebody else's?  Rows that the query
 * only looks up, to decide about others, are not handed out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rls/formula.h"
#include "rls/solve.h"

typedef struct Reader
{
	OpsRlsAudit *audit;
	const OpsRlsRole *role;
	OpsReading	reading;
	List	   *exposures;
} Reader;

static void expose(Reader *reader, OpsLevel *level);
static void expose_formula(Reader *reader, OpsFormula *formula, bool lookups);
static List *rows_of(Reader *reader, const OpsFormula *formula, bool lookups,
					 List *rows);
static void expose_row(Reader *reader, OpsFormula *formula,
					   const OpsQueryRow *row);
static OpsAnswer ask(Reader *reader, OpsFormula *formula,
					 const OpsQueryRow *row, Bitmapset *keys, bool any_identity,
					 bool opaque);
static List *free_arguments(OpsLevel *level, const OpsFunction *function);

List *
ops_rls_query_exposures(OpsRlsAudit *audit, Query *query, Oid user,
						const OpsRlsRole *role)
{
	Reader		reader = {.audit = audit,.role = role};
	OpsLevel   *level;

	reader.reading.audit = audit;
	level = ops_level_query(&reader.reading, NULL, query, user, InvalidOid,
							NIL);
	if (level)
		expose(&reader, level);
	return reader.exposures;
}

/*
 * Arguments are whatever the caller likes.
 */
List *
ops_rls_function_exposures(OpsRlsAudit *audit, Oid oid,
						   const OpsRlsRole *role, const char **obstacle)
{
	Reader		reader = {.audit = audit,.role = role};
	OpsFunction *function = ops_rls_function(audit, oid);
	OpsLevel   *outer;
	OpsLevel   *level;

	*obstacle = NULL;
	reader.reading.audit = audit;
	outer = ops_level_policy(&reader.reading, NULL);
	level = ops_level_function(outer, function,
							   free_arguments(outer, function));
	if (level)
		expose(&reader, level);
	else
		*obstacle = function->obstacle ? function->obstacle : function->name;
	return reader.exposures;
}

static List *
free_arguments(OpsLevel *level, const OpsFunction *function)
{
	List	   *args = NIL;

	for (int i = 1; i <= function->nargs; i++)
		args = lappend(args,
					   ops_value_of_term(level,
										 ops_term_apply(psprintf("$%d", i), InvalidOid, 0, NULL, NULL)));
	return args;
}

/*
 * Rows come out by FROM, and by sub-selects in the target list.
 */
static void
expose(Reader *reader, OpsLevel *level)
{
	OpsFormula *rows = ops_level_rows(level);
	int			ntargets = level->branches ? 0 :
	list_length(level->query->targetList);

	expose_formula(reader, rows, false);
	for (int i = 1; i <= ntargets; i++)
	{
		ListCell   *lc;

		foreach(lc, ops_level_output(level, i))
		{
			OpsCase    *one = lfirst(lc);
			OpsFormula *found = ops_formula_and(reader->audit, rows, one->when);

			if (rows_of(reader, one->when, true, NIL) != NIL)
				expose_formula(reader, found, true);
		}
	}
}

static void
expose_formula(Reader *reader, OpsFormula *formula, bool lookups)
{
	ListCell   *lc;

	foreach(lc, rows_of(reader, formula, lookups, NIL))
	{
		const OpsQueryRow *row = lfirst(lc);

		if (ops_rls_is_tenant_data(row->relation))
			expose_row(reader, formula, row);
	}
}

/*
 * Rows that a formula requires to be visible.
 */
static List *
rows_of(Reader *reader, const OpsFormula *formula, bool lookups, List *rows)
{
	if (formula->kind == FORMULA_WITNESS && !lookups)
		return rows;
	if (formula->kind == FORMULA_VISIBLE)
	{
		ListCell   *lc;

		foreach(lc, reader->reading.rows)
		{
			OpsQueryRow *row = lfirst(lc);

			if (row->row == formula->row)
				rows = list_append_unique_ptr(rows, row);
		}
	}
	for (int i = 0; i < formula->nargs; i++)
		rows = rows_of(reader, formula->args[i], lookups, rows);
	return rows;
}

static void
expose_row(Reader *reader, OpsFormula *formula, const OpsQueryRow *row)
{
	OpsRlsExposure *exposure = palloc0(sizeof(OpsRlsExposure));
	OpsRlsRelation *relation = row->relation;
	OpsAnswer	answer = {.possible = true};
	OpsAnswer	certain = {.possible = true};
	Bitmapset  *tries[3];

	tries[0] = relation->tenant_keys;
	tries[1] = relation->links;
	/* Its own filter may go by whatever column names who asks. */
	tries[2] = bms_add_range(NULL, 1, relation->ncolumns);
	exposure->relation = relation;
	exposure->exempt = ops_policies_exempt(reader->audit, reader->role,
										   row->user, relation);
	for (int i = 0; i < lengthof(tries) && answer.possible; i++)
	{
		if (tries[i] == NULL)
			continue;
		answer = ask(reader, formula, row, tries[i], i == 2, true);
		if (answer.possible && certain.possible)
			certain = ask(reader, formula, row, tries[i], i == 2, false);
	}

	if (!answer.possible)
		exposure->bound = exposure->exempt ? OPS_RLS_BOUND_BY_QUERY :
			OPS_RLS_BOUND_BY_POLICY;
	else if (certain.possible)
		exposure->bound = OPS_RLS_UNBOUND;
	else
	{
		exposure->bound = OPS_RLS_UNDECIDED;
		exposure->obstacle = answer.obstacle;
	}
	reader->exposures = lappend(reader->exposures, exposure);
}

static OpsAnswer
ask(Reader *reader, OpsFormula *formula, const OpsQueryRow *row,
	Bitmapset *keys, bool any_identity, bool opaque)
{
	OpsProblem *problem = ops_problem(reader->audit, reader->role);
	int			nrows = reader->reading.nrows;
	int		   *mapped = palloc((nrows + 1) * sizeof(int));
	OpsQuestion question = {0};
	ListCell   *lc;

	for (int i = 1; i <= nrows; i++)
		mapped[i] = ops_problem_row(problem, NULL, InvalidOid);
	foreach(lc, reader->reading.rows)
	{
		const OpsQueryRow *known = lfirst(lc);

		ops_problem_name_row(problem, mapped[known->row], known->relation,
							 known->user);
	}
	question.goal = ops_problem_query(problem, formula, nrows, mapped);
	question.row = mapped[row->row];
	question.owner = OWNER_FOREIGN;
	question.keys = keys;
	question.any_identity = any_identity;
	question.with_opaque = question.with_session = opaque;
	return ops_problem_ask(problem, &question);
}
