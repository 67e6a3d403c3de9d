/*-------------------------------------------------------------------------
 *
 * maps.h
 *	  What the free space map and the visibility map say of pages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_MAPS_H
#define OPS_MAPS_H

#include "bloat/bloat.h"
#include "storage/fsm_internals.h"

/* A page is, or is not, marked as all visible. */
#define OPS_MAP_CLASSES		2

/* The free space map's byte of an empty page */
#define OPS_MAP_EMPTY		255

/* Of one page */
typedef struct OpsMapEntry
{
	uint8		space;			/* of the free space map */
	uint8		visible;		/* its class, 0 or 1 */
} OpsMapEntry;

/* Of some pages, by class */
typedef struct OpsMapSum
{
	double		pages[OPS_MAP_CLASSES];
	double		space[OPS_MAP_CLASSES];
} OpsMapSum;

typedef struct OpsMaps
{
	Relation	rel;
	BufferAccessStrategy ring;
	BlockNumber first;			/* pages [first, end) count */
	BlockNumber end;
	BlockNumber space_pages;	/* of the free space map */
	BlockNumber visible_pages;	/* of the visibility map */

	/* the leaf that is kept, InvalidBlockNumber for none */
	BlockNumber leaf;
	uint8		space[SlotsPerFSMPage];
	uint8		visible[SlotsPerFSMPage];
} OpsMaps;

/* NULL if the relation has neither map */
extern OpsMaps *ops_bloat_maps_open(OpsBloatMeasure *measure,
									BlockNumber first);
extern OpsMapEntry ops_bloat_maps_entry(OpsMaps *maps, BlockNumber block);

/* Of all pages, if that takes reading no more than that many leaves */
extern bool ops_bloat_maps_whole(OpsMaps *maps, BlockNumber leaves,
								 OpsMapSum *sum);

/* Of all pages on the same leaf of the free space map */
extern OpsMapSum ops_bloat_maps_around(OpsMaps *maps, BlockNumber block);
extern bool ops_bloat_maps_all_empty(OpsMaps *maps, BlockNumber block);
extern BlockNumber ops_bloat_maps_leaf_start(BlockNumber block);

#endif							/* OPS_MAPS_H */
