/*-------------------------------------------------------------------------
 *
 * probe.h
 *	  Who a probe pretends to be, and which rows are then foreign.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PROBE_H
#define OPS_PROBE_H

#include "rls/tenancy.h"

/* A column that policies compare with what a session says about itself. */
typedef struct OpsProbeBinding
{
	OpsRlsRelation *relation;
	AttrNumber	column;
	OpsSource  *source;
} OpsProbeBinding;

/* What all probes of a call share. */
typedef struct OpsProbePlan
{
	OpsRlsAudit *audit;
	List	   *bindings;		/* OpsProbeBinding */
	List	   *roots;			/* OpsSource: settings that a probe sets */
	const char **constants;		/* by source: what policies compare it with */
	OpsSource  *only_tenant;	/* the only source that names a tenant */
	const char *unset_obstacle; /* a setting that was set before, or NULL */
	List	   *tenants;		/* char *: two, or NIL */
} OpsProbePlan;

/* Somebody of one tenant. */
typedef struct OpsProbePerson
{
	const char **row;			/* a row of his, by place of the key column */
	const char **values;		/* by source: what his session says */
	List	   *own;			/* char *: values in his rows */
	List	   *foreign;		/* of links: values in others' rows */
	struct OpsProbePerson *other;	/* whom he claims to be where he can */
} OpsProbePerson;

/* A relation, and two persons to look at it. */
typedef struct OpsProbeTarget
{
	OpsRlsRelation *relation;
	int			ncolumns;
	AttrNumber *columns;		/* the first one tells tenants apart */
	int			nkeys;			/* after these, what else policies ask for */
	AttrNumber	user_column;	/* one of them that names a user, or 0 */
	OpsRlsForeignKey *link;		/* the first column refers to tenant data */
	OpsSource  *only_source;	/* the only one that its policies ask */
	bool		by_role;		/* the tenant is the role itself */
	OpsProbePerson person[2];
	const char *obstacle;		/* why there are no two, or NULL */
	bool		locked;			/* that is why */
} OpsProbeTarget;

/*
 * Rows of a relation, as the caller.
 */
/* Takes the columns of one row as text; false: that is enough. */
typedef bool (*OpsProbeTaker) (const char **row, void *arg);

typedef struct OpsProbeReader
{
	const OpsRlsRelation *relation;
	int			ncolumns;
	const AttrNumber *columns;
	OpsProbeTaker take;
	void	   *arg;
	int			rows_left;
	bool		enough;
	const char *obstacle;		/* why not all was read, or NULL */
	bool		locked;			/* that is why */
} OpsProbeReader;

/* probe_read.c */
extern void ops_probe_read(OpsProbeReader *reader);

/* probe_identity.c */
extern void ops_probe_plan(OpsProbePlan *plan);
extern bool ops_probe_is_bound(const OpsProbePlan *plan,
							   const OpsRlsRelation *relation,
							   AttrNumber column, const OpsSource *source);
extern bool ops_probe_names_user(const OpsProbePlan *plan,
								 const OpsRlsRelation *relation,
								 AttrNumber column);
extern OpsSource *ops_probe_only_source(const OpsRlsRelation *relation);
extern void ops_probe_become(const OpsProbePlan *plan,
							 const OpsProbePerson *person);

/* probe_rows.c */
extern OpsProbeTarget *ops_probe_target(const OpsProbePlan *plan,
										OpsRlsRelation *relation);
extern void ops_probe_find_persons(const OpsProbePlan *plan,
								   OpsProbeTarget *target);

/* What a session says about itself while it is probed. */
typedef enum OpsProbeState
{
	PROBE_AS_A,
	PROBE_AS_B,
	PROBE_EMPTY,
	PROBE_UNSET,
} OpsProbeState;

#define OPS_PROBE_STATES	(PROBE_UNSET + 1)

/* What a probe found out; without an outcome there was none. */
typedef struct OpsProbeAnswer
{
	const char *outcome;
	bool		looked;			/* what follows is known */
	bool		own;
	bool		foreign;
	bool		ownerless;		/* rows whose tenant is null */
	bool		contradicts;
	const char *message;
	const char *remedy;
	const char *statement;
	const char *sqlstate;
} OpsProbeAnswer;

/* probe_query.c: within a subtransaction that will be rolled back */
extern void ops_probe_ask(const OpsProbePlan *plan,
						  const OpsProbeTarget *target,
						  const OpsRlsRole *role, OpsProbeState state,
						  OpsProbeAnswer *answer);
extern void ops_probe_set(const char *name, const char *value);

#endif							/* OPS_PROBE_H */
