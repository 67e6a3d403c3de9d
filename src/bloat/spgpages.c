/*-------------------------------------------------------------------------
 *
 * spgpages.c
 *	  Leaf pages of an SP-GiST index that is built for play.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/spgpages.h"

static int	new_page(OpsSpgPages *pages);

void
ops_spg_pages_init(OpsSpgPages *pages, int reserve)
{
	memset(pages, 0, sizeof(OpsSpgPages));
	pages->space = 64;
	pages->page = palloc(pages->space * sizeof(OpsSpgPage));
	pages->last_page = -1;
	pages->reserve = reserve;

	/* Number 0 is the root. */
	(void) new_page(pages);
}

static int
new_page(OpsSpgPages *pages)
{
	OpsSpgPage	empty = {.free = OPS_SPG_PAGE};

	if (pages->count == pages->space)
	{
		pages->space *= 2;
		pages->page = repalloc(pages->page,
							   pages->space * sizeof(OpsSpgPage));
	}
	pages->page[pages->count] = empty;
	return pages->count++;
}

/*
 * The page that was used last, if it has so much room and a reserve beyond;
 * else a new one.
 */
int
ops_spg_page_with_room(OpsSpgPages *pages, int bytes)
{
	int			needed = Min(bytes + pages->reserve, OPS_SPG_PAGE);

	if (pages->last_page >= 0 && pages->last_free >= needed &&
		pages->page[pages->last_page].free >= needed)
	{
		pages->last_free = pages->page[pages->last_page].free - needed;
		return pages->last_page;
	}
	return new_page(pages);
}

/*
 * Remember a page if it has more room than the one that is remembered.
 */
void
ops_spg_used_page(OpsSpgPages *pages, int page)
{
	if (page == OPS_SPG_ROOT)
		return;
	if (pages->last_page < 0 || pages->last_page == page ||
		pages->last_free < pages->page[page].free)
	{
		pages->last_page = page;
		pages->last_free = pages->page[page].free;
	}
}

/*
 * What fits on a page: an entry can take the place of a placeholder.
 */
int
ops_spg_room(const OpsSpgPage *page)
{
	return page->free + (page->placeholders > 0 ? OPS_SPG_PLACEHOLDER : 0);
}

void
ops_spg_put(OpsSpgPage *page, int bytes)
{
	if (page->placeholders > 0 && page->free + OPS_SPG_PLACEHOLDER >= bytes)
	{
		page->placeholders--;
		page->free += OPS_SPG_PLACEHOLDER;
	}
	page->free -= bytes;
	page->entries++;
}

void
ops_spg_remove(OpsSpgPage *page, int bytes)
{
	page->free += bytes - OPS_SPG_PLACEHOLDER;
	page->placeholders++;
	page->entries--;
}
