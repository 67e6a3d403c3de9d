/*-------------------------------------------------------------------------
 *
 * job.h
 *	  A call that deletes: one or more targets, one after the other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_JOB_H
#define OPS_JOB_H

#include "cleanup/blocks.h"
#include "cleanup/cleanup.h"
#include "core/throttle.h"
#include "storage/itemptr.h"

/* What became of one target. */
typedef struct OpsOutcome
{
	const OpsTarget *target;
	int64		run_id;
	const char *method;
	int64		deleted;
	int64		batches;
	int64		pages;
	int64		wal_bytes;
	double		longest_ms;
	int64		skipped;		/* rows that locks or constraints kept */
	bool		finished;		/* nothing old is left that we know of */
	const char *status;			/* as in ops.cleanup_run */
	const char *stopped;		/* why it is not finished, or NULL */
	const char *error;			/* the message that ended it, or the first
								 * that kept a row; or NULL */
	int			error_code;
	const OpsGuard *guard;		/* that stopped it, or NULL */
} OpsOutcome;

typedef struct OpsJob
{
	bool		may_commit;		/* a procedure outside any transaction */
	MemoryContext context;		/* outlives commits */
	int64		max_rows;		/* left of all targets; -1: no limit */
	TimestampTz stop_at;		/* 0: no limit */
	double		batch_ms;		/* 0: as the policy says */
	int			progress_ms;	/* between lines to the client; 0: none */
	TimestampTz reported;		/* when the last one was sent */
	OpsThrottle throttle;
	bool		compress;		/* ask for compressed WAL */
	int64		job_id;			/* 0 before the first run */
} OpsJob;

/* run.c */
/*
 * The estimate is NULL where nothing could be counted, because of the trouble
 * or, where that is NULL, a guard.
 */
extern OpsOutcome *ops_run_target(OpsJob *job, OpsTarget *target,
								  const OpsEstimate *estimate,
								  const ErrorData *trouble);

/* batch.c: what deletes rows of a target, its plans kept between commits */
typedef struct OpsDeleter OpsDeleter;

typedef struct OpsBatch
{
	int			nruns;
	OpsBlockRun runs[OPS_MAX_RUNS];
	int			pages;
	int64		max_rows;		/* -1: no limit */
	int64		deleted;		/* out */
	int64		kept;			/* out: rows that a trigger keeps */
	BlockNumber *left;			/* out: pages where locked rows stayed */
	int			nleft;
} OpsBatch;

/* Old rows of a page that are still there. */
typedef struct OpsLeft
{
	int			nrows;
	ItemPointerData *rows;
} OpsLeft;

extern OpsDeleter *ops_deleter_create(const OpsTarget *target);

/* The error, if it raised one; what it deleted is undone then. */
extern ErrorData *ops_delete(OpsDeleter *deleter, OpsBatch *batch);
extern ErrorData *ops_delete_unlocked(OpsDeleter *deleter, OpsBatch *batch);
extern ErrorData *ops_list_left(OpsDeleter *deleter, BlockNumber block,
								OpsLeft *left);
extern ErrorData *ops_delete_row(OpsDeleter *deleter, ItemPointer row,
								 int64 *deleted);
extern bool ops_is_lock_error(const ErrorData *error);
extern int	ops_delete_waiters(const OpsDeleter *deleter);

/* Of the advisory lock of a run, as ops.cleanup_progress knows it: "opsr". */
#define RUN_LOCK_CLASS	0x6F707372
#define RUN_LOCK_KIND	3

/* log.c */
extern int	ops_log_runner(Oid relid);
extern int64 ops_log_start(const OpsTarget *target, const char *method,
						   const OpsEstimate *estimate, int64 job_id);
extern bool ops_log_batch(int64 run_id, int64 batch_no,
						  const OpsBatch *batch, double ms);
extern bool ops_log_cancelled(int64 run_id);
extern void ops_log_detaching(int64 run_id, bool detaching);
extern void ops_log_end(const OpsOutcome *outcome);

#endif							/* OPS_JOB_H */
