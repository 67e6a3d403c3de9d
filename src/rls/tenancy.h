/*-------------------------------------------------------------------------
 *
 * tenancy.h
 *	  What tells tenants apart: as declared, and as found out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_TENANCY_H
#define OPS_TENANCY_H

#include "rls/formula.h"

/* A row of ops.tenancy. */
typedef struct OpsDeclaration
{
	const char *kind;
	const char *relation;
	List	   *names;
} OpsDeclaration;

/* A policy compares a column with an identity for being equal. */
typedef struct OpsBinding
{
	OpsRlsRelation *relation;	/* of the column */
	AttrNumber	column;
	OpsIdentity *identity;
	OpsRlsRelation *subject;	/* whose policy it is */
	OpsRlsPolicy *policy;
	bool		direct;			/* the column is of the policy's own row */
	bool		alone;			/* no other column of the row is bound */
} OpsBinding;

/* A policy compares a column of its row with one of a lookup's. */
typedef struct OpsLink
{
	OpsRlsRelation *relation;
	AttrNumber	column;
	OpsRlsRelation *lookup;
	AttrNumber	lookup_column;
	bool		identified;		/* the lookup's row is bound as well */
} OpsLink;

/* What keys of a type are usually compared with. */
typedef struct OpsUsual
{
	Oid			type;
	bool		user;
	OpsIdentity *identity;		/* NULL: nothing that can be trusted */
} OpsUsual;

typedef struct OpsTenancy
{
	List	   *declarations;
	List	   *bindings;
	List	   *links;
	List	   *key_names;		/* char *: columns found to name tenants */
	List	   *usual;			/* OpsUsual, as they are asked for */
	int			nreports;		/* declarations about nothing */
	const char *note;			/* ops.tenancy could not be read */
} OpsTenancy;

extern void ops_tenancy_note_bindings(OpsRlsAudit *audit,
									  OpsRlsRelation *subject,
									  OpsRlsPolicy *policy,
									  const OpsFormula *formula,
									  const List *rows);

/* Columns of the row that a condition hands to functions of the schema. */
extern void ops_tenancy_note_arguments(OpsRlsAudit *audit,
									   OpsRlsRelation *subject,
									   Node *condition);

extern const char *const ops_tenant_words[];
extern const char *const ops_user_words[];
extern List *ops_tenancy_declared(const OpsRlsAudit *audit, const char *kind, const char *relation);
extern void ops_tenancy_declare(OpsRlsAudit *audit, List *names, bool users);
extern bool ops_tenancy_has_columns(OpsRlsAudit *audit, const OpsRlsRelation *relation, List *names);
extern void ops_tenancy_check(OpsRlsAudit *audit);
extern void ops_tenancy_judge_sources(OpsRlsAudit *audit, bool declared_any);
extern void ops_tenancy_judge_roles(OpsRlsAudit *audit);
extern int	ops_tenancy_standing(const OpsRlsRelation *relation, AttrNumber column);
extern bool ops_tenancy_has_word(const char *name, const char *const *words);
extern bool ops_tenancy_is_direct(const OpsBinding *binding);
extern bool ops_tenancy_in_list(List *strings, const char *string);
extern bool ops_tenancy_can_be_key(Oid type);

/* consistency.c */
extern void ops_rls_judge_consistency(OpsRlsAudit *audit);

#endif							/* OPS_TENANCY_H */
