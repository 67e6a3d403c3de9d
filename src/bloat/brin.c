/*-------------------------------------------------------------------------
 *
 * brin.c
 *	  A BRIN index has its size and nothing to give back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/bloat.h"

void
ops_bloat_brin(OpsBloatMeasure *measure)
{
	measure->census = true;
	ops_bloat_conclude(measure, measure->nblocks, 0);
}
