/*-------------------------------------------------------------------------
 *
 * deparse.h
 *	  Conditions of policies as SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_DEPARSE_H
#define OPS_DEPARSE_H

#include "rls/rls.h"

/*
 * The SQL of a condition about one relation, whose columns have varno 1, with
 * every name as an empty search path needs it; NULL if it cannot be had:
 * somebody holds a lock on a table that it names, or a thing in it is gone.
 */
extern char *ops_rls_deparse(const OpsRlsRelation *relation, Node *expr);

#endif							/* OPS_DEPARSE_H */
