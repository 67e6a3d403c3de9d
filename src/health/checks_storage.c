/*-------------------------------------------------------------------------
 *
 * checks_storage.c
 *	  Checks of WAL on disk, its archive, and file systems.
 *
 * Source: the directory pg_wal, the archiver's statistics, the control file,
 * and statvfs() of every directory that the server writes to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "access/xlog_internal.h"
#include "access/xlogarchive.h"
#include "access/xlogrecovery.h"
#include "commands/tablespace.h"
#include "core/control.h"
#include "core/memory.h"
#include "health/activity.h"
#include "postmaster/bgwriter.h"
#include "replication/walreceiver.h"
#include "storage/fd.h"
#include "storage/lwlock.h"
#include "storage/spin.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#define BYTES_PER_MB	(1024.0 * 1024.0)
#define BYTES_PER_GB	(1024.0 * 1024.0 * 1024.0)
#define SECONDS_PER_DAY	86400.0

typedef struct FileSystem
{
	const char *directory;
	dev_t		device;
	double		used;
	double		available;		/* to us, as df counts it */
} FileSystem;

/*
 * The cluster's half-hourly sample has two counters for each file system, as
 * far as there is room: its device and the bytes in use on it.
 */
#define SAMPLED_FILE_SYSTEMS	(OPS_SAMPLE_COUNTERS / 2)
#define SAMPLE_DEVICE(i)		(2 * (i))
#define SAMPLE_USED(i)			(2 * (i) + 1)

/*
 * The segment that WAL is being written to, and its timeline.
 */
static XLogSegNo
current_segment(const OpsRun *run, TimeLineID *timeline)
{
	XLogRecPtr	position;
	XLogSegNo	segment;

	if (run->standby)
	{
		XLogRecPtr	replayed = GetXLogReplayRecPtr(timeline);
		TimeLineID	received_timeline;
		XLogRecPtr	received = GetWalRcvFlushRecPtr(NULL, &received_timeline);

		position = replayed;
		if (received > replayed)
		{
			position = received;
			*timeline = received_timeline;
		}
	}
	else
	{
		position = GetXLogInsertRecPtr();
		*timeline = GetWALInsertionTimeLine();
	}
	XLByteToSeg(position, segment, wal_segment_size);
	return segment;
}

/*
 * Whether this server archives its WAL; what it keeps for others, it does
 * not archive.
 */
static bool
archives(OpsRun *run)
{
	return XLogArchiveMode == ARCHIVE_MODE_ALWAYS ||
		(XLogArchiveMode == ARCHIVE_MODE_ON && !run->standby);
}

static bool
refuse_without_archive(OpsRun *run, OpsResult *result)
{
	if (archives(run))
		return false;
	ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
					   XLogArchiveMode == ARCHIVE_MODE_OFF ?
					   _("not applicable: archive_mode is off") :
					   _("not applicable: this standby does not archive"));
	return true;
}

static bool
archiving_fails(const PgStat_ArchiverStats *stats)
{
	return stats->last_failed_timestamp > stats->last_archived_timestamp;
}

/*
 * When a file was marked as ready to be archived, 0 if it is not waiting.
 */
static TimestampTz
ready_since(const char *file)
{
	char		path[MAXPGPATH];
	struct stat st;

	StatusFilePath(path, file, ".ready");
	if (stat(path, &st) == 0)
		return time_t_to_timestamptz(st.st_mtime);
	if (errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	return 0;
}

/*
 * Since when a finished file has been waiting to be archived, and which; 0
 * if none is.
 *
 * Asks for the few files that can be the oldest one, as there may be very
 * many: what failed last; the segment after the last one archived; and the
 * newest finished segment, which waits if any does.
 */
static TimestampTz
waiting_since(const OpsRun *run, const PgStat_ArchiverStats *stats,
			  char *file)
{
	TimeLineID	timeline;
	XLogSegNo	current = current_segment(run, &timeline);
	TimestampTz since;

	if (archiving_fails(stats))
	{
		strlcpy(file, stats->last_failed_wal, MAXFNAMELEN);
		since = ready_since(file);
		if (since != 0)
			return since;
	}

	/* Timeline histories and backup labels are archived, too. */
	if (IsXLogFileName(stats->last_archived_wal))
	{
		TimeLineID	archived_timeline;
		XLogSegNo	archived;

		XLogFromFileName(stats->last_archived_wal, &archived_timeline,
						 &archived, wal_segment_size);
		XLogFileName(file, archived_timeline, archived + 1, wal_segment_size);
		since = ready_since(file);
		if (since != 0)
			return since;
	}

	XLogFileName(file, timeline, current - 1, wal_segment_size);
	return ready_since(file);
}

/*
 * archiver: for how long finished WAL has waited while none was archived.
 */
static void
probe_archiver(OpsRun *run, OpsResult *result)
{
	PgStat_ArchiverStats *stats;
	char		file[MAXFNAMELEN];
	TimestampTz since;
	double		seconds = 0;

	if (refuse_without_archive(run, result))
		return;

	stats = pgstat_fetch_stat_archiver();
	since = waiting_since(run, stats, file);
	if (since != 0)
	{
		OpsCulprit *culprit;

		seconds = ops_seconds_since(run, Max(since, stats->last_archived_timestamp));
		culprit = run->monitor ? ops_result_culprit(result, seconds) : NULL;
		if (culprit)
		{
			culprit->name = pstrdup(file);
			culprit->value = seconds;
			culprit->note = psprintf(_("waits for %s"),
									 ops_duration(ops_seconds_since(run, since)));
		}
	}

	if (XLogArchiveCommand[0] == '\0' &&
		GetConfigOption("archive_library", false, false)[0] == '\0')
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, seconds, _("archive_mode is on, but neither archive_command nor archive_library is set; WAL has waited for %s"),
						 ops_duration(seconds));
	}
	else if (archiving_fails(stats))
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, seconds, _("archiving fails: last tried %s ago, WAL has waited for %s"),
						 ops_duration(ops_seconds_since(run, stats->last_failed_timestamp)),
						 ops_duration(seconds));
	}
	else if (since != 0)
		ops_result_value(result, seconds, _("finished WAL waits, nothing archived for %s"),
						 ops_duration(seconds));
	else
		ops_result_value(result, 0, "%s", stats->last_archived_timestamp == 0 ?
						 _("nothing to archive yet") :
						 _("all finished WAL is archived"));
}

/*
 * archive_backlog: WAL files that are marked as ready to be archived.
 */
static void
probe_archive_backlog(OpsRun *run, OpsResult *result)
{
	const char *path = XLOGDIR "/archive_status";
	DIR		   *dir;
	struct dirent *entry;
	int			seen = 0;
	int			ready = 0;

	if (refuse_without_archive(run, result))
		return;

	dir = AllocateDir(path);
	while ((entry = ReadDir(dir, path)) != NULL)
	{
		size_t		length = strlen(entry->d_name);

		if (length > 6 && strcmp(entry->d_name + length - 6, ".ready") == 0)
			ready++;
		if (++seen % 256 == 0)
			ops_run_check_budget(run);
	}
	FreeDir(dir);
	ops_result_value(result, ready,
					 ngettext("%d WAL file waits to be archived",
							  "%d WAL files wait to be archived", ready),
					 ready);
}

/*
 * Name the slot that holds back the most WAL.
 */
static void
name_oldest_slot(OpsResult *result, XLogSegNo current)
{
	NameData	name;
	XLogRecPtr	oldest = InvalidXLogRecPtr;
	XLogSegNo	segment;
	double		bytes;
	OpsCulprit *culprit;

	LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
	for (int i = 0; i < max_replication_slots; i++)
	{
		ReplicationSlot *slot = &ReplicationSlotCtl->replication_slots[i];
		XLogRecPtr	kept;

		if (!slot->in_use)
			continue;
		SpinLockAcquire(&slot->mutex);
		kept = ops_compat_slot_invalidated(&slot->data) ?
			InvalidXLogRecPtr : slot->data.restart_lsn;
		SpinLockRelease(&slot->mutex);

		if (!XLogRecPtrIsInvalid(kept) &&
			(XLogRecPtrIsInvalid(oldest) || kept < oldest))
		{
			oldest = kept;
			name = slot->data.name;
		}
	}
	LWLockRelease(ReplicationSlotControlLock);

	if (XLogRecPtrIsInvalid(oldest))
		return;
	XLByteToSeg(oldest, segment, wal_segment_size);
	if (segment >= current)
		return;
	bytes = (double) (current - segment) * wal_segment_size;
	culprit = ops_result_culprit(result, bytes);
	if (culprit)
	{
		culprit->slot = pstrdup(NameStr(name));
		culprit->note = psprintf(_("holds back %.0f MB"), bytes / BYTES_PER_MB);
	}
}

/*
 * Name the WAL file that the archive does not take.
 */
static void
name_waiting_file(OpsRun *run, OpsResult *result, XLogSegNo current)
{
	char		file[MAXFNAMELEN];
	TimestampTz since;
	OpsCulprit *culprit;
	double		bytes = 0;

	if (!archives(run))
		return;
	since = waiting_since(run, pgstat_fetch_stat_archiver(), file);
	if (since == 0)
		return;
	if (IsXLogFileName(file))
	{
		TimeLineID	timeline;
		XLogSegNo	segment;

		XLogFromFileName(file, &timeline, &segment, wal_segment_size);
		if (segment < current)
			bytes = (double) (current - segment) * wal_segment_size;
	}
	culprit = ops_result_culprit(result, bytes);
	if (culprit)
	{
		culprit->name = pstrdup(file);
		culprit->note = psprintf(_("has waited for %s to be archived"),
								 ops_duration(ops_seconds_since(run, since)));
	}
}

/*
 * wal_dir: size of pg_wal, of what the settings let it grow to.
 */
static void
probe_wal_dir(OpsRun *run, OpsResult *result)
{
	double		allowed = Max(max_wal_size_mb, wal_keep_size_mb) * BYTES_PER_MB;
	DIR		   *dir = AllocateDir(XLOGDIR);
	struct dirent *entry;
	double		bytes = 0;
	int			seen = 0;
	TimeLineID	timeline;
	XLogSegNo	current;

	while ((entry = ReadDir(dir, XLOGDIR)) != NULL)
	{
		if (IsXLogFileName(entry->d_name) || IsPartialXLogFileName(entry->d_name))
			bytes += wal_segment_size;
		if (++seen % 256 == 0)
			ops_run_check_budget(run);
	}
	FreeDir(dir);

	current = current_segment(run, &timeline);
	name_oldest_slot(result, current);
	name_waiting_file(run, result, current);
	ops_result_value(result, 100 * bytes / allowed,
					 _("%.0f MB of WAL on disk, %.0f MB allowed for"),
					 bytes / BYTES_PER_MB, allowed / BYTES_PER_MB);
}

/*
 * Add the file system of a directory, unless it is one we have.
 */
static List *
add_file_system(List *systems, const char *directory)
{
	struct stat st;
	struct statvfs fs;
	FileSystem *system;
	ListCell   *cell;

	if (stat(directory, &st) != 0)
	{
		/* A tablespace may have been dropped since we looked. */
		if (errno == ENOENT)
			return systems;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat directory \"%s\": %m", directory)));
	}
	foreach(cell, systems)
	{
		if (((FileSystem *) lfirst(cell))->device == st.st_dev)
			return systems;
	}
	if (statvfs(directory, &fs) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not get the free space of directory \"%s\": %m",
						directory)));

	system = palloc(sizeof(FileSystem));
	system->directory = pstrdup(directory);
	system->device = st.st_dev;
	system->used = (double) (fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	system->available = (double) fs.f_bavail * fs.f_frsize;
	return lappend(systems, system);
}

/*
 * Every file system that the server writes to, the data directory's first.
 */
static List *
read_file_systems(void)
{
	List	   *systems;
	DIR		   *dir;
	struct dirent *entry;

	systems = add_file_system(NIL, DataDir);
	systems = add_file_system(systems, XLOGDIR);
	dir = AllocateDir("pg_tblspc");
	while ((entry = ReadDir(dir, "pg_tblspc")) != NULL)
	{
		char		path[MAXPGPATH];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "pg_tblspc/%s", entry->d_name);
		systems = add_file_system(systems, path);
	}
	FreeDir(dir);
	return systems;
}

static double
percent_used(const FileSystem *system)
{
	return 100 * system->used / Max(system->used + system->available, 1);
}

/*
 * A directory as an administrator knows it: a tablespace by its name.
 */
static const char *
directory_name(const char *directory)
{
	unsigned int oid;
	char	   *name = NULL;

	if (sscanf(directory, "pg_tblspc/%u", &oid) == 1)
		name = get_tablespace_name(oid);
	return name ? psprintf(_("tablespace \"%s\""), name) : directory;
}

static OpsCulprit *
name_file_system(OpsResult *result, const FileSystem *system, double weight)
{
	OpsCulprit *culprit = ops_result_culprit(result, weight);

	if (culprit)
	{
		culprit->name = directory_name(system->directory);
		culprit->note = psprintf(_("%.1f %% used, %.1f GB free"),
								 percent_used(system),
								 system->available / BYTES_PER_GB);
	}
	return culprit;
}

/*
 * disk: the fullest file system, as df sees it.
 */
static void
probe_disk(OpsRun *run, OpsResult *result)
{
	const FileSystem *fullest = NULL;
	ListCell   *cell;

	foreach(cell, read_file_systems())
	{
		const FileSystem *system = lfirst(cell);
		double		percent = percent_used(system);
		OpsCulprit *culprit = name_file_system(result, system, percent);

		if (culprit)
			culprit->value = percent;
		if (fullest == NULL || percent > percent_used(fullest))
			fullest = system;
	}
	if (fullest == NULL)
		elog(ERROR, "data directory \"%s\" is not there", DataDir);
	ops_result_value(result, percent_used(fullest),
					 _("%.1f %% of the fullest file system used, %.1f GB free"),
					 percent_used(fullest), fullest->available / BYTES_PER_GB);
}

/*
 * Bytes that were in use on a file system at a sample's time; false if it
 * was not among those sampled.
 */
static bool
used_then(const OpsSample *sample, dev_t device, double *used)
{
	for (int i = 0; i < SAMPLED_FILE_SYSTEMS; i++)
	{
		/* No counter of a real file system's use is 0. */
		if (sample->counter[SAMPLE_DEVICE(i)] == (int64) device &&
			sample->counter[SAMPLE_USED(i)] > 0)
		{
			*used = sample->counter[SAMPLE_USED(i)];
			return true;
		}
	}
	return false;
}

/*
 * disk_forecast: days until a file system is full, if it goes on as it did
 * since the oldest sample.
 */
static void
probe_disk_forecast(OpsRun *run, OpsResult *result)
{
	List	   *systems = read_file_systems();
	OpsSample	now = {.taken = run->now};
	OpsSample	then;
	double		days;
	double		soonest = get_float8_infinity();
	const char *first = NULL;
	ListCell   *cell;
	bool		known;

	foreach(cell, systems)
	{
		const FileSystem *system = lfirst(cell);
		int			i = foreach_current_index(cell);

		if (i == SAMPLED_FILE_SYSTEMS)
			break;
		now.counter[SAMPLE_DEVICE(i)] = (int64) system->device;
		now.counter[SAMPLE_USED(i)] = (int64) system->used;
	}
	known = ops_memory_recall(InvalidOid, OPS_SERIES_HALF_HOURS, run->now,
							  0, 0, &then);
	ops_memory_remember(InvalidOid, OPS_SERIES_HALF_HOURS, &now);
	if (!known)
	{
		ops_result_unknown(result, OPS_TOO_YOUNG, "%s",
						   ops_memory_available() ? _("needs a second sample") :
						   _("needs a second sample: preload operations_runbook to keep one"));
		return;
	}

	days = (run->now - then.taken) / (USECS_PER_SEC * SECONDS_PER_DAY);
	foreach(cell, systems)
	{
		const FileSystem *system = lfirst(cell);
		double		used;
		double		left;
		OpsCulprit *culprit;

		if (!used_then(&then, system->device, &used) || system->used <= used)
			continue;
		left = system->available / ((system->used - used) / days);
		if (left < soonest)
		{
			soonest = left;
			first = directory_name(system->directory);
		}
		culprit = name_file_system(result, system, -left);
		if (culprit)
			culprit->value = left;
	}
	if (first == NULL)
		ops_result_value(result, get_float8_nan(), _("no file system has grown in the last %s"),
						 ops_duration(days * SECONDS_PER_DAY));
	else
		ops_result_value(result, soonest, _("%s would be full in %.1f days, at the pace of the last %s"),
						 first, soonest, ops_duration(days * SECONDS_PER_DAY));
}

/*
 * checkpoint_age: how old WAL is that a crash now would have to replay, in
 * checkpoint_timeouts.
 *
 * The server skips a checkpoint when there is nothing to write, so the age
 * counts only once a segment of WAL has been written since.
 *
 * A standby can only repeat a checkpoint of its primary, which has taken a
 * timeout by then: so it is allowed twice as long.  And it can do so only as
 * far as it has replayed, so its clock is the last transaction's.
 */
static void
probe_checkpoint_age(OpsRun *run, OpsResult *result)
{
	ControlFileData *control = ops_control_file();
	TimeLineID	timeline;
	XLogSegNo	redo;
	TimestampTz taken;
	double		timeout = CheckPointTimeout * (run->standby ? 2.0 : 1.0);
	double		seconds;

	taken = time_t_to_timestamptz(control->checkPointCopy.time);
	seconds = run->standby ?
		Max(0, (GetLatestXTime() - taken) / (double) USECS_PER_SEC) :
		ops_seconds_since(run, taken);
	XLByteToSeg(control->checkPointCopy.redo, redo, wal_segment_size);
	if (current_segment(run, &timeline) <= redo + 1)
		ops_result_value(result, 0, _("hardly any WAL since the last checkpoint, %s ago"),
						 ops_duration(ops_seconds_since(run, taken)));
	else
		ops_result_value(result, seconds / timeout, run->standby ?
						 _("replay is %s past the last restartpoint, checkpoint_timeout is %s") :
						 _("last checkpoint %s ago, checkpoint_timeout is %s"),
						 ops_duration(seconds), ops_duration(CheckPointTimeout));
}

const OpsCheck ops_storage_checks[] = {
	{
		.name = "wal_dir",
		.title = gettext_noop("size of pg_wal, of what max_wal_size and wal_keep_size allow"),
		.unit = "percent",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.warning = 150,
		.critical = 300,
		.probe = probe_wal_dir,
		.remedy = gettext_noop("SELECT check_name, status, message, remedy FROM ops.checks(\"only\" => '{slot_retained,slot_inactive,archiver,checkpoint_age}');"),
	},
	{
		.name = "archiver",
		.title = gettext_noop("time for which finished WAL has waited to be archived"),
		.unit = "seconds",
		.severity = OPS_P1,
		.warning = 300,
		.critical = 900,
		.probe = probe_archiver,
		.remedy = gettext_noop("SELECT last_failed_wal, last_failed_time, failed_count, current_setting('archive_command') AS archive_command, current_setting('archive_library') AS archive_library FROM pg_stat_archiver;"),
	},
	{
		.name = "archive_backlog",
		.title = gettext_noop("WAL files that wait to be archived"),
		.unit = "files",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_MONITOR,
		.warning = 10,
		.critical = 100,
		.probe = probe_archive_backlog,
		.remedy = gettext_noop("SELECT name, modification FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready' ORDER BY name LIMIT 5;"),
	},
	{
		.name = "disk",
		.title = gettext_noop("use of the fullest file system that the server writes to"),
		.unit = "percent",
		.severity = OPS_P0,
		.audience = OPS_FOR_MONITOR,
		.gates = true,
		.warning = 85,
		.critical = 95,
		.probe = probe_disk,
		.remedy = gettext_noop("SELECT datname, pg_size_pretty(pg_database_size(oid)) FROM pg_database ORDER BY pg_database_size(oid) DESC;"),
	},
	{
		.name = "disk_forecast",
		.title = gettext_noop("time until a file system is full at the present pace"),
		.unit = "days",
		.severity = OPS_P1,
		.audience = OPS_FOR_MONITOR,
		.lower_is_worse = true,
		.warning = 14,
		.critical = 3,
		.probe = probe_disk_forecast,
		.remedy = gettext_noop("SELECT check_name, status, message, remedy FROM ops.checks('deep', '{disk,wal_dir,growth,slot_retained,temp_files}');"),
	},
	{
		.name = "checkpoint_age",
		.title = gettext_noop("age of the last checkpoint, in multiples of checkpoint_timeout"),
		.unit = "timeouts",
		.severity = OPS_P2,
		.warning = 2,
		.critical = 4,
		.probe = probe_checkpoint_age,
		.remedy = gettext_noop("CHECKPOINT;"),
	},
};
const int	ops_storage_count = lengthof(ops_storage_checks);
