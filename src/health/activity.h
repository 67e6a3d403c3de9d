/*-------------------------------------------------------------------------
 *
 * activity.h
 *	  What every process of the server is doing, read once for each run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ACTIVITY_H
#define OPS_ACTIVITY_H

#include "core/process.h"
#include "core/words.h"
#include "health/check.h"

extern const OpsActivity *ops_activity(OpsRun *run);
extern void ops_activity_distrust(OpsRun *run, OpsResult *result);

/* WAL up to here exists on this server; see checks_replication.c. */
extern XLogRecPtr ops_wal_position(const OpsRun *run);

extern double ops_seconds_since(const OpsRun *run, TimestampTz then);
extern const char *ops_role_name(Oid role);
extern const char *ops_database_name(Oid database);

#endif							/* OPS_ACTIVITY_H */
