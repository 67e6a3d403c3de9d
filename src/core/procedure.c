/*-------------------------------------------------------------------------
 *
 * procedure.c
 *	  Procedures that commit on their way.
 *
 * They connect to SPI with SPI_OPT_NONATOMIC, once they know that they may.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/compat.h"
#include "core/procedure.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

static void begin_next(void);

/*
 * Whether it was called as a statement of its own, outside a transaction
 * block.
 */
bool
ops_procedure_may_commit(FunctionCallInfo fcinfo)
{
	CallContext *context = (CallContext *) fcinfo->context;

	return context && IsA(context, CallContext) && !context->atomic;
}

/*
 * Commit what was done, and be ready for more.
 *
 * The next transaction is READ COMMITTED, whatever the session's default: a
 * row that changes while it is looked at is looked at again.
 */
void
ops_procedure_commit(void)
{
	SPI_commit();
	begin_next();
}

/*
 * Take back what was not committed, and be ready for more.
 */
void
ops_procedure_rollback(void)
{
	SPI_rollback();
	begin_next();
}

static void
begin_next(void)
{
	(void) set_config_option("transaction_isolation", "read committed",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
							 true, 0, false);
	EnsurePortalSnapshotExists();
}

/*
 * Commit what was done, and hold neither lock nor snapshot until the next
 * commit, so that another process can wait for all who do.  That may take
 * longer than the session allows its transactions.
 */
void
ops_procedure_release(void)
{
	SPI_commit();
	InvalidateCatalogSnapshot();
	ops_compat_no_transaction_timeout(GUC_ACTION_LOCAL);
}
