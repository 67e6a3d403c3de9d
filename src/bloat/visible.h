/*-------------------------------------------------------------------------
 *
 * visible.h
 *	  What becomes of a row version when its table is rewritten.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_VISIBLE_H
#define OPS_VISIBLE_H

#include "access/htup_details.h"

typedef enum OpsFate
{
	FATE_LIVE,
	FATE_HELD,					/* deleted, but an old snapshot may need it */
	FATE_DEAD,
} OpsFate;

typedef enum OpsOutcome
{
	OUTCOME_RUNNING,
	OUTCOME_COMMITTED,
	OUTCOME_ABORTED,
} OpsOutcome;

#define OPS_OUTCOMES 256		/* a power of two */

/* The horizon of one table, and how transactions met there ended. */
typedef struct OpsVisibility
{
	TransactionId horizon;
	TransactionId xids[OPS_OUTCOMES];
	OpsOutcome	outcomes[OPS_OUTCOMES];
} OpsVisibility;

extern void ops_visibility_begin(OpsVisibility *visibility,
								 TransactionId horizon);
extern OpsFate ops_visibility_fate(OpsVisibility *visibility,
								   HeapTupleHeader tuple);

#endif							/* OPS_VISIBLE_H */
