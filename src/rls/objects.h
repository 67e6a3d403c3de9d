/*-------------------------------------------------------------------------
 *
 * objects.h
 *	  What the rules about tables, views, functions and grants share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_OBJECTS_H
#define OPS_OBJECTS_H

#include "rls/rls.h"

/* Rights by which rows are read or changed one by one. */
#define OPS_ROW_RIGHTS	(ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE)

/* So many roles are asked about where the answer hardly depends on them. */
#define OPS_MAX_ROLES_ASKED 8

/* What a role may make in this database. */
typedef struct OpsMaker
{
	const OpsRlsRole *role;
	bool		in_schema;		/* objects in some schema */
	bool		schemas;		/* schemas */
	bool		temporary;		/* temporary objects */
} OpsMaker;

/* The state of one audit's rules about objects. */
typedef struct OpsObjects
{
	OpsRlsAudit *audit;
	HTAB	   *members;		/* objects that belong to extensions */
	List	   *makers;			/* OpsMaker */
	List	   *owners_reached; /* OIDs of owners that a finding names */
	bool		has_tenant_data;
	bool		has_protected_data; /* of these, some with row security on */
	bool		has_policies;
	/* objects_routines.c */
	HTAB	   *routines;		/* OpsRoutine by oid */
	List	   *routine_list;
	int			walks;			/* over what calls what, so far */
	HTAB	   *routine_names;	/* OpsNamed: those of a name */
	HTAB	   *relation_names; /* OpsNamed: likewise */
} OpsObjects;

/* All that have one name, whatever their schemas. */
typedef struct OpsNamed
{
	NameData	name;			/* hash key, first */
	List	   *things;
} OpsNamed;

/* The roles that come to one object, for the one row about it. */
typedef struct OpsReachers
{
	List	   *roles;			/* OpsRlsRole */
	bool		reachable;		/* a login leads to one of them */
} OpsReachers;

/* What can be told of a function's body without running it. */
typedef struct OpsBodyFacts
{
	bool		reads_session;	/* itself; what it calls left aside */
	bool		is_dynamic;		/* builds statements */
	bool		decides;		/* more than its arguments matter */
	bool		uses_new;		/* of a trigger: values of NEW */
	List	   *fills;			/* columns of NEW that take what was read */
	bool		names_loosely;	/* a relation without its schema */
	bool		calls_loosely;	/* a user's function without its schema */
	List	   *reads;			/* OpsRlsRelation */
	List	   *inserts;		/* likewise */
	List	   *changes;		/* updated, deleted from or truncated */
	List	   *calls;			/* OpsRoutine */
} OpsBodyFacts;

typedef enum OpsKnowledge
{
	OPS_UNKNOWN,
	OPS_NO,
	OPS_YES,
} OpsKnowledge;

/* A policy that uses a function. */
typedef struct OpsPolicyUse
{
	const OpsRlsRelation *relation;
	const OpsRlsPolicy *policy;
} OpsPolicyUse;

/* A function or procedure of the audited schemas. */
typedef struct OpsRoutine
{
	Oid			oid;			/* hash key, first */
	const char *name;
	Oid			schema;
	const char *schema_name;
	const char *signature;		/* schema.name(types) */
	Oid			owner;
	Oid			result;
	char		kind;			/* PROKIND_* */
	char		volatility;
	bool		returns_set;
	bool		definer;
	bool		leakproof;
	bool		compiled;		/* C or internal */
	bool		member;			/* of an extension */
	bool		in_scope;
	bool		used;			/* by a policy or view, maybe through others */
	int			nargs;
	Acl		   *acl;			/* NULL stands for the default */
	bool		has_path;		/* a search_path of its own */
	List	   *path;			/* its schemas' names */
	const char *source;			/* text of the body */
	const char *tree;			/* analysed body, or NULL */
	OpsBodyFacts *facts;		/* once asked for */
	OpsKnowledge session;		/* whether it or what it calls reads that */
	int			seen;			/* number of the walk that last came by */
	List	   *uses;			/* OpsPolicyUse */
	List	   *tables;			/* OpsRlsRelation: whose triggers call it */
} OpsRoutine;

/* objects.c */
extern OpsObjects *ops_objects(OpsRlsAudit *audit);
extern bool ops_objects_binds(const OpsRlsRole *role);
extern bool ops_objects_member(const OpsObjects *objects, Oid catalog,
							   Oid oid);
extern const OpsMaker *ops_objects_maker(OpsObjects *objects,
										 const OpsRlsRole *role);
extern void ops_reachers_add(OpsReachers *reachers, OpsRlsRole *role);
extern void ops_reachers_find(OpsObjects *objects, OpsReachers *reachers,
							  const OpsRlsRelation *relation, AclMode rights);
extern OpsRlsRole *ops_reachers_first(const OpsReachers *reachers);
extern const char *ops_reachers_names(const OpsReachers *reachers);
extern const char *ops_reachers_grantees(const OpsRlsAudit *audit,
										 const OpsReachers *reachers,
										 const Acl *acl, AclMode right);
extern void ops_reachers_describe(const OpsReachers *reachers,
								  OpsRlsFinding *finding);
extern AclMode ops_objects_row_rights(const OpsRlsAudit *audit,
									  const OpsRlsRole *role,
									  const OpsRlsRelation *relation,
									  AclMode wanted);
extern const char *ops_objects_acl_reach(const OpsRlsAudit *audit,
										 const OpsRlsRole *role,
										 const Acl *acl, Oid owner,
										 AclMode right);
extern const char *ops_objects_role_name(const OpsRlsAudit *audit, Oid role);
extern const char *ops_objects_right_names(AclMode rights);
extern const char *ops_objects_key_names(const OpsRlsRelation *relation);
extern const char *ops_objects_probe(const OpsRlsRole *role,
									 const OpsRlsRelation *relation);
extern bool ops_objects_holds_tenants(const OpsRlsRelation *relation);

/* objects_tables.c */
extern void ops_objects_judge_table(OpsObjects *objects,
									const OpsRlsRelation *relation);

/* objects_views.c */
extern void ops_objects_judge_view(OpsObjects *objects,
								   const OpsRlsRelation *view);
extern bool ops_objects_only_counts(const Query *query);

/* objects_functions.c */
extern void ops_objects_judge_routines(OpsObjects *objects);
extern OpsRlsFinding *ops_objects_report_routine(OpsObjects *objects,
												 OpsRlsCodeId code,
												 const OpsRoutine *routine,
												 const OpsReachers *reachers);

/* objects_definers.c */
extern void ops_objects_judge_definer(OpsObjects *objects,
									  OpsRoutine *routine,
									  const OpsReachers *reachers);

/* objects_paths.c */
extern void ops_objects_judge_path(OpsObjects *objects, OpsRoutine *routine,
								   const OpsReachers *reachers);

/* objects_routines.c */
extern void ops_objects_read_routines(OpsObjects *objects);
extern void ops_objects_read_uses(OpsObjects *objects);
extern OpsBodyFacts *ops_objects_facts(OpsObjects *objects,
									   OpsRoutine *routine);
extern List *ops_objects_callees(OpsObjects *objects, OpsRoutine *routine);
extern bool ops_objects_reads_session(OpsObjects *objects,
									  OpsRoutine *routine);

/* objects_text.c */
extern void ops_body_read_text(OpsObjects *objects, const OpsRoutine *routine,
							   OpsBodyFacts *facts);
extern void ops_body_read_tree(OpsObjects *objects, const OpsRoutine *routine,
							   OpsBodyFacts *facts);

/* objects_roles.c */
extern void ops_objects_judge_roles(OpsObjects *objects);

/* objects_grants.c */
extern void ops_objects_judge_grants(OpsObjects *objects);

#endif							/* OPS_OBJECTS_H */
