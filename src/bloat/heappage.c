/*-------------------------------------------------------------------------
 *
 * heappage.c
 *	  What the pages of tables and of TOAST tables have in common.
 *
 * A page is judged row by row; what a kept row needs is a matter of the kind.
 * HOT chains are followed only from where no kept row is: from redirects and
 * from dead rows that were updated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "bloat/heappage.h"
#include "bloat/roots.h"

/* A page while it is judged. */
typedef struct Heappage
{
	OpsBloatMeasure *measure;
	BlockNumber block;
	Page		page;
	OffsetNumber last;
	double	   *totals;
	OpsPageRoots roots;
	bool		kept[MaxHeapTuplesPerPage + 1];
	int			nopen;			/* roots that lead on */
	OffsetNumber open[MaxHeapTuplesPerPage];
} Heappage;

static void judge_row(Heappage *heappage, OpsHeapReader *reader,
					  OffsetNumber offset, ItemId item);
static HeapTupleHeader row_at(const Heappage *heappage, ItemId item);
static bool leads_to_row(const Heappage *heappage, OffsetNumber root);
static OffsetNumber next_in_chain(const Heappage *heappage,
								  OffsetNumber offset, TransactionId *xmin);
static double free_bytes(Page page, OffsetNumber last, bool has_unused,
						 Size reserve);
pg_noreturn static void report_corruption(const Heappage *heappage);

void
ops_heap_reader_begin(OpsHeapReader *reader, OpsBloatMeasure *measure,
					  OpsKeptReader kept)
{
	reader->kept = kept;
	reader->reserve = RelationGetTargetPageFreeSpace(measure->rel,
													 HEAP_DEFAULT_FILLFACTOR);
	ops_visibility_begin(&reader->visibility, measure->horizon);
	if (measure->wants_roots)
		measure->roots = ops_roots_create(measure);
}

bool
ops_heap_ignore_row(OpsHeapReader *reader, HeapTupleHeader tuple, Size length,
					double *totals)
{
	return true;
}

/*
 * Widen the interval by a standard error, as a share of the need, that has
 * nothing to do with that of the sample; unless pages were read as a rewrite
 * does, and nothing is left to guess.
 */
void
ops_heap_add_error(OpsBloatMeasure *measure, double share)
{
	if (measure->in_order)
		return;
	measure->need_error = hypot(measure->need_error,
								measure->total[TOTAL_NEED] * share);
}

/*
 * The margin is the share of the relation that a sample of it may be off
 * beyond its standard error.
 */
void
ops_heap_reader_finish(OpsBloatMeasure *measure, double pages_after,
					   double margin)
{
	if (measure->roots)
		ops_roots_finish(measure->roots, measure);
	if (!measure->only_roots)
		measure->truncatable = ops_bloat_truncatable(measure);
	if (measure->in_order)
		margin = 0;
	ops_bloat_conclude(measure, pages_after, margin * measure->nblocks);
}

/*
 * Reads one page of a heap, whose header is sound: an OpsPageReader.
 */
void
ops_heap_page(OpsBloatMeasure *measure, void *state, BlockNumber block,
			  Page page, double *totals)
{
	OpsHeapReader *reader = state;
	Heappage	heappage;
	bool		has_unused = false;

	heappage.measure = measure;
	heappage.block = block;
	heappage.page = page;
	heappage.totals = totals;
	heappage.nopen = 0;
	memset(&heappage.roots, 0, sizeof(heappage.roots));

	heappage.last = PageGetMaxOffsetNumber(page);
	if (heappage.last > MaxHeapTuplesPerPage)
		report_corruption(&heappage);
	if (heappage.last == 0)
		totals[TOTAL_UNUSED_PAGES] = 1;
	memset(heappage.kept, 0, heappage.last + 1);

	for (OffsetNumber offset = FirstOffsetNumber; offset <= heappage.last;
		 offset++)
	{
		ItemId		item = PageGetItemId(page, offset);

		if (ItemIdIsNormal(item))
			judge_row(&heappage, reader, offset, item);
		else if (ItemIdIsRedirected(item))
			heappage.open[heappage.nopen++] = offset;
		else if (ItemIdIsDead(item))
		{
			totals[TOTAL_DEAD_BYTES] += sizeof(ItemIdData);
			ops_page_root(&heappage.roots, offset, false);
		}
		else
			has_unused = true;
	}

	for (int i = 0; i < heappage.nopen; i++)
		ops_page_root(&heappage.roots, heappage.open[i],
					  leads_to_row(&heappage, heappage.open[i]));

	totals[TOTAL_LIVE_ROOTS] = heappage.roots.nlive;
	totals[TOTAL_DEAD_ROOTS] = heappage.roots.ndead;
	totals[TOTAL_FREE_BYTES] = free_bytes(page, heappage.last, has_unused,
										  reader->reserve);
	if (measure->roots)
		ops_roots_add(measure->roots, block, &heappage.roots);
}

static void
judge_row(Heappage *heappage, OpsHeapReader *reader, OffsetNumber offset,
		  ItemId item)
{
	HeapTupleHeader tuple = row_at(heappage, item);
	Size		length = ItemIdGetLength(item);
	Size		space = MAXALIGN(length) + sizeof(ItemIdData);
	double	   *totals = heappage->totals;
	OpsFate		fate = FATE_LIVE;

	if (tuple == NULL)
		report_corruption(heappage);

	if (!PageIsAllVisible(heappage->page))
		fate = ops_visibility_fate(&reader->visibility, tuple);

	if (fate == FATE_DEAD)
	{
		totals[TOTAL_DEAD_BYTES] += space;
		if (HeapTupleHeaderIsHeapOnly(tuple))
			return;
		if (HeapTupleHeaderIsHotUpdated(tuple))
			heappage->open[heappage->nopen++] = offset;
		else
			ops_page_root(&heappage->roots, offset, false);
		return;
	}

	if (fate == FATE_HELD)
		totals[TOTAL_HELD_BYTES] += space;
	else
		totals[TOTAL_LIVE]++;
	heappage->kept[offset] = true;
	if (!HeapTupleHeaderIsHeapOnly(tuple))
		ops_page_root(&heappage->roots, offset, true);
	if (!reader->kept(reader, tuple, length, totals))
		report_corruption(heappage);
}

/*
 * The row of a normal line pointer, or NULL if there can be none.
 */
static HeapTupleHeader
row_at(const Heappage *heappage, ItemId item)
{
	PageHeader	header = (PageHeader) heappage->page;
	Size		start = ItemIdGetOffset(item);
	Size		length = ItemIdGetLength(item);
	HeapTupleHeader tuple;

	if (start < header->pd_upper || start != MAXALIGN(start) ||
		start + length > header->pd_special ||
		length < SizeofHeapTupleHeader)
		return NULL;
	tuple = (HeapTupleHeader) PageGetItem(heappage->page, item);
	if (tuple->t_hoff < SizeofHeapTupleHeader || tuple->t_hoff > length ||
		tuple->t_hoff != MAXALIGN(tuple->t_hoff))
		return NULL;
	return tuple;
}

/*
 * Whether the HOT chain that starts at this line pointer has a kept row.
 *
 * Chains are as long as the page has line pointers, unless it is corrupt.
 */
static bool
leads_to_row(const Heappage *heappage, OffsetNumber root)
{
	ItemId		item = PageGetItemId(heappage->page, root);
	TransactionId xmin = InvalidTransactionId;
	OffsetNumber offset;

	if (ItemIdIsRedirected(item))
		offset = ItemIdGetRedirect(item);
	else
		offset = next_in_chain(heappage, root, &xmin);

	for (int step = 0; step < heappage->last; step++)
	{
		HeapTupleHeader tuple;

		if (offset < FirstOffsetNumber || offset > heappage->last)
			return false;
		item = PageGetItemId(heappage->page, offset);
		if (!ItemIdIsNormal(item))
			return false;
		tuple = row_at(heappage, item);
		if (tuple == NULL || !HeapTupleHeaderIsHeapOnly(tuple) ||
			(TransactionIdIsValid(xmin) &&
			 !TransactionIdEquals(xmin, HeapTupleHeaderGetXmin(tuple))))
			return false;
		if (heappage->kept[offset])
			return true;
		offset = next_in_chain(heappage, offset, &xmin);
	}
	return false;
}

/*
 * Where a row's HOT update put the next version, and who made it.
 */
static OffsetNumber
next_in_chain(const Heappage *heappage, OffsetNumber offset,
			  TransactionId *xmin)
{
	ItemId		item = PageGetItemId(heappage->page, offset);
	HeapTupleHeader tuple = row_at(heappage, item);

	if (tuple == NULL || !HeapTupleHeaderIsHotUpdated(tuple) ||
		ItemPointerGetBlockNumberNoCheck(&tuple->t_ctid) != heappage->block)
		return InvalidOffsetNumber;
	*xmin = HeapTupleHeaderGetUpdateXid(tuple);
	return ItemPointerGetOffsetNumberNoCheck(&tuple->t_ctid);
}

/*
 * What the next rows can use of a page as it is.
 */
static double
free_bytes(Page page, OffsetNumber last, bool has_unused, Size reserve)
{
	PageHeader	header = (PageHeader) page;
	Size		room = header->pd_upper - header->pd_lower;

	if (last >= MaxHeapTuplesPerPage && !has_unused)
		return 0;
	reserve += sizeof(ItemIdData);
	return room > reserve ? room - reserve : 0;
}

static void
report_corruption(const Heappage *heappage)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("page %u of relation \"%s\" is corrupted",
					heappage->block,
					RelationGetRelationName(heappage->measure->rel))));
}
