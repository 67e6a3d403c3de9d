/*-------------------------------------------------------------------------
 *
 * formula.c
 *	  Making formulas and terms.
 *
 * Everything is made in the current memory context, which is the audit's.
 * What is constant is folded as it is made; the rest stays as it was said.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "rls/formula.h"
#include "utils/memutils.h"

typedef struct NamedEntry
{
	const char *name;			/* hash key */
	void	   *thing;
} NamedEntry;

/* A formula larger than this, as a tree, is not looked into. */
#define MAX_SIZE	20000

static OpsFormula *make(OpsFormulaKind kind, int nargs);
static OpsFormula *settle(OpsFormula *formula);
static OpsFormula *make_constant(OpsTruth truth);
static bool is_const(const OpsFormula *formula, OpsTruth truth);
static HTAB *make_name_table(const char *what);
static uint32 hash_name(const void *key, Size size);
static int	match_name(const void *a, const void *b, Size size);
static OpsTerm *make_term(OpsTermKind kind, Oid type);
static OpsTerm *copy_term(const OpsTerm *term);
static bool has_user_metadata(const char *name);

void
ops_formula_begin(OpsRlsAudit *audit)
{
	OpsTermTable *terms = palloc0(sizeof(OpsTermTable));

	terms->identities = make_name_table("operations_runbook identities");
	terms->sources = make_name_table("operations_runbook sources");
	terms->true_formula = make_constant(TRUTH_T);
	terms->false_formula = make_constant(TRUTH_F);
	terms->null_formula = make_constant(TRUTH_N);
	audit->terms = terms;
}

static HTAB *
make_name_table(const char *what)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(const char *);
	ctl.entrysize = sizeof(NamedEntry);
	ctl.hash = hash_name;
	ctl.match = match_name;
	ctl.hcxt = CurrentMemoryContext;
	return hash_create(what, 64, &ctl,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE |
					   HASH_CONTEXT);
}

static uint32
hash_name(const void *key, Size size)
{
	const char *name = *(const char *const *) key;

	return string_hash(name, strlen(name) + 1);
}

static int
match_name(const void *a, const void *b, Size size)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static OpsFormula *
make(OpsFormulaKind kind, int nargs)
{
	OpsFormula *formula = palloc0(sizeof(OpsFormula));

	formula->kind = kind;
	formula->nargs = nargs;
	formula->size = 1;
	if (nargs > 0)
		formula->args = palloc0(nargs * sizeof(OpsFormula *));
	return formula;
}

/*
 * What shares its parts can be exponential as a tree, which is how everybody
 * walks it.
 */
static OpsFormula *
settle(OpsFormula *formula)
{
	for (int i = 0; i < formula->nargs; i++)
		formula->size += formula->args[i]->size;
	if (formula->size > MAX_SIZE)
		return ops_formula_free("its size");
	return formula;
}

static OpsFormula *
make_constant(OpsTruth truth)
{
	OpsFormula *formula = make(FORMULA_CONST, 0);

	formula->truth = truth;
	return formula;
}

static bool
is_const(const OpsFormula *formula, OpsTruth truth)
{
	return formula->kind == FORMULA_CONST && formula->truth == truth;
}

OpsFormula *
ops_formula_const(OpsRlsAudit *audit, OpsTruth truth)
{
	if (truth == TRUTH_T)
		return audit->terms->true_formula;
	if (truth == TRUTH_F)
		return audit->terms->false_formula;
	if (truth == TRUTH_N)
		return audit->terms->null_formula;
	return make_constant(truth);
}

OpsFormula *
ops_formula_and(OpsRlsAudit *audit, OpsFormula *a, OpsFormula *b)
{
	OpsFormula *formula;

	if (is_const(a, TRUTH_T) || is_const(b, TRUTH_F))
		return b;
	if (is_const(b, TRUTH_T) || is_const(a, TRUTH_F))
		return a;
	formula = make(FORMULA_AND, 2);
	formula->args[0] = a;
	formula->args[1] = b;
	return settle(formula);
}

OpsFormula *
ops_formula_or(OpsRlsAudit *audit, OpsFormula *a, OpsFormula *b)
{
	OpsFormula *formula;

	if (is_const(a, TRUTH_F) || is_const(b, TRUTH_T))
		return b;
	if (is_const(b, TRUTH_F) || is_const(a, TRUTH_T))
		return a;
	formula = make(FORMULA_OR, 2);
	formula->args[0] = a;
	formula->args[1] = b;
	return settle(formula);
}

OpsFormula *
ops_formula_not(OpsRlsAudit *audit, OpsFormula *a)
{
	OpsFormula *formula;

	if (is_const(a, TRUTH_T))
		return ops_formula_const(audit, TRUTH_F);
	if (is_const(a, TRUTH_F))
		return ops_formula_const(audit, TRUTH_T);
	if (is_const(a, TRUTH_N))
		return a;
	if (a->kind == FORMULA_NOT)
		return a->args[0];
	formula = make(FORMULA_NOT, 1);
	formula->args[0] = a;
	return settle(formula);
}

OpsFormula *
ops_formula_if(OpsRlsAudit *audit, OpsFormula *condition, OpsFormula *yes,
			   OpsFormula *no)
{
	OpsFormula *formula;

	if (is_const(condition, TRUTH_T))
		return yes;
	if (is_const(condition, TRUTH_F) || is_const(condition, TRUTH_N))
		return no;
	formula = make(FORMULA_IF, 3);
	formula->args[0] = condition;
	formula->args[1] = yes;
	formula->args[2] = no;
	return settle(formula);
}

OpsFormula *
ops_formula_test(OpsRlsAudit *audit, OpsFormula *a, OpsTruth truth)
{
	OpsFormula *formula;

	if (a->kind == FORMULA_CONST && a->truth != TRUTH_E)
		return ops_formula_const(audit,
								 (a->truth & truth) ? TRUTH_T : TRUTH_F);
	formula = make(FORMULA_TEST, 1);
	formula->args[0] = a;
	formula->truth = truth;
	return settle(formula);
}

/*
 * Constants are compared only for being the same: how else they relate would
 * take an operator to tell.
 */
OpsFormula *
ops_formula_relate(OpsRlsAudit *audit, OpsTerm *left, OpsTerm *right,
				   uint8 relates)
{
	OpsFormula *formula;

	if ((left->kind == TERM_CONST && left->isnull) ||
		(right->kind == TERM_CONST && right->isnull))
		return ops_formula_const(audit, TRUTH_N);
	if (left->kind == TERM_CONST && right->kind == TERM_CONST &&
		left->known && right->known)
	{
		bool		same = strcmp(left->key, right->key) == 0;

		if (same)
			return ops_formula_const(audit, (relates & RELATES_EQ) ?
									 TRUTH_T : TRUTH_F);
		if ((relates & RELATES_NE) == 0)
			return ops_formula_const(audit, TRUTH_F);
		if ((relates & RELATES_NE) == RELATES_NE)
			return ops_formula_const(audit, TRUTH_T);
	}
	formula = make(FORMULA_RELATE, 0);
	formula->left = left;
	formula->right = right;
	formula->relates = relates;
	return formula;
}

OpsFormula *
ops_formula_isnull(OpsRlsAudit *audit, OpsTerm *term)
{
	OpsFormula *formula;

	if (term->kind == TERM_CONST && (term->isnull || !term->nullable))
		return ops_formula_const(audit, term->isnull ? TRUTH_T : TRUTH_F);
	formula = make(FORMULA_ISNULL, 0);
	formula->left = term;
	return formula;
}

OpsFormula *
ops_formula_bool(OpsRlsAudit *audit, OpsTerm *term)
{
	OpsFormula *formula;

	if (term->kind == TERM_CONST && term->isnull)
		return ops_formula_const(audit, TRUTH_N);
	if (term->kind == TERM_CONST && term->known)
		return ops_formula_const(audit, term->key[0] == 't' ?
								 TRUTH_T : TRUTH_F);
	formula = make(FORMULA_BOOL, 0);
	formula->left = term;
	return formula;
}

OpsFormula *
ops_formula_choice(void)
{
	return make(FORMULA_CHOICE, 0);
}

OpsFormula *
ops_formula_free(const char *obstacle)
{
	OpsFormula *formula = make(FORMULA_FREE, 0);

	formula->obstacle = obstacle;
	return formula;
}

OpsFormula *
ops_formula_witness(OpsRlsAudit *audit, OpsFormula *body, bool null_possible)
{
	OpsFormula *formula;

	if (is_const(body, TRUTH_T))
		return body;
	if (is_const(body, TRUTH_F) || is_const(body, TRUTH_N))
		return ops_formula_const(audit, TRUTH_F);
	formula = make(FORMULA_WITNESS, 1);
	formula->args[0] = body;
	formula->null_possible = null_possible;
	return settle(formula);
}

OpsFormula *
ops_formula_visible(int row, Oid relation, Oid user)
{
	OpsFormula *formula = make(FORMULA_VISIBLE, 0);

	formula->row = row;
	formula->relation = relation;
	formula->user = user;
	return formula;
}

OpsFormula *
ops_formula_has_role(const char *name)
{
	OpsFormula *formula = make(FORMULA_HAS_ROLE, 0);

	formula->key = pstrdup(name);
	return formula;
}

static OpsTerm *
make_term(OpsTermKind kind, Oid type)
{
	OpsTerm    *term = palloc0(sizeof(OpsTerm));

	term->kind = kind;
	term->type = type;
	return term;
}

OpsTerm *
ops_term_column(int row, AttrNumber column, Oid type, bool nullable)
{
	OpsTerm    *term = make_term(TERM_COLUMN, type);

	term->row = row;
	term->column = column;
	term->nullable = nullable;
	return term;
}

OpsTerm *
ops_term_const(Oid type, const char *string)
{
	OpsTerm    *term = make_term(TERM_CONST, type);

	term->key = string;
	term->known = true;
	return term;
}

OpsTerm *
ops_term_unknown_const(Oid type, const char *key, bool nullable)
{
	OpsTerm    *term = make_term(TERM_CONST, type);

	term->key = key;
	term->nullable = nullable;
	return term;
}

OpsTerm *
ops_term_null(Oid type)
{
	OpsTerm    *term = make_term(TERM_CONST, type);

	term->key = "NULL";
	term->isnull = true;
	return term;
}

OpsTerm *
ops_term_identity(OpsIdentity *identity, Oid type)
{
	OpsTerm    *term = make_term(TERM_IDENTITY, type);

	term->identity = identity;
	term->nullable = true;
	return term;
}

OpsTerm *
ops_term_apply(const char *key, Oid type, int nargs, OpsTerm **args,
			   const char *obstacle)
{
	OpsTerm    *term = make_term(TERM_APPLY, type);

	term->key = key;
	term->nargs = nargs;
	term->args = args;
	term->nullable = true;
	term->obstacle = obstacle;
	return term;
}

bool
ops_term_equal(const OpsTerm *a, const OpsTerm *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind)
		return false;
	switch (a->kind)
	{
		case TERM_COLUMN:
			return a->row == b->row && a->column == b->column;
		case TERM_IDENTITY:
			return a->identity == b->identity;
		case TERM_CONST:
			return a->isnull == b->isnull && a->known == b->known &&
				strcmp(a->key, b->key) == 0;
		case TERM_APPLY:
			if (a->nargs != b->nargs || strcmp(a->key, b->key) != 0)
				return false;
			for (int i = 0; i < a->nargs; i++)
			{
				if (!ops_term_equal(a->args[i], b->args[i]))
					return false;
			}
			return true;
	}
	return false;
}

bool
ops_term_depends_on_rows(const OpsTerm *term)
{
	if (term->kind == TERM_COLUMN)
		return true;
	for (int i = 0; i < term->nargs; i++)
	{
		if (ops_term_depends_on_rows(term->args[i]))
			return true;
	}
	return false;
}

bool
ops_term_depends_on_session(const OpsTerm *term)
{
	if (term->kind == TERM_IDENTITY)
		return true;
	for (int i = 0; i < term->nargs; i++)
	{
		if (ops_term_depends_on_session(term->args[i]))
			return true;
	}
	return false;
}

/*
 * The first thing in a term that nobody can look into, or NULL.
 */
const char *
ops_term_obstacle(const OpsTerm *term)
{
	if (term->kind == TERM_IDENTITY)
		return term->identity->obstacle;
	if (term->obstacle)
		return term->obstacle;
	for (int i = 0; i < term->nargs; i++)
	{
		const char *obstacle = ops_term_obstacle(term->args[i]);

		if (obstacle)
			return obstacle;
	}
	return NULL;
}

/*
 * The source of a name; made when first asked for.
 */
OpsSource *
ops_source(OpsRlsAudit *audit, OpsSourceKind kind, const char *name)
{
	OpsTermTable *terms = audit->terms;
	bool		found;
	NamedEntry *entry = hash_search(terms->sources, &name, HASH_ENTER, &found);
	OpsSource  *source;

	MemoryContext caller;

	if (found)
		return entry->thing;
	caller = MemoryContextSwitchTo(audit->context);
	source = palloc0(sizeof(OpsSource));
	source->number = terms->nsources++;
	source->kind = kind;
	source->name = pstrdup(name);
	source->user_editable = has_user_metadata(name);
	entry->name = source->name;
	entry->thing = source;
	terms->source_list = lappend(terms->source_list, source);
	MemoryContextSwitchTo(caller);
	return source;
}

/*
 * Whether a claim is one that the user writes himself.
 *
 * The name is the token issuer's (Supabase Auth and GoTrue), not the
 * schema's.
 */
static bool
has_user_metadata(const char *name)
{
	return strstr(name, "user_metadata") != NULL;
}

/*
 * The identity of a key; made when first asked for.
 */
OpsIdentity *
ops_identity(OpsRlsAudit *audit, const char *key, List *sources,
			 uint8 when_unset, uint8 when_empty)
{
	OpsTermTable *terms = audit->terms;
	bool		found;
	NamedEntry *entry = hash_search(terms->identities, &key, HASH_ENTER, &found);
	OpsIdentity *identity;

	MemoryContext caller;

	if (found)
		return entry->thing;
	caller = MemoryContextSwitchTo(audit->context);
	identity = palloc0(sizeof(OpsIdentity));
	identity->number = terms->nidentities++;
	identity->key = pstrdup(key);
	identity->sources = list_copy(sources);
	identity->when_unset = when_unset;
	identity->when_empty = when_empty;
	entry->name = identity->key;
	entry->thing = identity;
	MemoryContextSwitchTo(caller);
	return identity;
}

/*
 * A copy of a formula in the current context.  What stands at several places
 * of it stands at the same places of the copy: a witness is found or not, but
 * not both.
 */
OpsFormula *
ops_formula_copy(OpsRlsAudit *audit, const OpsFormula *formula, List **copied)
{
	OpsFormula *copy;
	ListCell   *lc;
	bool		shared = formula->kind == FORMULA_WITNESS ||
	formula->kind == FORMULA_CHOICE || formula->kind == FORMULA_FREE;

	if (formula->kind == FORMULA_CONST)
		return ops_formula_const(audit, formula->truth);
	if (shared)
	{
		foreach(lc, *copied)
		{
			void	  **pair = lfirst(lc);

			if (pair[0] == formula)
				return pair[1];
		}
	}
	copy = palloc(sizeof(OpsFormula));
	*copy = *formula;
	if (shared)
	{
		const void **pair = palloc(2 * sizeof(void *));

		pair[0] = formula;
		pair[1] = copy;
		*copied = lappend(*copied, pair);
	}
	if (formula->nargs > 0)
		copy->args = palloc(formula->nargs * sizeof(OpsFormula *));
	for (int i = 0; i < formula->nargs; i++)
		copy->args[i] = ops_formula_copy(audit, formula->args[i], copied);
	if (formula->left)
		copy->left = copy_term(formula->left);
	if (formula->right)
		copy->right = copy_term(formula->right);
	if (formula->obstacle)
		copy->obstacle = pstrdup(formula->obstacle);
	if (formula->key)
		copy->key = pstrdup(formula->key);
	return copy;
}

static OpsTerm *
copy_term(const OpsTerm *term)
{
	OpsTerm    *copy = palloc(sizeof(OpsTerm));

	*copy = *term;
	if (term->key)
		copy->key = pstrdup(term->key);
	if (term->obstacle)
		copy->obstacle = pstrdup(term->obstacle);
	if (term->path)
		copy->path = pstrdup(term->path);
	if (term->nargs > 0)
		copy->args = palloc(term->nargs * sizeof(OpsTerm *));
	for (int i = 0; i < term->nargs; i++)
		copy->args[i] = copy_term(term->args[i]);
	return copy;
}

/*
 * Whether two formulas say the same, word for word.
 */
bool
ops_formula_equal(const OpsFormula *a, const OpsFormula *b)
{
	if (a == NULL || b == NULL || a->kind != b->kind ||
		a->truth != b->truth || a->relates != b->relates ||
		a->nargs != b->nargs || a->row != b->row ||
		a->relation != b->relation || a->user != b->user ||
		a->kind == FORMULA_CHOICE || a->kind == FORMULA_FREE)
		return a == b;
	if (a->left && !ops_term_equal(a->left, b->left))
		return false;
	if (a->right && !ops_term_equal(a->right, b->right))
		return false;
	if (a->key && strcmp(a->key, b->key) != 0)
		return false;
	for (int i = 0; i < a->nargs; i++)
	{
		if (!ops_formula_equal(a->args[i], b->args[i]))
			return false;
	}
	return true;
}
