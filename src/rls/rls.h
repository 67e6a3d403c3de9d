/*-------------------------------------------------------------------------
 *
 * rls.h
 *	  What an audit of row security knows, and what its parts ask of each
 *	  other.
 *
 * An audit reads the catalogs once (snapshot.c), finds out who uses the
 * database (roles.c) and what tells tenants apart (tenancy.c), turns every
 * policy into a formula (formula.c), and then decides, table by table, what
 * each role's statements can reach (gate.c, solve.c).  The other rules look
 * at the same snapshot: objects_*.c, performance.c.  Everything lives in the
 * audit's memory context and goes with it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RLS_H
#define OPS_RLS_H

#include "catalog/pg_class.h"
#include "core/report.h"
#include "datatype/timestamp.h"
#include "nodes/bitmapset.h"
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/snapshot.h"

struct OpsFormula;

/* finding codes: one row each in ops_rls_code_table (codes.c) */
typedef enum OpsRlsCodeId
{
	RLS_DISABLED,
	POLICY_EXISTS_RLS_DISABLED,
	PARTITION_CHILD_UNPROTECTED,
	INHERITANCE_CHILD_UNPROTECTED,
	MATERIALIZED_VIEW_EXPOSED,
	FOREIGN_TABLE_EXPOSED,
	VIEW_BYPASSES_RLS,
	VIEW_WITHOUT_SECURITY_BARRIER,
	SECURITY_DEFINER_BYPASSES_RLS,
	FUNCTION_SEARCH_PATH_MUTABLE,
	LEAKPROOF_USER_FUNCTION,
	BYPASSRLS_REACHABLE,
	OWNER_REACHABLE,
	RLS_NOT_FORCED,
	TRUNCATE_GRANTED,
	REFERENCES_TRIGGER_GRANTED,
	DEFAULT_PRIVILEGES_EXPOSED,
	LARGE_OBJECT_EXPOSED,
	SEQUENCE_EXPOSED,
	POLICY_ALWAYS_TRUE,
	POLICY_SELF_COMPARISON,
	POLICY_UNCORRELATED_SUBQUERY,
	POLICY_NOT_TENANT_BOUND,
	PERMISSIVE_OR_WIDENING,
	WRITE_CHECK_NOT_TENANT_BOUND,
	POLICY_DEFAULT_OPEN,
	POLICY_NULL_TENANT_VISIBLE,
	POLICY_WRONG_IDENTITY,
	POLICY_ROLE_IDENTITY,
	POLICY_TRUSTS_USER_METADATA,
	POLICY_PATTERN_MATCH_IDENTITY,
	POLICY_LOOKUP_WRITABLE,
	POLICY_IMMUTABLE_SESSION_FUNCTION,
	POLICY_RECURSION,
	RESTRICTIVE_ONLY,
	RLS_ENABLED_NO_POLICY,
	RESTRICTIVE_POLICY_NOOP,
	POLICY_IDENTITY_INCONSISTENT,
	POLICY_OPAQUE_FUNCTION,
	UNIQUE_SIDE_CHANNEL,
	FK_SIDE_CHANNEL,
	POLICY_DENIES_ALL,
	POLICY_REDUNDANT,
	RLS_DISABLED_UNREACHABLE,
	SERVER_RLS_CVE,
	INSERT_RETURNING_DENIED,
	PUBLICATION_IGNORES_RLS,
	SETTING_USER_WRITABLE,
	TENANCY_ASSUMED,
	RELATION_LOCKED,
	NOT_VISIBLE,
	PROOF_CONTRADICTED,
	PERF_POLICY_INITPLAN,
	PERF_POLICY_UNINDEXED_COLUMN,
	PERF_POLICY_INDEX_DEFEATED,
	PERF_POLICY_PER_ROW_FUNCTION,
	PERF_POLICY_VOLATILE_FUNCTION,
	PERF_POLICY_CORRELATED_SUBQUERY,
	PERF_MULTIPLE_PERMISSIVE_POLICIES,
	PERF_POLICY_TO_PUBLIC,
} OpsRlsCodeId;

#define OPS_RLS_NUM_CODES	(PERF_POLICY_TO_PUBLIC + 1)

typedef struct OpsRlsCode
{
	const char *name;			/* stable identifier, never renamed */
	OpsSeverity severity;		/* where nothing softens it */
	bool		performance;	/* else security */
	const char *splinter;		/* Supabase's name for it, or NULL */
	const char *title;			/* what it means; translatable */
} OpsRlsCode;

extern const OpsRlsCode ops_rls_code_table[];

typedef struct OpsRlsColumn
{
	const char *name;			/* NULL if dropped */
	Oid			type;
	bool		notnull;
	bool		has_default;
	Acl		   *acl;			/* NULL if none */
} OpsRlsColumn;

typedef struct OpsRlsPolicy
{
	Oid			oid;
	const char *name;
	char		command;		/* '*' or ACL_*_CHR */
	bool		permissive;
	int			nroles;
	Oid		   *roles;			/* InvalidOid is PUBLIC */
	struct OpsFormula *qual;	/* NULL if it has none */
	struct OpsFormula *check;	/* NULL if it has none */
	const char *qual_text;		/* as SQL, once somebody asked for it */
	const char *check_text;
	bool		qual_asked;
	bool		check_asked;
} OpsRlsPolicy;

typedef struct OpsRlsForeignKey
{
	Oid			oid;
	Oid			target;
	int			ncolumns;
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	target_columns[INDEX_MAX_KEYS];
} OpsRlsForeignKey;

/* Any schema, the system's too. */
typedef struct OpsRlsSchema
{
	Oid			oid;			/* hash key, first */
	const char *name;
	Oid			owner;
	Acl		   *acl;			/* NULL stands for the default */
	bool		audited;		/* its relations are in the snapshot */
	bool		in_scope;		/* the caller asked for it */
} OpsRlsSchema;

/* A relation outside the system schemas that holds or shows rows. */
typedef struct OpsRlsRelation
{
	Oid			oid;			/* hash key, first */
	const char *name;
	Oid			schema;
	const char *schema_name;
	Oid			owner;
	char		kind;			/* RELKIND_* */
	bool		row_security;
	bool		forced;
	bool		is_partition;
	bool		in_scope;		/* of the schemas the caller asked for */
	bool		security_invoker;	/* of a view */
	bool		security_barrier;
	Acl		   *acl;			/* NULL stands for the default */
	int			ncolumns;
	OpsRlsColumn *columns;		/* attribute number - 1 */
	List	   *policies;		/* OpsRlsPolicy, by name */
	List	   *parents;		/* OpsRlsRelation: partition or INHERITS */
	List	   *children;
	List	   *foreign_keys;	/* OpsRlsForeignKey */
	List	   *unique_keys;	/* Bitmapset of attribute numbers */
	/* tenancy.c */
	Bitmapset  *tenant_keys;	/* columns that name the tenant or user */
	Bitmapset  *user_keys;		/* those of them that name a user */
	Bitmapset  *links;			/* columns that refer to such a table */
	Bitmapset  *candidates;		/* columns that its policies go by somehow */
	Bitmapset  *identified;		/* columns set equal to an identity */
	const char *effect;			/* of one of its policies, or NULL */
	bool		covered;		/* a picked name is among its keys */
	bool		all_keys;		/* every one of tenant_keys has to be bound */
	bool		is_public;		/* declared public on purpose */
	/* lookup.c */
	bool		is_trusted;		/* a proof rests on whom its rows name */
} OpsRlsRelation;

/* Roles that are alike for every grant and policy of this database. */
typedef struct OpsRlsRole
{
	Oid			oid;			/* of the first of them */
	const char *name;			/* of that */
	const char *names;			/* of them all, as a finding shows them */
	Bitmapset  *inherits;		/* numbers of roles whose rights it has */
	Bitmapset  *becomes;		/* numbers of roles it can SET ROLE to */
	bool		superuser;
	bool		bypasses;		/* BYPASSRLS */
	bool		logs_in;
	bool		reachable;		/* a login leads to it, or none does anywhere */
	bool		declared;		/* by the caller or ops.tenancy */
} OpsRlsRole;

typedef struct OpsRlsAudit
{
	MemoryContext context;
	/* what was asked for */
	List	   *roles_wanted;	/* Oid list; NIL: found out */
	List	   *schemas_wanted; /* char *; NIL: all but the system's */
	List	   *identities_wanted;
	List	   *columns_wanted;
	bool		with_proofs;
	/* snapshot.c */
	Snapshot	snapshot;		/* registered; all catalogs are read as of it */
	HTAB	   *schemas;		/* OpsRlsSchema by oid */
	HTAB	   *relations;		/* OpsRlsRelation by oid */
	List	   *ordered;		/* the same, by schema and name */
	List	   *definer_views;	/* those of them that run as their owners, */
	bool		views_listed;	/* once lookup.c asked */
	/* roles.c */
	List	   *roles;			/* OpsRlsRole whose statements are judged */
	struct OpsRlsRoleGraph *graph;
	/* tenancy.c */
	struct OpsTenancy *tenancy;
	/* formula.c */
	struct OpsTermTable *terms;
	/* objects.c */
	struct OpsObjects *objects;
	/* performance.c */
	struct OpsPerformance *performance;
	/* findings */
	List	   *findings;		/* OpsRlsFinding */
	List	   *table_findings; /* those of the table being judged */
	List	   *matrix;			/* OpsRlsVerdict, if asked for */
	bool		want_matrix;
} OpsRlsAudit;

/* One row of ops.rls_audit(); what does not apply is NULL. */
typedef struct OpsRlsFinding
{
	OpsRlsCodeId code;
	OpsSeverity severity;
	const char *object_type;	/* "table", "view", "function", "role" ... */
	const char *schema_name;
	const char *object_name;	/* unquoted */
	const char *object;			/* as regclass or regprocedure prints it */
	List	   *policies;		/* char * */
	const char *role_name;
	const char *command;		/* "SELECT" ... */
	const char *gate;			/* "using" or "check" */
	const char *reach;
	const char *verdict;
	const char *predicate;
	const char *counterexample;
	const char *message;
	const char *remediation;	/* SQL that can be run */
	const char *probe;			/* read-only SQL that shows it */
	List	   *evidence;		/* OpsRlsEvidence */
	const char *via;			/* a second object that makes it what it is */
	bool		unreachable;	/* by any of its roles; only gate.c says so */
	/* ops_rls_settle_findings() */
	char		id[17];
	TimestampTz waived_until;	/* 0 if it is not waived */
	const char *waiver_reason;
} OpsRlsFinding;

/* One row of ops.rls_matrix(); what does not apply is NULL. */
typedef struct OpsRlsVerdict
{
	const char *schema_name;
	const char *relation;		/* unquoted */
	const char *role_name;
	const char *command;		/* "SELECT", "INSERT", "UPDATE", "DELETE" */
	const char *gate;			/* "using" or "check" */
	const char *verdict;
	List	   *tenant_key;		/* char * */
	const char *obstacle;
	const char *counterexample;
	const char *predicate;
	List	   *policies;		/* char * */
	const char *reach;
} OpsRlsVerdict;

typedef struct OpsRlsEvidence
{
	const char *key;
	const char *value;
} OpsRlsEvidence;

/*
 * findings.c: a new finding, with the code's own severity; everything that
 * describes the object is filled in.  The caller sets the rest, with strings
 * in the audit's context (which is the current one throughout an audit).
 * A relation in no wanted schema gets a finding that nobody sees.
 */
extern OpsRlsFinding *ops_rls_report(OpsRlsAudit *audit, OpsRlsCodeId code,
									 const OpsRlsRelation *relation);
extern OpsRlsFinding *ops_rls_report_object(OpsRlsAudit *audit,
											OpsRlsCodeId code,
											const char *object_type,
											const char *schema_name,
											const char *object_name,
											const char *object);
extern void ops_rls_evidence(OpsRlsFinding *finding, const char *key,
							 const char *format,...) pg_attribute_printf(3, 4);
extern const char *ops_rls_relation_name(const OpsRlsRelation *relation);

/* Sort, merge and number the findings, and find their waivers. */
extern void ops_rls_settle_findings(OpsRlsAudit *audit);
extern void ops_rls_return_findings(OpsRlsAudit *audit,
									ReturnSetInfo *rsinfo);

/* snapshot.c */
extern void ops_rls_snapshot(OpsRlsAudit *audit);
extern OpsRlsRelation *ops_rls_relation(const OpsRlsAudit *audit, Oid oid);
extern OpsRlsSchema *ops_rls_schema(const OpsRlsAudit *audit, Oid oid);

/*
 * Hand over each policy's trees as text, NULL for one it does not have, table
 * by table.  The callback's memory context is emptied after each call.
 */
typedef void (*OpsRlsPolicyTaker) (OpsRlsAudit *audit,
								   OpsRlsRelation *relation,
								   OpsRlsPolicy *policy,
								   const char *qual, const char *check);
extern void ops_rls_read_policies(OpsRlsAudit *audit, OpsRlsPolicyTaker take);

/*
 * roles.c.  Rights are those the role has without SET ROLE: its own, those
 * of roles it inherits from, and PUBLIC's; usage of the schema included.
 */
extern void ops_rls_find_roles(OpsRlsAudit *audit);

/* Any role, audited or not, by itself; NULL if there is none. */
extern OpsRlsRole *ops_rls_role(OpsRlsAudit *audit, Oid oid);
extern AclMode ops_rls_rights(const OpsRlsAudit *audit, const OpsRlsRole *role,
							  const OpsRlsRelation *relation, AclMode wanted);
extern AclMode ops_rls_any_column_rights(const OpsRlsAudit *audit,
										 const OpsRlsRole *role,
										 const OpsRlsRelation *relation,
										 AclMode wanted);
extern bool ops_rls_column_right(const OpsRlsAudit *audit,
								 const OpsRlsRole *role,
								 const OpsRlsRelation *relation,
								 AttrNumber column, AclMode right);
extern AclMode ops_rls_acl_rights(const OpsRlsAudit *audit,
								  const OpsRlsRole *role, const Acl *acl,
								  Oid owner, AclMode wanted);
extern bool ops_rls_uses_schema(const OpsRlsAudit *audit,
								const OpsRlsRole *role, Oid schema);
extern const char *ops_rls_reach(const OpsRlsAudit *audit,
								 const OpsRlsRole *role,
								 const OpsRlsRelation *relation, AclMode right);
extern bool ops_rls_inherits(const OpsRlsAudit *audit, const OpsRlsRole *role,
							 Oid other);
extern bool ops_rls_becomes(const OpsRlsAudit *audit, const OpsRlsRole *role,
							Oid other);

/* Whether policies do not bind a role, any role, on a table. */
extern bool ops_rls_exempt(const OpsRlsAudit *audit, Oid role,
						   const OpsRlsRelation *relation);

/*
 * audit.c: the whole audit, in the current memory context, with what was
 * asked for filled in and everything else zero.
 */
extern void ops_rls_run(OpsRlsAudit *audit);

/* tenancy.c */
extern void ops_rls_read_tenancy(OpsRlsAudit *audit);
extern void ops_rls_find_tenancy(OpsRlsAudit *audit);

/* Rows belong to one tenant or user: has keys or links, is not public. */
extern bool ops_rls_is_tenant_data(const OpsRlsRelation *relation);

/* Whether a column is its table's whole primary or unique key. */
extern bool ops_rls_is_own_id(const OpsRlsRelation *relation,
							  AttrNumber column);

/*
 * solve.c: what rows of tenant data a query hands out when it runs as a
 * role; user is InvalidOid for the role itself, or whose rights are checked
 * (a view's or function's owner).  One item for each relation with tenant
 * data that it reads.
 */
typedef enum OpsRlsBound
{
	OPS_RLS_BOUND_BY_POLICY,	/* the policies do, which apply to the user */
	OPS_RLS_BOUND_BY_QUERY,		/* the query's own conditions do */
	OPS_RLS_UNBOUND,			/* rows of foreign tenants come out */
	OPS_RLS_UNDECIDED,			/* obstacle says what stopped the proof */
} OpsRlsBound;

typedef struct OpsRlsExposure
{
	OpsRlsRelation *relation;
	OpsRlsBound bound;
	bool		exempt;			/* policies do not bind the user there */
	const char *obstacle;		/* or NULL */
} OpsRlsExposure;

extern List *ops_rls_query_exposures(OpsRlsAudit *audit, Query *query,
									 Oid user, const OpsRlsRole *role);

/*
 * The same of a function's body; NIL and an obstacle if it cannot be read.
 */
extern List *ops_rls_function_exposures(OpsRlsAudit *audit, Oid function,
										const OpsRlsRole *role,
										const char **obstacle);

/* gate.c: verdicts of tables, and the findings about policies */
extern void ops_rls_judge_tables(OpsRlsAudit *audit);

/* objects_*.c: findings about everything that is not a policy */
extern void ops_rls_judge_objects(OpsRlsAudit *audit);
extern void ops_rls_judge_server(OpsRlsAudit *audit);

/* Whether a function, or one that it calls, asks who the session is. */
extern bool ops_rls_function_reads_session(OpsRlsAudit *audit, Oid function);

/* performance.c */
extern void ops_rls_performance_begin(OpsRlsAudit *audit);
extern void ops_rls_performance_policy(OpsRlsAudit *audit,
									   OpsRlsRelation *relation,
									   OpsRlsPolicy *policy,
									   Node *qual, Node *check);
extern void ops_rls_performance_relation(OpsRlsAudit *audit,
										 OpsRlsRelation *relation);

#endif							/* OPS_RLS_H */
