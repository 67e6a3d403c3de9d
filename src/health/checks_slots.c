/*-------------------------------------------------------------------------
 *
 * checks_slots.c
 *	  Checks of replication slots.
 *
 * Source: the shared array of slots, each copied under its own spinlock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "access/xlog_internal.h"
#include "health/activity.h"
#include "utils/builtins.h"
#include "utils/float.h"

#define BYTES_PER_MB	(1024.0 * 1024.0)

typedef enum SlotState
{
	SLOT_SAFE,
	SLOT_UNRESERVED,			/* the next checkpoint can remove its WAL */
	SLOT_LOST,
} SlotState;

/*
 * Copy the slots in use.
 */
static int
read_slots(ReplicationSlot **slots)
{
	int			count = 0;

	*slots = palloc(Max(max_replication_slots, 1) * sizeof(ReplicationSlot));
	LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
	for (int i = 0; i < max_replication_slots; i++)
	{
		ReplicationSlot *slot = &ReplicationSlotCtl->replication_slots[i];

		if (!slot->in_use)
			continue;
		SpinLockAcquire(&slot->mutex);
		(*slots)[count++] = *slot;
		SpinLockRelease(&slot->mutex);
	}
	LWLockRelease(ReplicationSlotControlLock);
	return count;
}

static OpsCulprit *
name_slot(OpsRun *run, OpsResult *result, const ReplicationSlot *slot,
		  double weight)
{
	OpsCulprit *culprit = ops_result_culprit(result, weight);

	if (culprit == NULL)
		return NULL;
	culprit->slot = pstrdup(NameStr(slot->data.name));
	culprit->database = ops_database_name(slot->data.database);
	if (run->monitor)
		culprit->pid = ops_compat_slot_pid(slot);
	return culprit;
}

/*
 * A copy that the server keeps of its primary's slot.  Nobody uses it here,
 * and nobody can drop it here.
 */
static bool
is_synced_copy(const OpsRun *run, const ReplicationSlot *slot)
{
	return run->standby && ops_compat_slot_synced(&slot->data);
}

/*
 * Drop the slot, if nobody uses it.
 */
static void
suggest_drop(OpsRun *run, OpsResult *result, const ReplicationSlot *slot)
{
	if (slot != NULL && ops_compat_slot_pid(slot) == 0 && !is_synced_copy(run, slot))
		ops_result_remedy(result, "SELECT pg_drop_replication_slot(%s);",
						  quote_literal_cstr(NameStr(slot->data.name)));
}

static SlotState
slot_state(const ReplicationSlot *slot)
{
	if (ops_compat_slot_invalidated(&slot->data))
		return SLOT_LOST;

	switch (GetWALAvailability(slot->data.restart_lsn))
	{
		case WALAVAIL_UNRESERVED:
			return SLOT_UNRESERVED;
		case WALAVAIL_REMOVED:
			/* Whoever still streams may have moved on since we looked. */
			return ops_compat_slot_pid(slot) != 0 ? SLOT_UNRESERVED : SLOT_LOST;
		default:
			return SLOT_SAFE;
	}
}

/*
 * slots: slots that are lost, or about to be.
 */
static void
probe_slots(OpsRun *run, OpsResult *result)
{
	ReplicationSlot *slots;
	int			count = read_slots(&slots);
	const ReplicationSlot *worst = NULL;
	SlotState	worst_state = SLOT_SAFE;
	int			lost = 0;
	int			unreserved = 0;

	for (int i = 0; i < count; i++)
	{
		SlotState	state = slot_state(&slots[i]);
		OpsCulprit *culprit;

		if (state == SLOT_SAFE)
			continue;
		if (state == SLOT_LOST)
			lost++;
		else
			unreserved++;
		if (state > worst_state)
		{
			worst = &slots[i];
			worst_state = state;
		}
		culprit = name_slot(run, result, &slots[i], state);
		if (culprit)
			culprit->note = state == SLOT_LOST ?
				psprintf(_("lost: %s"), ops_compat_slot_loss(&slots[i].data)) :
				_("unreserved: the next checkpoint can remove its WAL");
	}

	if (lost + unreserved == 0)
	{
		ops_result_value(result, 0,
						 ngettext("%d replication slot, not lost",
								  "%d replication slots, none lost",
								  count),
						 count);
		return;
	}
	ops_result_at_least(result, lost > 0 ? OPS_FAIL : OPS_WARN);
	ops_result_value(result, lost + unreserved,
					 ngettext("%d replication slot: %d lost, %d about to be",
							  "%d replication slots: %d lost, %d about to be",
							  count),
					 count, lost, unreserved);
	suggest_drop(run, result, worst);
}

/*
 * For how many seconds nobody has used the slot, at least.
 *
 * Since 17 the server keeps the time.  Before that, the slot's file tells:
 * the first checkpoint after each movement writes it, so an unwritten
 * movement is since the last checkpoint, and a written one no later than the
 * file.  Whether somebody listened while there was nothing to send, no one
 * can tell, so a slot that has followed up to the present segment counts as
 * used just now; it holds nothing back either.
 */
static double
inactive_seconds(const OpsRun *run, const ReplicationSlot *slot)
{
	TimestampTz since = ops_compat_slot_inactive_since(slot);
	XLogRecPtr	followed = Max(slot->data.restart_lsn,
							   slot->data.confirmed_flush);
	XLogRecPtr	here = ops_wal_position(run);
	char		path[MAXPGPATH];
	struct stat st;

	if (since != 0)
		return ops_seconds_since(run, since);
	if (slot->dirty ||
		(!XLogRecPtrIsInvalid(followed) &&
		 here / wal_segment_size <= followed / wal_segment_size))
		return 0;

	snprintf(path, sizeof(path), "pg_replslot/%s/state",
			 NameStr(slot->data.name));
	if (stat(path, &st) != 0)
	{
		/* It may have been dropped since we looked. */
		if (errno == ENOENT)
			return 0;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	}
	return ops_seconds_since(run, time_t_to_timestamptz(st.st_mtime));
}

/*
 * slot_inactive: how long the longest-forgotten slot has not been used.
 */
static void
probe_slot_inactive(OpsRun *run, OpsResult *result)
{
	ReplicationSlot *slots;
	int			count = read_slots(&slots);
	const ReplicationSlot *worst = NULL;
	double		longest = 0;
	int			inactive = 0;

	for (int i = 0; i < count; i++)
	{
		OpsCulprit *culprit;
		double		seconds;

		/* A lost slot is reported by "slots". */
		if (ops_compat_slot_pid(&slots[i]) != 0 || is_synced_copy(run, &slots[i]) ||
			ops_compat_slot_invalidated(&slots[i].data))
			continue;
		inactive++;
		seconds = inactive_seconds(run, &slots[i]);
		if (worst == NULL || seconds > longest)
		{
			worst = &slots[i];
			longest = seconds;
		}
		culprit = name_slot(run, result, &slots[i], seconds);
		if (culprit)
			culprit->value = seconds;
	}

	if (inactive == 0)
		ops_result_value(result, 0,
						 ngettext("%d replication slot, not unused",
								  "%d replication slots, none unused",
								  count),
						 count);
	else
		ops_result_value(result, longest,
						 ngettext("%d replication slot is unused, for %s or longer",
								  "%d replication slots are unused, the longest for %s or longer",
								  inactive),
						 inactive, ops_duration(longest));
	suggest_drop(run, result, worst);
}

/*
 * slot_retained: WAL that the worst slot keeps, of the space there would be
 * without it.
 *
 * That tells how full the disk is, so it is for those who may know.
 */
static void
probe_slot_retained(OpsRun *run, OpsResult *result)
{
	ReplicationSlot *slots;
	int			count = read_slots(&slots);
	XLogRecPtr	here = ops_wal_position(run);
	const ReplicationSlot *worst = NULL;
	double		most = 0;
	double		available;
	struct statvfs fs;

	for (int i = 0; i < count; i++)
	{
		XLogRecPtr	kept = slots[i].data.restart_lsn;
		OpsCulprit *culprit;
		double		bytes;

		if (XLogRecPtrIsInvalid(kept) || kept >= here ||
			ops_compat_slot_invalidated(&slots[i].data))
			continue;
		bytes = here - kept;
		if (bytes > most)
		{
			worst = &slots[i];
			most = bytes;
		}
		culprit = name_slot(run, result, &slots[i], bytes);
		if (culprit)
			culprit->note = psprintf(_("retains %.1f MB of WAL"),
									 bytes / BYTES_PER_MB);
	}

	if (statvfs(XLOGDIR, &fs) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not get the free space of directory \"%s\": %m",
						XLOGDIR)));
	available = (double) fs.f_bavail * fs.f_frsize;
	ops_result_value(result, 100 * most / Max(most + available, 1),
					 ngettext("%d replication slot, retains up to %.1f MB of WAL, %.0f MB are free",
							  "%d replication slots, one retains %.1f MB of WAL, %.0f MB are free",
							  count),
					 count, most / BYTES_PER_MB, available / BYTES_PER_MB);
	suggest_drop(run, result, worst);
}

const OpsCheck ops_slots_checks[] = {
	{
		.name = "slots",
		.title = gettext_noop("replication slots that are lost or about to be"),
		.unit = "slots",
		.severity = OPS_P0,
		.warning = 1,
		.critical = NAN,
		.probe = probe_slots,
		.remedy = gettext_noop("SELECT slot_name, active, wal_status, safe_wal_size FROM pg_replication_slots;"),
	},
	{
		.name = "slot_inactive",
		.title = gettext_noop("longest time a replication slot has not been used"),
		.unit = "seconds",
		.severity = OPS_P1,
		.warning = 3600,
		.critical = 86400,
		.probe = probe_slot_inactive,
		.remedy = gettext_noop("SELECT slot_name, slot_type, database, restart_lsn FROM pg_replication_slots WHERE NOT active;"),
	},
	{
		.name = "slot_retained",
		.title = gettext_noop("WAL retained by a slot, of the free space there would be without it"),
		.unit = "percent",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 50,
		.critical = 80,
		.probe = probe_slot_retained,
		.remedy = gettext_noop("SELECT slot_name, active, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS retained FROM pg_replication_slots ORDER BY restart_lsn;"),
	},
};
const int	ops_slots_count = lengthof(ops_slots_checks);
