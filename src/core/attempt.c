/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  Work whose failure is a result and not the caller's error.
 *
 * Runs in a subtransaction, so that locks, pins and settings of what failed
 * are gone with it.  Cannot be used in parallel mode.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "core/attempt.h"
#include "utils/resowner.h"

/* What becomes of the subtransaction of work that succeeded. */
typedef enum Outcome
{
	KEEP,
	UNDO,
} Outcome;

static ErrorData *attempt(OpsWork work, void *arg, Outcome outcome);

/*
 * Do the work in the current memory context.
 */
ErrorData *
ops_attempt(OpsWork work, void *arg)
{
	return attempt(work, arg, KEEP);
}

/*
 * Do work that only looks.  What it made in the caller's memory stays; the
 * locks that it took, known or unknown to it, are released.
 */
ErrorData *
ops_glance(OpsWork work, void *arg)
{
	return attempt(work, arg, UNDO);
}

/*
 * Cancels and shutdowns, which belong to the server.  A function of a user's
 * can give its error such a code, but not the place where the server raises
 * it.
 */
static bool
is_interrupt(const ErrorData *error)
{
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION &&
		error->funcname && strcmp(error->funcname, "ProcessInterrupts") == 0;
}

/*
 * Interrupts are thrown on; not before the subtransaction is rolled back,
 * since whoever catches them outside knows nothing of it and would leave it
 * open.
 */
static ErrorData *
attempt(OpsWork work, void *arg, Outcome outcome)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		work(arg);
		if (outcome == KEEP)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (is_interrupt(error))
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return error;
}
