/*-------------------------------------------------------------------------
 *
 * procedure.h
 *	  Procedures that commit on their way.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PROCEDURE_H
#define OPS_PROCEDURE_H

#include "fmgr.h"

extern bool ops_procedure_may_commit(FunctionCallInfo fcinfo);
extern void ops_procedure_commit(void);
extern void ops_procedure_rollback(void);
extern void ops_procedure_release(void);

#endif							/* OPS_PROCEDURE_H */
