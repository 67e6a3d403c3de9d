/*-------------------------------------------------------------------------
 *
 * gistentries.c
 *	  Entries of a GiST index, for playing its build.
 *
 * Only operator classes are played whose functions are known to be harmless:
 * no code of users, and no keys that a corrupt page can make them read beyond
 * the end of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "bloat/gistbuild.h"
#include "bloat/roots.h"
#include "bloat/roworder.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "common/hashfn.h"
#include "core/compat.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* More entries are never kept. */
#define MAX_KEPT			131072

static bool key_is_harmless(const char *opclass, Oid type);
static bool entry_is_sound(Relation index, IndexTuple entry, Size length);
static uint32 entry_number(IndexTuple entry);

/*
 * Whether the build of this index can be played.
 */
bool
ops_gist_is_harmless(Relation index)
{
	oidvector  *classes;
	Datum		datum;
	bool		isnull;
	bool		harmless = true;

	datum = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
							Anum_pg_index_indclass, &isnull);
	classes = (oidvector *) DatumGetPointer(datum);
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		HeapTuple	tuple = SearchSysCache1(CLAOID,
											ObjectIdGetDatum(classes->values[i]));

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator class %u",
				 classes->values[i]);
		harmless = harmless &&
			key_is_harmless(NameStr(((Form_pg_opclass) GETSTRUCT(tuple))->opcname),
							TupleDescAttr(index->rd_att, i)->atttypid);
		ReleaseSysCache(tuple);
	}
	return harmless;
}

/*
 * Names of operator classes are enough: only superusers create any.
 *
 * Ranges may have functions of their owner, and bounds of any length.
 */
static bool
key_is_harmless(const char *opclass, Oid type)
{
	static const char *const harmless[] = {
		"point_ops", "box_ops", "poly_ops", "circle_ops", "inet_ops",
		"tsvector_ops", "gist_trgm_ops",
		"gist_oid_ops", "gist_int2_ops", "gist_int4_ops", "gist_int8_ops",
		"gist_float4_ops", "gist_float8_ops", "gist_cash_ops",
		"gist_timestamp_ops", "gist_timestamptz_ops", "gist_time_ops",
		"gist_timetz_ops", "gist_date_ops", "gist_interval_ops",
		"gist_macaddr_ops", "gist_macaddr8_ops", "gist_inet_ops",
		"gist_cidr_ops", "gist_uuid_ops", "gist_enum_ops", "gist_bool_ops"
	};

	if (strcmp(opclass, "range_ops") == 0)
		return type < FirstNormalObjectId &&
			lookup_type_cache(type, TYPECACHE_RANGE_INFO)->rngelemtype &&
			lookup_type_cache(type, TYPECACHE_RANGE_INFO)->rngelemtype->typlen > 0;
	for (int i = 0; i < lengthof(harmless); i++)
	{
		if (strcmp(opclass, harmless[i]) == 0)
			return true;
	}
	return false;
}

void
ops_gist_entries_init(OpsGistEntries *entries, const OpsBloatMeasure *measure,
					  bool skips_nulls)
{
	memset(entries, 0, sizeof(OpsGistEntries));
	entries->measure = measure;
	entries->skips_nulls = skips_nulls;
	entries->skips_dead = measure->roots &&
		ops_roots_share(measure->roots) == 1;
	entries->space = 1024;
	entries->entry = palloc(entries->space * sizeof(OpsGistEntry));
}

/*
 * Whether there may be no place for another page of them.
 */
bool
ops_gist_entries_full(const OpsGistEntries *entries)
{
	return entries->count > MAX_KEPT - MaxIndexTuplesPerPage;
}

/*
 * Keep a copy of an entry.
 */
void
ops_gist_entries_add(OpsGistEntries *entries, IndexTuple item, Size length)
{
	const OpsBloatMeasure *measure = entries->measure;
	OpsGistEntry *entry;
	Size		bytes = MAXALIGN(length) + sizeof(ItemIdData);
	double		odds = 1;

	if (!entry_is_sound(measure->rel, item, length))
		return;
	if (measure->roots)
		odds = ops_bloat_root_odds(measure->roots, &item->t_tid);
	if (entries->skips_dead && odds == 0)
		return;
	if (entries->skips_nulls && IndexTupleHasNulls(item))
	{
		entries->nulls++;
		entries->null_bytes += bytes;
		return;
	}
	entries->bytes += bytes;
	if (entries->count == entries->space)
	{
		entries->space *= 2;
		entries->entry = repalloc(entries->entry,
								  entries->space * sizeof(OpsGistEntry));
	}
	entry = &entries->entry[entries->count++];
	entry->item = palloc(length);
	memcpy(entry->item, item, length);
	entry->odds.odds = odds;
	entry->odds.list = entries->npages;
	entry->odds.region = entries->nregions;
}

/*
 * Sharpen the odds by what is known of neighbours.
 */
void
ops_gist_entries_weigh(OpsGistEntries *entries)
{
	const OpsBloatMeasure *measure = entries->measure;

	if (measure->roots && entries->count > 0)
		ops_odds_weigh(&entries->entry[0].odds, entries->count,
					   sizeof(OpsGistEntry), measure->roots);
}

/*
 * Whether all columns lie within the entry.
 */
static bool
entry_is_sound(Relation index, IndexTuple entry, Size length)
{
	TupleDesc	desc = RelationGetDescr(index);
	uint8	   *nulls = (uint8 *) ((char *) entry + sizeof(IndexTupleData));
	Size		offset = IndexInfoFindDataOffset(entry->t_info);

	if (IndexTupleSize(entry) != length)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *value;

		if (IndexTupleHasNulls(entry) && att_isnull(i, nulls))
			continue;
		if (offset >= length)
			return false;
		value = (const char *) entry + offset;
		if (attribute->attlen == -1)
		{
			if (!VARATT_NOT_PAD_BYTE(value))
				offset = att_align_nominal(offset, attribute->attalign);
			value = (const char *) entry + offset;
			if (offset >= length || VARATT_IS_EXTERNAL(value) ||
				(!VARATT_IS_1B(value) && offset + VARHDRSZ > length) ||
				VARSIZE_ANY(value) < (VARATT_IS_1B(value) ?
									  VARHDRSZ_SHORT : VARHDRSZ))
				return false;
			offset += VARSIZE_ANY(value);
		}
		else if (attribute->attlen > 0)
			offset = att_align_nominal(offset, attribute->attalign) +
				attribute->attlen;
		else
			return false;
		if (offset > length)
			return false;
	}
	return true;
}

/*
 * Those that lead to a row, in the order of rows; of those of unknown fate,
 * about this share.  All if that is 1.  More than so many are thinned out.
 */
IndexTuple *
ops_gist_entries_pick(const OpsGistEntries *entries, double share, int most,
					  int *count)
{
	OpsRowEntry *picked = palloc(Max(entries->count, 1) * sizeof(OpsRowEntry));
	IndexTuple *rows;
	double		chance = 1;
	int			found = 0;
	int			kept = 0;

	for (int i = 0; i < entries->count; i++)
	{
		const OpsGistEntry *entry = &entries->entry[i];

		if (share < 1 &&
			entry_number(entry->item) >= entry->odds.odds * share * PG_UINT32_MAX)
			continue;
		picked[found++] = ops_row_entry(&entry->item->t_tid, entry->item);
	}
	if (found > most)
		chance = (double) most / found;
	for (int i = 0; i < found; i++)
	{
		if (chance == 1 ||
			murmurhash32(entry_number(picked[i].entry)) <= chance * PG_UINT32_MAX)
			picked[kept++] = picked[i];
	}
	ops_row_entries_sort(picked, kept);

	rows = palloc(Max(kept, 1) * sizeof(IndexTuple));
	for (int i = 0; i < kept; i++)
		rows[i] = picked[i].entry;
	pfree(picked);
	*count = kept;
	return rows;
}

void
ops_gist_entries_free(OpsGistEntries *entries)
{
	for (int i = 0; i < entries->count; i++)
		pfree(entries->entry[i].item);
	pfree(entries->entry);
}

/*
 * A number that is any, but always the same.
 */
static uint32
entry_number(IndexTuple entry)
{
	return murmurhash32(ItemPointerGetBlockNumberNoCheck(&entry->t_tid) * 311 +
						ItemPointerGetOffsetNumberNoCheck(&entry->t_tid));
}
