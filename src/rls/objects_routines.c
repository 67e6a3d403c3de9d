/*-------------------------------------------------------------------------
 *
 * objects_routines.c
 *	  The functions and procedures of the audited schemas, and who uses them.
 *
 * One pass over pg_proc, and one over the dependencies on functions, which
 * tell the policies and views that use them without reading one of these.
 * What a body says is found out when somebody asks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_language.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "miscadmin.h"
#include "rls/objects.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/varlena.h"

/* A policy's place, by its OID. */
typedef struct PolicyPlace
{
	Oid			oid;			/* hash key, first */
	OpsPolicyUse use;
} PolicyPlace;

static HTAB *make_table(const char *name, Size key, Size entry);
static void add_name(HTAB *table, const char *name, void *thing);
static void read_routine(OpsObjects *objects, HeapTuple tuple,
						 TupleDesc desc);
static char *read_text(HeapTuple tuple, TupleDesc desc, AttrNumber place);
static void read_path(OpsRoutine *routine, HeapTuple tuple, TupleDesc desc);
static const char *signature(const OpsRoutine *routine,
							 const Oid *types, int ntypes);
static HTAB *policy_places(const OpsRlsAudit *audit);
static void mark_used(OpsObjects *objects, OpsRoutine *routine,
					  const OpsPolicyUse *use);
static bool is_new_use(const OpsRoutine *routine, const OpsPolicyUse *use);

/*
 * Read the functions, and take down the names of these and of relations.
 */
void
ops_objects_read_routines(OpsObjects *objects)
{
	Relation	catalog = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;
	ListCell   *lc;

	objects->routines = make_table("audited functions", sizeof(Oid),
								   sizeof(OpsRoutine));
	objects->routine_names = make_table("names of functions",
										sizeof(NameData), sizeof(OpsNamed));
	objects->relation_names = make_table("names of relations",
										 sizeof(NameData), sizeof(OpsNamed));
	scan = systable_beginscan(catalog, InvalidOid, false,
							  objects->audit->snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		read_routine(objects, tuple, RelationGetDescr(catalog));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	/* Names of relations matter only to bodies of functions. */
	if (objects->routine_list == NIL)
		return;
	foreach(lc, objects->audit->ordered)
		add_name(objects->relation_names,
				 ((OpsRlsRelation *) lfirst(lc))->name, lfirst(lc));
}

static HTAB *
make_table(const char *name, Size key, Size entry)
{
	HASHCTL		control = {
		.keysize = key,
		.entrysize = entry,
		.hcxt = CurrentMemoryContext,
	};

	return hash_create(name, 256, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
add_name(HTAB *table, const char *name, void *thing)
{
	NameData	key;
	OpsNamed   *named;
	bool		found;

	namestrcpy(&key, name);
	named = hash_search(table, &key, HASH_ENTER, &found);
	if (!found)
		named->things = NIL;
	named->things = lappend(named->things, thing);
}

/*
 * A row of pg_proc.
 */
static void
read_routine(OpsObjects *objects, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	const OpsRlsSchema *schema;
	OpsRoutine *routine;
	bool		isnull;
	Datum		acl;

	if (form->oid < FirstNormalObjectId ||
		(form->prokind != PROKIND_FUNCTION &&
		 form->prokind != PROKIND_PROCEDURE))
		return;
	schema = ops_rls_schema(objects->audit, form->pronamespace);
	if (schema == NULL || !schema->audited)
		return;

	routine = hash_search(objects->routines, &form->oid, HASH_ENTER, NULL);
	memset(routine, 0, sizeof(OpsRoutine));
	routine->oid = form->oid;
	routine->name = pstrdup(NameStr(form->proname));
	routine->schema = form->pronamespace;
	routine->schema_name = schema->name;
	routine->signature = signature(routine, form->proargtypes.values,
								   form->pronargs);
	routine->owner = form->proowner;
	routine->result = form->prorettype;
	routine->kind = form->prokind;
	routine->volatility = form->provolatile;
	routine->returns_set = form->proretset;
	routine->definer = form->prosecdef;
	routine->leakproof = form->proleakproof;
	routine->compiled = form->prolang == INTERNALlanguageId ||
		form->prolang == ClanguageId;
	routine->member = ops_objects_member(objects, ProcedureRelationId,
										 form->oid);
	routine->in_scope = schema->in_scope;
	routine->nargs = form->pronargs;
	acl = heap_getattr(tuple, Anum_pg_proc_proacl, desc, &isnull);
	if (!isnull)
		routine->acl = DatumGetAclPCopy(acl);
	if (!routine->compiled)
	{
		routine->source = read_text(tuple, desc, Anum_pg_proc_prosrc);
		routine->tree = read_text(tuple, desc, Anum_pg_proc_prosqlbody);
	}
	read_path(routine, tuple, desc);

	objects->routine_list = lappend(objects->routine_list, routine);
	add_name(objects->routine_names, routine->name, routine);
}

static char *
read_text(HeapTuple tuple, TupleDesc desc, AttrNumber place)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, place, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * The search_path that comes with a function.
 */
static void
read_path(OpsRoutine *routine, HeapTuple tuple, TupleDesc desc)
{
	static const char prefix[] = "search_path=";
	bool		isnull;
	Datum		value = heap_getattr(tuple, Anum_pg_proc_proconfig, desc,
									 &isnull);
	Datum	   *settings;
	bool	   *nulls;
	int			nsettings;

	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false,
					  TYPALIGN_INT, &settings, &nulls, &nsettings);
	for (int i = 0; i < nsettings; i++)
	{
		char	   *setting = nulls[i] ? "" : TextDatumGetCString(settings[i]);

		if (pg_strncasecmp(setting, prefix, strlen(prefix)) != 0)
			continue;
		routine->has_path = true;
		if (!SplitIdentifierString(setting + strlen(prefix), ',',
								   &routine->path))
			routine->path = NIL;
	}
}

/*
 * A function's name and types, the same whatever the auditor's search_path.
 */
static const char *
signature(const OpsRoutine *routine, const Oid *types, int ntypes)
{
	StringInfoData buffer;

	initStringInfo(&buffer);
	appendStringInfo(&buffer, "%s(",
					 quote_qualified_identifier(routine->schema_name,
												routine->name));
	for (int i = 0; i < ntypes; i++)
	{
		uint16		flags = FORMAT_TYPE_ALLOW_INVALID;

		if (types[i] >= FirstNormalObjectId)
			flags |= FORMAT_TYPE_FORCE_QUALIFY;
		appendStringInfo(&buffer, "%s%s", i > 0 ? "," : "",
						 format_type_extended(types[i], -1, flags));
	}
	appendStringInfoChar(&buffer, ')');
	return buffer.data;
}

/*
 * Find out which functions policies and views use, directly or by way of
 * others.
 */
void
ops_objects_read_uses(OpsObjects *objects)
{
	HTAB	   *places;
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (objects->routine_list == NIL)
		return;
	places = policy_places(objects->audit);
	catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(ProcedureRelationId));
	scan = systable_beginscan(catalog, DependReferenceIndexId, true,
							  objects->audit->snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
		OpsRoutine *routine;
		PolicyPlace *place = NULL;

		CHECK_FOR_INTERRUPTS();
		if (form->classid != PolicyRelationId &&
			form->classid != RewriteRelationId)
			continue;
		routine = hash_search(objects->routines, &form->refobjid, HASH_FIND,
							  NULL);
		if (routine == NULL)
			continue;
		if (form->classid == PolicyRelationId)
			place = hash_search(places, &form->objid, HASH_FIND, NULL);
		mark_used(objects, routine, place ? &place->use : NULL);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	hash_destroy(places);
}

static HTAB *
policy_places(const OpsRlsAudit *audit)
{
	HTAB	   *places = make_table("policies", sizeof(Oid),
									sizeof(PolicyPlace));
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);
		ListCell   *cell;

		foreach(cell, relation->policies)
		{
			const OpsRlsPolicy *policy = lfirst(cell);
			PolicyPlace *place = hash_search(places, &policy->oid, HASH_ENTER,
											 NULL);

			place->use.relation = relation;
			place->use.policy = policy;
		}
	}
	return places;
}

/*
 * Take down a use, of the function and of those that it calls.
 */
static void
mark_used(OpsObjects *objects, OpsRoutine *routine, const OpsPolicyUse *use)
{
	List	   *callees;
	ListCell   *lc;

	if (routine->used && (use == NULL || !is_new_use(routine, use)))
		return;
	callees = ops_objects_callees(objects, routine);
	foreach(lc, callees)
	{
		OpsRoutine *callee = lfirst(lc);

		callee->used = true;
		if (use && is_new_use(callee, use))
			callee->uses = lappend(callee->uses,
								   memcpy(palloc(sizeof(OpsPolicyUse)), use,
										  sizeof(OpsPolicyUse)));
	}
	list_free(callees);
}

/*
 * Rows about a function name a few of its policies, so these are enough.
 */
static bool
is_new_use(const OpsRoutine *routine, const OpsPolicyUse *use)
{
	const OpsPolicyUse *latest;

	if (routine->uses == NIL)
		return true;
	latest = llast(routine->uses);
	return latest->policy != use->policy;
}

/*
 * What a function's body tells; nothing of one that was compiled.
 */
OpsBodyFacts *
ops_objects_facts(OpsObjects *objects, OpsRoutine *routine)
{
	MemoryContext caller;

	if (routine->facts)
		return routine->facts;
	caller = MemoryContextSwitchTo(objects->audit->context);
	routine->facts = palloc0(sizeof(OpsBodyFacts));
	if (routine->tree)
		ops_body_read_tree(objects, routine, routine->facts);
	else if (routine->source)
		ops_body_read_text(objects, routine, routine->facts);
	MemoryContextSwitchTo(caller);
	return routine->facts;
}

/*
 * A function and all that it calls, by whatever way.  However long the ways
 * are, no recursion follows them.
 */
List *
ops_objects_callees(OpsObjects *objects, OpsRoutine *routine)
{
	List	   *found = list_make1(routine);
	int			walk = ++objects->walks;

	routine->seen = walk;
	for (int i = 0; i < list_length(found); i++)
	{
		ListCell   *lc;

		CHECK_FOR_INTERRUPTS();
		foreach(lc, ops_objects_facts(objects, list_nth(found, i))->calls)
		{
			OpsRoutine *callee = lfirst(lc);

			if (callee->seen == walk)
				continue;
			callee->seen = walk;
			found = lappend(found, callee);
		}
	}
	return found;
}

/*
 * Whether a function, or one that it calls, asks the session who it is.
 */
bool
ops_objects_reads_session(OpsObjects *objects, OpsRoutine *routine)
{
	List	   *callees;
	ListCell   *lc;

	if (routine->session != OPS_UNKNOWN)
		return routine->session == OPS_YES;
	routine->session = OPS_NO;
	callees = ops_objects_callees(objects, routine);
	foreach(lc, callees)
	{
		if (ops_objects_facts(objects, lfirst(lc))->reads_session)
			routine->session = OPS_YES;
	}
	list_free(callees);
	return routine->session == OPS_YES;
}

/*
 * The same for whoever knows only the OID; functions of the server that tell
 * about the session included.
 */
bool
ops_rls_function_reads_session(OpsRlsAudit *audit, Oid function)
{
	OpsObjects *objects = ops_objects(audit);
	OpsRoutine *routine;

	switch (function)
	{
		case F_CURRENT_SETTING_TEXT:
		case F_CURRENT_SETTING_TEXT_BOOL:
		case F_CURRENT_USER:
		case F_SESSION_USER:
		case F_GETPGUSERNAME:
			return true;
		default:
			break;
	}
	routine = hash_search(objects->routines, &function, HASH_FIND, NULL);
	return routine && ops_objects_reads_session(objects, routine);
}
