/*-------------------------------------------------------------------------
 *
 * literals.h
 *	  Analysing a statement without reading its literals.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_LITERALS_H
#define OPS_LITERALS_H

#include "nodes/parsenodes.h"
#include "parser/parse_node.h"

/* Before analysis: put a parameter in place of each string, in place. */
extern List *ops_literals_hide(Node *statement);

/* For analysis: after the other hooks were set. */
extern void ops_literals_hook(ParseState *pstate);

/* After analysis: back to constants, those of the server's types. */
extern Query *ops_literals_show(Query *query, List *literals);

/* Whether values of a type are read by code that came with the server. */
extern bool ops_literals_is_plain(Oid type);

#endif							/* OPS_LITERALS_H */
