/*-------------------------------------------------------------------------
 *
 * objects_paths.c
 *	  Functions that find what they name by way of their caller's search_path.
 *
 * It matters where the caller can put something of its own in the way: a
 * temporary table, which comes before every other relation unless pg_temp is
 * put last, or an object in a schema that it may create in.  Names with their
 * schema, and bodies that were stored analysed, cannot be led astray.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "rls/objects.h"
#include "utils/builtins.h"

/* What a body names without saying where. */
typedef struct Loose
{
	bool		relations;
	bool		functions;
	List	   *schemas;		/* names of those where it finds them */
} Loose;

/* What can be put in its way, by some of those who call it. */
typedef struct Shadow
{
	bool		temporary;
	bool		objects;
	const char *schema;			/* of its own path, to create in */
} Shadow;

#define MAX_CALL_DEPTH	5

static void find_loose(OpsObjects *objects, OpsRoutine *routine, int depth,
					   Loose *loose);
static void add_schema(Loose *loose, const char *name);
static void find_shadow(OpsObjects *objects, const OpsRoutine *routine,
						const OpsReachers *reachers, Shadow *shadow);
static bool may_create_in(OpsObjects *objects, const OpsRlsRole *role,
						  const char *name);
static void judge_free(OpsObjects *objects, OpsRoutine *routine,
					   const OpsReachers *reachers, const Loose *loose,
					   const Shadow *shadow);
static void judge_pinned(OpsObjects *objects, OpsRoutine *routine,
						 const OpsReachers *reachers, const Loose *loose,
						 const Shadow *shadow);
static OpsRlsFinding *report_path(OpsObjects *objects, OpsRoutine *routine,
								  const OpsReachers *reachers,
								  const Loose *loose);
static bool pg_temp_comes_first(const OpsRoutine *routine,
								const Loose *loose);

/*
 * Judge the search_path of a function that runs as its owner, or on which
 * policies rely.
 */
void
ops_objects_judge_path(OpsObjects *objects, OpsRoutine *routine,
					   const OpsReachers *reachers)
{
	Loose		loose = {0};
	Shadow		shadow = {0};

	if (routine->compiled || routine->tree || !objects->has_tenant_data)
		return;
	find_loose(objects, routine, 0, &loose);
	find_shadow(objects, routine, reachers, &shadow);
	if (routine->has_path)
		judge_pinned(objects, routine, reachers, &loose, &shadow);
	else
		judge_free(objects, routine, reachers, &loose, &shadow);
}

/*
 * Find out what a body names loosely; what it calls shares its search_path
 * unless it has one of its own.
 */
static void
find_loose(OpsObjects *objects, OpsRoutine *routine, int depth, Loose *loose)
{
	OpsBodyFacts *facts = ops_objects_facts(objects, routine);
	List	   *relations = list_concat(list_copy(facts->reads),
										facts->inserts);
	ListCell   *lc;

	loose->relations |= facts->names_loosely;
	loose->functions |= facts->calls_loosely;
	relations = list_concat(relations, facts->changes);
	foreach(lc, relations)
		add_schema(loose, ((OpsRlsRelation *) lfirst(lc))->schema_name);
	list_free(relations);
	foreach(lc, facts->calls)
	{
		OpsRoutine *callee = lfirst(lc);

		add_schema(loose, callee->schema_name);
		if (depth < MAX_CALL_DEPTH && !callee->has_path &&
			!callee->compiled && callee->tree == NULL)
			find_loose(objects, callee, depth + 1, loose);
	}
}

static void
add_schema(Loose *loose, const char *name)
{
	ListCell   *lc;

	foreach(lc, loose->schemas)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return;
	}
	loose->schemas = lappend(loose->schemas, unconstify(char *, name));
}

static void
find_shadow(OpsObjects *objects, const OpsRoutine *routine,
			const OpsReachers *reachers, Shadow *shadow)
{
	ListCell   *lc;

	foreach(lc, reachers->roles)
	{
		const OpsRlsRole *role = lfirst(lc);
		const OpsMaker *maker = ops_objects_maker(objects, role);
		ListCell   *cell;

		shadow->temporary |= maker->temporary;
		shadow->objects |= maker->in_schema || maker->schemas;
		foreach(cell, routine->path)
		{
			if (may_create_in(objects, role, lfirst(cell)))
				shadow->schema = lfirst(cell);
		}
	}
}

/*
 * Whether a role may create objects in the schema of this name, or make the
 * schema if there is none.
 */
static bool
may_create_in(OpsObjects *objects, const OpsRlsRole *role, const char *name)
{
	HASH_SEQ_STATUS status;
	OpsRlsSchema *schema;

	if (name[0] == '\0' || strncmp(name, "pg_", 3) == 0 ||
		strcmp(name, "$user") == 0)
		return false;
	hash_seq_init(&status, objects->audit->schemas);
	while ((schema = hash_seq_search(&status)) != NULL)
	{
		if (strcmp(schema->name, name) != 0)
			continue;
		hash_seq_term(&status);
		return ops_rls_acl_rights(objects->audit, role, schema->acl,
								  schema->owner, ACL_CREATE) != 0;
	}
	return ops_objects_maker(objects, role)->schemas;
}

/*
 * A function without a search_path of its own.
 *
 * Where the caller may create objects, even the operators of a body that runs
 * as its owner can be the caller's; a helper that runs as the caller anyway
 * is harmed only by what it looks up.
 */
static void
judge_free(OpsObjects *objects, OpsRoutine *routine,
		   const OpsReachers *reachers, const Loose *loose,
		   const Shadow *shadow)
{
	OpsRlsFinding *finding;

	if (loose->relations && (shadow->temporary || shadow->objects))
	{
		finding = report_path(objects, routine, reachers, loose);
		finding->message = routine->definer ?
			psprintf(_("%s runs as its owner and finds tables by its caller's search_path, where a temporary table comes first"),
					 routine->signature) :
			psprintf(_("policies rely on %s, which finds tables by its caller's search_path, where a temporary table comes first"),
					 routine->signature);
	}
	else if (shadow->objects && (routine->definer || loose->functions))
	{
		finding = report_path(objects, routine, reachers, loose);
		finding->message = routine->definer ?
			psprintf(_("%s runs as its owner and finds functions and operators by its caller's search_path, and its caller can create some"),
					 routine->signature) :
			psprintf(_("policies rely on %s, which finds functions by its caller's search_path, and its caller can create some"),
					 routine->signature);
	}
	else if (routine->definer && (loose->relations || loose->functions))
	{
		finding = report_path(objects, routine, reachers, loose);
		finding->severity = OPS_P3;
		finding->message = psprintf(_("%s runs as its owner and finds names by its caller's search_path; no audited role can create anything to be found"),
									routine->signature);
	}
}

static void
judge_pinned(OpsObjects *objects, OpsRoutine *routine,
			 const OpsReachers *reachers, const Loose *loose,
			 const Shadow *shadow)
{
	OpsRlsFinding *finding;
	int			last = list_length(routine->path) - 1;

	if (!loose->relations && !loose->functions)
		return;
	if (shadow->schema)
	{
		finding = report_path(objects, routine, reachers, loose);
		finding->message = psprintf(_("the search_path of %s names schema %s, in which its caller can create objects"),
									routine->signature,
									quote_identifier(shadow->schema));
		ops_rls_evidence(finding, "schema", "%s", shadow->schema);
	}
	else if (loose->relations && shadow->temporary &&
			 (last < 0 || strcmp(list_nth(routine->path, last), "pg_temp") != 0))
	{
		finding = report_path(objects, routine, reachers, loose);
		if (routine->uses == NIL && !pg_temp_comes_first(routine, loose))
			finding->severity = OPS_P3;
		finding->message = psprintf(_("the search_path of %s does not put pg_temp last, so a temporary table of its caller comes before the table that it means"),
									routine->signature);
	}
}

/*
 * Whether pg_temp is named before the schemas that are meant.
 *
 * Where it is not named at all the server puts it first as well.  So it is
 * with most functions that have a path at all, and no session gets past a
 * policy by it unless the policy relies on the function.
 */
static bool
pg_temp_comes_first(const OpsRoutine *routine, const Loose *loose)
{
	bool		seen = false;
	ListCell   *lc;

	foreach(lc, routine->path)
	{
		ListCell   *cell;

		if (strcmp(lfirst(lc), "pg_temp") == 0)
			seen = true;
		foreach(cell, loose->schemas)
		{
			if (seen && strcmp(lfirst(lc), lfirst(cell)) == 0)
				return true;
		}
	}
	return false;
}

static OpsRlsFinding *
report_path(OpsObjects *objects, OpsRoutine *routine,
			const OpsReachers *reachers, const Loose *loose)
{
	OpsRlsFinding *finding;
	StringInfoData path;
	ListCell   *lc;

	finding = ops_objects_report_routine(objects, FUNCTION_SEARCH_PATH_MUTABLE,
										 routine, reachers);
	initStringInfo(&path);
	foreach(lc, loose->schemas)
		appendStringInfo(&path, "%s, ", quote_identifier(lfirst(lc)));
	appendStringInfoString(&path, "pg_temp");
	finding->remediation = psprintf("ALTER %s %s SET search_path = %s;",
									routine->kind == PROKIND_PROCEDURE ?
									"PROCEDURE" : "FUNCTION",
									routine->signature, path.data);
	finding->probe = psprintf("SELECT proconfig FROM pg_proc WHERE oid = %s::regprocedure;",
							  quote_literal_cstr(routine->signature));
	ops_rls_evidence(finding, "security_definer", "%s",
					 routine->definer ? "true" : "false");
	ops_rls_evidence(finding, "used_by_policies", "%d",
					 list_length(routine->uses));
	return finding;
}
