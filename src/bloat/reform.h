/*-------------------------------------------------------------------------
 *
 * reform.h
 *	  How long a row is once it is formed anew.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_REFORM_H
#define OPS_REFORM_H

#include "access/htup_details.h"
#include "access/tupdesc.h"

struct OpsColumn;

/* The columns of a table, as far as the length of its rows depends on them. */
typedef struct OpsReform
{
	int			ncolumns;
	int			ndropped;
	int		   *dropped;		/* their positions */
	struct OpsColumn *columns;
} OpsReform;

/* A value that is stored out of line. */
typedef struct OpsExternal
{
	Oid			toast;			/* table */
	Size		size;			/* as stored there, without chunk headers */
	bool		dropped;		/* it is of a column that was dropped */
} OpsExternal;

extern OpsReform *ops_reform_begin(TupleDesc desc);
extern Size ops_reform_length(const OpsReform *reform, HeapTupleHeader tuple,
							  Size length, Size *dropped);
extern int	ops_reform_external(const OpsReform *reform,
								HeapTupleHeader tuple, Size length,
								OpsExternal *values);

#endif							/* OPS_REFORM_H */
