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
#include "access/xlogrecovery.h"
#include "catalog/pg_control.h"
#include "common/controldata_utils.h"
#include "core/memory.h"
#include "health/activity.h"
#include "postmaster/bgwriter.h"
#include "storage/fd.h"
#include "storage/lwlock.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#define BYTES_PER_MB	(1024.0 * 1024.0)
#define BYTES_PER_GB	(1024.0 * 1024.0 * 1024.0)
#define SECONDS_PER_DAY	86400.0

/* Counters of the cluster's half-hourly sample. */
enum
{
	SAMPLE_DATA_USED,
	SAMPLE_WAL_USED,
};

typedef struct FileSystem
{
	const char *directory;
	dev_t		device;
	double		used;
	double		available;		/* to us, as df counts it */
} FileSystem;

/* The data directory, pg_wal, and tablespaces as far as there is room. */
#define MAX_FILE_SYSTEMS	32

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

	while ((entry = ReadDir(dir, XLOGDIR)) != NULL)
	{
		if (IsXLogFileName(entry->d_name) || IsPartialXLogFileName(entry->d_name))
			bytes += wal_segment_size;
	}
	FreeDir(dir);
	ops_result_value(result, 100 * bytes / allowed,
					 _("%.0f MB of WAL on disk, %.0f MB allowed for"),
					 bytes / BYTES_PER_MB, allowed / BYTES_PER_MB);
}

/*
 * The segment that WAL is being written to.
 */
static XLogSegNo
current_segment(const OpsRun *run)
{
	XLogRecPtr	position = run->standby ? GetXLogReplayRecPtr(NULL) :
		GetXLogInsertRecPtr();
	XLogSegNo	segment;

	XLByteToSeg(position, segment, wal_segment_size);
	return segment;
}

/*
 * Finished segments that follow the last one archived.
 */
static double
segments_waiting(const OpsRun *run, const PgStat_ArchiverStats *stats)
{
	XLogSegNo	now = current_segment(run);
	XLogSegNo	archived;
	TimeLineID	timeline;

	/* Backup labels and timeline histories are archived, too. */
	if (!IsXLogFileName(stats->last_archived_wal))
		return 0;
	XLogFromFileName(stats->last_archived_wal, &timeline, &archived,
					 wal_segment_size);
	return now > archived + 1 ? (double) (now - archived - 1) : 0;
}

/*
 * archiver: for how long finished WAL has waited to be archived.
 */
static void
probe_archiver(OpsRun *run, OpsResult *result)
{
	PgStat_ArchiverStats *stats = pgstat_fetch_stat_archiver();
	TimestampTz since = Max(stats->last_archived_timestamp, PgStartTime);
	double		seconds = ops_seconds_since(run, since);
	double		waiting;

	if (XLogArchiveMode == ARCHIVE_MODE_OFF)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: archive_mode is off"));
		return;
	}
	if (run->standby && XLogArchiveMode != ARCHIVE_MODE_ALWAYS)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: this standby does not archive"));
		return;
	}

	if (stats->last_failed_timestamp > stats->last_archived_timestamp)
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, seconds, _("archiving fails: nothing archived for %s"),
						 ops_duration(seconds));
		if (run->monitor)
		{
			OpsCulprit *culprit = ops_result_culprit(result, seconds);

			culprit->name = pstrdup(stats->last_failed_wal);
			culprit->note = psprintf(_("failed %s ago"),
									 ops_duration(ops_seconds_since(run, stats->last_failed_timestamp)));
		}
		return;
	}

	waiting = segments_waiting(run, stats);
	if (waiting == 0)
		ops_result_value(result, 0, "%s", stats->last_archived_timestamp == 0 ?
						 _("nothing to archive yet") :
						 _("all finished WAL is archived"));
	else
		ops_result_value(result, seconds, _("%.0f finished WAL segments wait, nothing archived for %s"),
						 waiting, ops_duration(seconds));
}

/*
 * archive_backlog: WAL files that are marked as ready to be archived.
 */
static void
probe_archive_backlog(OpsRun *run, OpsResult *result)
{
	const char *path = XLOGDIR "/archive_status";
	DIR		   *dir = AllocateDir(path);
	struct dirent *entry;
	int			ready = 0;

	while ((entry = ReadDir(dir, path)) != NULL)
	{
		size_t		length = strlen(entry->d_name);

		if (length > 6 && strcmp(entry->d_name + length - 6, ".ready") == 0)
			ready++;
		CHECK_FOR_INTERRUPTS();
	}
	FreeDir(dir);
	ops_result_value(result, ready,
					 ngettext("%d WAL file waits to be archived",
							  "%d WAL files wait to be archived", ready),
					 ready);
}

/*
 * Add the file system of a directory, unless it is one we have.
 */
static int
add_file_system(FileSystem *systems, int count, const char *directory)
{
	struct stat st;
	struct statvfs fs;
	FileSystem *system = &systems[count];

	if (count == MAX_FILE_SYSTEMS || stat(directory, &st) != 0)
		return count;
	for (int i = 0; i < count; i++)
	{
		if (systems[i].device == st.st_dev)
			return count;
	}
	if (statvfs(directory, &fs) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not get the free space of directory \"%s\": %m",
						directory)));
	system->directory = pstrdup(directory);
	system->device = st.st_dev;
	system->used = (double) (fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	system->available = (double) fs.f_bavail * fs.f_frsize;
	return count + 1;
}

/*
 * Every file system that the server writes to, the data directory's first.
 */
static int
read_file_systems(FileSystem *systems)
{
	DIR		   *dir;
	struct dirent *entry;
	int			count;

	count = add_file_system(systems, 0, ".");
	count = add_file_system(systems, count, XLOGDIR);
	dir = AllocateDir("pg_tblspc");
	while ((entry = ReadDir(dir, "pg_tblspc")) != NULL)
	{
		char		path[MAXPGPATH];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "pg_tblspc/%s", entry->d_name);
		count = add_file_system(systems, count, path);
	}
	FreeDir(dir);
	return count;
}

static double
percent_used(const FileSystem *system)
{
	return 100 * system->used / Max(system->used + system->available, 1);
}

static void
name_file_system(OpsResult *result, const FileSystem *system, double weight)
{
	OpsCulprit *culprit = ops_result_culprit(result, weight);

	if (culprit == NULL)
		return;
	culprit->name = strcmp(system->directory, ".") == 0 ? DataDir :
		system->directory;
	culprit->value = percent_used(system);
	culprit->note = psprintf(_("%.1f GB free"), system->available / BYTES_PER_GB);
}

/*
 * disk: the fullest file system, as df sees it.
 */
static void
probe_disk(OpsRun *run, OpsResult *result)
{
	FileSystem	systems[MAX_FILE_SYSTEMS];
	int			count = read_file_systems(systems);
	const FileSystem *fullest = &systems[0];

	for (int i = 0; i < count; i++)
	{
		if (percent_used(&systems[i]) > percent_used(fullest))
			fullest = &systems[i];
		name_file_system(result, &systems[i], percent_used(&systems[i]));
	}
	ops_result_value(result, percent_used(fullest),
					 _("%.1f %% of the fullest file system used, %.1f GB free"),
					 percent_used(fullest), fullest->available / BYTES_PER_GB);
}

/*
 * disk_forecast: days until the data directory's or pg_wal's file system is
 * full, if it goes on as it did since the oldest sample.
 */
static void
probe_disk_forecast(OpsRun *run, OpsResult *result)
{
	FileSystem	systems[MAX_FILE_SYSTEMS];
	FileSystem	wal;
	OpsSample	now = {.taken = run->now};
	OpsSample	then;
	double		days;
	double		worst = get_float8_infinity();
	bool		known;

	(void) add_file_system(systems, 0, ".");
	(void) add_file_system(&wal, 0, XLOGDIR);
	systems[1] = wal;
	now.counter[SAMPLE_DATA_USED] = (int64) systems[0].used;
	now.counter[SAMPLE_WAL_USED] = (int64) systems[1].used;

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
	for (int i = 0; i < 2; i++)
	{
		double		grown = now.counter[i] - then.counter[i];
		double		left;

		if (grown <= 0)
			continue;
		left = systems[i].available / (grown / days);
		worst = Min(worst, left);
		if (i == 0 || systems[1].device != systems[0].device)
			name_file_system(result, &systems[i], -left);
	}
	if (isinf(worst))
		ops_result_value(result, get_float8_nan(), _("no growth in the last %s"),
						 ops_duration(days * SECONDS_PER_DAY));
	else
		ops_result_value(result, worst, _("full in %s at the pace of the last %s"),
						 ops_duration(Min(worst, 36500) * SECONDS_PER_DAY),
						 ops_duration(days * SECONDS_PER_DAY));
}

/*
 * checkpoint_age: age of the last checkpoint, in checkpoint_timeouts.
 *
 * The server skips a checkpoint when there is nothing to write, so the age
 * counts only once a segment of WAL has been written since.  On a standby
 * the last checkpoint is the one its recovery would start from.
 */
static void
probe_checkpoint_age(OpsRun *run, OpsResult *result)
{
	ControlFileData *control;
	XLogSegNo	redo;
	bool		crc_ok;
	double		seconds;

	LWLockAcquire(ControlFileLock, LW_SHARED);
	control = get_controlfile(DataDir, &crc_ok);
	LWLockRelease(ControlFileLock);
	if (!crc_ok)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the control file is corrupt")));

	seconds = ops_seconds_since(run,
								time_t_to_timestamptz(control->checkPointCopy.time));
	XLByteToSeg(control->checkPointCopy.redo, redo, wal_segment_size);
	if (current_segment(run) <= redo + 1)
		ops_result_value(result, 0, _("hardly any WAL since the last checkpoint, %s ago"),
						 ops_duration(seconds));
	else
		ops_result_value(result, seconds / CheckPointTimeout,
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
		.remedy = gettext_noop("SELECT last_failed_wal, last_failed_time, failed_count, current_setting('archive_command') FROM pg_stat_archiver;"),
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
