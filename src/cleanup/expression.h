/*-------------------------------------------------------------------------
 *
 * expression.h
 *	  An expression over the rows of a table, as a user gave it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_EXPRESSION_H
#define OPS_EXPRESSION_H

#include "core/scope.h"
#include "nodes/nodes.h"

typedef struct OpsExpression
{
	char	   *sql;			/* the same under any search_path of ours */
	Node	   *node;			/* the row is that of range table entry 1 */
	Oid			type;
	bool		reads_row;		/* depends on a column */
	bool		names_row;		/* by the table's name, as in a sub-select */
} OpsExpression;

extern OpsExpression *ops_expression_read(Oid relation, const char *alias,
										  const char *sql, Oid type,
										  const char *what);
extern void ops_expression_lock(Oid relation);
extern void ops_expression_scope(OpsScope *scope);

#endif							/* OPS_EXPRESSION_H */
