/*-------------------------------------------------------------------------
 *
 * checks_schema.c
 *	  Checks of how tables and constraints are made.
 *
 * Source: pg_class, pg_index and pg_constraint, see catalog.c.  Tables of the
 * system and of this extension are left out, temporary ones too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/dependency.h"
#include "health/catalog.h"
#include "utils/builtins.h"

/*
 * Name a constraint that is not valid, and say how to have it checked.
 */
static void
name_constraint(OpsResult *result, const OpsCatalog *catalog,
				const OpsConstraint *constraint)
{
	const char *name = NameStr(constraint->name);
	OpsCulprit *culprit;

	if (OidIsValid(constraint->table))
	{
		const OpsRelation *table = ops_catalog_relation(catalog, constraint->table);

		culprit = ops_catalog_culprit(result, table->form.reltuples, table);
		if (culprit)
			culprit->name = name;
		if (culprit == &result->culprit[0])
			ops_result_remedy(result, "ALTER TABLE %s VALIDATE CONSTRAINT %s;",
							  ops_catalog_quoted(table), quote_identifier(name));
	}
	else
	{
		/* After tables, of which reltuples is -1 at the least. */
		culprit = ops_result_culprit(result, -2);
		if (culprit == NULL)
			return;
		culprit->name = name;
		culprit->note = psprintf(_("of domain %s"), format_type_be(constraint->domain));
		if (culprit == &result->culprit[0])
			ops_result_remedy(result, "ALTER DOMAIN %s VALIDATE CONSTRAINT %s;",
							  format_type_be_qualified(constraint->domain),
							  quote_identifier(name));
	}
}

/*
 * not_valid_constraint: constraints that old rows need not fulfil.
 */
static void
probe_not_valid_constraint(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	int			not_valid = 0;

	for (int i = 0; i < catalog->nconstraints; i++)
	{
		const OpsConstraint *constraint = &catalog->constraints[i];

		ops_catalog_tick(run, i);
		if (!constraint->not_valid)
			continue;
		not_valid++;
		name_constraint(result, catalog, constraint);
	}
	ops_result_value(result, not_valid,
					 ngettext("%d constraint was never validated",
							  "%d constraints were never validated",
							  not_valid),
					 not_valid);
}

static bool
has_primary_key(const OpsCatalog *catalog, const OpsRelation *table)
{
	for (int i = 0; i < table->nindexes; i++)
	{
		if (catalog->indexes[table->first_index + i].form->indisprimary)
			return true;
	}
	return false;
}

/*
 * no_pk: tables without a primary key.
 */
static void
probe_no_pk(OpsRun *run, OpsResult *result)
{
	const OpsCatalog *catalog = ops_catalog(run);
	int			bare = 0;

	for (int i = 0; i < catalog->nrelations; i++)
	{
		OpsRelation *table = &catalog->relations[i];
		OpsCulprit *culprit;

		ops_catalog_tick(run, i);
		if (!table->user || table->form.relispartition ||
			(table->form.relkind != RELKIND_RELATION &&
			 table->form.relkind != RELKIND_PARTITIONED_TABLE) ||
			has_primary_key(catalog, table) ||
			OidIsValid(getExtensionOfObject(RelationRelationId, table->form.oid)))
			continue;
		bare++;
		culprit = ops_catalog_culprit(result, ops_catalog_size(table), table);
		if (culprit && culprit == &result->culprit[0])
			ops_result_remedy(result, "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = %s::regclass AND indisunique;",
							  quote_literal_cstr(ops_catalog_quoted(table)));
	}
	ops_result_value(result, bare,
					 ngettext("%d table has no primary key",
							  "%d tables have no primary key", bare),
					 bare);
}

const OpsCheck ops_schema_checks[] = {
	{
		.name = "not_valid_constraint",
		.title = gettext_noop("constraints added as NOT VALID and never validated"),
		.unit = "constraints",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.warning = 1,
		.critical = NAN,
		.probe = probe_not_valid_constraint,
	},
	{
		.name = "no_pk",
		.title = gettext_noop("tables without a primary key"),
		.unit = "tables",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.warning = 1,
		.critical = NAN,
		.probe = probe_no_pk,
	},
};
const int	ops_schema_count = lengthof(ops_schema_checks);
