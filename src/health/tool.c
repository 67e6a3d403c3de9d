/*-------------------------------------------------------------------------
 *
 * tool.c
 *	  Tables that other tools keep in this database.
 *
 * They belong to other roles.  One is looked at only if it can be locked at
 * once, and by a query that runs as its owner in the closed scope, so that
 * nothing attached to the table gains a privilege from whoever asks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "core/relation.h"
#include "health/catalog.h"
#include "health/tool.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

static void
read_tool_table(HeapTuple tuple, TupleDesc desc, void *arg)
{
	List	  **tables = (List **) arg;
	Form_pg_class relation = (Form_pg_class) GETSTRUCT(tuple);
	const char *schema = get_namespace_name(relation->relnamespace);
	OpsToolTable *table;

	if (schema == NULL || relation->relpersistence == RELPERSISTENCE_TEMP)
		return;
	table = palloc0(sizeof(OpsToolTable));
	table->relid = relation->oid;
	table->schema = relation->relnamespace;
	table->relkind = relation->relkind;
	table->schema_name = schema;
	table->name = pstrdup(NameStr(relation->relname));
	table->quoted = quote_qualified_identifier(schema, table->name);
	*tables = lappend(*tables, table);
}

/*
 * The relations of a name, in whatever schema.
 */
List *
ops_tool_tables(OpsRun *run, const char *name)
{
	List	   *tables = NIL;
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_class_relname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(name));
	ops_catalog_scan(run, RelationRelationId, ClassNameNspIndexId, 1, &key,
					 read_tool_table, &tables);
	return tables;
}

/*
 * The relation of a name that belongs to an extension.
 */
OpsToolTable *
ops_tool_extension_table(OpsRun *run, Oid extension, const char *name)
{
	ListCell   *cell;

	foreach(cell, ops_tool_tables(run, name))
	{
		OpsToolTable *table = (OpsToolTable *) lfirst(cell);

		if (getExtensionOfObject(RelationRelationId, table->relid) == extension)
			return table;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the extension \"%s\" has no relation \"%s\"",
					get_extension_name(extension), name),
			 errhint("Update the extension.")));
	return NULL;				/* keep the compiler quiet */
}

/*
 * Get hold of a table without waiting; else false, and why in the result.
 */
bool
ops_tool_open(OpsToolTable *table, OpsResult *result)
{
	HeapTuple	tuple;
	int			holder;

	if (!ops_relation_try_lock(table->relid, &holder))
	{
		if (holder != 0)
			ops_result_unknown(result, OPS_LOCKED,
							   _("table %s is locked by process %d"),
							   table->quoted, holder);
		else
			ops_result_unknown(result, OPS_LOCKED, _("table %s is locked"),
							   table->quoted);
		return false;
	}

	/* Only now can it be neither dropped nor given to somebody else. */
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table->relid));
	if (!HeapTupleIsValid(tuple))
	{
		ops_relation_unlock(table->relid);
		ops_result_unknown(result, OPS_LOCKED, _("table %s has just been dropped"),
						   table->quoted);
		return false;
	}
	table->owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	if (check_enable_rls(table->relid, table->owner, true) == RLS_ENABLED)
	{
		ops_relation_unlock(table->relid);
		ops_result_unknown(result, OPS_DENIED,
						   _("row-level security hides rows of table %s from its own owner"),
						   table->quoted);
		return false;
	}
	return true;
}

void
ops_tool_close(OpsToolTable *table)
{
	ops_relation_unlock(table->relid);
}
