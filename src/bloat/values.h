/*-------------------------------------------------------------------------
 *
 * values.h
 *	  Values in a TOAST table, packed as a rewrite stores them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_VALUES_H
#define OPS_VALUES_H

#include "access/heaptoast.h"
#include "bloat/packer.h"
#include "bloat/retoast.h"

/* What comes before the bytes of a chunk: its value, its number, a length. */
#define OPS_CHUNK_HEADER (sizeof(Oid) + sizeof(int32) + VARHDRSZ)

/* A full chunk's share of a page that holds nothing else. */
#define OPS_FULL_CHUNK_BYTES ((double) OPS_PAGE_ROOM / EXTERN_TUPLES_PER_PAGE)

typedef struct OpsToastValues
{
	OpsPacker	packer;
	double		nlast;			/* chunks that are not full */
	double		nfull;

	/* of those that a table's rows point to */
	OpsRetoast *retoast;
	double		bytes;
	double		lost_bytes;		/* a rewrite does not store them again */
	double		squares;		/* the same by row: bytes * bytes, */
	double		lost_squares;
	double		products;		/* and bytes * lost_bytes */
	bool		complete;		/* every row was read, none is held back, */
	bool		in_order;		/* and that as a rewrite does */
} OpsToastValues;

extern void ops_values_begin(OpsToastValues *values);
extern void ops_values_add(OpsToastValues *values, Size size);
extern double ops_values_lost(const OpsToastValues *values);
extern double ops_values_shrink(const OpsToastValues *values, double *error);

extern OpsToastValues *ops_values_create(Relation table,
										 const OpsReform *reform);

/*
 * Adds what a rewrite stores out of line for a row, and returns the row's new
 * length, or 0 if it cannot be taken apart.
 */
extern Size ops_values_add_row(OpsToastValues *values, HeapTupleHeader tuple,
							   Size length);

#endif							/* OPS_VALUES_H */
