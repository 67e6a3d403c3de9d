/*-------------------------------------------------------------------------
 *
 * maintenance.c
 *	  What health says of maintenance that is on while it is asked.
 *
 * Maintenance changes nothing about what is measured and how it is judged.
 * It is told beside it, so that who is woken by a warning sees at once that
 * somebody is at work.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "health/maintenance.h"

static void add_note(OpsRun *run, OpsMaintenanceKind kind,
					 const OpsMaintenanceState *on, const char *message);

/*
 * Note what of a kind is on.  Raises an error if that cannot be read.
 */
void
ops_maintenance_note(OpsRun *run, OpsMaintenanceKind kind)
{
	ListCell   *lc;

	foreach(lc, ops_maintenance_at(kind, run->now))
		add_note(run, kind, lfirst(lc), NULL);
}

void
ops_maintenance_unknown(OpsRun *run, OpsMaintenanceKind kind,
						const char *message)
{
	add_note(run, kind, NULL, message);
}

/*
 * What does not apply here, and what the caller may not see, would be no
 * different without it.
 */
bool
ops_maintenance_during(const OpsRun *run, const OpsResult *result)
{
	ListCell   *lc;

	if (result->status == OPS_OK || result->reason == OPS_NOT_APPLICABLE ||
		result->reason == OPS_DENIED)
		return false;
	foreach(lc, run->maintenance)
	{
		if (((const OpsMaintenanceNote *) lfirst(lc))->on)
			return true;
	}
	return false;
}

bool
ops_maintenance_switched_on(const OpsRun *run)
{
	ListCell   *lc;

	foreach(lc, run->maintenance)
	{
		const OpsMaintenanceNote *note = lfirst(lc);

		if (note->kind == OPS_MAINTENANCE_MODE && note->on)
			return true;
	}
	return false;
}

static void
add_note(OpsRun *run, OpsMaintenanceKind kind, const OpsMaintenanceState *on,
		 const char *message)
{
	OpsMaintenanceNote *note = palloc(sizeof(OpsMaintenanceNote));

	note->kind = kind;
	note->on = on;
	note->message = message;
	run->maintenance = lappend(run->maintenance, note);
}
