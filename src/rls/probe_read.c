/*-------------------------------------------------------------------------
 *
 * probe_read.c
 *	  Reading rows as the caller, and running nothing.
 *
 * The caller must be allowed to see all the rows.  They are read past the
 * planner: planning a query folds constants, which runs functions that the
 * schema's owner wrote, in index predicates and constraints, with the
 * caller's rights.  Here nothing runs but output functions of base types.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tableam.h"
#include "core/compat.h"
#include "core/relation.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "rls/probe.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

static bool may_read(OpsProbeReader *reader);
static void read_relation(OpsProbeReader *reader,
						  const OpsRlsRelation *relation);
static void scan(OpsProbeReader *reader, Relation table);

/*
 * Hand over the rows of a relation, its partitions' included.
 */
void
ops_probe_read(OpsProbeReader *reader)
{
	if (may_read(reader))
		read_relation(reader, reader->relation);
}

/*
 * Whether the caller may read the columns, of all rows.
 */
static bool
may_read(OpsProbeReader *reader)
{
	Oid			relid = reader->relation->oid;
	bool		missing = false;

	if (pg_class_aclcheck_ext(relid, GetUserId(), ACL_SELECT,
							  &missing) != ACLCHECK_OK && !missing)
	{
		for (int i = 0; i < reader->ncolumns; i++)
		{
			if (pg_attribute_aclcheck_ext(relid, reader->columns[i],
										  GetUserId(), ACL_SELECT,
										  &missing) != ACLCHECK_OK)
			{
				reader->obstacle = psprintf(_("you may not read %s, so no tenants could be found there"),
											ops_rls_relation_name(reader->relation));
				return false;
			}
		}
	}
	if (!missing && check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
	{
		reader->obstacle = psprintf(_("row security hides rows of %s from you, so no tenants could be found there"),
									ops_rls_relation_name(reader->relation));
		return false;
	}
	return true;
}

static void
read_relation(OpsProbeReader *reader, const OpsRlsRelation *relation)
{
	Relation	table;
	int			holder;
	ListCell   *lc;

	CHECK_FOR_INTERRUPTS();
	if (RELKIND_HAS_TABLE_AM(relation->kind))
	{
		if (!ops_relation_try_lock(relation->oid, &holder))
		{
			reader->locked = true;
			reader->obstacle = holder == 0 ?
				psprintf(_("%s is locked"), ops_rls_relation_name(relation)) :
				psprintf(_("%s is locked by process %d"),
						 ops_rls_relation_name(relation), holder);
			return;
		}
		table = try_relation_open(relation->oid, NoLock);
		if (table == NULL)
		{
			ops_relation_unlock(relation->oid);
			return;
		}
		if (RELKIND_HAS_TABLE_AM(table->rd_rel->relkind) &&
			!RELATION_IS_OTHER_TEMP(table) && RelationIsPopulated(table))
			scan(reader, table);
		relation_close(table, NoLock);
	}
	foreach(lc, relation->children)
	{
		if (reader->enough || reader->obstacle || reader->rows_left <= 0)
			break;
		read_relation(reader, (OpsRlsRelation *) lfirst(lc));
	}
}

/*
 * Columns are found by name: a partition can have them in another order.
 */
static void
scan(OpsProbeReader *reader, Relation table)
{
	TupleDesc	desc = RelationGetDescr(table);
	MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext,
												  "operations_runbook probe row",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller;
	AttrNumber *columns = palloc0(reader->ncolumns * sizeof(AttrNumber));
	Oid		   *outputs = palloc0(reader->ncolumns * sizeof(Oid));
	TupleTableSlot *slot;
	TableScanDesc rows;

	for (int i = 0; i < reader->ncolumns; i++)
	{
		const char *name = reader->relation->columns[reader->columns[i] - 1].name;
		bool		is_varlena;

		for (int j = 0; j < desc->natts; j++)
		{
			Form_pg_attribute column = TupleDescAttr(desc, j);

			if (!column->attisdropped &&
				strcmp(NameStr(column->attname), name) == 0)
			{
				columns[i] = column->attnum;
				getTypeOutputInfo(column->atttypid, &outputs[i], &is_varlena);
			}
		}
		if (columns[i] == 0)
			return;
	}

	slot = table_slot_create(table, NULL);
	rows = ops_compat_beginscan(table, GetActiveSnapshot());
	caller = MemoryContextSwitchTo(per_row);
	while (!reader->enough && reader->rows_left-- > 0 &&
		   table_scan_getnextslot(rows, ForwardScanDirection, slot))
	{
		const char **row = palloc0(reader->ncolumns * sizeof(char *));

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < reader->ncolumns; i++)
		{
			bool		isnull;
			Datum		value = slot_getattr(slot, columns[i], &isnull);

			if (!isnull)
				row[i] = OidOutputFunctionCall(outputs[i], value);
		}
		reader->enough = !reader->take(row, reader->arg);
		MemoryContextReset(per_row);
	}
	MemoryContextSwitchTo(caller);
	table_endscan(rows);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(per_row);
}
