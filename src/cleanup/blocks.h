/*-------------------------------------------------------------------------
 *
 * blocks.h
 *	  Pages of a table that may hold old rows, in order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_BLOCKS_H
#define OPS_BLOCKS_H

#include "cleanup/cleanup.h"

/* Pages next to one another, both ends included. */
typedef struct OpsBlockRun
{
	BlockNumber first;
	BlockNumber last;
} OpsBlockRun;

/* More runs than this do not go into one batch. */
#define OPS_MAX_RUNS	128

typedef struct OpsBlocks OpsBlocks;

extern OpsBlocks *ops_blocks_of_index(const OpsTarget *target);
extern OpsBlocks *ops_blocks_of_range(BlockNumber first, BlockNumber end);
extern int	ops_blocks_next(OpsBlocks *blocks, int max_pages,
							OpsBlockRun *runs, int *nruns);

#endif							/* OPS_BLOCKS_H */
