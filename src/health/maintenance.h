/*-------------------------------------------------------------------------
 *
 * maintenance.h
 *	  What health says of maintenance that is on while it is asked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_MAINTENANCE_H
#define OPS_MAINTENANCE_H

#include "health/check.h"
#include "schedule/mode.h"

/* Something that is on, or a kind of which nobody can tell. */
typedef struct OpsMaintenanceNote
{
	OpsMaintenanceKind kind;
	const OpsMaintenanceState *on;	/* NULL if it is unknown, */
	const char *message;		/* and then why */
} OpsMaintenanceNote;

extern void ops_maintenance_note(OpsRun *run, OpsMaintenanceKind kind);
extern void ops_maintenance_unknown(OpsRun *run, OpsMaintenanceKind kind,
									const char *message);

/* Whether a result is bad while maintenance is known to be on. */
extern bool ops_maintenance_during(const OpsRun *run,
								   const OpsResult *result);

/* Whether somebody has switched the mode on; windows do not count. */
extern bool ops_maintenance_switched_on(const OpsRun *run);

#endif							/* OPS_MAINTENANCE_H */
