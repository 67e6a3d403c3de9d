/*-------------------------------------------------------------------------
 *
 * throttle.h
 *	  Signs that the server has more urgent work than ours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_THROTTLE_H
#define OPS_THROTTLE_H

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* Limits are 0 where there is none. */
typedef struct OpsThrottle
{
	Oid			owner;			/* of the extension: who may see standbys */
	double		duty;			/* share of the time to work, 0 .. 1; 0: all
								 * of it as long as nobody else works */
	int64		max_lag_bytes;
	double		max_lag_ms;
	List	   *standbys;		/* names to look at; NIL: all connected */
	int64		max_wal_rate;	/* bytes a second, of the whole server */
	int			max_sessions;	/* that work, besides us */
	int			max_waiters;	/* that wait for locks, of anybody */
	bool		yield_to_checkpoints;
	bool		stop;			/* at the first sign; else wait */

	TimestampTz looked;			/* when the signs were last read */
	XLogRecPtr	wal_position;	/* then */
	TransactionId next_xid;		/* when others were last looked for, or
								 * invalid */
	TimestampTz others_seen;	/* 0: never */
} OpsThrottle;

/* The sign, in words, or NULL; looks no more than a few times a second. */
extern const char *ops_throttle_sign(OpsThrottle *throttle);

/* Whether others have worked lately; to be asked before each of our commits. */
extern bool ops_throttle_others(OpsThrottle *throttle);

/* Wait, outside any transaction, and be interruptible. */
extern void ops_throttle_sleep(double ms);

#endif							/* OPS_THROTTLE_H */
