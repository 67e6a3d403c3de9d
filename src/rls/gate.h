/*-------------------------------------------------------------------------
 *
 * gate.h
 *	  Verdicts: shared by what reaches them (gate.c) and what reports them
 *	  (verdict.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RLS_GATE_H
#define OPS_RLS_GATE_H

#include "rls/solve.h"

/* What a statement has to pass: rows it reads, or rows it leaves behind. */
typedef struct OpsGate
{
	const char *command;
	char		letter;			/* as pg_policy.polcmd has it */
	AclMode		right;
	bool		check;			/* the new row, else the old one */
} OpsGate;

#define OPS_NUM_GATES	5
extern const OpsGate ops_gate_table[OPS_NUM_GATES];

/* Ordered by how bad it is. */
typedef enum OpsVerdict
{
	VERDICT_DENIED,				/* no row passes */
	VERDICT_PROVED,				/* only the asker's own rows pass */
	VERDICT_UNPROVED,
	VERDICT_NULL_VISIBLE,		/* and rows without a tenant */
	VERDICT_DEFAULT_OPEN,		/* all do once nobody said who he is */
	VERDICT_OPEN,
} OpsVerdict;

extern const char *const ops_verdict_name[];

/* What one permissive policy, with all restrictive ones, lets through. */
typedef struct OpsOutcome
{
	const OpsRlsPolicy *policy;
	OpsVerdict	verdict;
	OpsRlsCodeId code;			/* where it is not proved or denied */
	bool		conditional;	/* needs something else of the session */
	bool		always;			/* whatever the row is */
	const char *obstacle;
	const char *counterexample;
	OpsLookup  *writable;		/* a lookup that the role can change */
	Oid			recursion;
} OpsOutcome;

typedef struct OpsGateVerdict
{
	OpsRlsRelation *relation;
	const OpsRlsRole *role;
	const OpsGate *gate;
	OpsVerdict	verdict;
	List	   *outcomes;		/* OpsOutcome, of each permissive policy */
	List	   *restrictive;	/* OpsRlsPolicy */
	Bitmapset  *keys;			/* that were asked about */
} OpsGateVerdict;

/* verdict.c */
extern void ops_verdict_report(OpsRlsAudit *audit,
							   const OpsGateVerdict *verdict);
extern void ops_verdict_row(OpsRlsAudit *audit,
							const OpsGateVerdict *verdict,
							const char *word, const char *obstacle);
extern OpsRlsFinding *ops_verdict_find(OpsRlsAudit *audit, OpsRlsCodeId code,
									   OpsRlsRelation *relation,
									   const OpsRlsPolicy *policy,
									   const OpsRlsRole *role,
									   const OpsGate *gate, bool *found);
extern const char *ops_verdict_binding(OpsRlsAudit *audit,
									   const OpsRlsRelation *relation,
									   const Bitmapset *keys);

#endif							/* OPS_RLS_GATE_H */
