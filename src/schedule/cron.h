/*-------------------------------------------------------------------------
 *
 * cron.h
 *	  pg_cron: where it is, and what it has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_CRON_H
#define OPS_CRON_H

#include "nodes/pg_list.h"
#include "schedule/expression.h"

typedef struct OpsCron
{
	const char *database;		/* where it keeps its jobs */
	bool		here;			/* which is this one */
	bool		keeps_runs;		/* cron.log_run is on */
	OpsCronClock clock;
} OpsCron;

/* A job, and what became of its runs as far as that is on record. */
typedef struct OpsCronJob
{
	int64		id;
	const char *name;			/* NULL: it has none */
	const char *database;
	const char *role;
	const char *schedule;
	const char *command;
	bool		active;

	/* The newest run; a NULL status: there is none. */
	const char *last_status;	/* succeeded, failed, interrupted, running */
	const char *last_message;
	TimestampTz last_start;		/* 0: not known, as is an end */
	TimestampTz last_end;

	/* All that are on record. */
	int			running;
	TimestampTz running_since;	/* the first of them; 0 */
	bool		finished;		/* some run is over, whatever its end */
	int			failures;		/* since one succeeded */
	bool		interrupted;	/* the newest of the failures was */
	TimestampTz failed_at;		/* that one's end; 0: not known */
} OpsCronJob;

/* A job to be made. */
typedef struct OpsCronEntry
{
	const char *name;
	const char *schedule;
	const char *command;
	const char *database;
} OpsCronEntry;

/* False if the server has none, or one that keeps its jobs nowhere. */
extern bool ops_cron_find(OpsCron *cron);
extern void ops_cron_absent(OpsCron *cron);

/* The same, but raises 55000 with what is to be done. */
extern void ops_cron_demand(OpsCron *cron);
extern bool ops_cron_launcher_runs(void);

/*
 * The jobs that the caller may see, or those that the owner of pg_cron's
 * tables sees, of these names or, without any, all.
 */
extern OpsCronJob *ops_cron_read(const OpsCron *cron, bool as_owner,
								 List *names, int *count);

/* Both as the caller, all or none. */
extern void ops_cron_schedule(const OpsCron *cron, List *entries);
extern void ops_cron_unschedule(const OpsCron *cron, List *jobs);

#endif							/* OPS_CRON_H */
