/*-------------------------------------------------------------------------
 *
 * hash_crowds.h
 *	  Codes of a hash index that many entries have.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_HASH_CROWDS_H
#define OPS_HASH_CROWDS_H

#include "bloat/hash_build.h"

/* Entries of one code on one page. */
typedef struct OpsHashRun
{
	uint32		code;
	uint32		entries;
} OpsHashRun;

typedef struct OpsHashCrowds
{
	OpsHashRun *run;
	int			count;
	int			space;
	uint32		stride;			/* codes, one in so many, that are kept */
	double		entries;		/* of all runs, those that are not kept, too */
} OpsHashCrowds;

extern void ops_hash_crowds_init(OpsHashCrowds *crowds);
extern void ops_hash_crowds_add(OpsHashCrowds *crowds, uint32 code,
								uint32 entries);

/*
 * Counts crowds, as build's, from the runs on this share of the pages.
 */
extern void ops_hash_crowds_settle(OpsHashCrowds *crowds,
								   OpsHashBuild *build, double share);

#endif							/* OPS_HASH_CROWDS_H */
