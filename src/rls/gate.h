/*-------------------------------------------------------------------------
 *
 * gate.h
 *	  Verdicts: shared by what reaches them (gate.c) and what reports them
 *	  (verdict.c).
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_GATE_H
#define OPS_GATE_H

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
	OpsRlsPolicy *policy;
	OpsVerdict	verdict;
	OpsRlsCodeId code;			/* where it is not proved or denied */
	bool		conditional;	/* needs something else of the session, */
	bool		by_setting;		/* a setting that whoever runs SQL can set */
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

/* A table as one role sees it. */
typedef struct OpsVisit
{
	OpsRlsAudit *audit;
	OpsRlsRelation *relation;
	const OpsRlsRole *role;
	List	   *remembered;
	Bitmapset  *visible_keys;	/* that decide what SELECT shows */
	OpsVerdict	verdicts[OPS_NUM_GATES];
} OpsVisit;

/* gate.c, lookup.c, hygiene.c */
extern OpsLookup *ops_visit_find_writable(OpsVisit *visit, List *lookups, bool anything);
extern const OpsFormula *ops_gate_formula(const OpsRlsPolicy *policy, const OpsGate *gate);
extern OpsGateVerdict ops_visit_ask(OpsVisit *visit, const OpsGate *gate, Bitmapset *keys);
extern bool ops_visit_has_right(OpsVisit *visit, const OpsGate *gate);
extern void ops_hygiene_policies(OpsRlsAudit *audit, OpsRlsRelation *relation);
extern void ops_hygiene_floors(OpsRlsAudit *audit, OpsRlsRelation *relation);
extern void ops_hygiene_silence(OpsRlsAudit *audit, OpsRlsRelation *relation);
extern void ops_hygiene_unowned(OpsVisit *visit);

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

#endif							/* OPS_GATE_H */
