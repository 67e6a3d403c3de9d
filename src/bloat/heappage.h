/*-------------------------------------------------------------------------
 *
 * heappage.h
 *	  What the pages of tables and of TOAST tables have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_HEAPPAGE_H
#define OPS_HEAPPAGE_H

#include "bloat/bloat.h"
#include "bloat/visible.h"

struct OpsHeapReader;

/*
 * Adds what a row version that a rewrite keeps needs, TOTAL_NEED and more of
 * its own.  False if the row is no such as the table can have.
 */
typedef bool (*OpsKeptReader) (struct OpsHeapReader *reader,
							   HeapTupleHeader tuple, Size length,
							   double *totals);

/* The start of each reader's own state. */
typedef struct OpsHeapReader
{
	OpsKeptReader kept;
	OpsVisibility visibility;
	Size		reserve;		/* fillfactor leaves it empty */
} OpsHeapReader;

extern void ops_heap_reader_begin(OpsHeapReader *reader,
								  OpsBloatMeasure *measure,
								  OpsKeptReader kept);

/* An OpsKeptReader for those who want to know no more than the roots */
extern bool ops_heap_ignore_row(OpsHeapReader *reader, HeapTupleHeader tuple,
								Size length, double *totals);
extern void ops_heap_add_error(OpsBloatMeasure *measure, double share);
extern void ops_heap_reader_finish(OpsBloatMeasure *measure,
								   double pages_after, double margin);

extern void ops_heap_page(OpsBloatMeasure *measure, void *state,
						  BlockNumber block, Page page, double *totals);

extern void ops_bloat_toast(OpsBloatMeasure *measure);

#endif							/* OPS_HEAPPAGE_H */
