/*-------------------------------------------------------------------------
 *
 * run.h
 *	  One table whose old rows are being deleted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RUN_H
#define OPS_RUN_H

#include "cleanup/job.h"
#include "portability/instr_time.h"

typedef struct OpsCleaning
{
	OpsJob	   *job;
	OpsTarget  *target;
	OpsOutcome *outcome;
	OpsDeleter *deleter;
	const OpsEstimate *estimate;	/* NULL: none was made */
	OpsBlocks  *blocks;
	BlockNumber end;			/* pages of the table when it was looked at */
	Oid			file;			/* whose pages these are */
	bool		rewritten;		/* the table has another file now */
	MemoryContext own;
	MemoryContext per_batch;
	int			pages;			/* of the next batch */
	double		ms_per_row;		/* of what was deleted so far, or a guess */
	double		rows_per_page;	/* at most, as far as we know */
	instr_time	started;		/* the batch */
	int64		wal_before;
	int64		kept;			/* rows that triggers keep */
	int			nleft;
	int			space;			/* for pages */
	BlockNumber *left;			/* pages to visit again */
	bool		others;			/* work on the server, too */
	bool		safe;			/* an error would leave a transaction that can
								 * still be committed */
} OpsCleaning;

/* pace.c: when a batch may begin, and how large it is */
extern bool ops_may_go_on(OpsCleaning *run);
extern bool ops_lock_target(OpsCleaning *run);
extern bool ops_begin_batch(OpsCleaning *run, OpsBatch *batch);
extern bool ops_finish_batch(OpsCleaning *run, OpsBatch *batch);
extern void ops_commit_run(OpsCleaning *run);
extern void ops_fail_run(OpsCleaning *run, const ErrorData *error);
extern void ops_stop_run(OpsCleaning *run, const char *why);
extern void ops_cancel_run(OpsCleaning *run);

/* detach.c: a partition leaves its table without a lock on that */
extern void ops_detach(OpsCleaning *run);
extern void ops_detach_settle(OpsCleaning *run);

/* kept.c: rows that cannot go now, and those that need not stay with them */
extern bool ops_is_of_rows(const ErrorData *error);
extern bool ops_delete_pages(OpsCleaning *run, const OpsBatch *batch);
extern void ops_set_aside(OpsCleaning *run, BlockNumber block);
extern bool ops_visit_again(OpsCleaning *run);

/* Pages that are set aside; the run stops beyond. */
#define OPS_MOST_LEFT	(1024 * 1024)

#endif							/* OPS_RUN_H */
