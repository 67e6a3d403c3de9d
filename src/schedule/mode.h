/*-------------------------------------------------------------------------
 *
 * mode.h
 *	  Whether maintenance is on: by somebody's word, or by an open window.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_MODE_H
#define OPS_MODE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

typedef enum OpsMaintenanceKind
{
	OPS_MAINTENANCE_MODE,		/* switched on by ops.set_maintenance() */
	OPS_MAINTENANCE_WINDOW,		/* of ops.maintenance_window, and open */
} OpsMaintenanceKind;

#define OPS_NUM_MAINTENANCE_KINDS	(OPS_MAINTENANCE_WINDOW + 1)

typedef struct OpsMaintenanceState
{
	OpsMaintenanceKind kind;
	const char *name;			/* of the window, or of the role that switched
								 * the mode on */
	TimestampTz since;
	TimestampTz until;			/* DT_NOEND: until it is switched off */
	const char *reason;			/* or NULL */
} OpsMaintenanceState;

/* In the order of kinds. */
extern const char *const ops_maintenance_kind_name[];

/* What of a kind is on at an instant; an error if its table is locked. */
extern List *ops_maintenance_at(OpsMaintenanceKind kind, TimestampTz at);

#endif							/* OPS_MODE_H */
