/*-------------------------------------------------------------------------
 *
 * checks_replication.c
 *	  Checks of standbys, of being one, and of replication slots.
 *
 * Source: the shared arrays of walsenders and of slots, each entry copied
 * under its own spinlock, and the positions of recovery.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "access/xlogrecovery.h"
#include "core/guc.h"
#include "health/activity.h"
#include "replication/syncrep.h"
#include "replication/walreceiver.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/spin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#define BYTES_PER_MB	(1024.0 * 1024.0)

/* What we need of a walsender's entry. */
typedef struct Sender
{
	int			pid;
	WalSndState state;
	XLogRecPtr	reached;		/* applied, or else sent */
	TimeOffset	apply_lag;		/* microseconds, -1 if unknown */
	int			sync_priority;
} Sender;

typedef enum SlotState
{
	SLOT_SAFE,
	SLOT_UNRESERVED,			/* the next checkpoint can remove its WAL */
	SLOT_LOST,
} SlotState;

typedef void (*SlotVisitor) (OpsRun *run, OpsResult *result,
							 const ReplicationSlot *slot);

/*
 * WAL up to here exists on this server.
 */
static XLogRecPtr
current_position(const OpsRun *run)
{
	if (!run->standby)
		return GetFlushRecPtr(NULL);
	return Max(GetWalRcvFlushRecPtr(NULL, NULL), GetXLogReplayRecPtr(NULL));
}

/*
 * Copy the entries of walsenders that serve a standby or subscriber.
 */
static int
read_senders(Sender **senders)
{
	int			count = 0;

	*senders = palloc(Max(max_wal_senders, 1) * sizeof(Sender));
	for (int i = 0; i < max_wal_senders; i++)
	{
		WalSnd	   *entry = &WalSndCtl->walsnds[i];
		Sender	   *sender = &(*senders)[count];

		SpinLockAcquire(&entry->mutex);
		sender->pid = entry->pid;
		sender->state = entry->state;
		sender->reached = XLogRecPtrIsInvalid(entry->apply) ?
			entry->sentPtr : entry->apply;
		sender->apply_lag = entry->applyLag;
		sender->sync_priority = entry->sync_standby_priority;
		SpinLockRelease(&entry->mutex);

		/* A base backup has no position to fall behind. */
		if (sender->pid != 0 && sender->state != WALSNDSTATE_BACKUP)
			count++;
	}
	return count;
}

static const OpsBackend *
find_backend(OpsRun *run, int pid)
{
	const OpsActivity *activity = ops_activity(run);

	for (int i = 0; i < activity->count; i++)
	{
		if (activity->backend[i].pid == pid)
			return &activity->backend[i];
	}
	return NULL;
}

static void
name_sender(OpsRun *run, OpsResult *result, const Sender *sender,
			double value)
{
	OpsCulprit *culprit = ops_result_culprit(result, value);
	const OpsBackend *backend = find_backend(run, sender->pid);

	if (culprit == NULL)
		return;
	culprit->pid = sender->pid;
	culprit->value = value;
	if (backend)
	{
		culprit->role = ops_role_name(backend->role);
		culprit->database = ops_database_name(backend->database);
	}
}

/*
 * replication_out: how much WAL the slowest receiver still has to apply.
 */
static void
probe_replication_out(OpsRun *run, OpsResult *result)
{
	Sender	   *senders;
	int			count = read_senders(&senders);
	XLogRecPtr	here = current_position(run);
	double		worst = 0;

	if (count == 0)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: nobody replicates from this server"));
		return;
	}
	for (int i = 0; i < count; i++)
	{
		double		mb = here > senders[i].reached ?
			(here - senders[i].reached) / BYTES_PER_MB : 0;

		worst = Max(worst, mb);
		name_sender(run, result, &senders[i], mb);
	}
	ops_result_value(result, worst,
					 ngettext("%d receiver, %.1f MB behind",
							  "%d receivers, the slowest %.1f MB behind",
							  count),
					 count, worst);
}

/*
 * replication_delay: how long ago the slowest receiver's position was ours.
 */
static void
probe_replication_delay(OpsRun *run, OpsResult *result)
{
	Sender	   *senders;
	int			count = read_senders(&senders);
	double		worst = 0;

	if (count == 0)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: nobody replicates from this server"));
		return;
	}
	for (int i = 0; i < count; i++)
	{
		/* An idle receiver that has applied everything reports no lag. */
		double		seconds = senders[i].apply_lag < 0 ? 0 :
			senders[i].apply_lag / (double) USECS_PER_SEC;

		worst = Max(worst, seconds);
		name_sender(run, result, &senders[i], seconds);
	}
	ops_result_value(result, worst,
					 ngettext("%d receiver, %s behind",
							  "%d receivers, the slowest %s behind",
							  count),
					 count, ops_duration(worst));
}

/*
 * standbys: how many are missing.
 *
 * Expected are as many as the setting says, and one that can confirm commits
 * if commits wait for one.
 */
static void
probe_standbys(OpsRun *run, OpsResult *result)
{
	bool		synchronous = SyncRepStandbyNames != NULL &&
		SyncRepStandbyNames[0] != '\0';
	Sender	   *senders;
	int			count = read_senders(&senders);
	int			standbys = 0;
	int			candidates = 0;

	if (!synchronous && ops_guc_expected_standbys == 0)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: operations_runbook.expected_standbys is 0 and synchronous_standby_names is empty"));
		return;
	}
	for (int i = 0; i < count; i++)
	{
		const OpsBackend *backend = find_backend(run, senders[i].pid);

		/* A walsender of logical replication is connected to a database. */
		if (senders[i].state == WALSNDSTATE_STREAMING &&
			(backend == NULL || !OidIsValid(backend->database)))
			standbys++;
		if (senders[i].state == WALSNDSTATE_STREAMING &&
			senders[i].sync_priority > 0)
			candidates++;
	}

	if (synchronous && candidates == 0)
	{
		ops_result_at_least(result, OPS_FAIL);
		ops_result_value(result, Max(ops_guc_expected_standbys - standbys, 1), "%s",
						 _("commits wait for a synchronous standby and none is connected"));
		ops_result_remedy(result, "ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf();");
		return;
	}
	ops_result_value(result, Max(ops_guc_expected_standbys - standbys, 0),
					 _("%d standbys streaming, %d expected"),
					 standbys, Max(ops_guc_expected_standbys, synchronous));
}

/*
 * replay: how far this standby's data is behind.
 */
static void
probe_replay(OpsRun *run, OpsResult *result)
{
	XLogRecPtr	replayed = GetXLogReplayRecPtr(NULL);
	XLogRecPtr	received = GetWalRcvFlushRecPtr(NULL, NULL);
	TimestampTz data_time = GetLatestXTime();
	TimestampTz heard;
	bool		streaming;
	double		seconds;

	SpinLockAcquire(&WalRcv->mutex);
	streaming = WalRcv->walRcvState == WALRCV_STREAMING;
	heard = WalRcv->lastMsgReceiptTime;
	SpinLockRelease(&WalRcv->mutex);

	if (streaming && replayed >= received)
	{
		ops_result_value(result, 0, "%s", _("streaming, everything received is replayed"));
		return;
	}
	if (streaming)
	{
		/* No transaction was replayed since the start: then it is that old. */
		seconds = ops_seconds_since(run, Max(data_time, PgStartTime));
		ops_result_value(result, seconds, _("streaming, replay is %s and %.1f MB behind"),
						 ops_duration(seconds), (received - replayed) / BYTES_PER_MB);
		return;
	}

	/* Nothing newer than this can be here. */
	heard = Max(Max(heard, data_time), PgStartTime);
	seconds = ops_seconds_since(run, heard);
	if (PrimaryConnInfo != NULL && PrimaryConnInfo[0] != '\0')
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, seconds, _("not streaming: nothing heard of the primary for %s"),
						 ops_duration(seconds));
	}
	else
		ops_result_value(result, seconds, _("recovering from archive, the last transaction is %s old"),
						 ops_duration(seconds));
}

/*
 * replay_paused: whether somebody told the standby to stop replaying.
 */
static void
probe_replay_paused(OpsRun *run, OpsResult *result)
{
	switch (GetRecoveryPauseState())
	{
		case RECOVERY_NOT_PAUSED:
			ops_result_value(result, 0, "%s", _("replay is not paused"));
			break;
		case RECOVERY_PAUSE_REQUESTED:
			ops_result_at_least(result, OPS_WARN);
			ops_result_value(result, 1, "%s", _("a pause of replay was requested"));
			break;
		case RECOVERY_PAUSED:
			ops_result_at_least(result, OPS_WARN);
			ops_result_value(result, 1, "%s", _("replay is paused"));
			break;
	}
}

/*
 * Show each slot in use to a visitor, as a copy; the result is their number.
 */
static int
visit_slots(OpsRun *run, OpsResult *result, SlotVisitor visitor)
{
	int			count = 0;

	for (int i = 0; i < max_replication_slots; i++)
	{
		ReplicationSlot *slot = &ReplicationSlotCtl->replication_slots[i];
		ReplicationSlot copy;

		LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
		if (!slot->in_use)
		{
			LWLockRelease(ReplicationSlotControlLock);
			continue;
		}
		SpinLockAcquire(&slot->mutex);
		copy = *slot;
		SpinLockRelease(&slot->mutex);
		LWLockRelease(ReplicationSlotControlLock);

		count++;
		visitor(run, result, &copy);
	}
	return count;
}

static OpsCulprit *
name_slot(OpsRun *run, OpsResult *result, const ReplicationSlot *slot,
		  double value)
{
	OpsCulprit *culprit = ops_result_culprit(result, value);

	if (culprit == NULL)
		return NULL;
	culprit->slot = pstrdup(NameStr(slot->data.name));
	culprit->database = ops_database_name(slot->data.database);
	culprit->value = value;
	if (run->monitor)
		culprit->pid = slot->active_pid;
	return culprit;
}

/*
 * Drop the worst slot, if nobody uses it.
 */
static void
suggest_drop(OpsResult *result)
{
	const OpsCulprit *worst = &result->culprit[0];

	if (result->nculprits > 0 && worst->pid == 0)
		ops_result_remedy(result, "SELECT pg_drop_replication_slot(%s);",
						  quote_literal_cstr(worst->slot));
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
			return slot->active_pid != 0 ? SLOT_UNRESERVED : SLOT_LOST;
		default:
			return SLOT_SAFE;
	}
}

static void
visit_state(OpsRun *run, OpsResult *result, const ReplicationSlot *slot)
{
	SlotState	state = slot_state(slot);
	OpsCulprit *culprit;

	if (state == SLOT_SAFE)
		return;
	ops_result_at_least(result, state == SLOT_LOST ? OPS_FAIL : OPS_WARN);
	result->value = isnan(result->value) ? 1 : result->value + 1;
	culprit = name_slot(run, result, slot, state);
	if (culprit)
	{
		culprit->value = get_float8_nan();
		culprit->note = state == SLOT_LOST ? _("lost: its WAL is gone") :
			_("unreserved: the next checkpoint can remove its WAL");
	}
}

/*
 * slots: slots whose WAL is gone, or about to be.
 */
static void
probe_slots(OpsRun *run, OpsResult *result)
{
	int			count = visit_slots(run, result, visit_state);

	if (isnan(result->value))
		ops_result_value(result, 0,
						 ngettext("%d replication slot, WAL reserved",
								  "%d replication slots, WAL reserved for all",
								  count),
						 count);
	else
	{
		ops_result_value(result, result->value, _("%.0f of %d replication slots have lost WAL or are about to"),
						 result->value, count);
		suggest_drop(result);
	}
}

/*
 * Since when nobody uses the slot.
 *
 * Before 17 the server does not keep it.  The slot's file is written at a
 * checkpoint after each change, and an inactive slot does not change: so its
 * time is no earlier than the slot's last use, at most a checkpoint late.
 */
static TimestampTz
inactive_since(const ReplicationSlot *slot)
{
	TimestampTz since = ops_compat_slot_inactive_since(slot);
	char		path[MAXPGPATH];
	struct stat st;

	if (since != 0)
		return since;
	snprintf(path, sizeof(path), "pg_replslot/%s/state",
			 NameStr(slot->data.name));
	if (stat(path, &st) != 0)
		return 0;
	return time_t_to_timestamptz(st.st_mtime);
}

static void
visit_inactive(OpsRun *run, OpsResult *result, const ReplicationSlot *slot)
{
	TimestampTz since;
	double		seconds;

	if (slot->active_pid != 0)
		return;
	since = inactive_since(slot);
	seconds = since == 0 ? 0 : ops_seconds_since(run, since);
	result->value = isnan(result->value) ? seconds : Max(result->value, seconds);
	name_slot(run, result, slot, seconds);
}

/*
 * slot_inactive: how long the longest-forgotten slot has not been used.
 */
static void
probe_slot_inactive(OpsRun *run, OpsResult *result)
{
	int			count = visit_slots(run, result, visit_inactive);

	if (isnan(result->value))
		ops_result_value(result, 0,
						 ngettext("%d replication slot, in use",
								  "%d replication slots, all in use",
								  count),
						 count);
	else
	{
		ops_result_value(result, result->value, _("a replication slot has been unused for %s"),
						 ops_duration(result->value));
		suggest_drop(result);
	}
}

static void
visit_retained(OpsRun *run, OpsResult *result, const ReplicationSlot *slot)
{
	XLogRecPtr	here = current_position(run);
	OpsCulprit *culprit;
	double		bytes;

	if (XLogRecPtrIsInvalid(slot->data.restart_lsn) ||
		ops_compat_slot_invalidated(&slot->data))
		return;
	bytes = here > slot->data.restart_lsn ? here - slot->data.restart_lsn : 0;
	result->value = isnan(result->value) ? bytes : Max(result->value, bytes);
	culprit = name_slot(run, result, slot, bytes);
	if (culprit)
	{
		culprit->value = get_float8_nan();
		culprit->note = psprintf(_("retains %.1f MB of WAL"), bytes / BYTES_PER_MB);
	}
}

/*
 * slot_retained: WAL that slots keep, of the space there would be without.
 */
static void
probe_slot_retained(OpsRun *run, OpsResult *result)
{
	double		retained;
	double		available;
	struct statvfs fs;

	(void) visit_slots(run, result, visit_retained);
	retained = isnan(result->value) ? 0 : result->value;

	if (statvfs("pg_wal", &fs) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not get the free space of directory \"%s\": %m", "pg_wal")));
	available = (double) fs.f_bavail * fs.f_frsize;

	/* How full the disk is, is for those to know who may see "disk". */
	ops_result_value(result, 100 * retained / Max(retained + available, 1),
					 _("replication slots retain %.1f MB of WAL"),
					 retained / BYTES_PER_MB);
	suggest_drop(result);
}

const OpsCheck ops_replication_checks[] = {
	{
		.name = "replication_out",
		.title = gettext_noop("WAL that the slowest standby or subscriber has yet to apply"),
		.unit = "MB",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 50,
		.critical = 500,
		.probe = probe_replication_out,
		.remedy = gettext_noop("SELECT application_name, client_addr, state, sent_lsn, replay_lsn, replay_lag FROM pg_stat_replication;"),
	},
	{
		.name = "replication_delay",
		.title = gettext_noop("time by which the slowest standby or subscriber is behind"),
		.unit = "seconds",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 30,
		.critical = 300,
		.probe = probe_replication_delay,
		.remedy = gettext_noop("SELECT application_name, client_addr, state, write_lag, flush_lag, replay_lag FROM pg_stat_replication;"),
	},
	{
		.name = "standbys",
		.title = gettext_noop("standbys that should be connected and are not"),
		.unit = "standbys",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 1,
		.critical = 1,
		.probe = probe_standbys,
		.remedy = gettext_noop("SELECT application_name, client_addr, state, sync_state FROM pg_stat_replication;"),
	},
	{
		.name = "replay",
		.title = gettext_noop("time by which the data of this standby is behind"),
		.unit = "seconds",
		.severity = OPS_P1,
		.where = OPS_ON_STANDBY,
		.gates = true,
		.warning = 30,
		.critical = 300,
		.probe = probe_replay,
		.remedy = gettext_noop("SELECT status, sender_host, last_msg_receipt_time, latest_end_time FROM pg_stat_wal_receiver;"),
	},
	{
		.name = "replay_paused",
		.title = gettext_noop("replay on this standby is not paused"),
		.severity = OPS_P1,
		.where = OPS_ON_STANDBY,
		.warning = NAN,
		.critical = NAN,
		.probe = probe_replay_paused,
		.remedy = gettext_noop("SELECT pg_wal_replay_resume();"),
	},
	{
		.name = "slots",
		.title = gettext_noop("replication slots whose WAL is lost or about to be"),
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
const int	ops_replication_count = lengthof(ops_replication_checks);
