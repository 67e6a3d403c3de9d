/*-------------------------------------------------------------------------
 *
 * tool.h
 *	  Tables that other tools keep in this database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_TOOL_H
#define OPS_TOOL_H

#include "health/check.h"
#include "nodes/pg_list.h"

/* A table or view of another tool. */
typedef struct OpsToolTable
{
	Oid			relid;
	Oid			schema;
	Oid			owner;			/* known once it is open */
	char		relkind;
	const char *schema_name;
	const char *name;
	const char *quoted;
} OpsToolTable;

extern List *ops_tool_tables(OpsRun *run, const char *name);
extern OpsToolTable *ops_tool_extension_table(OpsRun *run, Oid extension,
											  const char *name);
extern bool ops_tool_open(OpsToolTable *table, OpsResult *result);
extern void ops_tool_close(OpsToolTable *table);

#endif							/* OPS_TOOL_H */
