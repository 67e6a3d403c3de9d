/*-------------------------------------------------------------------------
 *
 * cleanup.h
 *	  What the parts of the room tell each other: a policy, the tables that
 *	  it is about, what stands against it, and what a run did.
 *
 * A policy (OpsRetention) comes from ops.retention_policy or from the
 * arguments of one call.  It is about one table or many: each table whose own
 * rows are deleted is a target (OpsTarget), a partition and an inheritance
 * child as well.  All of them live in the memory context that was current
 * when they were made, which has to survive the commits of a run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_CLEANUP_H
#define OPS_CLEANUP_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/block.h"
#include "utils/timestamp.h"

/* How a column tells the time of its row. */
typedef enum OpsTimeFormat
{
	OPS_TIME_DATE,
	OPS_TIME_TIMESTAMP,
	OPS_TIME_TIMESTAMPTZ,
	OPS_TIME_EPOCH_S,			/* a number since 1970, in seconds, */
	OPS_TIME_EPOCH_MS,			/* milliseconds */
	OPS_TIME_EPOCH_US,			/* or microseconds */
	OPS_TIME_UUID_V7,
	OPS_TIME_ULID,
	OPS_TIME_SNOWFLAKE,			/* milliseconds since an epoch, times 2^22 */
} OpsTimeFormat;

/* What becomes of a partition all of whose rows are old. */
typedef enum OpsPartitions
{
	OPS_PARTITIONS_DROP,
	OPS_PARTITIONS_DETACH,		/* and keep */
	OPS_PARTITIONS_ROWS,		/* treat it as any other table */
} OpsPartitions;

typedef struct OpsRetention
{
	const char *name;			/* NULL: of one call */
	Oid			relation;		/* InvalidOid: those that fit the */
	const char *pattern;		/* pattern, as psql's \d takes it */
	const char *time_column;	/* a column's name, not quoted, or NULL for */
	const char *time_expression;	/* SQL over the row */
	const char *time_format;	/* as given; NULL: by the type */
	TimestampTz snowflake_epoch;
	Interval   *keep;
	Interval   *min_keep;		/* the guard keep_floor; no row younger goes,
								 * whatever keep_for says */
	const char *condition;		/* SQL over the row, or NULL: all rows */
	const char *hold;			/* SQL: rows that never go, or NULL */
	const char *keep_for;		/* SQL: the row's own interval, or NULL */
	bool		null_is_old;	/* rows whose time is null go, too */
	Oid			archive;		/* table they move to, or InvalidOid */
	OpsPartitions partitions;
	double		max_share;		/* percent of a table */
	int64		row_cap;		/* rows of a table; 0: none */
	double		batch_ms;		/* what a batch should take */
	List	   *overrides;		/* names of guards that shall not stop it */
	bool		enabled;
	Oid			run_as;			/* the role whose rights count */
	const char *time_zone;		/* NULL: the session's */
} OpsRetention;

/*
 * What stands against deleting from a target.  Guards have names; those with
 * "never" set cannot be overridden.
 */
typedef struct OpsGuard
{
	const char *name;
	bool		never;			/* no override helps */
	bool		overridden;
	const char *message;		/* translated, a whole clause */
	const char *remedy;			/* translated sentence, may hold a command */
} OpsGuard;

/* A foreign key of another table (or its own) that refers to the target. */
typedef struct OpsReference
{
	Oid			relation;		/* the referencing table */
	const char *constraint;
	char		action;			/* FKCONSTR_ACTION_... on delete */
	bool		indexed;		/* referencing columns lead a valid index */
	bool		deferrable;
	bool		large;			/* a sequential scan of it takes its time */
	int			depth;			/* 0: refers to the target itself; else to a
								 * table that the deletion cascades to */
	const char *create_index;	/* command, if not indexed */
} OpsReference;

typedef struct OpsTarget
{
	const OpsRetention *policy;
	Oid			relid;
	Oid			root;			/* topmost partitioned or inheritance parent
								 * the policy named, or relid */
	const char *name;			/* schema.table, quoted */
	const char *alias;			/* quoted name that expressions may use: the
								 * root's */
	Oid			owner;
	Oid			run_as;
	char		relkind;
	char		persistence;
	OpsTimeFormat format;
	TimestampTz now;			/* when "now" was for the policy */
	TimestampTz cutoff;			/* rows from before it are old */
	const char *time_sql;		/* the column or expression, quoted */
	Oid			time_type;		/* its base type */

	/*
	 * The rows to delete, as SQL over the row, all literals inside: time,
	 * condition, hold, per-row interval.
	 */
	const char *predicate;

	/*
	 * The superset of them that an index finds: time_sql < bound, with the
	 * bound a literal of time_type (a Datum as well, for index scans).
	 * Reaches to the youngest row that keep_for could make old.
	 */
	const char *bound_sql;
	Datum		bound;

	Oid			index;			/* whose first column is the time, or
								 * InvalidOid: sweep all pages */
	const char *create_index;	/* command, if there is none */

	BlockNumber blocks;			/* of the main fork now */
	double		reltuples;		/* as the catalog says, -1 if never analyzed */
	bool		expired;		/* a partition whose bounds say that all of it
								 * is old and nothing is held back */
	bool		young;			/* one that can hold no old row */
	bool		detaching;		/* a run began to take it off its table, and
								 * may have done so */
	bool		has_deferrable; /* triggers that can wait for the commit */
	bool		has_rules;
	bool		instead_rule;
	List	   *references;		/* of OpsReference */
	int			ntriggers;		/* all of the table itself, of keys as well */
	List	   *triggers;		/* of users, that deleting fires: strings */
	List	   *guards;			/* of OpsGuard */

	/*
	 * What was found when the target was looked at.  While another process
	 * keeps it locked, nothing is known of its index, and if the time is an
	 * expression, there is no predicate.
	 */
	bool		locked;
	int			holder;			/* its pid, 0 if not known */
	bool		unidentified;	/* published, but its deletions cannot be */
	const char *problem;		/* why policy and table do not fit each other:
								 * there is no predicate */
	const char *archive_problem;	/* why rows cannot be archived */

	/* Of archived rows: columns by name, quoted, comma-separated. */
	const char *archive_name;	/* NULL: not archived */
	const char *archive_columns;
} OpsTarget;

/* How many rows a target would lose. */
typedef struct OpsEstimate
{
	double		rows;
	double		low;			/* 95 % interval */
	double		high;
	double		total;			/* rows of the table */
	double		bytes;			/* of the rows to go */
	double		pages;			/* that hold some of them */
	bool		exact;
} OpsEstimate;

/* retention.c: policies */
extern OpsRetention *ops_retention_by_name(const char *name);
extern List *ops_retention_all(void);
extern OpsRetention *ops_retention_defaults(void);
extern void ops_retention_demand_right(const OpsRetention *policy);
extern Oid	ops_retention_default_role(Oid relation);

/* pattern.c: the tables that a policy names, without partitions of them */
extern List *ops_retention_tables(const OpsRetention *policy);

/* call.c: the policy that the arguments of one call make */
extern OpsRetention *ops_retention_of_call(Oid relation,
										   const char *time_column,
										   const Interval *keep,
										   const char *condition,
										   const char *hold,
										   const char *time_format,
										   Oid archive, List *overrides);

/* expression.c: SQL that users give */
extern char *ops_expression_check(Oid relation, const char *sql, Oid type,
								  const char *what);

/* clock.c: when a row is old */
extern void ops_clock_set(OpsTarget *target);

/* target.c: the tables of a policy, and what stands against them */
extern List *ops_cleanup_targets(const OpsRetention *policy, TimestampTz now);

/* log.c: partitions that earlier runs of a policy began to detach */
extern List *ops_log_detachings(const char *policy_name);

/* guard.c */
extern void ops_cleanup_guards(OpsTarget *target);
extern void ops_cleanup_weigh(OpsTarget *target, const OpsEstimate *estimate);
extern void ops_cleanup_weigh_all(List *targets, List *estimates);
extern const OpsGuard *ops_cleanup_stop(const OpsTarget *target);
extern void ops_cleanup_check_overrides(List *names);

/* estimate.c */
extern void ops_cleanup_estimate(const OpsTarget *target, bool exact,
								 OpsEstimate *estimate);

/* detach.c: whether a partition can go without a lock on its table */
extern bool ops_cleanup_concurrent(const OpsTarget *target,
								   const char **why_not);

/* partition.c: a whole partition goes; false, with the reason, if not now */
extern bool ops_cleanup_partition(const OpsTarget *target, bool may_commit,
								  const char **reason);

#endif							/* OPS_CLEANUP_H */
