/*-------------------------------------------------------------------------
 *
 * roles.h
 *	  The graph of roles, for roles.c, audience.c, standing.c and rights.c.
 *
 * Roles have numbers, those that are granted to others the lowest, so that a
 * set of ancestors is small however many roles there are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ROLES_H
#define OPS_ROLES_H

#include "rls/rls.h"
#include "utils/array.h"

typedef struct OpsRoleNode
{
	Oid			oid;
	const char *name;
	bool		superuser;
	bool		inherits;		/* rolinherit, which counts before 16 */
	bool		bypasses;
	bool		logs_in;
	bool		replicates;
	bool		predefined;		/* came with the server */
	Bitmapset  *ancestors;		/* whose rights it has, itself left out */
	Bitmapset  *becomes;		/* to which it can SET ROLE, likewise */
} OpsRoleNode;

typedef struct OpsRoleKey
{
	Oid			oid;
	int			number;
} OpsRoleKey;

/* What a role may do in a schema, as last asked. */
typedef struct OpsSchemaUse
{
	const OpsRlsRole *role;
	Oid			schema;
	bool		uses;
} OpsSchemaUse;

/* What a role may do with relations of this owner and list, as last asked. */
typedef struct OpsListRights
{
	const OpsRlsRole *role;
	const Acl  *acl;
	Oid			owner;
	AclMode		rights;
} OpsListRights;

#define OPS_REMEMBERED	64		/* a power of two */

typedef struct OpsRlsRoleGraph
{
	int			nroles;
	OpsRoleNode *nodes;			/* by number */
	OpsRoleKey *keys;			/* by oid */
	int			read_all;		/* pg_read_all_data */
	int			write_all;
	Bitmapset  *by_login;		/* roles that a login is, or inherits from */
	Bitmapset  *by_set_role;	/* roles that a login can SET ROLE to */
	List	   *others;			/* OpsRlsRole made for ops_rls_role() */
	OpsSchemaUse schema_uses[OPS_REMEMBERED];
	OpsListRights list_rights[OPS_REMEMBERED];
} OpsRlsRoleGraph;

/* roles.c */
extern OpsRlsRoleGraph *ops_rls_role_graph(Snapshot snapshot);
extern int	ops_rls_role_number(const OpsRlsRoleGraph *graph, Oid oid);
extern OpsRlsRole *ops_rls_make_role(const OpsRlsRoleGraph *graph, int number);

/* standing.c */
extern List *ops_rls_merge_alike(OpsRlsAudit *audit, const Bitmapset *numbers);

/* Rights by which rows are read or changed. */
#define OPS_RLS_ROW_RIGHTS \
	(ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE)

#endif							/* OPS_ROLES_H */
