/*-------------------------------------------------------------------------
 *
 * density.h
 *	  How densely the last build of an index filled its pages, remembered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_DENSITY_H
#define OPS_DENSITY_H

#include "core/compat.h"

/*
 * Pages of the index just after its last build, for each page of the model's;
 * false if nobody saw it then, or if it was built anew since.
 */
extern bool ops_density_known(Oid index, RelFileNumber filenode,
							  double *density);

#endif							/* OPS_DENSITY_H */
