/*-------------------------------------------------------------------------
 *
 * performance_report.h
 *	  What was seen of a policy, for those who report it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PERFORMANCE_REPORT_H
#define OPS_PERFORMANCE_REPORT_H

#include "rls/performance.h"

typedef struct OpsSlowness
{
	OpsRlsAudit *audit;
	/* where the survey is */
	bool		finds_rows;		/* in USING, which finds rows */
	bool		once;			/* in a sub-select that runs once */
	bool		in_call;		/* in a call that is noted as a whole */
	/* what it saw */
	bool		has_sublinks;
	List	   *calls;			/* functions that say who asks, for each row */
	int			ncalls;
	int			nonce;			/* of these, those that run once after all */
	List	   *volatiles;		/* volatile functions, for each row */
	List	   *tame_volatiles; /* and those that do no harm as they stand */
	List	   *per_row;		/* functions of the row that read tables */
	List	   *per_new_row;	/* likewise, only in WITH CHECK */
	bool		correlated;		/* a sub-select that could run once */
	List	   *unserved;		/* OpsUnserved */
} OpsSlowness;

extern void ops_rls_report_slowness(OpsRlsAudit *audit,
									OpsRlsRelation *relation,
									OpsRlsPolicy *policy,
									Node *qual, Node *check,
									const OpsSlowness *slow);

/* performance_table.c */
extern bool ops_rls_policy_is_met(OpsRlsAudit *audit,
								  const OpsRlsRelation *relation,
								  const OpsRlsPolicy *policy);
extern bool ops_rls_policy_is_to_public(const OpsRlsPolicy *policy);
extern const char *ops_rls_command_name(char command);
extern char *ops_rls_signature(Oid function);

/* performance_missing.c */
extern void ops_rls_note_unserved(OpsRlsAudit *audit,
								  const OpsRlsRelation *relation,
								  const OpsRlsPolicy *policy, List *unserved);
extern void ops_rls_report_unserved(OpsRlsAudit *audit,
									const OpsRlsRelation *relation);

#endif							/* OPS_PERFORMANCE_REPORT_H */
