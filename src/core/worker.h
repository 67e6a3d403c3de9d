/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  One command in a background worker, where it is not part of anybody's
 *	  transaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_WORKER_H
#define OPS_WORKER_H

/* A setting of the worker, that anybody may set. */
typedef struct OpsSetting
{
	const char *name;
	const char *value;
} OpsSetting;

/*
 * Asked now and then while a command runs: why it is to end, or NULL.  May
 * take neither lock nor snapshot.
 */
typedef const char *(*OpsWatch) (void *arg, int pid);

typedef struct OpsCommand
{
	const char *sql;			/* one statement, names with their schemas */
	Oid			role;			/* who runs it */
	const OpsSetting *settings; /* may be NULL; search_path is set always */
	int			nsettings;
	int			timeout_ms;		/* of the statement */
	int			queue_ms;		/* for a lock on a table that others want,
								 * too; 0: no limit of its own */
	OpsWatch	watch;			/* may be NULL */
	void	   *watch_arg;
	const char *database;		/* NULL: this one */
	int			answer_size;	/* bytes at most, its end included; 0: what
								 * the statement returns is dropped */
	bool		independent;	/* can wait for nothing that the caller has */
} OpsCommand;

typedef enum OpsCommandEnd
{
	OPS_COMMAND_DONE,
	OPS_COMMAND_FAILED,			/* raised an error */
	OPS_COMMAND_LATE,			/* was ended by us; what it committed before
								 * stays */
	OPS_COMMAND_DIED,			/* was ended by others, or could not connect */
	OPS_COMMAND_NOT_STARTED,
} OpsCommandEnd;

typedef struct OpsCommandResult
{
	OpsCommandEnd end;
	int			sqlerrcode;		/* all but the first end have one, */
	const char *message;		/* and a message, translated; these may be */
	const char *detail;			/* NULL */
	const char *hint;
	const char *answer;			/* the first column of the first row; NULL if
								 * it is null, or there is none */
} OpsCommandResult;

typedef struct OpsWorker OpsWorker;

extern bool ops_worker_possible(Oid role, OpsCommandResult *why_not);
extern OpsWorker *ops_worker_start(const OpsCommand *command,
								   OpsCommandResult *why_not);
extern void ops_worker_wait(OpsWorker *worker, OpsCommandResult *result);
extern int	ops_worker_detach(OpsWorker *worker, OpsCommandResult *result);
extern void ops_worker_run(const OpsCommand *command,
						   OpsCommandResult *result);

#endif							/* OPS_WORKER_H */
