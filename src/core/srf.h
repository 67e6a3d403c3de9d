/*-------------------------------------------------------------------------
 *
 * srf.h
 *	  Calling a set-returning function of the server without SPI.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SRF_H
#define OPS_SRF_H

#include "access/htup.h"

typedef void (*OpsRowReader) (HeapTupleHeader row, void *arg);

extern void ops_srf_read(Oid function, OpsRowReader reader, void *arg);

#endif							/* OPS_SRF_H */
