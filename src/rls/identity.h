/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  What a session says about itself, and functions of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_IDENTITY_H
#define OPS_IDENTITY_H

#include "nodes/primnodes.h"
#include "rls/formula.h"

extern OpsTerm *ops_identity_const(const Const *node);
extern OpsTerm *ops_identity_apply(OpsRlsAudit *audit, OpsReading *reading,
								   Oid function, const char *key, Oid type,
								   int nargs, OpsTerm **args);
extern OpsIdentity *ops_identity_setting(OpsRlsAudit *audit, const char *name,
										 bool missing_ok);
extern OpsIdentity *ops_identity_role(OpsRlsAudit *audit, const char *name);
extern const char *ops_identity_type_name(Oid type);
extern bool ops_identity_is_cast(Oid function);
extern bool ops_identity_is_declared(OpsRlsAudit *audit,
									 const OpsFunction *function);

#endif							/* OPS_IDENTITY_H */
