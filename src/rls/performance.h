/*-------------------------------------------------------------------------
 *
 * performance.h
 *	  What the rules about slow policies share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PERFORMANCE_H
#define OPS_PERFORMANCE_H

#include "rls/rls.h"

/* A function that policies call. */
typedef struct OpsHelper
{
	Oid			oid;			/* hash key, first */
	bool		known;			/* the rest is filled in, or about to be */
	bool		user_defined;
	bool		is_volatile;
	bool		melts;			/* the planner puts its body in its place */
	bool		session;		/* says who is asking, as far as one can see */
	bool		reads_tables;
	List	   *unserved;		/* OpsUnserved: what its body looks up */
} OpsHelper;

/*
 * Rows of a table that are looked up by columns of which no index leads with
 * one.
 */
typedef struct OpsUnserved
{
	const OpsRlsRelation *table;
	List	   *columns;		/* attribute numbers */
	Node	   *expression;		/* or an expression over them, as varno 1 */
	Oid			helper;			/* whose body does so, or InvalidOid */
} OpsUnserved;

struct OpsPerformance
{
	HTAB	   *indexes;		/* by table */
	HTAB	   *helpers;		/* OpsHelper */
	HTAB	   *slow_tables;	/* what is wrong with each */
	List	   *remedies;		/* of late, for tables that are alike */
};

/* performance_tree.c: properties of trees */
extern bool ops_tree_depends_on_rows(Node *node);
extern bool ops_tree_mentions_row(Node *node, int varno);
extern bool ops_tree_is_fixed(Node *node);
extern Node *ops_tree_shown_cast(Node *node);
extern bool ops_tree_all_immutable(Node *node);
extern bool ops_tree_is_immutable(Oid function);
extern Oid	ops_tree_function(Node *node);
extern bool ops_tree_is_session_call(OpsRlsAudit *audit, Node *node);
extern Node *ops_tree_wrap_calls(Node *node, OpsRlsAudit *audit);

/* performance_index.c: what indexes serve */
extern void ops_rls_read_indexes(OpsRlsAudit *audit);
extern bool ops_rls_index_serves(OpsRlsAudit *audit, Oid table, int varno,
								 Node *expr, Oid operator, List *conditions);

/* performance_lookup.c: what policies and their sub-selects compare */
extern List *ops_rls_unserved_rows(OpsRlsAudit *audit,
								   const OpsRlsRelation *table, Node *qual);
extern List *ops_rls_unserved_lookups(OpsRlsAudit *audit, Query *query);
extern bool ops_rls_same_unserved(const OpsUnserved *a, const OpsUnserved *b);

/* performance_helper.c */
extern OpsHelper *ops_rls_helper(OpsRlsAudit *audit, Oid function);

#endif							/* OPS_PERFORMANCE_H */
