/*-------------------------------------------------------------------------
 *
 * model.c
 *	  What the indexes have in common whose pages a build fills by a law
 *	  that has to be modelled: GIN, GiST and SP-GiST.
 *
 * A model says how many pages a new index takes for given content.  Where it
 * can be held against the truth, the truth corrects it:
 *
 * - A build logs its pages when it is done, in the order of their blocks and
 *	 many in one record, which is their LSN.  So the LSNs of pages that nobody
 *	 changed since ascend with the blocks, and neighbours have the same one;
 *	 a vacuum also goes from block to block, but logs them one by one.  An
 *	 index of such pages is what a build makes of its content.  The first
 *	 vacuum of an SP-GiST index tidies up what the build left behind; if the
 *	 pages changed by it are as full as the others, that was all it did.
 *
 * - What ops.bloat_learn() saw after the last build, see density.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/itup.h"
#include "bloat/density.h"
#include "bloat/model.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "storage/itemid.h"
#include "utils/syscache.h"

/* Half-widths, relative, of what is not the model alone. */
#define DOUBT_UNTOUCHED		0.015
#define DOUBT_GROWN_AGAIN	0.04
#define DOUBT_REMEMBERED	0.04
#define DOUBT_DEAD			0.025
#define DOUBT_LEFT			0.04
#define GUESSED_BY_DEAD		1.5

/* A model that says so little less is hardly more than in doubt. */
#define SEEMS_AS_IT_IS		0.10

/* Fewer pages come to be more by the one or other. */
#define FEW_PAGES			128

/* Pages whose neighbours are looked at, and the share that must be as new. */
#define MAX_NEIGHBOURS		48
#define UNTOUCHED			0.95

/* Of an index that vacuum tidies, and what may be missing on other leaves. */
#define UNTIDIED			0.50
#define LITTLE				0.04

/* Rows of a leaf are close if they take no more than this of the table. */
#define NARROW				0.10

static double as_it_is(const OpsBloatMeasure *measure, double pages,
					   double doubt);
static double untouched_share(OpsModel *model);
static double ascending_share(OpsModel *model);
static bool only_tidied(const OpsModel *model);
static double twin_share(const OpsModel *model);
static XLogRecPtr page_lsn(const OpsBloatMeasure *measure, BlockNumber block);
static int	compare_blocks(const void *a, const void *b);

void
ops_model_init(OpsModel *model, OpsBloatMeasure *measure, bool every_row)
{
	memset(model, 0, sizeof(OpsModel));
	model->measure = measure;
	ops_bloat_pointers_init(&model->pointers, measure, every_row);
	model->pointers.all_kept = true;
	model->untouched = -1;
	model->space = 512;
	model->pages = palloc(model->space * sizeof(OpsSeenPage));
}

/*
 * Remember a page that was read.
 */
void
ops_model_saw(OpsModel *model, BlockNumber block, Page page, int live)
{
	OpsSeenPage *seen;

	if (model->npages == model->space)
	{
		model->space *= 2;
		model->pages = repalloc_huge(model->pages,
									 model->space * sizeof(OpsSeenPage));
	}
	seen = &model->pages[model->npages++];
	seen->block = block;
	seen->live = live;
	seen->lsn = PageGetLSN(page);
}

/*
 * Ask the sample of the table whether an entry, of this size, leads to a row.
 */
OpsRootState
ops_model_match(OpsModel *model, ItemPointer tid, Size size)
{
	OpsRootState fate = ROOT_UNKNOWN;

	(void) ops_bloat_pointers_live(&model->pointers, tid, 1, &fate);
	ops_bloat_pointers_sized(&model->pointers, fate, size);
	return fate;
}

/*
 * Between which blocks of the table the rows of a leaf lie.
 */
void
ops_model_span(OpsModel *model, BlockNumber first, BlockNumber last)
{
	BlockNumber heap_blocks;

	if (first > last)
		return;
	heap_blocks = RelationGetNumberOfBlocks(model->measure->heap);
	model->leaves++;
	model->narrow += last - first <= heap_blocks * NARROW;
}

/*
 * Whether rows come in the order of their keys, more or less.
 */
bool
ops_model_is_ordered(const OpsModel *model)
{
	return model->narrow * 2 > model->leaves;
}

/*
 * The operator class of an index's first column.
 */
void
ops_model_opclass(Relation index, NameData *name)
{
	oidvector  *classes;
	HeapTuple	tuple;
	Datum		datum;
	bool		isnull;

	datum = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
							Anum_pg_index_indclass, &isnull);
	classes = (oidvector *) DatumGetPointer(datum);
	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(classes->values[0]));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u",
			 classes->values[0]);
	*name = ((Form_pg_opclass) GETSTRUCT(tuple))->opcname;
	ReleaseSysCache(tuple);
}

/*
 * The row of a table of densities that an index belongs to.
 *
 * Operator classes are known by their names: most come with extensions and
 * have no fixed OID.  A name that ends in "*" stands for those that begin so.
 */
const OpsUsualFill *
ops_model_usual_fill(Relation index, const OpsUsualFill *table)
{
	NameData	name;

	ops_model_opclass(index, &name);
	for (; table->opclass; table++)
	{
		int			length = strlen(table->opclass) - 1;

		if (table->opclass[length] == '*' ?
			strncmp(NameStr(name), table->opclass, length) == 0 :
			strcmp(NameStr(name), table->opclass) == 0)
			break;
	}
	return table;
}

/*
 * Share of the entries that lead to no row.
 */
double
ops_model_dead_share(const OpsModel *model)
{
	double		error;

	return ops_bloat_pointers_dead(&model->pointers,
								   Max(model->measure->total[TOTAL_LIVE], 1),
								   &error);
}

/*
 * Share of the bytes that this share of the entries has, those that lead to a
 * row.
 */
double
ops_model_bytes_left(const OpsModel *model, double share)
{
	return share >= 1 ? 1 :
		1 - ops_bloat_pointers_dead_bytes(&model->pointers, 1 - share);
}

/*
 * What a sum over the pages read, from block first on, is multiplied by.
 */
double
ops_model_scale(const OpsModel *model, BlockNumber first)
{
	if (model->measure->sampled == 0 || model->measure->nblocks <= first)
		return 1;
	return (double) (model->measure->nblocks - first) / model->measure->sampled;
}

/*
 * From the model to the estimate and its interval.
 *
 * TOTAL_NEED's standard error is that of the sample; it stretches with what
 * the model makes of the need.
 */
void
ops_model_conclude(OpsModel *model, const OpsModelled *modelled)
{
	OpsBloatMeasure *measure = model->measure;
	double		doubt = modelled->doubt;
	double		factor = 1;
	double		untouched;
	double		content = Max(modelled->content, 1);
	double		pages;

	untouched = untouched_share(model);
	if (untouched >= UNTOUCHED)
	{
		/* The less is left, the more of it is a guess all the same. */
		factor = measure->nblocks / content;

		/* A part of that is chance, which would come on top. */
		if (modelled->by_chance)
			factor = sqrt(factor);
		doubt = (modelled->as_grown ? DOUBT_GROWN_AGAIN : DOUBT_UNTOUCHED) +
			doubt * Min(measure->dead_entries * GUESSED_BY_DEAD, 1);
		measure->density = factor;
	}
	else if (ops_density_known(RelationGetRelid(measure->rel),
							   measure->rel->rd_rel->relfilenode, &factor))
	{
		/* The less is left of what it was, the less that says. */
		double		left = Min(modelled->live * factor / measure->nblocks, 1);

		doubt = Min(doubt, DOUBT_REMEMBERED + doubt * (1 - left));

		/* Nor does it say how another small build comes out. */
		if (modelled->by_chance)
			doubt = (doubt + modelled->doubt) / 2;
	}

	pages = modelled->live * factor;
	if (modelled->as_grown && untouched < UNTOUCHED)
		pages = as_it_is(measure, pages, modelled->doubt);

	/* Dead entries were inferred. */
	if (measure->dead_entries > 0 && !modelled->counted)
		doubt += DOUBT_DEAD +
			DOUBT_LEFT * Min(measure->dead_entries /
							 Max(1 - measure->dead_entries, 0.05), 8);

	if (measure->total[TOTAL_NEED] > 0)
		measure->need_error *= pages / measure->total[TOTAL_NEED];
	measure->modelled = true;
	ops_bloat_detail(measure, "untouched_pct", 100 * untouched, 1);
	ops_bloat_detail(measure, "dead_entries_pct", 100 * measure->dead_entries,
					 1);
	if (model->broken > 0)
		ops_bloat_detail(measure, "unreadable_pages", model->broken, 0);
	ops_bloat_conclude(measure, pages, doubt * pages +
					   (measure->nblocks < FEW_PAGES ? 2 : 1));
}

/*
 * An index from which hardly anything was deleted has about the size that a
 * build gives it.  So where a model comes close to the size it has, this is
 * more likely right than the model.
 */
static double
as_it_is(const OpsBloatMeasure *measure, double pages, double doubt)
{
	double		less = 1 - pages / measure->nblocks;
	double		little = Max(doubt, SEEMS_AS_IT_IS);

	if (less <= 0 || less >= little ||
		measure->dead_entries > SEEMS_AS_IT_IS / 2)
		return pages;
	return measure->nblocks * (1 - less * less / little);
}

/*
 * Whether nearly all pages that were read are as a build left them.
 */
bool
ops_model_is_untouched(OpsModel *model)
{
	return untouched_share(model) >= UNTOUCHED;
}

/*
 * Share of the pages read that nobody changed since the build.
 *
 * The LSN of a relation without WAL says nothing.
 */
static double
untouched_share(OpsModel *model)
{
	double		ascending;

	if (model->untouched >= 0)
		return model->untouched;
	model->untouched = 0;
	if (model->npages == 0 || !RelationIsPermanent(model->measure->rel))
		return 0;
	qsort(model->pages, model->npages, sizeof(OpsSeenPage), compare_blocks);
	ascending = ascending_share(model);
	if (model->tidied && ascending >= UNTIDIED && only_tidied(model))
		ascending = 1;
	if (ascending >= UNTOUCHED)
		model->untouched = Min(ascending, twin_share(model));
	return model->untouched;
}

/*
 * Share of the pages that were not changed later than one that follows.
 */
static double
ascending_share(OpsModel *model)
{
	XLogRecPtr	lowest = PG_UINT64_MAX;
	int			ascending = 0;

	model->built = 0;
	for (int i = model->npages - 1; i >= 0; i--)
	{
		if (model->pages[i].lsn > lowest)
			continue;

		/* Of pages at the end vacuum may have changed some, one by one. */
		if (model->pages[i].lsn == lowest && model->built == 0)
			model->built = lowest;
		lowest = model->pages[i].lsn;
		ascending++;
	}
	return (double) ascending / model->npages;
}

/*
 * Whether leaves that were changed later have nearly as much on them as the
 * others.  They have been split more often, so it is not quite the same.
 */
static bool
only_tidied(const OpsModel *model)
{
	double		bytes[2] = {0};
	int			leaves[2] = {0};

	for (int i = 0; i < model->npages; i++)
	{
		const OpsSeenPage *page = &model->pages[i];
		int			later = page->lsn > model->built;

		if (page->live < 0)
			continue;
		bytes[later] += page->live;
		leaves[later]++;
	}
	if (leaves[0] == 0)
		return false;
	return bytes[0] / leaves[0] * leaves[1] - bytes[1] <=
		LITTLE * (bytes[0] + bytes[1]);
}

/*
 * Share of the pages that were last changed along with their neighbour.
 *
 * A record holds 32 pages, so that an even block and the next one are rarely
 * of different records.
 */
static double
twin_share(const OpsModel *model)
{
	const OpsBloatMeasure *measure = model->measure;
	int			step = model->npages / MAX_NEIGHBOURS + 1;
	int			pages = 0;
	int			twins = 0;

	for (int i = 0; i < model->npages; i += step)
	{
		BlockNumber neighbour = model->pages[i].block ^ 1;
		XLogRecPtr	lsn = model->pages[i].lsn;
		XLogRecPtr	other;

		if (neighbour <= 1 || neighbour >= measure->nblocks)
			continue;
		if (model->tidied && lsn > model->built)
			continue;
		CHECK_FOR_INTERRUPTS();
		other = page_lsn(measure, neighbour);
		pages++;
		twins += other == lsn || (model->tidied && other > model->built);

		/* The limit below allows for one page in 32 being alone. */
		if (pages - twins > MAX_NEIGHBOURS / 8)
			break;
	}
	if (pages == 0)
		return 0;
	return Min((twins + pages / 16.0) / pages, 1);
}

static XLogRecPtr
page_lsn(const OpsBloatMeasure *measure, BlockNumber block)
{
	Buffer		buffer = ReadBufferExtended(measure->rel, MAIN_FORKNUM, block,
											RBM_NORMAL, measure->ring);
	XLogRecPtr	lsn;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	lsn = PageGetLSN(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	return lsn;
}

static int
compare_blocks(const void *a, const void *b)
{
	BlockNumber left = ((const OpsSeenPage *) a)->block;
	BlockNumber right = ((const OpsSeenPage *) b)->block;

	return (left > right) - (left < right);
}

/*
 * Whether a page's header makes sense, with special space of this size.
 */
bool
ops_page_is_sound(Page page, Size special)
{
	PageHeader	header = (PageHeader) page;

	return header->pd_lower >= SizeOfPageHeaderData &&
		header->pd_lower <= header->pd_upper &&
		header->pd_upper <= header->pd_special &&
		header->pd_special == BLCKSZ - MAXALIGN(special);
}

/*
 * An item of a sound page, NULL if it is unused or not on the page.
 */
void *
ops_page_item(Page page, OffsetNumber offset, Size *length)
{
	ItemId		id = PageGetItemId(page, offset);
	Size		start = ItemIdGetOffset(id);

	*length = ItemIdGetLength(id);
	if (!ItemIdHasStorage(id) || *length < sizeof(IndexTupleData) ||
		start != MAXALIGN(start) ||
		start < ((PageHeader) page)->pd_upper ||
		start + *length > ((PageHeader) page)->pd_special)
		return NULL;
	return (char *) page + start;
}
