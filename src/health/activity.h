/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  What every process of the server is doing, read once for each run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ACTIVITY_H
#define OPS_ACTIVITY_H

#include "core/compat.h"
#include "health/check.h"

typedef struct OpsBackend
{
	int			pid;
	BackendType type;
	Oid			database;
	Oid			role;
	BackendState state;
	TimestampTz started;
	TimestampTz xact_start;		/* 0 outside a transaction */
	TimestampTz query_start;
	TimestampTz state_start;
	TransactionId xid;
	TransactionId xmin;
	bool		in_vacuum;		/* lazy vacuum or logical decoding: its xmin
								 * holds nothing back */
	TimestampTz wait_start;		/* of a heavyweight lock, 0 if none */
	ProgressCommandType progress;
	Oid			progress_relation;
	Oid			progress_index; /* being built */
} OpsBackend;

typedef struct OpsPrepared
{
	TransactionId xid;
	const char *gid;
	TimestampTz prepared;
	Oid			role;
	Oid			database;
} OpsPrepared;

typedef struct OpsActivity
{
	int			count;
	OpsBackend *backend;
	int			nuntracked;		/* clients with track_activities off */
	int			nprepared;
	OpsPrepared *prepared;
	TimestampTz checkpointer_started;	/* 0 if there is none */
} OpsActivity;

extern const OpsActivity *ops_activity(OpsRun *run);
extern void ops_activity_distrust(OpsRun *run, OpsResult *result);

/* WAL up to here exists on this server; see checks_replication.c. */
extern XLogRecPtr ops_wal_position(const OpsRun *run);

extern double ops_seconds_since(const OpsRun *run, TimestampTz then);
extern const char *ops_duration(double seconds);
extern const char *ops_role_name(Oid role);
extern const char *ops_database_name(Oid database);

#endif							/* OPS_ACTIVITY_H */
