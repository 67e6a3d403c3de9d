/*-------------------------------------------------------------------------
 *
 * scope.c
 *	  The closed scope in which every query of our own runs.
 *
 * Inside, search_path holds nothing a user can write to but for the session's
 * own temporary objects, which come last, and a lock is waited for no longer
 * than operations_runbook.lock_timeout.  Leaving restores what was there.
 * When an error leaves instead, the abort of the surrounding subtransaction
 * restores all of it, so callers need no PG_FINALLY.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/compat.h"
#include "core/guc.h"
#include "core/scope.h"
#include "miscadmin.h"
#include "utils/guc.h"

/*
 * Enter the scope, as the given role or, for InvalidOid, as the caller.
 *
 * Another role's tables and expressions can run that role's code, so it runs
 * with that role's rights and as a security-restricted operation.
 */
void
ops_scope_enter(OpsScope *scope, Oid owner)
{
	char		timeout[32];

	GetUserIdAndSecContext(&scope->userid, &scope->security_context);
	scope->guc_level = NewGUCNestLevel();

	snprintf(timeout, sizeof(timeout), "%dms", ops_guc_lock_timeout);
	ops_scope_set("lock_timeout", timeout);
	ops_scope_set("search_path", "pg_catalog, pg_temp");

	if (OidIsValid(owner))
		SetUserIdAndSecContext(owner,
							   scope->security_context |
							   SECURITY_RESTRICTED_OPERATION);
}

/*
 * Set a setting, that anybody may set, until the scope is left.
 */
void
ops_scope_set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Leave the scope on the ordinary way out.
 */
void
ops_scope_leave(const OpsScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->userid, scope->security_context);
}
