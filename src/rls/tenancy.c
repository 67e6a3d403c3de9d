/*-------------------------------------------------------------------------
 *
 * tenancy.c
 *	  What tells tenants apart.
 *
 * What ops.tenancy or the caller declares counts.  The rest is found out from
 * what policies compare: a column that is set equal to something the session
 * says is a key, a setting that columns are set equal to is an identity.  The
 * columns that bind most tables win; what is bound besides them, such as a
 * department, tells no tenants apart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "core/compat.h"
#include "core/relation.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rls/identity.h"
#include "rls/roles.h"
#include "rls/tenancy.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* What columns and settings are commonly called; a last resort. */
static const char *const tenant_words[] = {
	"tenant", "org", "organization", "organisation", "company", "workspace",
	"team", "account", NULL
};
static const char *const user_words[] = {
	"user", "uid", "sub", "member", "person", "profile", NULL
};

typedef struct NameCount
{
	const char *name;
	Oid			type;
	int			tables;
	int			standing;		/* how much the column looks like a key */
	bool		picked;
} NameCount;

typedef struct NameKey
{
	const char *name;
	Oid			relation;		/* InvalidOid: of any */
} NameKey;

typedef struct NameClass
{
	NameKey		key;			/* hash key, first */
	bool		users;			/* compared with what names a user, */
	bool		tenants;		/* or a tenant */
} NameClass;

/* A walk through a condition for what it hands to functions. */
typedef struct ArgumentWalk
{
	OpsRlsAudit *audit;
	OpsRlsRelation *subject;
	Index		depth;			/* of sub-selects */
	int			inside;			/* of calls */
} ArgumentWalk;

static void read_declarations(OpsRlsAudit *audit, Relation table);
static List *declared(const OpsRlsAudit *audit, const char *kind,
					  const char *relation);
static List *text_list(Datum array);
static void note_candidates(OpsRlsRelation *subject, const OpsTerm *term);
static void note_candidate(OpsRlsRelation *subject, AttrNumber column);
static bool walk_arguments(Node *node, ArgumentWalk *walk);
static void add_candidates(OpsRlsAudit *audit);
static void note_term_pair(OpsRlsAudit *audit, OpsRlsRelation *subject,
						   OpsRlsPolicy *policy, const List *rows,
						   const OpsTerm *left, const OpsTerm *right,
						   List **bindings, List **links);
static void walk_bindings(OpsRlsAudit *audit, OpsRlsRelation *subject,
						  OpsRlsPolicy *policy, const OpsFormula *formula,
						  const List *rows, List **bindings, List **links);
static OpsRlsRelation *row_relation(OpsRlsRelation *subject, const List *rows,
									int row);
static void declare_identities(OpsRlsAudit *audit, List *names, bool users);
static void declare_function(OpsRlsAudit *audit, const char *name,
							 bool users);
static Oid	find_function(const char *name);
static bool roles_are_tenants(OpsRlsAudit *audit);
static void hand_down_keys(const OpsRlsRelation *parent,
						   OpsRlsRelation *child);
static bool names_user(HTAB *classes, const OpsRlsRelation *relation,
					   AttrNumber column);
static HTAB *classify_names(OpsRlsAudit *audit);
static NameKey name_key(const OpsRlsRelation *relation, AttrNumber column);
static bool is_own_id(const OpsRlsRelation *relation, AttrNumber column);
static bool column_can_be_key(Oid type);
static bool string_in_list(List *strings, const char *string);
static void judge_sources(OpsRlsAudit *audit, bool declared_any);
static bool is_declared_column(OpsRlsAudit *audit,
							   const OpsRlsRelation *relation,
							   AttrNumber column);
static void judge_role_sources(OpsRlsAudit *audit);
static int	column_standing(const OpsRlsRelation *relation,
							AttrNumber column);
static bool has_word(const char *name, const char *const *words);
static const char *last_part(const char *name);
static void pick_names(OpsRlsAudit *audit);
static bool is_direct(const OpsBinding *binding);
static void find_keys(OpsRlsAudit *audit, OpsRlsRelation *relation);
static void add_named_keys(OpsRlsAudit *audit, OpsRlsRelation *relation,
						   List *names);
static void add_bound_keys(OpsRlsAudit *audit);
static void add_referring_keys(OpsRlsAudit *audit);
static void add_links(OpsRlsAudit *audit);
static void guess_keys(OpsRlsAudit *audit);
static void inherit_keys(OpsRlsAudit *audit);
static void sort_out_users(OpsRlsAudit *audit);
static bool has_declared_keys(OpsRlsAudit *audit,
							  const OpsRlsRelation *relation);
static void report_assumptions(OpsRlsAudit *audit, bool declared_any);

/*
 * Read ops.tenancy.
 */
void
ops_rls_read_tenancy(OpsRlsAudit *audit)
{
	Oid			relid = ops_own_relation("tenancy");
	int			holder;
	Relation	table;
	ListCell   *lc;

	audit->tenancy = palloc0(sizeof(OpsTenancy));
	if (!ops_relation_try_lock(relid, &holder))
	{
		audit->tenancy->note = psprintf(_("ops.tenancy is locked by process %d, so it was not read"),
										holder);
		return;
	}
	table = table_open(relid, NoLock);
	read_declarations(audit, table);
	table_close(table, AccessShareLock);

	if (audit->roles_wanted == NIL)
	{
		foreach(lc, declared(audit, "app_roles", "*"))
		{
			Oid			role = get_role_oid(lfirst(lc), true);

			if (OidIsValid(role))
				audit->roles_wanted = lappend_oid(audit->roles_wanted, role);
		}
	}
	if (audit->columns_wanted == NIL)
		audit->columns_wanted = declared(audit, "tenant_columns", "*");
	if (audit->identities_wanted == NIL)
		audit->identities_wanted = list_copy(declared(audit, "tenant_identities", "*"));
	audit->identities_wanted = list_concat(audit->identities_wanted,
										   declared(audit, "user_identities", "*"));
}

static void
read_declarations(OpsRlsAudit *audit, Relation table)
{
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = ops_compat_beginscan(table, GetActiveSnapshot());

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		OpsDeclaration *declaration = palloc(sizeof(OpsDeclaration));

		slot_getsomeattrs(slot, 3);
		declaration->kind = TextDatumGetCString(slot->tts_values[0]);
		declaration->relation = TextDatumGetCString(slot->tts_values[1]);
		declaration->names = text_list(slot->tts_values[2]);
		audit->tenancy->declarations = lappend(audit->tenancy->declarations,
											   declaration);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
}

static List *
text_list(Datum array)
{
	List	   *strings = NIL;
	Datum	   *values;
	bool	   *isnull;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &values, &isnull, &count);
	for (int i = 0; i < count; i++)
	{
		if (!isnull[i])
			strings = lappend(strings, TextDatumGetCString(values[i]));
	}
	return strings;
}

static List *
declared(const OpsRlsAudit *audit, const char *kind, const char *relation)
{
	ListCell   *lc;

	foreach(lc, audit->tenancy->declarations)
	{
		OpsDeclaration *declaration = lfirst(lc);

		if (strcmp(declaration->kind, kind) == 0 &&
			strcmp(declaration->relation, relation) == 0)
			return declaration->names;
	}
	return NIL;
}

/*
 * Note what a condition sets equal.  The current context is the audit's.
 */
void
ops_tenancy_note_bindings(OpsRlsAudit *audit, OpsRlsRelation *subject,
						  OpsRlsPolicy *policy, const OpsFormula *formula,
						  const List *rows)
{
	List	   *bindings = NIL;
	List	   *links = NIL;
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	walk_bindings(audit, subject, policy, formula, rows, &bindings, &links);
	foreach(lc, bindings)
	{
		OpsBinding *binding = lfirst(lc);

		if (binding->direct)
			columns = bms_add_member(columns, binding->column);
	}
	foreach(lc, bindings)
		((OpsBinding *) lfirst(lc))->alone = bms_num_members(columns) == 1;
	foreach(lc, links)
	{
		OpsLink    *link = lfirst(lc);
		ListCell   *other;

		foreach(other, bindings)
			link->identified |= ((OpsBinding *) lfirst(other))->relation == link->lookup;
	}
	audit->tenancy->bindings = list_concat(audit->tenancy->bindings, bindings);
	audit->tenancy->links = list_concat(audit->tenancy->links, links);
}

static void
walk_bindings(OpsRlsAudit *audit, OpsRlsRelation *subject,
			  OpsRlsPolicy *policy, const OpsFormula *formula,
			  const List *rows, List **bindings, List **links)
{
	if (formula->kind == FORMULA_BOOL)
		note_candidates(subject, formula->left);
	if (formula->kind == FORMULA_RELATE)
	{
		if (formula->left->kind != TERM_CONST &&
			formula->right->kind != TERM_CONST)
		{
			note_candidates(subject, formula->left);
			note_candidates(subject, formula->right);
		}
		note_term_pair(audit, subject, policy, rows, formula->left,
					   formula->right, bindings, links);
		note_term_pair(audit, subject, policy, rows, formula->right,
					   formula->left, bindings, links);
	}
	for (int i = 0; i < formula->nargs; i++)
		walk_bindings(audit, subject, policy, formula->args[i], rows,
					  bindings, links);
}

/*
 * A column that is compared with anything but a constant may be what tells
 * tenants apart, if nothing better does.
 */
static void
note_candidates(OpsRlsRelation *subject, const OpsTerm *term)
{
	if (term->kind == TERM_COLUMN && term->row == 0)
		note_candidate(subject, term->column);
	for (int i = 0; i < term->nargs; i++)
		note_candidates(subject, term->args[i]);
}

static void
note_candidate(OpsRlsRelation *subject, AttrNumber column)
{
	if (column >= 1 && column <= subject->ncolumns &&
		subject->columns[column - 1].name &&
		column_can_be_key(subject->columns[column - 1].type))
		subject->candidates = bms_add_member(subject->candidates, column);
}

void
ops_tenancy_note_arguments(OpsRlsAudit *audit, OpsRlsRelation *subject,
						   Node *condition)
{
	ArgumentWalk walk = {.audit = audit,.subject = subject};

	(void) walk_arguments(condition, &walk);
}

static bool
walk_arguments(Node *node, ArgumentWalk *walk)
{
	bool		result;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		if (walk->inside > 0 && ((Var *) node)->varlevelsup == walk->depth)
			note_candidate(walk->subject, ((Var *) node)->varattno);
		return false;
	}
	if (IsA(node, Query))
	{
		walk->depth++;
		result = query_tree_walker((Query *) node, walk_arguments, walk, 0);
		walk->depth--;
		return result;
	}
	if (IsA(node, FuncExpr) &&
		!ops_rls_function(walk->audit, ((FuncExpr *) node)->funcid)->builtin)
	{
		walk->inside++;
		result = expression_tree_walker(node, walk_arguments, walk);
		walk->inside--;
		return result;
	}
	return expression_tree_walker(node, walk_arguments, walk);
}

static void
note_term_pair(OpsRlsAudit *audit, OpsRlsRelation *subject,
			   OpsRlsPolicy *policy, const List *rows, const OpsTerm *left,
			   const OpsTerm *right, List **bindings, List **links)
{
	OpsRlsRelation *relation;

	if (left->kind != TERM_COLUMN)
		return;
	relation = row_relation(subject, rows, left->row);
	if (relation == NULL)
		return;
	if (right->kind == TERM_IDENTITY && right->identity->sources != NIL)
	{
		OpsBinding *binding = palloc0(sizeof(OpsBinding));

		binding->relation = relation;
		binding->column = left->column;
		binding->identity = right->identity;
		binding->subject = subject;
		binding->policy = policy;
		binding->direct = left->row == 0;
		*bindings = lappend(*bindings, binding);
	}
	else if (right->kind == TERM_COLUMN && left->row == 0 && right->row != 0)
	{
		OpsLink    *link = palloc0(sizeof(OpsLink));

		link->relation = relation;
		link->column = left->column;
		link->lookup = row_relation(subject, rows, right->row);
		link->lookup_column = right->column;
		if (link->lookup)
			*links = lappend(*links, link);
	}
}

static OpsRlsRelation *
row_relation(OpsRlsRelation *subject, const List *rows, int row)
{
	ListCell   *lc;

	if (row == 0)
		return subject;
	foreach(lc, rows)
	{
		OpsQueryRow *known = lfirst(lc);

		if (known->row == row)
			return known->relation;
	}
	return NULL;
}

/*
 * Find the keys and links of every relation, and whom to trust.
 */
void
ops_rls_find_tenancy(OpsRlsAudit *audit)
{
	bool		declared_any = audit->identities_wanted != NIL;
	ListCell   *lc;

	declare_identities(audit, declared(audit, "user_identities", "*"), true);
	declare_identities(audit, audit->identities_wanted, false);
	judge_sources(audit, declared_any);
	judge_role_sources(audit);

	pick_names(audit);
	foreach(lc, audit->ordered)
		find_keys(audit, lfirst(lc));
	add_bound_keys(audit);
	add_referring_keys(audit);
	add_links(audit);
	guess_keys(audit);
	add_candidates(audit);
	inherit_keys(audit);
	sort_out_users(audit);
	report_assumptions(audit, declared_any);
}

bool
ops_rls_is_tenant_data(const OpsRlsRelation *relation)
{
	return !relation->is_public &&
		(relation->tenant_keys != NULL || relation->links != NULL);
}

/*
 * Settings, claims and functions that were declared: they and everything
 * below them is trusted.
 */
static void
declare_identities(OpsRlsAudit *audit, List *names, bool users)
{
	ListCell   *name;
	ListCell   *lc;

	foreach(name, names)
	{
		size_t		length = strlen(lfirst(name));

		foreach(lc, audit->terms->source_list)
		{
			OpsSource  *source = lfirst(lc);

			if (pg_strncasecmp(source->name, lfirst(name), length) == 0 &&
				(source->name[length] == '\0' || source->name[length] == '.'))
			{
				source->configured = true;
				source->is_user |= users;
			}
		}
		declare_function(audit, lfirst(name), users);
	}
}

/*
 * What a declared function reads is what was declared.
 */
static void
declare_function(OpsRlsAudit *audit, const char *name, bool users)
{
	OpsReading	reading = {0};
	List	   *value;
	ListCell   *lc;
	ListCell   *source;
	OpsFunction *function;
	Oid			oid = find_function(name);

	if (!OidIsValid(oid))
		return;
	function = ops_rls_function(audit, oid);
	reading.audit = audit;
	value = ops_value(ops_level_policy(&reading, NULL),
					  (Node *) makeFuncExpr(oid, function->result, NIL,
											InvalidOid, InvalidOid,
											COERCE_EXPLICIT_CALL));
	foreach(lc, value)
	{
		OpsCase    *one = lfirst(lc);

		if (one->then == NULL || one->then->kind != TERM_IDENTITY)
			continue;
		foreach(source, one->then->identity->sources)
		{
			((OpsSource *) lfirst(source))->configured = true;
			((OpsSource *) lfirst(source))->is_user |= users;
		}
	}
}

/*
 * The function without arguments of a name, schema and all.
 */
static Oid
find_function(const char *name)
{
	const char *dot = strrchr(name, '.');
	CatCList   *list;
	Oid			schema;
	Oid			found = InvalidOid;

	if (dot == NULL)
		return InvalidOid;
	schema = get_namespace_oid(pnstrdup(name, dot - name), true);
	if (!OidIsValid(schema))
		return InvalidOid;
	list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(dot + 1));
	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(&list->members[i]->tuple);

		if (form->pronamespace == schema && form->pronargs == 0)
			found = form->oid;
	}
	ReleaseSysCacheList(list);
	return found;
}

/*
 * Which sources say who somebody is.  One that a policy relies on alone does,
 * as does one that key columns are compared with; one that only narrows down
 * what another one lets through does not.
 */
static void
judge_sources(OpsRlsAudit *audit, bool declared_any)
{
	ListCell   *lc;

	foreach(lc, audit->terms->source_list)
	{
		OpsSource  *source = lfirst(lc);
		const OpsSource *root = source;

		while (root->parent && !root->configured)
			root = root->parent;
		source->configured |= root->configured;
		source->trusted = source->configured;
		source->is_user |= has_word(last_part(source->name), user_words);
	}
	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		ListCell   *cell;
		int			standing = column_standing(binding->relation,
											   binding->column);

		foreach(cell, binding->identity->sources)
		{
			OpsSource  *source = lfirst(cell);

			if (binding->direct)
				source->uses++;
			if (source->kind != SOURCE_ROLE && !declared_any &&
				(standing > 0 || (binding->direct && binding->alone) ||
				 is_declared_column(audit, binding->relation, binding->column)))
				source->trusted = true;
		}
	}
}

static bool
is_declared_column(OpsRlsAudit *audit, const OpsRlsRelation *relation,
				   AttrNumber column)
{
	const char *name = relation->columns[column - 1].name;
	List	   *own = NIL;

	if (audit->tenancy->declarations != NIL)
		own = declared(audit, "tenant_columns",
					   quote_qualified_identifier(relation->schema_name,
												  relation->name));
	return name && (string_in_list(own, name) ||
					string_in_list(audit->columns_wanted, name));
}

/*
 * current_user tells tenants apart only if each has a role of its own.
 */
static void
judge_role_sources(OpsRlsAudit *audit)
{
	bool		one_each = roles_are_tenants(audit);
	ListCell   *lc;

	foreach(lc, audit->terms->source_list)
	{
		OpsSource  *source = lfirst(lc);

		if (source->kind == SOURCE_ROLE)
			source->trusted = one_each || source->configured;
	}
}

/*
 * Whether tenants log in by roles of their own: several of them do, and
 * nothing else tells tenants apart.
 */
static bool
roles_are_tenants(OpsRlsAudit *audit)
{
	OpsRlsRoleGraph *graph = audit->graph;
	int			logins = 0;
	ListCell   *lc;

	foreach(lc, audit->terms->source_list)
	{
		const OpsSource *source = lfirst(lc);

		if (source->kind != SOURCE_ROLE && source->trusted)
			return false;
	}
	for (int i = 0; i < graph->nroles; i++)
	{
		const OpsRoleNode *node = &graph->nodes[i];

		if (!node->logs_in || node->superuser || node->bypasses ||
			node->predefined)
			continue;
		foreach(lc, audit->roles)
		{
			const OpsRlsRole *role = lfirst(lc);

			if (node->oid == role->oid ||
				bms_is_member(ops_rls_role_number(graph, role->oid),
							  node->ancestors))
			{
				logins++;
				break;
			}
		}
	}
	return logins >= 2;
}

/*
 * How much a column looks like one that identifies something.
 */
static int
column_standing(const OpsRlsRelation *relation, AttrNumber column)
{
	const OpsRlsColumn *known;
	int			standing = 0;
	ListCell   *lc;

	if (column < 1 || column > relation->ncolumns)
		return 0;
	known = &relation->columns[column - 1];
	if (known->name == NULL)
		return 0;
	if (known->type == UUIDOID)
		standing += 2;
	if (has_word(known->name, tenant_words))
		standing += 3;
	if (has_word(known->name, user_words))
		standing += 2;
	foreach(lc, relation->unique_keys)
	{
		if (bms_is_member(column, lfirst(lc)))
			standing += 1;
	}
	foreach(lc, relation->foreign_keys)
	{
		OpsRlsForeignKey *key = lfirst(lc);

		for (int i = 0; i < key->ncolumns; i++)
		{
			if (key->columns[i] == column)
				standing += 2;
		}
	}
	return standing;
}

/*
 * Whether a name has one of the words among its parts.
 */
static bool
has_word(const char *name, const char *const *words)
{
	const char *part = name;

	if (name == NULL)
		return false;
	while (*part)
	{
		size_t		length = strcspn(part, "_.-");

		for (int i = 0; words[i]; i++)
		{
			size_t		word = strlen(words[i]);

			/* tenants, userId */
			if (length >= word &&
				pg_strncasecmp(part, words[i], word) == 0 &&
				(length == word || (length == word + 1 && part[word] == 's') ||
				 (length == word + 2 && pg_strncasecmp(part + word, "id", 2) == 0)))
				return true;
		}
		part += length;
		part += strspn(part, "_.-");
	}
	return false;
}

/*
 * The last part of a dotted name.
 */
static const char *
last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

static bool
is_direct(const OpsBinding *binding)
{
	ListCell   *lc;

	if (!binding->direct)
		return false;
	foreach(lc, binding->identity->sources)
	{
		const OpsSource *source = lfirst(lc);

		if (source->trusted && !source->user_editable)
			return true;
	}
	return false;
}

/*
 * The names of columns that bind most tables: the least names so that every
 * table with a bound column is covered by one.
 */
static void
pick_names(OpsRlsAudit *audit)
{
	List	   *open = NIL;
	ListCell   *lc;

	foreach(lc, audit->tenancy->bindings)
	{
		if (is_direct(lfirst(lc)))
			open = lappend(open, lfirst(lc));
	}
	while (open != NIL)
	{
		NameCount  *counts = palloc0(list_length(open) * sizeof(NameCount));
		NameCount  *best = NULL;
		List	   *rest = NIL;
		int			ncounts = 0;

		foreach(lc, open)
		{
			OpsBinding *binding = lfirst(lc);
			const char *name = binding->relation->columns[binding->column - 1].name;
			int			i;

			for (i = 0; i < ncounts && strcmp(counts[i].name, name) != 0; i++)
				;
			if (i == ncounts)
				counts[ncounts++].name = name;
			counts[i].tables++;
			counts[i].standing = Max(counts[i].standing,
									 column_standing(binding->relation, binding->column));
		}
		for (int i = 0; i < ncounts; i++)
		{
			if (best == NULL || counts[i].tables > best->tables ||
				(counts[i].tables == best->tables &&
				 counts[i].standing > best->standing))
				best = &counts[i];
		}
		audit->tenancy->key_names = lappend(audit->tenancy->key_names,
											(void *) best->name);
		foreach(lc, open)
		{
			OpsBinding *binding = lfirst(lc);

			if (strcmp(binding->relation->columns[binding->column - 1].name,
					   best->name) == 0)
				binding->relation->covered = true;
		}
		foreach(lc, open)
		{
			OpsBinding *binding = lfirst(lc);

			if (!binding->relation->covered)
				rest = lappend(rest, binding);
		}
		open = rest;
	}
}

/*
 * Keys by declaration or, with none, by name.
 */
static void
find_keys(OpsRlsAudit *audit, OpsRlsRelation *relation)
{
	const char *name = quote_qualified_identifier(relation->schema_name,
												  relation->name);
	List	   *own = declared(audit, "tenant_columns", name);
	ListCell   *lc;

	foreach(lc, audit->tenancy->declarations)
	{
		OpsDeclaration *declaration = lfirst(lc);

		if (strcmp(declaration->kind, "public") == 0 &&
			strcmp(declaration->relation, name) == 0)
			relation->is_public = true;
	}
	if (own != NIL)
	{
		relation->all_keys = true;
		add_named_keys(audit, relation, own);
	}
	else if (audit->columns_wanted != NIL)
		add_named_keys(audit, relation, audit->columns_wanted);
	else
		add_named_keys(audit, relation, audit->tenancy->key_names);
}

static void
add_named_keys(OpsRlsAudit *audit, OpsRlsRelation *relation, List *names)
{
	ListCell   *lc;

	for (int i = 0; i < relation->ncolumns; i++)
	{
		const char *name = relation->columns[i].name;

		foreach(lc, names)
		{
			/* "id" names a tenant only where a policy says so. */
			if (name && strcmp(name, lfirst(lc)) == 0 &&
				(audit->columns_wanted != NIL || relation->all_keys ||
				 !is_own_id(relation, i + 1)))
				relation->tenant_keys = bms_add_member(relation->tenant_keys,
													   i + 1);
		}
	}
}

static bool
has_declared_keys(OpsRlsAudit *audit, const OpsRlsRelation *relation)
{
	return relation->all_keys ||
		(audit->columns_wanted != NIL && relation->tenant_keys != NULL);
}

/*
 * Columns that the relation's own policies bind: to a user, or to what binds
 * other tables too; any, where nothing better is known.
 */
static void
add_bound_keys(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		OpsRlsRelation *relation = binding->relation;
		const char *name;
		bool		user = false;
		ListCell   *cell;

		if (!is_direct(binding) || has_declared_keys(audit, relation))
			continue;
		name = relation->columns[binding->column - 1].name;
		foreach(cell, binding->identity->sources)
			user |= ((OpsSource *) lfirst(cell))->is_user;
		if (user || relation->tenant_keys == NULL ||
			string_in_list(audit->tenancy->key_names, name))
			relation->tenant_keys = bms_add_member(relation->tenant_keys,
												   binding->column);
	}
	foreach(lc, audit->tenancy->links)
	{
		OpsLink    *link = lfirst(lc);

		if (link->identified && !has_declared_keys(audit, link->relation))
			link->relation->tenant_keys =
				bms_add_member(link->relation->tenant_keys, link->column);
	}
}

/*
 * Columns that refer to a key which is all there is to its table's identity:
 * orders.tenant to tenants.id, once a policy binds that.
 */
static void
add_referring_keys(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		if (relation->tenant_keys != NULL)
			continue;
		foreach(cell, relation->foreign_keys)
		{
			OpsRlsForeignKey *key = lfirst(cell);
			OpsRlsRelation *target = ops_rls_relation(audit, key->target);

			for (int i = 0; target && i < key->ncolumns; i++)
			{
				if (bms_is_member(key->target_columns[i], target->tenant_keys) &&
					is_own_id(target, key->target_columns[i]))
					relation->tenant_keys =
						bms_add_member(relation->tenant_keys, key->columns[i]);
			}
		}
	}
}

/*
 * Columns that refer to tenant data, through as many tables as it takes.
 */
static void
add_links(OpsRlsAudit *audit)
{
	bool		found = true;

	while (found)
	{
		ListCell   *lc;

		found = false;
		foreach(lc, audit->ordered)
		{
			OpsRlsRelation *relation = lfirst(lc);
			ListCell   *cell;

			foreach(cell, relation->foreign_keys)
			{
				OpsRlsForeignKey *key = lfirst(cell);
				OpsRlsRelation *target = ops_rls_relation(audit, key->target);

				if (target == NULL || target == relation ||
					!(target->tenant_keys || target->links))
					continue;
				for (int i = 0; i < key->ncolumns; i++)
				{
					if (bms_is_member(key->columns[i], relation->links) ||
						bms_is_member(key->columns[i], relation->tenant_keys))
						continue;
					relation->links = bms_add_member(relation->links,
													 key->columns[i]);
					found = true;
				}
			}
		}
		foreach(lc, audit->tenancy->links)
		{
			OpsLink    *link = lfirst(lc);

			if (link->lookup == link->relation ||
				!(link->lookup->tenant_keys || link->lookup->links) ||
				bms_is_member(link->column, link->relation->links) ||
				bms_is_member(link->column, link->relation->tenant_keys))
				continue;
			link->relation->links = bms_add_member(link->relation->links,
												   link->column);
			found = true;
		}
	}
}

/*
 * Where nothing at all says who a table's rows belong to, a column that is
 * called as if it did is taken to.
 */
static void
guess_keys(OpsRlsAudit *audit)
{
	bool		any = false;
	ListCell   *lc;

	foreach(lc, audit->ordered)
		any |= ((OpsRlsRelation *) lfirst(lc))->tenant_keys != NULL;
	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);

		if (relation->tenant_keys || relation->links ||
			audit->columns_wanted != NIL)
			continue;
		for (int i = 0; i < relation->ncolumns; i++)
		{
			const char *name = relation->columns[i].name;

			if (name && column_can_be_key(relation->columns[i].type) &&
				(has_word(name, tenant_words) ||
				 (!any && has_word(name, user_words))))
				relation->tenant_keys = bms_add_member(relation->tenant_keys,
													   i + 1);
		}
	}
}

/*
 * A table that nothing binds, and whose policies go by some column.
 */
static void
add_candidates(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		Bitmapset  *candidates = bms_copy(relation->candidates);
		int			column = -1;

		if (relation->tenant_keys || relation->links || candidates == NULL ||
			audit->columns_wanted != NIL)
			continue;
		while ((column = bms_next_member(relation->candidates, column)) >= 0)
		{
			if (is_own_id(relation, column))
				candidates = bms_del_member(candidates, column);
		}
		relation->tenant_keys = candidates ? candidates :
			bms_copy(relation->candidates);
	}
}

/*
 * Partitions and children hold the rows of their parents, in columns of the
 * same names.
 */
static void
inherit_keys(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		foreach(cell, relation->parents)
			hand_down_keys(lfirst(cell), relation);
	}
}

static void
hand_down_keys(const OpsRlsRelation *parent, OpsRlsRelation *child)
{
	for (int i = 0; i < parent->ncolumns; i++)
	{
		bool		key = bms_is_member(i + 1, parent->tenant_keys);
		bool		link = bms_is_member(i + 1, parent->links);

		if ((!key && !link) || parent->columns[i].name == NULL)
			continue;
		for (int j = 0; j < child->ncolumns; j++)
		{
			if (child->columns[j].name == NULL ||
				strcmp(child->columns[j].name, parent->columns[i].name) != 0)
				continue;
			if (key)
				child->tenant_keys = bms_add_member(child->tenant_keys, j + 1);
			else
				child->links = bms_add_member(child->links, j + 1);
		}
	}
}

/*
 * Which keys name a user: those called so, and those that nothing but user
 * identities are ever compared with, unless they are called like a tenant.
 */
static void
sort_out_users(OpsRlsAudit *audit)
{
	HTAB	   *classes = classify_names(audit);
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		OpsRlsRelation *relation = lfirst(lc);
		int			column = -1;

		while ((column = bms_next_member(relation->tenant_keys, column)) >= 0)
		{
			if (names_user(classes, relation, column))
				relation->user_keys = bms_add_member(relation->user_keys,
													 column);
		}
	}
}

static bool
names_user(HTAB *classes, const OpsRlsRelation *relation, AttrNumber column)
{
	const char *name = relation->columns[column - 1].name;
	NameClass  *known;
	NameKey		key;

	if (name == NULL || has_word(name, tenant_words))
		return false;
	if (has_word(name, user_words))
		return true;
	key = name_key(relation, column);
	known = hash_search(classes, &key, HASH_FIND, NULL);
	return known && known->users && !known->tenants;
}

/*
 * With what columns of each name are compared.
 */
static HTAB *
classify_names(OpsRlsAudit *audit)
{
	HASHCTL		ctl = {0};
	HTAB	   *classes;
	ListCell   *lc;

	ctl.keysize = sizeof(NameKey);
	ctl.entrysize = sizeof(NameClass);
	ctl.hcxt = CurrentMemoryContext;
	classes = hash_create("operations_runbook column names", 64, &ctl,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		NameKey		key = name_key(binding->relation, binding->column);
		NameClass  *known;
		ListCell   *cell;
		bool		found;

		if (!is_direct(binding))
			continue;
		known = hash_search(classes, &key, HASH_ENTER, &found);
		if (!found)
			known->users = known->tenants = false;
		foreach(cell, binding->identity->sources)
		{
			if (((OpsSource *) lfirst(cell))->is_user)
				known->users = true;
			else
				known->tenants = true;
		}
	}
	return classes;
}

/*
 * Columns of one name are taken for the same thing, but for a table's own
 * "id", which is the thing itself.  The snapshot keeps each name once.
 */
static NameKey
name_key(const OpsRlsRelation *relation, AttrNumber column)
{
	NameKey		key;

	memset(&key, 0, sizeof(key));
	key.name = relation->columns[column - 1].name;
	if (is_own_id(relation, column))
		key.relation = relation->oid;
	return key;
}

/*
 * Whether a column is its table's whole primary or unique key.
 */
static bool
is_own_id(const OpsRlsRelation *relation, AttrNumber column)
{
	ListCell   *lc;

	foreach(lc, relation->unique_keys)
	{
		if (bms_membership(lfirst(lc)) == BMS_SINGLETON &&
			bms_is_member(column, lfirst(lc)))
			return true;
	}
	return false;
}

static bool
column_can_be_key(Oid type)
{
	return type == UUIDOID || type == INT4OID || type == INT8OID ||
		type == INT2OID || type == TEXTOID || type == VARCHAROID ||
		type >= FirstNormalObjectId;
}

static bool
string_in_list(List *strings, const char *string)
{
	ListCell   *lc;

	foreach(lc, strings)
	{
		if (strcmp(lfirst(lc), string) == 0)
			return true;
	}
	return false;
}

/*
 * Say what was taken for granted.
 */
static void
report_assumptions(OpsRlsAudit *audit, bool declared_any)
{
	StringInfoData message;
	OpsRlsFinding *finding;
	const char *separator = "";
	ListCell   *lc;

	if (audit->tenancy->note == NULL && declared_any &&
		audit->columns_wanted != NIL)
		return;
	finding = ops_rls_report_object(audit, TENANCY_ASSUMED, "database", NULL,
									"ops.tenancy", "ops.tenancy");
	initStringInfo(&message);
	if (audit->tenancy->note)
		appendStringInfo(&message, "%s; ", audit->tenancy->note);
	appendStringInfoString(&message, _("tenants are told apart by "));
	foreach(lc, audit->columns_wanted != NIL ? audit->columns_wanted :
			audit->tenancy->key_names)
	{
		appendStringInfo(&message, "%s%s", separator, (char *) lfirst(lc));
		separator = ", ";
	}
	if (separator[0] == '\0')
		appendStringInfoString(&message, _("columns that are called so"));
	appendStringInfoString(&message, _("; sessions say who they are by "));
	separator = "";
	foreach(lc, audit->terms->source_list)
	{
		const OpsSource *source = lfirst(lc);

		if (!source->trusted || source->user_editable)
			continue;
		appendStringInfo(&message, "%s%s", separator, source->name);
		separator = ", ";
	}
	if (separator[0] == '\0')
		appendStringInfoString(&message, _("nothing that was found"));
	finding->message = message.data;
	finding->remediation = "INSERT INTO ops.tenancy (kind, names) VALUES ('tenant_columns', '{...}'), ('tenant_identities', '{...}');";
}
