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
#include "bloat/reform.h"

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
	Oid			toast;
	OpsExternal *row;			/* room for the values of one */
	double		bytes;
	double		dropped_bytes;	/* these are not packed */
	double		squares;		/* the same by row: bytes * bytes, */
	double		dropped_squares;
	double		products;		/* and bytes * dropped_bytes */
	bool		complete;		/* every row was read, none is held back */
} OpsToastValues;

extern void ops_values_begin(OpsToastValues *values);
extern void ops_values_add(OpsToastValues *values, Size size);
extern double ops_values_lost(const OpsToastValues *values);
extern double ops_values_dropped(const OpsToastValues *values,
								 double *error);

extern OpsToastValues *ops_values_create(Relation table);
extern bool ops_values_add_row(OpsToastValues *values,
							   const OpsReform *reform,
							   HeapTupleHeader tuple, Size length);

#endif							/* OPS_VALUES_H */
