/*-------------------------------------------------------------------------
 *
 * owner.c
 *	  Whose row it is.
 *
 * A row is foreign as long as none of its keys is equal to what names the
 * asker, directly or by way of a row of a lookup that is the asker's own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rls/search.h"

static bool names_owner(const OpsProblem *problem, int term);
static int	term_of_row(const OpsProblem *problem, int term);
static bool is_editable(const OpsProblem *problem, const ProblemTerm *column);
static bool names_asker(OpsSearch *search, int column, int term);
static void find_own_rows(OpsSearch *search, List **chain);
static List *add_lookup(OpsSearch *search, List *lookups, int term);

bool
ops_search_is_foreign_key(const OpsSearch *search, int term)
{
	const ProblemTerm *known = &search->problem->terms[term];

	return search->question->owner != OWNER_ANY &&
		known->term->kind == TERM_COLUMN &&
		known->row == search->question->row &&
		bms_is_member(known->term->column, search->question->keys);
}

/*
 * Constants that stand for "no tenant" in place of a null.
 */
bool
ops_search_is_nobodys(const OpsTerm *term)
{
	return term->kind == TERM_CONST && term->known &&
		(term->key[0] == '\0' || strcmp(term->key, "0") == 0 ||
		 strcmp(term->key, "-1") == 0 ||
		 strcmp(term->key, "00000000-0000-0000-0000-000000000000") == 0);
}

/*
 * An identity that can be trusted to name whoever runs the statement; a filter
 * that a view or function has of its own is taken at its word.
 */
bool
ops_search_trusted(const OpsSearch *search, const OpsIdentity *identity)
{
	bool		any = false;
	ListCell   *lc;

	if (identity->obstacle)
		return false;
	foreach(lc, identity->sources)
	{
		const OpsSource *source = lfirst(lc);

		if (source->user_editable)
			return false;
		any |= source->trusted || search->question->any_identity;
	}
	return any;
}

/*
 * Whether a key that is equal to an identity is the asker's: a tenant's name
 * in a tenant's column, a user's in a user's.
 */
bool
ops_search_binds(const OpsSearch *search, int key, int identity)
{
	const ProblemTerm *column = &search->problem->terms[key];
	const ProblemTerm *known = &search->problem->terms[identity];
	OpsRlsRelation *relation = search->problem->rows[column->row].relation;
	bool		names_user;
	ListCell   *lc;

	if (!ops_search_trusted(search, known->identity))
		return false;
	if (search->question->any_identity)
		return true;
	names_user = bms_is_member(column->term->column, relation->user_keys);
	foreach(lc, known->identity->sources)
	{
		const OpsSource *source = lfirst(lc);

		if (source->kind == SOURCE_ROLE || source->is_user == names_user)
			return true;
	}
	return false;
}

/*
 * A contradiction: the key of the foreign row is what names the asker, or
 * stands in a row that is the asker's own.
 */
bool
ops_search_foreign_is_own(OpsSearch *search)
{
	OpsProblem *problem = search->problem;
	List	   *chain = NIL;
	bool		have_rows = false;

	if (search->question->owner == OWNER_ANY)
		return false;
	for (int i = 0; i < problem->nterms; i++)
	{
		if (!ops_search_is_foreign_key(search, i))
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			if (i == j || ops_search_group_of(problem, i) != ops_search_group_of(problem, j))
				continue;
			if (ops_search_is_nobodys(problem->terms[j].term))
				return true;
			if (problem->terms[j].term->kind == TERM_IDENTITY &&
				ops_search_binds(search, i, j))
				return true;
			have_rows |= term_of_row(problem, j) > 0 &&
				term_of_row(problem, j) != search->question->row;
		}
	}
	if (!have_rows)
		return false;

	find_own_rows(search, &chain);
	for (int i = 0; i < problem->nterms; i++)
	{
		if (!ops_search_is_foreign_key(search, i))
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			int			row = term_of_row(problem, j);

			if (row == 0 || row == search->question->row ||
				!problem->rows[row].mine || names_owner(problem, j) ||
				ops_search_group_of(problem, i) != ops_search_group_of(problem, j))
				continue;
			search->lookups = list_concat_unique_ptr(search->lookups, chain);
			search->lookups = add_lookup(search, search->lookups, j);
			return true;
		}
	}
	return false;
}

/*
 * Whether a term is the very column by which its row is the asker's.
 */
static bool
names_owner(const OpsProblem *problem, int term)
{
	const ProblemTerm *known = &problem->terms[term];

	return known->term->kind == TERM_COLUMN &&
		bms_is_member(known->term->column, problem->rows[known->row].own);
}

/*
 * The row whose column a term is, or is computed from; 0 if it is of none,
 * of several, or of a column that users write themselves.
 */
static int
term_of_row(const OpsProblem *problem, int term)
{
	const ProblemTerm *known = &problem->terms[term];
	int			row = 0;

	if (known->term->kind == TERM_COLUMN)
		return is_editable(problem, known) ? 0 : known->row;
	if (known->term->kind != TERM_APPLY || known->term->obstacle ||
		known->term->nargs > lengthof(known->args))
		return 0;
	for (int i = 0; i < known->term->nargs; i++)
	{
		int			other = term_of_row(problem, known->args[i]);

		if (problem->terms[known->args[i]].term->kind == TERM_CONST)
			continue;
		if (other == 0 || (row != 0 && other != row))
			return 0;
		row = other;
	}
	return row;
}

/*
 * Whether a column holds what users say about themselves, as the users table
 * of Supabase Auth and GoTrue does.
 */
static bool
is_editable(const OpsProblem *problem, const ProblemTerm *column)
{
	const OpsRlsRelation *relation = problem->rows[column->row].relation;
	const char *name = relation &&
	column->term->column >= 1 && column->term->column <= relation->ncolumns ?
	relation->columns[column->term->column - 1].name : NULL;

	return name && strstr(name, "user_meta") != NULL;
}

bool
ops_search_uses_editable(const OpsProblem *problem, int term)
{
	const ProblemTerm *known = &problem->terms[term];

	if (known->term->kind == TERM_COLUMN)
		return is_editable(problem, known);
	for (int i = 0; i < known->term->nargs && i < lengthof(known->args); i++)
	{
		if (ops_search_uses_editable(problem, known->args[i]))
			return true;
	}
	return false;
}

/*
 * Whether a term names the asker to a lookup's column: an identity does, and
 * so does "nobody" where the column is compared with an identity.
 */
static bool
names_asker(OpsSearch *search, int column, int term)
{
	OpsProblem *problem = search->problem;

	if (problem->terms[term].term->kind == TERM_IDENTITY)
		return ops_search_trusted(search, problem->terms[term].identity);
	if (!ops_search_is_nobodys(problem->terms[term].term))
		return false;
	for (int i = 0; i < problem->nvariables; i++)
	{
		const Variable *variable = &problem->variables[i];
		int			other;

		if (variable->kind != VARIABLE_RELATION ||
			(variable->a != column && variable->b != column))
			continue;
		other = variable->a == column ? variable->b : variable->a;
		if (problem->terms[other].term->kind == TERM_IDENTITY &&
			ops_search_trusted(search, problem->terms[other].identity))
			return true;
	}
	return false;
}

/*
 * Rows of lookups that are the asker's own: one of their columns is what
 * names him, or their key stands in another row of his.
 */
static void
find_own_rows(OpsSearch *search, List **chain)
{
	OpsProblem *problem = search->problem;
	bool		found = true;

	for (int row = 1; row <= problem->nrows; row++)
	{
		problem->rows[row].mine = false;
		problem->rows[row].own = NULL;
	}
	for (int i = 0; i < problem->nterms; i++)
	{
		ProblemRow *row = &problem->rows[problem->terms[i].row];

		if (problem->terms[i].row == 0 ||
			problem->terms[i].term->kind != TERM_COLUMN ||
			row->relation == NULL ||
			problem->terms[i].row == search->question->row)
			continue;
		for (int j = 0; j < problem->nterms; j++)
		{
			if (ops_search_group_of(problem, i) == ops_search_group_of(problem, j) &&
				names_asker(search, i, j))
			{
				row->mine = true;
				row->own = bms_add_member(row->own,
										  problem->terms[i].term->column);
			}
		}
	}
	while (found)
	{
		found = false;
		for (int i = 0; i < problem->nterms; i++)
		{
			int			number = problem->terms[i].row;
			ProblemRow *row = &problem->rows[number];

			if (number == 0 || number == search->question->row ||
				row->mine || row->relation == NULL ||
				problem->terms[i].term->kind != TERM_COLUMN ||
				!(bms_is_member(problem->terms[i].term->column,
								row->relation->tenant_keys) ||
				  bms_is_member(problem->terms[i].term->column,
								row->relation->links)))
				continue;
			for (int j = 0; j < problem->nterms && !row->mine; j++)
			{
				int			other = problem->terms[j].row;

				if (other == 0 || !problem->rows[other].mine ||
					ops_search_group_of(problem, i) != ops_search_group_of(problem, j))
					continue;
				row->mine = found = true;
				*chain = add_lookup(search, *chain, j);
			}
		}
	}
}

static List *
add_lookup(OpsSearch *search, List *lookups, int term)
{
	OpsProblem *problem = search->problem;
	ProblemRow *row = &problem->rows[term_of_row(problem, term)];
	OpsLookup  *lookup;
	ListCell   *lc;

	while (problem->terms[term].term->kind == TERM_APPLY)
	{
		int			arg = 0;

		while (problem->terms[problem->terms[term].args[arg]].term->kind == TERM_CONST)
			arg++;
		term = problem->terms[term].args[arg];
	}

	foreach(lc, lookups)
	{
		lookup = lfirst(lc);
		if (lookup->relation == row->relation &&
			lookup->link == problem->terms[term].term->column &&
			bms_equal(lookup->own, row->own))
			return lookups;
	}
	lookup = palloc(sizeof(OpsLookup));
	lookup->relation = row->relation;
	lookup->user = row->user;
	lookup->link = problem->terms[term].term->column;
	lookup->own = bms_copy(row->own);
	return lappend(lookups, lookup);
}
