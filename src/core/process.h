/*-------------------------------------------------------------------------
 *
 * process.h
 *	  What every process of the server is doing, and what was prepared.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PROCESS_H
#define OPS_PROCESS_H

#include "core/compat.h"

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
	bool		everywhere;		/* its xmin counts in every database */
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

extern OpsActivity *ops_activity_read(void);

#endif							/* OPS_PROCESS_H */
