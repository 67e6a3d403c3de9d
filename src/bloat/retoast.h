/*-------------------------------------------------------------------------
 *
 * retoast.h
 *	  What a rewrite keeps in a row and what it stores out of line.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RETOAST_H
#define OPS_RETOAST_H

#include "bloat/reform.h"
#include "utils/rel.h"

struct OpsToastColumn;

typedef struct OpsRetoast
{
	const OpsReform *reform;
	Oid			toast;			/* the table's */
	int			target;			/* toast_tuple_target */
	OpsRowValue *values;		/* of a row, as it is */
	struct OpsToastColumn *columns; /* and as it becomes */
	bool		any_fetched;	/* of them */
	Size	   *stored;
} OpsRetoast;

/* Of one row; sizes are those of the values, without chunk headers. */
typedef struct OpsRetoasted
{
	Size		length;			/* of the row itself */
	double		stored_before;
	int			nstored;		/* values out of line, in order */
	const Size *stored;
} OpsRetoasted;

extern OpsRetoast *ops_retoast_begin(Relation table, const OpsReform *reform);

/* False if the row cannot be taken apart. */
extern bool ops_retoast_row(OpsRetoast *retoast, HeapTupleHeader tuple,
							Size length, OpsRetoasted *result);

#endif							/* OPS_RETOAST_H */
