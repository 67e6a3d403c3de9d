/*-------------------------------------------------------------------------
 *
 * reference.c
 *	  What else happens when rows of a table go: triggers that fire, foreign
 *	  keys that are asked, tables that the deletion spreads to.
 *
 * A foreign key acts through triggers on the table it refers to, and those
 * are found by index, unlike the constraints themselves; triggers that are
 * switched off do nothing and are passed over.  A table that the deletion
 * cascades to is looked at in the same way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_trigger.h"
#include "cleanup/target.h"
#include "commands/trigger.h"
#include "core/compat.h"
#include "core/relation.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"

/* A table without an index on the key is not worth one up to here. */
#define FEW_ROWS		1000
#define FEW_PAGES		8

/* A table that the deletion reaches, and what happens to its rows. */
typedef struct Reached
{
	Oid			relid;
	int			depth;
	bool		deleted;		/* or else updated */
} Reached;

/* A foreign key, taken apart. */
typedef struct Key
{
	Oid			relid;
	int			ncolumns;
	AttrNumber	columns[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];
} Key;

static List *reach(List *reached, Oid relid, int depth, bool deleted);
static List *trace_triggers(OpsTarget *target, List *reached, const Reached *from);
static bool is_switched_off(Form_pg_trigger trigger);
static const char *describe_trigger(Form_pg_trigger trigger);
static List *trace_key(OpsTarget *target, List *reached, const Reached *from, Oid constraint);
static void read_key(Key *key, HeapTuple tuple);
static bool is_indexed(const Key *key);
static bool has_index(const Key *key);
static bool leads(const Key *key, HeapTuple tuple);
static bool leads_column(const Key *key, int column, Form_pg_index form, oidvector * classes);
static bool is_whole(const Key *key, HeapTuple tuple);
static bool is_large(Oid relid);
static const char *make_command(const Key *key);

/*
 * Fill in the target's references and triggers.
 */
void
ops_target_trace(OpsTarget *target)
{
	List	   *reached = reach(NIL, target->relid, 0, true);

	target->ntriggers = 0;

	/* The list grows while it is walked. */
	for (int i = 0; i < list_length(reached); i++)
	{
		CHECK_FOR_INTERRUPTS();
		reached = trace_triggers(target, reached, list_nth(reached, i));
	}
}

/*
 * Note that a table, and all below it, will be visited.
 */
static List *
reach(List *reached, Oid relid, int depth, bool deleted)
{
	Reached    *entry;
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, reached)
	{
		const Reached *known = lfirst(lc);

		if (known->relid == relid && known->deleted == deleted)
			return reached;
	}
	entry = palloc(sizeof(Reached));
	entry->relid = relid;
	entry->depth = depth;
	entry->deleted = deleted;
	reached = lappend(reached, entry);

	/* Only the target's own rows go, but a foreign key means all below. */
	if (depth > 0)
	{
		foreach(lc, ops_target_children(relid))
			reached = reach(reached, lfirst_oid(lc), depth, deleted);
	}
	return reached;
}

static List *
trace_triggers(OpsTarget *target, List *reached, const Reached *from)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	List	   *keys = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(from->relid));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1,
							  &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);
		bool		fires = from->deleted ? TRIGGER_FOR_DELETE(trigger->tgtype) :
		TRIGGER_FOR_UPDATE(trigger->tgtype);

		if (from->relid == target->relid)
			target->ntriggers++;
		if (!fires || is_switched_off(trigger))
			continue;
		if (trigger->tgdeferrable)
			target->has_deferrable = true;
		if (from->deleted &&
			RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK)
			keys = lappend_oid(keys, trigger->tgconstraint);
		else if (from->depth == 0 && !trigger->tgisinternal)
			target->triggers = lappend(target->triggers,
									   (char *) describe_trigger(trigger));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	foreach(lc, keys)
		reached = trace_key(target, reached, from, lfirst_oid(lc));
	return reached;
}

static bool
is_switched_off(Form_pg_trigger trigger)
{
	return trigger->tgenabled == TRIGGER_DISABLED ||
		trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA;
}

/*
 * A trigger in the words of the command that made it.
 */
static const char *
describe_trigger(Form_pg_trigger trigger)
{
	const char *moment = TRIGGER_FOR_BEFORE(trigger->tgtype) ? "BEFORE" :
	TRIGGER_FOR_INSTEAD(trigger->tgtype) ? "INSTEAD OF" : "AFTER";
	const char *unit = TRIGGER_FOR_ROW(trigger->tgtype) ? "ROW" : "STATEMENT";
	char	   *function = get_func_name(trigger->tgfoid);
	char	   *schema = get_namespace_name(get_func_namespace(trigger->tgfoid));

	return psprintf("%s: %s DELETE FOR EACH %s EXECUTE FUNCTION %s()",
					quote_identifier(NameStr(trigger->tgname)), moment, unit,
					function && schema ?
					quote_qualified_identifier(schema, function) : "?");
}

/*
 * A foreign key that refers to a table whose rows go.
 */
static List *
trace_key(OpsTarget *target, List *reached, const Reached *from,
		  Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	OpsReference *reference;
	Key			key;

	if (!HeapTupleIsValid(tuple))
		return reached;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	if (form->contype != CONSTRAINT_FOREIGN ||
		form->confrelid != from->relid ||
		!ops_compat_constraint_enforced(form))
	{
		ReleaseSysCache(tuple);
		return reached;
	}
	read_key(&key, tuple);
	reference = palloc0(sizeof(OpsReference));
	reference->relation = form->conrelid;
	reference->constraint = pstrdup(NameStr(form->conname));
	reference->action = form->confdeltype;
	reference->deferrable = form->condeferrable;
	reference->depth = from->depth;
	reference->indexed = is_indexed(&key);
	reference->large = is_large(form->conrelid);
	if (!reference->indexed)
		reference->create_index = make_command(&key);
	target->references = lappend(target->references, reference);
	ReleaseSysCache(tuple);

	switch (reference->action)
	{
		case FKCONSTR_ACTION_CASCADE:
			return reach(reached, reference->relation, from->depth + 1, true);
		case FKCONSTR_ACTION_SETNULL:
		case FKCONSTR_ACTION_SETDEFAULT:
			return reach(reached, reference->relation, from->depth + 1, false);
		default:
			return reached;
	}
}

static void
read_key(Key *key, HeapTuple tuple)
{
	AttrNumber	referenced[INDEX_MAX_KEYS];

	key->relid = ((Form_pg_constraint) GETSTRUCT(tuple))->conrelid;
	DeconstructFkConstraintRow(tuple, &key->ncolumns, key->columns, referenced,
							   key->operators, NULL, NULL, NULL, NULL);
}

/*
 * Whether the rows that refer to one are found by an index; of a partitioned
 * table, in each of its partitions.
 */
static bool
is_indexed(const Key *key)
{
	List	   *children;
	ListCell   *lc;

	check_stack_depth();
	if (has_index(key))
		return true;
	if (get_rel_relkind(key->relid) != RELKIND_PARTITIONED_TABLE)
		return false;
	children = ops_target_children(key->relid);
	foreach(lc, children)
	{
		Key			part = *key;

		part.relid = lfirst_oid(lc);
		for (int i = 0; i < key->ncolumns; i++)
			part.columns[i] = get_attnum(part.relid,
										 get_attname(key->relid, key->columns[i], false));
		if (!is_indexed(&part))
			return false;
	}
	return children != NIL;
}

static bool
has_index(const Key *key)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	bool		found = false;
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&scankey, Anum_pg_index_indrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(key->relid));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1,
							  &scankey);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);

		found = form->indisvalid && form->indisready && form->indislive &&
			leads(key, tuple) && is_whole(key, tuple);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/*
 * Whether the first columns of an index are those of the key, in any order.
 */
static bool
leads(const Key *key, HeapTuple tuple)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	bool		isnull;
	Datum		classes = SysCacheGetAttr(INDEXRELID, tuple,
										  Anum_pg_index_indclass, &isnull);

	if (isnull || form->indnkeyatts < key->ncolumns)
		return false;
	for (int i = 0; i < key->ncolumns; i++)
	{
		if (!leads_column(key, i, form, (oidvector *) DatumGetPointer(classes)))
			return false;
	}
	return true;
}

static bool
leads_column(const Key *key, int column, Form_pg_index form,
			 oidvector * classes)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		Oid			opfamily = get_opclass_family(classes->values[i]);
		Oid			operator = key->operators[column];

		if (form->indkey.values[i] == key->columns[column] &&
			(op_in_opfamily(operator, opfamily) ||
			 op_in_opfamily(get_commutator(operator), opfamily)))
			return true;
	}
	return false;
}

/*
 * Whether an index holds all rows whose key is not null.
 */
static bool
is_whole(const Key *key, HeapTuple tuple)
{
	List	   *conditions = NIL;
	bool		isnull;
	Datum		predicate = SysCacheGetAttr(INDEXRELID, tuple,
											Anum_pg_index_indpred, &isnull);

	if (isnull)
		return true;
	for (int i = 0; i < key->ncolumns; i++)
	{
		NullTest   *test = makeNode(NullTest);
		Oid			type;
		int32		typmod;
		Oid			collation;

		get_atttypetypmodcoll(key->relid, key->columns[i], &type, &typmod,
							  &collation);
		test->arg = (Expr *) makeVar(1, key->columns[i], type, typmod,
									 collation, 0);
		test->nulltesttype = IS_NOT_NULL;
		test->location = -1;
		conditions = lappend(conditions, test);
	}
	return predicate_implied_by(make_ands_implicit(stringToNode(TextDatumGetCString(predicate))),
								conditions, false);
}

/*
 * Whether it takes time to read a table, or all below it.
 */
static bool
is_large(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	bool		large;
	ListCell   *lc;

	check_stack_depth();
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	large = form->reltuples > FEW_ROWS ||
		ops_relation_file_size(form) > FEW_PAGES * BLCKSZ;
	ReleaseSysCache(tuple);
	if (large)
		return true;
	foreach(lc, ops_target_children(relid))
	{
		if (is_large(lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * The command that makes an index for the key.
 */
static const char *
make_command(const Key *key)
{
	bool		partitioned = get_rel_relkind(key->relid) == RELKIND_PARTITIONED_TABLE;
	char	   *schema = get_namespace_name(get_rel_namespace(key->relid));
	char	   *name = get_rel_name(key->relid);
	StringInfoData command;

	if (schema == NULL || name == NULL)
		return NULL;
	initStringInfo(&command);
	appendStringInfo(&command, "CREATE INDEX %sON %s (",
					 partitioned ? "" : "CONCURRENTLY ",
					 quote_qualified_identifier(schema, name));
	for (int i = 0; i < key->ncolumns; i++)
	{
		char	   *column = get_attname(key->relid, key->columns[i], true);

		appendStringInfo(&command, "%s%s", i > 0 ? ", " : "",
						 column ? quote_identifier(column) : "?");
	}
	appendStringInfoString(&command, ");");
	return command.data;
}
