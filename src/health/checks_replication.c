/*-------------------------------------------------------------------------
 *
 * checks_replication.c
 *	  Checks of standbys, and of being one.
 *
 * Source: the shared array of walsenders, each entry copied under its own
 * spinlock, and the positions of recovery.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"


#include "access/xlogrecovery.h"
#include "core/control.h"
#include "core/guc.h"
#include "health/activity.h"
#include "replication/walsender_private.h"
#include "utils/float.h"

#define BYTES_PER_MB	(1024.0 * 1024.0)

/*
 * WAL up to here exists on this server.
 */
XLogRecPtr
ops_wal_position(const OpsRun *run)
{
	if (!run->standby)
		return GetFlushRecPtr(NULL);
	return Max(GetWalRcvFlushRecPtr(NULL, NULL), GetXLogReplayRecPtr(NULL));
}

/*
 * Copy the entries of walsenders, those of base backups left out: they have
 * no position to fall behind.
 */
static int
read_senders(WalSnd **senders)
{
	int			count = 0;

	*senders = palloc(Max(max_wal_senders, 1) * sizeof(WalSnd));
	for (int i = 0; i < max_wal_senders; i++)
	{
		WalSnd	   *entry = &WalSndCtl->walsnds[i];
		WalSnd	   *sender = &(*senders)[count];

		SpinLockAcquire(&entry->mutex);
		*sender = *entry;
		SpinLockRelease(&entry->mutex);

		if (sender->pid != 0 && sender->state != WALSNDSTATE_BACKUP)
			count++;
	}
	return count;
}

/*
 * Whether the receiver applies what it gets, as pg_receivewal does not.
 */
static bool
applies(const WalSnd *sender)
{
	return !XLogRecPtrIsInvalid(sender->apply);
}

static double
mb_behind(const WalSnd *sender, XLogRecPtr here)
{
	XLogRecPtr	reached = applies(sender) ? sender->apply : sender->sentPtr;

	return here > reached ? (here - reached) / BYTES_PER_MB : 0;
}

/*
 * Seconds by which the receiver is behind.  One that has everything reports
 * none.  The apply lag of one that applies nothing grows for ever.
 */
static double
seconds_behind(const WalSnd *sender)
{
	TimeOffset	lag = applies(sender) ? sender->applyLag : sender->writeLag;

	return lag < 0 ? 0 : lag / (double) USECS_PER_SEC;
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

/*
 * The application_name of a process, which is what standbys go by.
 */
static const char *
receiver_name(int pid)
{
	volatile PgBackendStatus *entries = ops_compat_backend_status_array();
	char		name[NAMEDATALEN];

	for (int i = 0; i < MaxBackends; i++)
	{
		volatile PgBackendStatus *entry = &entries[i];
		bool		found;
		int			before;
		int			after;

		if (entry->st_procpid != pid)
			continue;
		do
		{
			CHECK_FOR_INTERRUPTS();
			pgstat_begin_read_activity(entry, before);
			found = entry->st_procpid == pid;
			strlcpy(name, entry->st_appname, sizeof(name));
			pgstat_end_read_activity(entry, after);
		} while (!pgstat_read_activity_complete(before, after));
		if (found && name[0] != '\0')
			return pstrdup(name);
	}
	return NULL;
}

static const char *
sender_state(WalSndState state)
{
	switch (state)
	{
		case WALSNDSTATE_STARTUP:
			return _("starting");
		case WALSNDSTATE_BACKUP:
			return _("taking a base backup");
		case WALSNDSTATE_CATCHUP:
			return _("catching up");
		case WALSNDSTATE_STREAMING:
			return _("streaming");
		case WALSNDSTATE_STOPPING:
			return _("stopping");
	}
	return NULL;
}

static void
name_sender(OpsRun *run, OpsResult *result, const WalSnd *sender,
			double value)
{
	OpsCulprit *culprit = ops_result_culprit(result, value);
	const OpsBackend *backend = find_backend(run, sender->pid);

	if (culprit == NULL)
		return;
	culprit->pid = sender->pid;
	culprit->name = receiver_name(sender->pid);
	culprit->note = sender_state(sender->state);
	culprit->value = value;
	if (backend)
	{
		culprit->role = ops_role_name(backend->role);
		culprit->database = ops_database_name(backend->database);
	}
}

/*
 * How far behind receivers are that are not there.  A setting that a standby
 * has inherited from its primary says nothing about the standby's own.
 */
static void
nobody_receives(OpsRun *run, OpsResult *result)
{
	if (ops_guc_expected_standbys > 0 && !run->standby)
		ops_result_unknown(result, OPS_FAILED,
						   ngettext("%d standby is expected, and nobody is connected",
									"%d standbys are expected, and nobody is connected",
									ops_guc_expected_standbys),
						   ops_guc_expected_standbys);
	else
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: nobody replicates from this server"));
}

/*
 * replication_out: how much WAL the slowest receiver still has to apply.
 */
static void
probe_replication_out(OpsRun *run, OpsResult *result)
{
	WalSnd	   *senders;
	int			count = read_senders(&senders);
	XLogRecPtr	here = ops_wal_position(run);
	double		worst = 0;

	if (count == 0)
	{
		nobody_receives(run, result);
		return;
	}
	for (int i = 0; i < count; i++)
	{
		double		mb = mb_behind(&senders[i], here);

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
 *
 * The server takes the time when it sends WAL, not when WAL was made: while
 * a receiver catches up with old WAL, its lag is only a part of its delay.
 */
static void
probe_replication_delay(OpsRun *run, OpsResult *result)
{
	WalSnd	   *senders;
	int			count = read_senders(&senders);
	int			catching_up = 0;
	double		worst = 0;

	if (count == 0)
	{
		nobody_receives(run, result);
		return;
	}
	for (int i = 0; i < count; i++)
	{
		double		seconds = seconds_behind(&senders[i]);

		worst = Max(worst, seconds);
		if (senders[i].state == WALSNDSTATE_STARTUP ||
			senders[i].state == WALSNDSTATE_CATCHUP)
			catching_up++;
		name_sender(run, result, &senders[i], seconds);
	}
	if (catching_up > 0 &&
		!(worst >= result->warning || worst >= result->critical))
	{
		ops_result_unknown(result, OPS_TOO_YOUNG,
						   ngettext("%d of %d receivers still catches up: its delay is not known yet",
									"%d of %d receivers still catch up: their delay is not known yet",
									catching_up),
						   catching_up, count);
		return;
	}
	ops_result_value(result, worst,
					 ngettext("%d receiver, %s behind",
							  "%d receivers, the slowest %s behind",
							  count),
					 count, ops_duration(worst));
}

/*
 * A standby, as against a subscriber, whose walsender is connected to a
 * database, or a program that keeps WAL in files.
 */
static bool
is_streaming_standby(OpsRun *run, const WalSnd *sender)
{
	const OpsBackend *backend = find_backend(run, sender->pid);

	return sender->state == WALSNDSTATE_STREAMING && applies(sender) &&
		backend != NULL && !OidIsValid(backend->database);
}

/*
 * Whether commits can wait for this receiver.
 */
static bool
is_synchronous(const WalSnd *sender)
{
	return sender->sync_standby_priority > 0 &&
		(sender->state == WALSNDSTATE_STREAMING ||
		 sender->state == WALSNDSTATE_STOPPING) &&
		!XLogRecPtrIsInvalid(sender->flush);
}

/*
 * standbys: how many are missing, of those that the setting expects or of
 * those that commits wait for.
 */
static void
probe_standbys(OpsRun *run, OpsResult *result)
{
	int			expected = ops_guc_expected_standbys;
	int			needed = SyncRepConfig ? SyncRepConfig->num_sync : 0;
	WalSnd	   *senders;
	int			count = read_senders(&senders);
	int			standbys = 0;
	int			synchronous = 0;

	if (expected == 0 && needed == 0)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: operations_runbook.expected_standbys is 0 and synchronous_standby_names is empty"));
		return;
	}
	for (int i = 0; i < count; i++)
	{
		if (is_streaming_standby(run, &senders[i]))
			standbys++;
		if (is_synchronous(&senders[i]))
			synchronous++;
		name_sender(run, result, &senders[i], 0);
	}

	if (synchronous < needed)
	{
		ops_result_at_least(result, OPS_FAIL);
		ops_result_value(result, Max(expected - standbys, needed - synchronous),
						 ngettext("commits hang: they wait for %d synchronous standby, %d connected",
								  "commits hang: they wait for %d synchronous standbys, %d connected",
								  needed),
						 needed, synchronous);
		ops_result_remedy(result, "ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf();");
	}
	else if (expected == 0)
		ops_result_value(result, 0, _("%d synchronous standbys connected, commits wait for %d"),
						 synchronous, needed);
	else
		ops_result_value(result, Max(expected - standbys, 0),
						 _("%d standbys streaming, %d expected"),
						 standbys, expected);
}

/*
 * Age of the newest data here: of the last transaction replayed since the
 * start, or else of the checkpoint that recovery started from.
 */
static double
data_age(const OpsRun *run)
{
	TimestampTz newest = GetLatestXTime();

	if (newest == 0)
		newest = time_t_to_timestamptz(ops_control_file()->checkPointCopy.time);
	return ops_seconds_since(run, newest);
}

/*
 * Time by which replay is behind, while WAL is streaming in.
 *
 * The data's age alone would call a standby hours behind that has just got
 * the first record after a quiet night.  So what counts is, if it is less,
 * the time since replay last had everything received; unless that is not all
 * there is, by more than a segment that may well be on its way.
 */
static double
replay_delay(const OpsRun *run, XLogRecPtr received, XLogRecPtr sender_end)
{
	TimestampTz caught_up = GetCurrentChunkReplayStartTime();
	double		age = data_age(run);

	if (caught_up == 0 || sender_end > received + wal_segment_size)
		return age;
	return Min(age, ops_seconds_since(run, caught_up));
}

/*
 * replay: how far this standby's data is behind.
 *
 * A receiver is called streaming from before it has a connection; what it
 * shows is set once it has one.  The times of messages that it keeps begin
 * anew with each attempt, and say nothing about the primary.
 */
static void
probe_replay(OpsRun *run, OpsResult *result)
{
	XLogRecPtr	replayed = GetXLogReplayRecPtr(NULL);
	XLogRecPtr	received = GetWalRcvFlushRecPtr(NULL, NULL);
	XLogRecPtr	sender_end;
	bool		streaming;
	double		seconds;

	SpinLockAcquire(&WalRcv->mutex);
	streaming = WalRcv->walRcvState == WALRCV_STREAMING &&
		WalRcv->ready_to_display;
	sender_end = WalRcv->latestWalEnd;
	SpinLockRelease(&WalRcv->mutex);

	if (GetRecoveryPauseState() == RECOVERY_PAUSED)
		ops_result_remedy(result, "SELECT pg_wal_replay_resume();");

	if (streaming && replayed >= Max(received, sender_end))
		ops_result_value(result, 0, "%s", _("streaming, everything received is replayed"));
	else if (streaming)
	{
		seconds = replay_delay(run, received, sender_end);
		ops_result_value(result, seconds, _("streaming, replay is %s and %.1f MB behind"),
						 ops_duration(seconds),
						 (Max(received, sender_end) - replayed) / BYTES_PER_MB);
	}
	else if (PrimaryConnInfo != NULL && PrimaryConnInfo[0] != '\0')
	{
		seconds = data_age(run);
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, seconds, _("not streaming: no connection to the primary, the newest data is %s old"),
						 ops_duration(seconds));
	}
	else
	{
		seconds = data_age(run);
		ops_result_value(result, seconds, _("not streaming: recovering from an archive, the newest data is %s old"),
						 ops_duration(seconds));
	}
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
			ops_result_value(result, 1, _("replay is paused, the newest data is %s old"),
							 ops_duration(data_age(run)));
			break;
	}
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
		.where = OPS_ON_PRIMARY,
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
		.title = gettext_noop("whether replay on this standby is paused"),
		.severity = OPS_P1,
		.where = OPS_ON_STANDBY,
		.warning = NAN,
		.critical = NAN,
		.probe = probe_replay_paused,
		.remedy = gettext_noop("SELECT pg_wal_replay_resume();"),
	},
};
const int	ops_replication_count = lengthof(ops_replication_checks);
