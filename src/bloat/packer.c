/*-------------------------------------------------------------------------
 *
 * packer.c
 *	  Pages as a rewrite would fill them.
 *
 * One page is open at a time; what does not fit on it closes it and opens the
 * next.  Nobody looks back for a gap, neither does VACUUM FULL.
 *
 * A row is charged a share of a page as if all rows were of its length.  The
 * sum is close to the pages filled and, other than their number, it does not
 * jump whenever a page is full; so what a sampled page is charged depends on
 * nothing but that page.  How far charges and pages are apart is known at the
 * end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "bloat/packer.h"

static double charge(OpsPacker *packer, Size space);
static int	items_on_page(const OpsPacker *packer, Size space);
static bool fits(const OpsPacker *packer, Size space);

void
ops_packer_begin(OpsPacker *packer, Size reserve)
{
	memset(packer, 0, sizeof(*packer));
	packer->reserve = Min(reserve, OPS_PAGE_ROOM);
	packer->room = OPS_PAGE_ROOM;
}

/*
 * Adds a row, and returns what it is charged, in pages.
 */
double
ops_packer_add(OpsPacker *packer, Size length)
{
	Size		space = MAXALIGN(length) + sizeof(ItemIdData);
	double		charged = charge(packer, space);

	if (!fits(packer, space))
		ops_packer_close(packer);
	packer->room -= Min(space, packer->room);
	packer->items++;
	packer->charged += charged;
	packer->charged_open += charged;
	return charged;
}

/*
 * Adds rows of one length, however many there are.
 */
void
ops_packer_add_many(OpsPacker *packer, Size length, int64 count)
{
	Size		space = MAXALIGN(length) + sizeof(ItemIdData);
	int			at_once = items_on_page(packer, space);
	int64		pages;

	/* Fill the open page, then account for whole ones, then for the rest. */
	while (count > 0 && (packer->items == 0 || fits(packer, space)))
	{
		ops_packer_add(packer, length);
		count--;
	}
	pages = count / at_once;
	if (pages > 0)
	{
		double		gap = OPS_PAGE_ROOM - Min(at_once * space, OPS_PAGE_ROOM);

		ops_packer_close(packer);
		packer->closed += pages;
		packer->wasted += pages * gap;
		packer->charged += pages;
		packer->charged_squares += pages;
		count -= pages * at_once;
	}
	while (count-- > 0)
		ops_packer_add(packer, length);
}

/*
 * Whatever comes next goes to a new page.
 */
void
ops_packer_close(OpsPacker *packer)
{
	if (packer->items == 0)
		return;
	packer->closed++;
	packer->wasted += packer->room;
	packer->charged_squares += packer->charged_open * packer->charged_open;
	packer->room = OPS_PAGE_ROOM;
	packer->items = 0;
	packer->charged_open = 0;
}

/*
 * Pages filled, what is on the open one as charged.
 */
double
ops_packer_pages(const OpsPacker *packer)
{
	return packer->closed + packer->charged_open;
}

/*
 * Pages of a file that ends here.
 */
double
ops_packer_whole_pages(const OpsPacker *packer)
{
	return packer->closed + (packer->items > 0 ? 1 : 0);
}

/*
 * Standard error of the ratio of pages to charges, as a share of it.
 */
double
ops_packer_error(const OpsPacker *packer)
{
	double		mean;
	double		variance;

	if (packer->closed <= 0)
		return 0;
	mean = (packer->charged - packer->charged_open) / packer->closed;
	variance = packer->charged_squares / packer->closed - mean * mean;
	return sqrt(Max(variance, 0) / packer->closed) / mean;
}

static double
charge(OpsPacker *packer, Size space)
{
	Size		slot = space / MAXIMUM_ALIGNOF;

	if (slot >= lengthof(packer->charges))
		return 1;
	if (packer->charges[slot] == 0)
		packer->charges[slot] = 1.0 / items_on_page(packer, space);
	return packer->charges[slot];
}

/*
 * How many items of this size a page takes.
 */
static int
items_on_page(const OpsPacker *packer, Size space)
{
	int			items = (OPS_PAGE_ROOM - packer->reserve) / space;

	return Min(Max(items, 1), MaxHeapTuplesPerPage);
}

/*
 * The first item of a page goes there even into the reserve.
 */
static bool
fits(const OpsPacker *packer, Size space)
{
	if (packer->items == 0)
		return true;
	return packer->items < MaxHeapTuplesPerPage &&
		space + packer->reserve <= packer->room;
}
