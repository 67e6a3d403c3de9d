/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  Reading a small table of our own: without SPI, without waiting.
 *
 * For tables that health and the scheduler read at every call.  What they
 * hold is no secret from whoever may call, so nobody's right to read the
 * table is asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "core/compat.h"
#include "core/relation.h"
#include "core/rows.h"
#include "utils/snapmgr.h"

static void scan_rows(Oid relid, int ncolumns, OpsSlotReader reader,
					  void *arg);

/*
 * Hand each row that the caller's snapshot sees to the reader.
 */
bool
ops_rows_read(const char *name, int ncolumns, OpsSlotReader reader,
			  void *arg, int *holder)
{
	Oid			relid = ops_own_relation(name);

	if (!ops_relation_try_lock(relid, holder))
		return false;
	scan_rows(relid, ncolumns, reader, arg);
	return true;
}

void
ops_rows_demand(const char *name, int ncolumns, OpsSlotReader reader,
				void *arg)
{
	Oid			relid = ops_own_relation_lock(name, AccessShareLock);

	scan_rows(relid, ncolumns, reader, arg);
}

static void
scan_rows(Oid relid, int ncolumns, OpsSlotReader reader, void *arg)
{
	Relation	table = table_open(relid, NoLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	TableScanDesc scan = ops_compat_beginscan(table, GetActiveSnapshot());

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		slot_getsomeattrs(slot, ncolumns);
		reader(slot, arg);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
}
