/*-------------------------------------------------------------------------
 *
 * declared.c
 *	  What ops.tenancy and the caller declare.
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

static void read_declarations(OpsRlsAudit *audit, Relation table);
static List *text_list(Datum array);
static void declare_function(OpsRlsAudit *audit, const char *name, bool users);
static Oid	find_function(const char *name);
static void report_declaration(OpsRlsAudit *audit, const char *message);
static bool relation_exists(OpsRlsAudit *audit, const char *name);

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
		foreach(lc, ops_tenancy_declared(audit, "app_roles", "*"))
		{
			Oid			role = get_role_oid(lfirst(lc), true);

			if (OidIsValid(role))
				audit->roles_wanted = lappend_oid(audit->roles_wanted, role);
		}
	}
	if (audit->columns_wanted == NIL)
		audit->columns_wanted = ops_tenancy_declared(audit, "tenant_columns", "*");
	if (audit->identities_wanted == NIL)
		audit->identities_wanted = list_copy(ops_tenancy_declared(audit, "tenant_identities", "*"));
	audit->identities_wanted = list_concat(audit->identities_wanted,
										   ops_tenancy_declared(audit, "user_identities", "*"));
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

List *
ops_tenancy_declared(const OpsRlsAudit *audit, const char *kind, const char *relation)
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
 * Settings, claims and functions that were declared: they and everything
 * below them is trusted.
 */
void
ops_tenancy_declare(OpsRlsAudit *audit, List *names, bool users)
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
 * Whether the columns that were declared are there; says so if not.
 */
bool
ops_tenancy_has_columns(OpsRlsAudit *audit, const OpsRlsRelation *relation, List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		bool		found = false;

		for (int i = 0; i < relation->ncolumns; i++)
			found |= relation->columns[i].name &&
				strcmp(relation->columns[i].name, lfirst(lc)) == 0;
		if (!found)
		{
			report_declaration(audit,
							   psprintf(_("ops.tenancy names column %s of %s, which does not exist, so what it says of the table does not count"),
										quote_identifier(lfirst(lc)),
										ops_rls_relation_name(relation)));
			return false;
		}
	}
	return true;
}

static void
report_declaration(OpsRlsAudit *audit, const char *message)
{
	OpsRlsFinding *finding = ops_rls_report_object(audit, TENANCY_ASSUMED,
												   "table", "ops", "tenancy",
												   psprintf("ops.tenancy (%d)", ++audit->tenancy->nreports));

	finding->message = message;
	finding->remediation = "SELECT * FROM ops.tenancy;";
}

/*
 * Say which declarations are about nothing that exists.
 */
void
ops_tenancy_check(OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->tenancy->declarations)
	{
		const OpsDeclaration *declaration = lfirst(lc);
		ListCell   *cell;

		if (strcmp(declaration->relation, "*") != 0 &&
			!relation_exists(audit, declaration->relation))
			report_declaration(audit,
							   psprintf(_("ops.tenancy is about %s, which no audited table is called; names are schema.table, quoted where SQL needs it"),
										declaration->relation));
		if (strcmp(declaration->kind, "app_roles") != 0)
			continue;
		foreach(cell, declaration->names)
		{
			if (!OidIsValid(get_role_oid(lfirst(cell), true)))
				report_declaration(audit,
								   psprintf(_("ops.tenancy names the role %s, which does not exist"),
											quote_identifier(lfirst(cell))));
		}
	}
}

static bool
relation_exists(OpsRlsAudit *audit, const char *name)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (strcmp(name, quote_qualified_identifier(relation->schema_name,
													relation->name)) == 0)
			return true;
	}
	return false;
}
