/*-------------------------------------------------------------------------
 *
 * maintain.h
 *	  A run of maintenance, and its steps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_MAINTAIN_H
#define OPS_MAINTAIN_H

#include "core/throttle.h"
#include "nodes/pg_list.h"

/* Of the advisory lock of a run, as ops.maintenance_progress knows it: "opsm". */
#define MAINTENANCE_LOCK_CLASS	0x6F70736D
#define MAINTENANCE_LOCK_KIND	4

/* A statement, and what became of it. */
typedef struct OpsStep
{
	int			number;			/* in the log */
	const char *task;
	Oid			relid;			/* InvalidOid: about no relation */
	const char *object;
	const char *command;
	const char *reason;
	double		expected_ms;	/* negative: nobody can tell */
	const char *status;			/* as in ops.maintenance_step */
	int			sqlerrcode;
	const char *error;
} OpsStep;

typedef struct OpsMaintenance
{
	MemoryContext context;		/* outlives commits */
	Oid			owner;			/* of the extension */
	Oid			role;			/* in whose name it is done */
	int64		run_id;
	const char *window;			/* NULL: none */
	TimestampTz occurrence;		/* when it opened */
	List	   *tasks;			/* names */
	TimestampTz stop_at;		/* no step goes on for longer, */
	double		grace_ms;		/* but for this */
	double		lock_ms;		/* to wait for a lock on a table */
	double		step_ms;		/* 0: no limit of its own */
	double		cost_delay;		/* ms, of VACUUM and ANALYZE */
	OpsThrottle throttle;
	const char *status;			/* as in ops.maintenance_run */
	const char *stopped;
	int			error_code;
	const char *error;
	int			nsteps;			/* in the log */
	int			done;
	int			skipped;
	int			failed;
	int			late;			/* did not fit, and are among the skipped */
	bool		safe;			/* an error would leave a transaction that can
								 * still be committed */
} OpsMaintenance;

/* steps.c */
extern void ops_maintain(OpsMaintenance *run);

/* runlog.c: what is written down, and read from there */
extern bool ops_runlog_has_run(const OpsMaintenance *run);
extern int	ops_runlog_runner(const OpsMaintenance *run);
extern void ops_runlog_start(OpsMaintenance *run);
extern void ops_runlog_end(const OpsMaintenance *run);
extern List *ops_runlog_plan(const OpsMaintenance *run, List *tasks,
							 Oid about);
extern void ops_runlog_add(OpsMaintenance *run, List *steps);
extern void ops_runlog_step_starts(const OpsMaintenance *run,
								   const OpsStep *step);
extern void ops_runlog_step_ends(const OpsMaintenance *run,
								 const OpsStep *step);

#endif							/* OPS_MAINTAIN_H */
