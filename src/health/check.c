/*-------------------------------------------------------------------------
 *
 * check.c
 *	  Words of a check, and the way from a name to a check.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "health/check.h"
#include "lib/stringinfo.h"

const char *const ops_status_name[] = {"ok", "unknown", "warn", "fail"};

const char *const ops_reason_name[] = {
	NULL,
	"not_applicable",
	"denied",
	"too_young",
	"out_of_budget",
	"locked",
	"failed",
};

/* Cheap families stand first: they run first when the budget is short. */
const OpsFamily ops_family_table[] = {
	{"activity", ops_activity_checks, &ops_activity_count},
	{"horizon", ops_horizon_checks, &ops_horizon_count},
	{"statistics", ops_statistics_checks, &ops_statistics_count},
	{"replication", ops_replication_checks, &ops_replication_count},
	{"replication_slots", ops_slots_checks, &ops_slots_count},
	{"storage", ops_storage_checks, &ops_storage_count},
	{"configuration", ops_settings_checks, &ops_settings_count},
	{"security", ops_security_checks, &ops_security_count},
	{"row_security", ops_rls_checks, &ops_rls_count},
	{"vacuum", ops_vacuum_checks, &ops_vacuum_count},
	{"indexes", ops_indexes_checks, &ops_indexes_count},
	{"schema", ops_schema_checks, &ops_schema_count},
	{"sequences", ops_sequences_checks, &ops_sequences_count},
	{"jobs", ops_jobs_checks, &ops_jobs_count},
	{"bloat", ops_bloat_checks, &ops_bloat_count},
	{"retention", ops_retention_checks, &ops_retention_count},
	{"maintenance", ops_maintenance_checks, &ops_maintenance_count},
	{NULL, NULL, NULL}
};

/*
 * The check of this name, or NULL.
 */
const OpsCheck *
ops_check_find(const char *name)
{
	for (const OpsFamily *family = ops_family_table; family->name; family++)
	{
		for (int i = 0; i < *family->count; i++)
		{
			if (strcmp(family->checks[i].name, name) == 0)
				return &family->checks[i];
		}
	}
	return NULL;
}

/*
 * The family of this name, or NULL.
 */
const OpsFamily *
ops_family_find(const char *name)
{
	for (const OpsFamily *family = ops_family_table; family->name; family++)
	{
		if (strcmp(family->name, name) == 0)
			return family;
	}
	return NULL;
}

/*
 * All names that can stand for checks, for a hint.
 */
const char *
ops_check_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (const OpsFamily *family = ops_family_table; family->name; family++)
	{
		appendStringInfo(&names, "%s%s (", names.len > 0 ? "; " : "",
						 family->name);
		for (int i = 0; i < *family->count; i++)
			appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
							 family->checks[i].name);
		appendStringInfoChar(&names, ')');
	}
	return names.data;
}
