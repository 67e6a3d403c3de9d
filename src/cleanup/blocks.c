/*-------------------------------------------------------------------------
 *
 * blocks.c
 *	  Pages of a table that may hold old rows, in order.
 *
 * An index whose first column is the time gives the pages: its scan fills a
 * bitmap, which soon forgets single rows and keeps a bit for each page, so
 * that memory hardly grows with the table.  Each
 * page is then visited once, in the order of the file, whatever the order of
 * the index.  Without such an index all pages are visited.
 *
 * The list is made once.  Rows that get old later are for the next run; rows
 * that are inserted later with an old time are found in the pages by which
 * the table grew.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "catalog/pg_index.h"
#include "cleanup/blocks.h"
#include "core/compat.h"
#include "core/relation.h"
#include "core/scope.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * Pages without old rows between two that have some are read with them, where
 * they are so few: that costs less than another statement.
 */
#define MAX_GAP	2

/* Enough for the pages of some 30 GB; it takes more for a larger table. */
#define BITMAP_BYTES	(1024 * 1024)

struct OpsBlocks
{
	OpsBitmapIterator *iterator;	/* NULL: all pages up to the end */
	BlockNumber next;			/* not yet given, or InvalidBlockNumber */
	BlockNumber end;
};

static bool index_is_usable(Relation index);
static void scan(Relation index, const OpsTarget *target, TIDBitmap *bitmap);
static bool make_key(Relation index, const OpsTarget *target, ScanKey key);
static void search(IndexScanDesc scan, ScanKey key, TIDBitmap *bitmap);
static BlockNumber next_block(OpsBlocks *blocks);

/*
 * Pages that the target's index names, in the current memory context; NULL if
 * the index cannot be used just now.
 *
 * Runs support functions of operator classes, so it has to be called inside
 * the scope of the policy's role.  Locks table and index for the moment if
 * they can be had at once.
 */
OpsBlocks *
ops_blocks_of_index(const OpsTarget *target)
{
	OpsBlocks  *blocks = NULL;
	Relation	index;
	int			holder;

	if (!ops_relation_try_lock(target->index, &holder))
		return NULL;
	index = try_relation_open(target->index, NoLock);
	if (index)
	{
		if (index_is_usable(index) && index->rd_index->indrelid == target->relid)
		{
			TIDBitmap  *bitmap = tbm_create(BITMAP_BYTES, NULL);

			scan(index, target, bitmap);
			blocks = palloc0(sizeof(OpsBlocks));
			blocks->iterator = ops_compat_begin_bitmap(bitmap);
			blocks->next = ops_compat_next_bitmap_block(blocks->iterator);
		}
		relation_close(index, NoLock);
	}
	ops_relation_unlock(target->index);
	return blocks;
}

/*
 * All pages from the first one up to, and not with, the end.
 */
OpsBlocks *
ops_blocks_of_range(BlockNumber first, BlockNumber end)
{
	OpsBlocks  *blocks = palloc0(sizeof(OpsBlocks));

	blocks->next = first < end ? first : InvalidBlockNumber;
	blocks->end = end;
	return blocks;
}

/*
 * The next pages, at most so many, as runs; returns how many, 0 at the end.
 */
int
ops_blocks_next(OpsBlocks *blocks, int max_pages, OpsBlockRun *runs,
				int *nruns)
{
	int			pages = 0;

	*nruns = 0;
	while (blocks->next != InvalidBlockNumber && pages < max_pages)
	{
		BlockNumber block = blocks->next;
		OpsBlockRun *last = *nruns > 0 ? &runs[*nruns - 1] : NULL;

		if (last && block - last->last <= MAX_GAP + 1)
		{
			pages += block - last->last;
			last->last = block;
		}
		else
		{
			if (*nruns == OPS_MAX_RUNS)
				break;
			runs[*nruns].first = block;
			runs[*nruns].last = block;
			(*nruns)++;
			pages++;
		}
		blocks->next = next_block(blocks);
	}
	return pages;
}

static BlockNumber
next_block(OpsBlocks *blocks)
{
	if (blocks->iterator)
		return ops_compat_next_bitmap_block(blocks->iterator);
	return blocks->next + 1 < blocks->end ? blocks->next + 1
		: InvalidBlockNumber;
}

/*
 * An index that is being built or dropped is not asked, nor one that does not
 * yet name all rows that our snapshot sees.
 */
static bool
index_is_usable(Relation index)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisvalid || !form->indisready || !form->indislive ||
		!index->rd_indam->amgetbitmap)
		return false;
	return !form->indcheckxmin ||
		TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
							  TransactionXmin);
}

/*
 * Put the pages of all rows older than the bound into the bitmap, and those
 * of rows without a time where they go, too.
 */
static void
scan(Relation index, const OpsTarget *target, TIDBitmap *bitmap)
{
	Snapshot	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	IndexScanDesc scan = ops_compat_begin_bitmap_scan(index, snapshot, 1);
	ScanKeyData key;

	if (!make_key(index, target, &key))
		elog(ERROR, "index %u has no operator for its first column",
			 RelationGetRelid(index));
	search(scan, &key, bitmap);
	if (target->policy->null_is_old)
	{
		ScanKeyEntryInitialize(&key, SK_ISNULL | SK_SEARCHNULL, 1,
							   InvalidStrategy, InvalidOid, InvalidOid,
							   InvalidOid, (Datum) 0);
		search(scan, &key, bitmap);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
}

static void
search(IndexScanDesc scan, ScanKey key, TIDBitmap *bitmap)
{
	index_rescan(scan, key, 1, NULL, 0);
	(void) index_getbitmap(scan, bitmap);
}

/*
 * First column less than the bound; false if the index has no such operator.
 * B-trees and BRIN call it by the same number.
 */
static bool
make_key(Relation index, const OpsTarget *target, ScanKey key)
{
	Oid			family = index->rd_opfamily[0];
	Oid			input = index->rd_opcintype[0];
	Oid			subtype = target->time_type;
	Oid			operator = get_opfamily_member(family, input, subtype,
											   BTLessStrategyNumber);

	if (!OidIsValid(operator))
	{
		/* A type that is only binary-compatible, such as varchar with text. */
		subtype = input;
		operator = get_opfamily_member(family, input, input,
									   BTLessStrategyNumber);
	}
	if (!OidIsValid(operator))
		return false;
	ScanKeyEntryInitialize(key, 0, 1, BTLessStrategyNumber,
						   subtype, index->rd_indcollation[0], get_opcode(operator),
						   target->bound);
	return true;
}
