/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  Work whose failure is a result and not the caller's error.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ATTEMPT_H
#define OPS_ATTEMPT_H

typedef void (*OpsWork) (void *arg);

/* The error it raised, in the current memory context, or NULL. */
extern ErrorData *ops_attempt(OpsWork work, void *arg);

/* The same, but nothing of it stays: locks are given back, too. */
extern ErrorData *ops_glance(OpsWork work, void *arg);

#endif							/* OPS_ATTEMPT_H */
