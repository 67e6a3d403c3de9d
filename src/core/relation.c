/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  Access to relations that never waits, and sizes without any lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>

#include "catalog/namespace.h"
#include "catalog/pg_tablespace.h"
#include "core/compat.h"
#include "core/errors.h"
#include "core/relation.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/*
 * Take AccessShareLock on a relation if it can be had at once.
 *
 * A request queued in front of us counts as being in the way, as it would if
 * we waited.  On failure *holder is the process that holds or awaits the
 * conflicting lock, 0 if it was gone or is a prepared transaction.  The
 * caller must look whether the relation still exists.
 */
bool
ops_relation_try_lock(Oid relid, int *holder)
{
	return ops_relation_try_lock_mode(relid, AccessShareLock, holder);
}

bool
ops_relation_try_lock_mode(Oid relid, LOCKMODE mode, int *holder)
{
	*holder = 0;
	if (ConditionalLockRelationOid(relid, mode))
		return true;

	*holder = ops_relation_lock_holder(relid, mode);
	return false;
}

void
ops_relation_unlock(Oid relid)
{
	UnlockRelationOid(relid, AccessShareLock);
}

/*
 * The process that keeps a lock on a relation from being granted.
 *
 * Looks through the whole lock table, all partitions locked for a moment, so
 * it is for the rare relation that turned out to be locked.  A holder is
 * preferred to one who waits, since the one who waits can be behind a reader.
 */
int
ops_relation_lock_holder(Oid relid, LOCKMODE mode)
{
	LockData   *data = GetLockStatusData();
	int			waiter = 0;

	for (int i = 0; i < data->nelements; i++)
	{
		LockInstanceData *lock = &data->locks[i];

		if (lock->locktag.locktag_type != LOCKTAG_RELATION ||
			lock->locktag.locktag_field2 != relid ||
			(lock->locktag.locktag_field1 != MyDatabaseId &&
			 lock->locktag.locktag_field1 != InvalidOid))
			continue;

		if (lock->pid == MyProcPid)
			continue;
		for (LOCKMODE held = AccessShareLock; held <= MaxLockMode; held++)
		{
			if (!DoLockModesConflict(held, mode))
				continue;
			if (lock->holdMask & LOCKBIT_ON(held))
				return lock->pid;
			if (lock->waitLockMode == held)
				waiter = lock->pid;
		}
	}
	return waiter;
}

/*
 * A relation of the extension itself, by its name.
 */
Oid
ops_own_relation(const char *name)
{
	Oid			schema = get_namespace_oid("ops", true);
	Oid			relid = InvalidOid;

	if (OidIsValid(schema))
		relid = get_relname_relid(name, schema);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(OPS_ERRCODE_BROKEN_INSTALL),
				 errmsg("relation \"ops.%s\" is missing", name),
				 errhint("Drop the extension operations_runbook and create it again.")));
	return relid;
}

Oid
ops_own_relation_owner(const char *name)
{
	return ops_relation_owner(ops_own_relation(name));
}

Oid
ops_own_relation_lock(const char *name, LOCKMODE mode)
{
	Oid			relid = ops_own_relation(name);
	int			holder;

	if (!ops_relation_try_lock_mode(relid, mode, &holder))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("ops.%s is locked by process %d", name, holder)));
	return relid;
}

/*
 * The role that a relation belongs to; InvalidOid if it was dropped.
 */
Oid
ops_relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

Oid
ops_relation_filenumber(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			filenumber;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	filenumber = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
	ReleaseSysCache(tuple);
	return filenumber;
}

/*
 * Dead rows from which on autovacuum would act, as it computes them.
 */
double
ops_vacuum_threshold(const AutoVacOpts *options, double reltuples)
{
	double		threshold = autovacuum_vac_thresh;
	double		scale = autovacuum_vac_scale;
	int			most = ops_compat_vacuum_max_threshold(options);

	if (options && options->vacuum_threshold >= 0)
		threshold = options->vacuum_threshold;
	if (options && options->vacuum_scale_factor >= 0)
		scale = options->vacuum_scale_factor;
	threshold += scale * Max(reltuples, 0);
	return Max(most >= 0 ? Min(threshold, most) : threshold, 1);
}

/*
 * Size of a relation's main fork in bytes, or -1 if it has no file.
 *
 * Looks at files by name, without any lock; a relation that is being dropped
 * or rewritten counts as having none.
 */
int64
ops_relation_file_size(Form_pg_class relation)
{
	char		path[MAXPGPATH];
	char		segment[MAXPGPATH + 16];
	struct stat st;
	RelFileNumber filenumber = relation->relfilenode;
	Oid			tablespace = relation->reltablespace;
	int64		size = 0;

	if (!RELKIND_HAS_STORAGE(relation->relkind) ||
		relation->relpersistence == RELPERSISTENCE_TEMP)
		return -1;
	if (filenumber == 0)
		filenumber = ops_compat_mapped_filenumber(relation->oid,
												  relation->relisshared);
	if (filenumber == 0)
		return -1;
	if (!OidIsValid(tablespace))
		tablespace = MyDatabaseTableSpace;

	ops_compat_relation_path(path, sizeof(path),
							 relation->relisshared ? InvalidOid : MyDatabaseId,
							 relation->relisshared ? GLOBALTABLESPACE_OID : tablespace,
							 filenumber);
	if (stat(path, &st) != 0)
		return -1;
	size = st.st_size;

	/* Only a full segment is followed by another one. */
	for (int segno = 1; st.st_size == (int64) RELSEG_SIZE * BLCKSZ; segno++)
	{
		snprintf(segment, sizeof(segment), "%s.%d", path, segno);
		if (stat(segment, &st) != 0)
			break;
		size += st.st_size;
	}
	return size;
}

/*
 * A TOAST table is named after the OID of its own.
 */
Oid
ops_relation_of_toast(Oid toast)
{
	char	   *name = get_rel_name(toast);
	Oid			table;
	HeapTuple	tuple;

	if (name == NULL || get_rel_relkind(toast) != RELKIND_TOASTVALUE ||
		sscanf(name, "pg_toast_%u", &table) != 1)
		return InvalidOid;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	if (((Form_pg_class) GETSTRUCT(tuple))->reltoastrelid != toast)
		table = InvalidOid;
	ReleaseSysCache(tuple);
	return table;
}
