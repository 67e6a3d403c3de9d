/*-------------------------------------------------------------------------
 *
 * visible.c
 *	  What becomes of a row version when its table is rewritten.
 *
 * It gives the verdict of the server's own test for VACUUM, but that one
 * leaves hint bits behind: it dirties the page and, with checksums, writes
 * all of it to WAL.  This one only looks.  As nothing is remembered on the
 * page, the outcome of transactions is remembered here.
 *
 * Works on a standby, too.  The page has to be locked, in share mode at least.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "bloat/visible.h"
#include "storage/procarray.h"
#include "utils/rel.h"

static bool inserted(OpsVisibility *visibility, HeapTupleHeader tuple,
					 OpsFate *fate);
static bool moved(OpsVisibility *visibility, HeapTupleHeader tuple,
				  OpsFate *fate);
static OpsOutcome outcome(OpsVisibility *visibility, TransactionId xid);
static OpsOutcome look_up_outcome(TransactionId xid);

/*
 * Rows deleted before the horizon are dead, others are held back.
 */
void
ops_visibility_begin(OpsVisibility *visibility, TransactionId horizon)
{
	Assert(TransactionIdIsNormal(horizon));
	memset(visibility, 0, sizeof(*visibility));
	visibility->horizon = horizon;
}

/*
 * Rows that a running transaction inserts or deletes are live: a rewrite has
 * to wait for it, and most transactions commit inserts rather than deletes.
 */
OpsFate
ops_visibility_fate(OpsVisibility *visibility, HeapTupleHeader tuple)
{
	OpsFate		fate;
	TransactionId xmax;

	if (!HeapTupleHeaderXminCommitted(tuple) &&
		!inserted(visibility, tuple, &fate))
		return fate;

	if (tuple->t_infomask & HEAP_XMAX_INVALID ||
		HEAP_XMAX_IS_LOCKED_ONLY(tuple->t_infomask))
		return FATE_LIVE;

	xmax = HeapTupleHeaderGetUpdateXid(tuple);

	/* Of a multixact the hint bit would not speak of the updater alone. */
	if ((tuple->t_infomask & HEAP_XMAX_IS_MULTI ||
		 !(tuple->t_infomask & HEAP_XMAX_COMMITTED)) &&
		outcome(visibility, xmax) != OUTCOME_COMMITTED)
		return FATE_LIVE;

	return TransactionIdPrecedes(xmax, visibility->horizon) ?
		FATE_DEAD : FATE_HELD;
}

/*
 * Whether the inserter committed, without help from a hint bit; if not, the
 * fate is clear.
 */
static bool
inserted(OpsVisibility *visibility, HeapTupleHeader tuple, OpsFate *fate)
{
	if (HeapTupleHeaderXminInvalid(tuple))
	{
		*fate = FATE_DEAD;
		return false;
	}
	if (tuple->t_infomask & HEAP_MOVED)
		return moved(visibility, tuple, fate);

	switch (outcome(visibility, HeapTupleHeaderGetRawXmin(tuple)))
	{
		case OUTCOME_RUNNING:
			*fate = FATE_LIVE;
			return false;
		case OUTCOME_ABORTED:
			*fate = FATE_DEAD;
			return false;
		case OUTCOME_COMMITTED:
			break;
	}
	return true;
}

/*
 * The same for a row moved by a VACUUM FULL of before 9.0, whose inserter had
 * committed.
 */
static bool
moved(OpsVisibility *visibility, HeapTupleHeader tuple, OpsFate *fate)
{
	OpsOutcome	mover = outcome(visibility, HeapTupleHeaderGetXvac(tuple));
	bool		from_here = (tuple->t_infomask & HEAP_MOVED_OFF) != 0;

	*fate = mover == OUTCOME_RUNNING ? FATE_LIVE : FATE_DEAD;
	return mover == (from_here ? OUTCOME_ABORTED : OUTCOME_COMMITTED);
}

static OpsOutcome
outcome(OpsVisibility *visibility, TransactionId xid)
{
	int			slot = xid % OPS_OUTCOMES;

	if (!TransactionIdIsValid(xid))
		return OUTCOME_ABORTED;
	if (visibility->xids[slot] != xid)
	{
		visibility->outcomes[slot] = look_up_outcome(xid);
		visibility->xids[slot] = xid;
	}
	return visibility->outcomes[slot];
}

/*
 * A transaction leaves the list of running ones after its commit is recorded,
 * so the list has to be asked first.
 */
static OpsOutcome
look_up_outcome(TransactionId xid)
{
	if (TransactionIdIsCurrentTransactionId(xid) ||
		TransactionIdIsInProgress(xid))
		return OUTCOME_RUNNING;
	return TransactionIdDidCommit(xid) ? OUTCOME_COMMITTED : OUTCOME_ABORTED;
}
