/*-------------------------------------------------------------------------
 *
 * scope.h
 *	  The closed scope in which every query of our own runs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_SCOPE_H
#define OPS_SCOPE_H

typedef struct OpsScope
{
	Oid			userid;			/* what to restore */
	int			security_context;
	int			guc_level;
} OpsScope;

extern void ops_scope_enter(OpsScope *scope, Oid owner);
extern void ops_scope_set(const char *name, const char *value);
extern void ops_scope_leave(const OpsScope *scope);

#endif							/* OPS_SCOPE_H */
