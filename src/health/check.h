/*-------------------------------------------------------------------------
 *
 * check.h
 *	  What a check is, and what it can say.
 *
 * A check measures one thing against a limit.  One row in the table of its
 * family adds one (checks_<family>.c), with a page of the same name in
 * pages/.  The runner does the rest: it refuses what the caller may not see
 * or what makes no sense on this server, calls the probe, compares the value
 * with the limits, and turns an error into a result of its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_CHECK_H
#define OPS_CHECK_H

#include "core/report.h"
#include "datatype/timestamp.h"
#include "portability/instr_time.h"
#include "utils/array.h"

struct OpsActivity;
struct OpsCatalog;

/* Ordered by how bad it is. */
typedef enum OpsStatus
{
	OPS_OK,
	OPS_UNKNOWN,
	OPS_WARN,
	OPS_FAIL,
} OpsStatus;

#define OPS_NUM_STATUS	(OPS_FAIL + 1)

typedef enum OpsDepth
{
	OPS_FAST,					/* shared memory and a few system calls */
	OPS_DEEP,					/* looks through the catalogs */
} OpsDepth;

typedef enum OpsWhere
{
	OPS_EVERYWHERE,
	OPS_ON_PRIMARY,
	OPS_ON_STANDBY,
} OpsWhere;

/* Whom the measured fact can be shown to. */
typedef enum OpsAudience
{
	OPS_FOR_ALL,
	OPS_FOR_MONITOR,			/* has the privileges of pg_read_all_stats */
	OPS_FOR_SUPERUSER,
} OpsAudience;

/* Why a result is unknown. */
typedef enum OpsReason
{
	OPS_REASON_NONE,
	OPS_NOT_APPLICABLE,			/* makes no sense on this server */
	OPS_DENIED,					/* the caller may not see it */
	OPS_TOO_YOUNG,				/* no second sample, statistics too young */
	OPS_OUT_OF_BUDGET,
	OPS_LOCKED,					/* what it looks at is locked */
	OPS_FAILED,					/* the measurement failed */
} OpsReason;

#define OPS_MAX_CULPRITS	5

/*
 * Who or what is behind a finding.  Fields that do not apply are 0 or NULL.
 */
typedef struct OpsCulprit
{
	double		weight;			/* sorts culprits, largest first */
	int			pid;
	const char *role;
	const char *database;
	const char *slot;
	const char *schema_name;
	const char *relation;
	const char *name;			/* of anything else */
	const char *note;			/* one fact about it */
	double		value;			/* in the check's unit; NaN if none */
} OpsCulprit;

typedef struct OpsResult
{
	const struct OpsCheck *check;
	OpsStatus	status;
	OpsReason	reason;
	OpsStatus	at_least;		/* whatever the limits say */
	OpsSeverity severity;		/* these four after ops.threshold */
	double		warning;
	double		critical;
	bool		gates;
	double		value;			/* NaN if nothing was measured */
	const char *message;
	const char *remedy;			/* NULL if there is nothing to do */
	int			nculprits;
	OpsCulprit	culprit[OPS_MAX_CULPRITS];
} OpsResult;

/*
 * One run of ops.health() or ops.checks(): what its probes share.
 */
typedef struct OpsRun
{
	MemoryContext context;		/* holds the results and all of the below */
	instr_time	start;
	double		budget_ms;
	TimestampTz now;
	OpsDepth	depth;
	bool		standby;
	bool		monitor;		/* may see other sessions */
	bool		superuser;
	bool		truncated;		/* the budget ran out */
	int			nresults;
	OpsResult  *results;
	const char *note;			/* about the whole run, or NULL */
	List	   *maintenance;	/* see maintenance.h */
	struct OpsActivity *activity;	/* see activity.h */
	struct OpsCatalog *catalog; /* see catalog.h */
} OpsRun;

typedef void (*OpsProbe) (OpsRun *run, OpsResult *result);

typedef struct OpsCheck
{
	const char *name;			/* stable identifier, never renamed */
	const char *title;			/* what it measures; translatable */
	const char *unit;			/* of value and limits */
	OpsSeverity severity;
	OpsDepth	depth;
	OpsWhere	where;
	OpsAudience audience;
	bool		gates;			/* a failure means "send no traffic here" */
	bool		lower_is_worse;
	double		warning;		/* default limits; NaN if there is none */
	double		critical;
	OpsProbe	probe;
	const char *remedy;			/* what to do next: a command; translatable */
} OpsCheck;

typedef struct OpsFamily
{
	const char *name;
	const OpsCheck *checks;
	const int  *count;
} OpsFamily;

/* Ends with a family whose name is NULL. */
extern const OpsFamily ops_family_table[];

/* check.c: words, and the way from a name to a check. */
extern const char *const ops_status_name[];
extern const char *const ops_reason_name[];
extern const OpsCheck *ops_check_find(const char *name);
extern const OpsFamily *ops_family_find(const char *name);
extern const char *ops_check_names(void);

/* result.c: what a probe calls to say what it found. */
extern void ops_result_value(OpsResult *result, double value,
							 const char *format,...) pg_attribute_printf(3, 4);
extern void ops_result_unknown(OpsResult *result, OpsReason reason,
							   const char *format,...) pg_attribute_printf(3, 4);
extern void ops_result_at_least(OpsResult *result, OpsStatus status);
extern void ops_result_remedy(OpsResult *result,
							  const char *format,...) pg_attribute_printf(2, 3);
extern OpsCulprit *ops_result_culprit(OpsResult *result, double weight);
extern void ops_result_judge(OpsResult *result);

/* run.c: a run, and what a probe asks of it in a loop. */
extern OpsRun *ops_run(OpsDepth depth, ArrayType *wanted, Interval *budget);
extern void ops_run_check_budget(OpsRun *run);
extern OpsStatus ops_run_status(const OpsRun *run);
extern double ops_run_elapsed_ms(const OpsRun *run);

/* threshold.c: limits that ops.threshold changes. */
typedef struct OpsThreshold
{
	const OpsCheck *check;
	bool		enabled;
	bool		has_severity;
	OpsSeverity severity;
	bool		has_warning;
	double		warning;
	bool		has_critical;
	double		critical;
	bool		has_gates;
	bool		gates;
} OpsThreshold;

extern int	ops_threshold_read(OpsThreshold **thresholds, const char **note);

/* The families, one file each. */
extern const OpsCheck ops_activity_checks[];
extern const int ops_activity_count;
extern const OpsCheck ops_bloat_checks[];
extern const int ops_bloat_count;
extern const OpsCheck ops_horizon_checks[];
extern const int ops_horizon_count;
extern const OpsCheck ops_indexes_checks[];
extern const int ops_indexes_count;
extern const OpsCheck ops_jobs_checks[];
extern const int ops_jobs_count;
extern const OpsCheck ops_maintenance_checks[];
extern const int ops_maintenance_count;
extern const OpsCheck ops_replication_checks[];
extern const int ops_replication_count;
extern const OpsCheck ops_retention_checks[];
extern const int ops_retention_count;
extern const OpsCheck ops_rls_checks[];
extern const int ops_rls_count;
extern const OpsCheck ops_schema_checks[];
extern const int ops_schema_count;
extern const OpsCheck ops_security_checks[];
extern const int ops_security_count;
extern const OpsCheck ops_sequences_checks[];
extern const int ops_sequences_count;
extern const OpsCheck ops_settings_checks[];
extern const int ops_settings_count;
extern const OpsCheck ops_slots_checks[];
extern const int ops_slots_count;
extern const OpsCheck ops_statistics_checks[];
extern const int ops_statistics_count;
extern const OpsCheck ops_storage_checks[];
extern const int ops_storage_count;
extern const OpsCheck ops_vacuum_checks[];
extern const int ops_vacuum_count;

#endif							/* OPS_CHECK_H */
