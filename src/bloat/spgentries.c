/*-------------------------------------------------------------------------
 *
 * spgentries.c
 *	  Entries of an SP-GiST index, at random, for playing its build.
 *
 * Only operator classes are played that store values as they are, and whose
 * functions are known to be harmless, as in gistbuild.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "bloat/spgbuild.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "common/hashfn.h"
#include "core/compat.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#define MAX_KEPT			16384

static bool is_harmless(Relation index);
static bool entry_is_sound(const SpGistCache *cache, SpGistLeafTuple entry,
						   Size length);
static uint32 entry_number(SpGistLeafTuple entry);
static void thin_out(OpsSpgEntries *entries);
static int	compare_rows(const void *a, const void *b);

/*
 * Get ready to keep entries, if the build of this index can be played.
 */
void
ops_spg_entries_init(OpsSpgEntries *entries, Relation index)
{
	memset(entries, 0, sizeof(OpsSpgEntries));
	entries->chance = PG_UINT32_MAX;
	if (!is_harmless(index))
		return;

	/* The relation cache may drop its own at any time. */
	entries->cache = palloc(sizeof(SpGistCache));
	*entries->cache = *spgGetCache(index);
	entries->entry = palloc(MAX_KEPT * sizeof(SpGistLeafTuple));
}

static bool
is_harmless(Relation index)
{
	static const char *const harmless[] = {
		"quad_point_ops", "kd_point_ops", "box_ops", "poly_ops", "inet_ops"
	};
	Oid			type = TupleDescAttr(index->rd_att, 0)->atttypid;
	oidvector  *classes;
	HeapTuple	tuple;
	const char *name;
	Datum		datum;
	bool		isnull;
	bool		found = false;

	datum = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
							Anum_pg_index_indclass, &isnull);
	classes = (oidvector *) DatumGetPointer(datum);
	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(classes->values[0]));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u",
			 classes->values[0]);
	name = NameStr(((Form_pg_opclass) GETSTRUCT(tuple))->opcname);
	for (int i = 0; i < lengthof(harmless); i++)
		found = found || strcmp(name, harmless[i]) == 0;

	/* Ranges may have functions of their owner, and bounds of any length. */
	if (strcmp(name, "range_ops") == 0 && type < FirstNormalObjectId)
	{
		TypeCacheEntry *range = lookup_type_cache(type, TYPECACHE_RANGE_INFO);

		found = range->rngelemtype && range->rngelemtype->typlen > 0;
	}
	ReleaseSysCache(tuple);
	return found;
}

/*
 * Keep a copy of an entry, maybe.
 */
void
ops_spg_entries_add(OpsSpgEntries *entries, SpGistLeafTuple entry, Size length)
{
	SpGistLeafTuple copy;

	if (entries->cache == NULL || entry_number(entry) > entries->chance ||
		!entry_is_sound(entries->cache, entry, length))
		return;
	if (entries->count == MAX_KEPT)
		thin_out(entries);
	copy = palloc(length);
	memcpy(copy, entry, length);
	entries->entry[entries->count++] = copy;
}

/*
 * Whether the value lies within the entry.
 */
static bool
entry_is_sound(const SpGistCache *cache, SpGistLeafTuple entry, Size length)
{
	Size		offset = SGLTHDRSZ(SGLT_GET_HASNULLMASK(entry));
	const char *value = (const char *) entry + offset;
	int			fixed = cache->attLeafType.attlen;

	if (entry->size != length || length != MAXALIGN(length) ||
		length < SGDTSIZE || offset >= length)
		return false;
	if (fixed > 0)
		return offset + fixed <= length;
	return fixed == -1 && !VARATT_IS_EXTERNAL(value) &&
		!VARATT_IS_COMPRESSED(value) &&
		VARSIZE_ANY(value) > VARHDRSZ_SHORT &&
		offset + VARSIZE_ANY(value) <= length;
}

/*
 * A number that is any, but always the same.
 */
static uint32
entry_number(SpGistLeafTuple entry)
{
	return murmurhash32(ItemPointerGetBlockNumberNoCheck(&entry->heapPtr) * 311 +
						ItemPointerGetOffsetNumberNoCheck(&entry->heapPtr));
}

static void
thin_out(OpsSpgEntries *entries)
{
	int			kept = 0;

	entries->chance /= 2;
	for (int i = 0; i < entries->count; i++)
	{
		if (entry_number(entries->entry[i]) <= entries->chance)
			entries->entry[kept++] = entries->entry[i];
		else
			pfree(entries->entry[i]);
	}
	entries->count = kept;
}

/*
 * About this share of them, any, in the order of their rows.
 */
SpGistLeafTuple *
ops_spg_entries_pick(const OpsSpgEntries *entries, double share, int *count)
{
	SpGistLeafTuple *picked = palloc(entries->count * sizeof(SpGistLeafTuple));
	double		most = Min(share, 1) * entries->chance;

	*count = 0;
	for (int i = 0; i < entries->count; i++)
	{
		if (entry_number(entries->entry[i]) <= most)
			picked[(*count)++] = entries->entry[i];
	}
	qsort(picked, *count, sizeof(SpGistLeafTuple), compare_rows);
	return picked;
}

static int
compare_rows(const void *a, const void *b)
{
	return ItemPointerCompare(&(*(const SpGistLeafTuple *) a)->heapPtr,
							  &(*(const SpGistLeafTuple *) b)->heapPtr);
}
