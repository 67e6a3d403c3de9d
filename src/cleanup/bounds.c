/*-------------------------------------------------------------------------
 *
 * bounds.c
 *	  Whether the bounds of a partition say that all of it is old.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "cleanup/target.h"
#include "commands/defrem.h"
#include "core/compat.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

static bool keeps_none_back(const OpsTarget *target);
static bool owns(Oid role, Oid relid);
static bool is_key(Oid parent, const OpsTarget *target);
static Const *bound_of(const OpsTarget *target, bool upper);
static int	compare_with_bound(const OpsTarget *target, const Const *value);

/*
 * Whether the target is a partition that could go as a whole: each of its
 * rows is old by its bounds, no row can be held back, and nothing would have
 * to happen to the single row.
 *
 * A table that was such a partition when a run began to detach it is still
 * one, unless it got a place in another tree.
 */
bool
ops_target_outlived(const OpsTarget *target)
{
	Oid			parent;
	bool		detaching;
	Const	   *upper;

	if (!keeps_none_back(target))
		return false;
	parent = ops_target_parent(target->relid, &detaching);
	if (!OidIsValid(parent) && target->detaching)
		return owns(target->run_as, target->relid) &&
			!has_superclass(target->relid) && !has_subclass(target->relid);
	if (!OidIsValid(parent) || (detaching && !target->detaching) || !is_key(parent, target) ||
		!owns(target->run_as, parent) || !owns(target->run_as, target->relid))
		return false;
	upper = bound_of(target, true);
	return upper && compare_with_bound(target, upper) <= 0;
}

/*
 * Whether the target is a partition none of whose rows can be old by its
 * bounds, so that nobody has to look.
 */
bool
ops_target_is_young(const OpsTarget *target)
{
	Oid			parent;
	bool		detaching;
	Const	   *lower;

	if (target->predicate == NULL || target->policy->time_column == NULL)
		return false;
	parent = ops_target_parent(target->relid, &detaching);
	if (!OidIsValid(parent) || !is_key(parent, target))
		return false;
	lower = bound_of(target, false);
	return lower && compare_with_bound(target, lower) >= 0;
}

/*
 * Only values of the time's own type are handed in.
 */
static int
compare_with_bound(const OpsTarget *target, const Const *value)
{
	TypeCacheEntry *type = lookup_type_cache(target->time_type,
											 TYPECACHE_CMP_PROC_FINFO);

	return DatumGetInt32(FunctionCall2Coll(&type->cmp_proc_finfo,
										   value->constcollid,
										   value->constvalue, target->bound));
}

/*
 * A uuid or a ULID in the range need not be one that tells a time, and a
 * snowflake can be negative: such rows are never old.
 */
static bool
keeps_none_back(const OpsTarget *target)
{
	const OpsRetention *policy = target->policy;

	switch (target->format)
	{
		case OPS_TIME_UUID_V7:
		case OPS_TIME_ULID:
		case OPS_TIME_SNOWFLAKE:
			return false;
		default:
			break;
	}
	return target->predicate && policy->partitions != OPS_PARTITIONS_ROWS &&
		policy->time_column && policy->condition == NULL &&
		policy->hold == NULL && policy->keep_for == NULL &&
		!OidIsValid(policy->archive) && target->references == NIL &&
		target->triggers == NIL && !target->has_rules;
}

/*
 * The table that it is a partition of, or InvalidOid; and whether it will not
 * be for long, because somebody began to detach it.
 */
Oid
ops_target_parent(Oid relid, bool *detaching)
{
	Relation	catalog;
	Oid			parent = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	*detaching = false;
	if (!get_rel_relispartition(relid))
		return InvalidOid;
	catalog = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL,
							  1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;
		*detaching = ((Form_pg_inherits) GETSTRUCT(tuple))->inhdetachpending;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return parent;
}

static bool
owns(Oid role, Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return has_privs_of_role(role, owner);
}

/*
 * Whether the time, in its type's own order, is all that a table is
 * partitioned by.
 */
static bool
is_key(Oid parent, const OpsTarget *target)
{
	HeapTuple	tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(parent));
	Form_pg_partitioned_table form;
	bool		result = false;
	char	   *column = NULL;
	bool		isnull;
	Datum		datum;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	if (form->partstrat == PARTITION_STRATEGY_RANGE && form->partnatts == 1 &&
		form->partattrs.values[0] != 0)
		column = get_attname(parent, form->partattrs.values[0], true);
	if (column && strcmp(column, target->policy->time_column) == 0)
	{
		datum = SysCacheGetAttr(PARTRELID, tuple,
								Anum_pg_partitioned_table_partclass, &isnull);
		result = !isnull &&
			((oidvector *) DatumGetPointer(datum))->values[0] ==
			GetDefaultOpClass(target->time_type, BTREE_AM_OID);
	}
	ReleaseSysCache(tuple);
	return result;
}

/*
 * The first value that is too large for a partition, or the least one that is
 * not too small; NULL if there is none, or if it is of another type.
 */
static Const *
bound_of(const OpsTarget *target, bool upper)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(target->relid));
	PartitionBoundSpec *spec = NULL;
	PartitionRangeDatum *end;
	Const	   *value;
	bool		isnull;
	Datum		datum;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	datum = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relpartbound, &isnull);
	if (!isnull)
		spec = castNode(PartitionBoundSpec,
						stringToNode(TextDatumGetCString(datum)));
	ReleaseSysCache(tuple);
	if (spec == NULL || spec->is_default ||
		spec->strategy != PARTITION_STRATEGY_RANGE)
		return NULL;
	end = linitial_node(PartitionRangeDatum,
						upper ? spec->upperdatums : spec->lowerdatums);
	if (end->kind != PARTITION_RANGE_DATUM_VALUE)
		return NULL;
	value = castNode(Const, end->value);
	if (value->constisnull || getBaseType(value->consttype) != target->time_type)
		return NULL;
	return value;
}
