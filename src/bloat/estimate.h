/*-------------------------------------------------------------------------
 *
 * estimate.h
 *	  From a stratified sample of pages to the relation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ESTIMATE_H
#define OPS_ESTIMATE_H

#include "bloat/bloat.h"
#include "bloat/maps.h"

/* One page of the sample, the only one of its stratum */
typedef struct OpsSampledPage
{
	BlockNumber block;
	bool		is_read;
	double		stratum;		/* pages that it stands for */
	double		total[NUM_TOTALS];
	OpsMapEntry entry;			/* of the maps, if there are any */
	OpsMapSum	around;			/* unless the whole map was read */
} OpsSampledPage;

/* What to estimate from: one page for each stratum, in order */
typedef struct OpsSample
{
	OpsSampledPage *page;
	int			count;
	bool		has_maps;
	bool		is_whole;		/* the whole map was read: */
	OpsMapSum	whole;
} OpsSample;

typedef struct OpsEstimate
{
	double		value;			/* sum over all pages */
	double		error;			/* its standard error */
	bool		with_map;		/* the maps sharpened it */
} OpsEstimate;

extern OpsEstimate ops_bloat_estimate(const OpsSample *sample,
									  OpsBloatTotal total);

/* Standard error of the share that one total is of itself and another */
extern double ops_bloat_share_error(const OpsSample *sample,
									OpsBloatTotal total, OpsBloatTotal other);

/* One side of a 95 % interval, if unlike pages could be missed by the sample */
extern double ops_bloat_half_width(double error, double unlike,
								   double sampled, double pages);

#endif							/* OPS_ESTIMATE_H */
