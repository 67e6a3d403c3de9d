/*-------------------------------------------------------------------------
 *
 * rows.h
 *	  Reading a small table of our own: without SPI, without waiting.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ROWS_H
#define OPS_ROWS_H

#include "executor/tuptable.h"

/* Called for each row, its columns fetched into the slot's arrays. */
typedef void (*OpsSlotReader) (TupleTableSlot *slot, void *arg);

/* False if somebody has locked the table, and the pid. */
extern bool ops_rows_read(const char *name, int ncolumns,
						  OpsSlotReader reader, void *arg, int *holder);

/* The same; an error, 55P03, if somebody has. */
extern void ops_rows_demand(const char *name, int ncolumns,
							OpsSlotReader reader, void *arg);

#endif							/* OPS_ROWS_H */
