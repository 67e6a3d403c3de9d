/*-------------------------------------------------------------------------
 *
 * sources.c
 *	  Which of the things that a session says tell tenants or users apart.
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
const char *const ops_tenant_words[] = {
	"tenant", "org", "organization", "organisation", "company", "workspace",
	"team", "account", NULL
};
const char *const ops_user_words[] = {
	"user", "uid", "sub", "member", "person", "profile", NULL
};

static bool is_declared_column(OpsRlsAudit *audit, const OpsRlsRelation *relation, AttrNumber column);
static bool roles_are_tenants(OpsRlsAudit *audit);
static const char *last_part(const char *name);

/*
 * Which sources say who somebody is.  One that a policy relies on alone does,
 * as does one that key columns are compared with; one that only narrows down
 * what another one lets through does not.
 */
void
ops_tenancy_judge_sources(OpsRlsAudit *audit, bool declared_any)
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
		source->is_user |= ops_tenancy_has_word(last_part(source->name), ops_user_words);
	}
	foreach(lc, audit->tenancy->bindings)
	{
		OpsBinding *binding = lfirst(lc);
		ListCell   *cell;
		int			standing = ops_tenancy_standing(binding->relation,
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
		own = ops_tenancy_declared(audit, "tenant_columns",
								   quote_qualified_identifier(relation->schema_name,
															  relation->name));
	return name && (ops_tenancy_in_list(own, name) ||
					ops_tenancy_in_list(audit->columns_wanted, name));
}

/*
 * current_user tells tenants apart only if each has a role of its own.
 */
void
ops_tenancy_judge_roles(OpsRlsAudit *audit)
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
int
ops_tenancy_standing(const OpsRlsRelation *relation, AttrNumber column)
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
	if (ops_tenancy_has_word(known->name, ops_tenant_words))
		standing += 3;
	if (ops_tenancy_has_word(known->name, ops_user_words))
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
bool
ops_tenancy_has_word(const char *name, const char *const *words)
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

bool
ops_tenancy_is_direct(const OpsBinding *binding)
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

bool
ops_tenancy_in_list(List *strings, const char *string)
{
	ListCell   *lc;

	foreach(lc, strings)
	{
		if (strcmp(lfirst(lc), string) == 0)
			return true;
	}
	return false;
}
