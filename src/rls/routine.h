/*-------------------------------------------------------------------------
 *
 * routine.h
 *	  Functions in plpgsql that do little more than compute a value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ROUTINE_H
#define OPS_ROUTINE_H

#include "access/htup.h"
#include "core/compat.h"
#include "rls/formula.h"

typedef enum OpsStatementKind
{
	ROUTINE_RETURN,				/* the value of query */
	ROUTINE_RETURN_QUERY,		/* the rows of query */
	ROUTINE_ASSIGN,				/* columns of query to targets */
	ROUTINE_IF,					/* the first arm whose condition is true */
	ROUTINE_BLOCK,				/* body, or a handler if it fails */
	ROUTINE_ERROR,				/* ends with an error */
} OpsStatementKind;

/* Whatever its text casts its values to, the query does. */
typedef struct OpsStatement
{
	OpsStatementKind kind;
	Query	   *query;
	List	   *targets;		/* numbers of variables; NIL: thrown away */
	bool		strict;			/* an error if the query finds no row */
	bool		sets_found;
	List	   *arms;			/* OpsStatementArm */
	List	   *otherwise;		/* OpsStatement: no arm */
	List	   *body;			/* OpsStatement */
	List	   *handlers;		/* list of OpsStatement, each */
	bool		ends;			/* may end the routine */
} OpsStatement;

typedef struct OpsStatementArm
{
	Query	   *condition;
	List	   *body;			/* OpsStatement */
} OpsStatementArm;

/* Arguments, FOUND and variables are numbered from 1, in this order. */
typedef struct OpsVariable
{
	Oid			type;
	int32		typmod;
	bool		constant;
	bool		notnull;
} OpsVariable;

typedef struct OpsRoutine
{
	int			nargs;
	List	   *variables;		/* OpsVariable */
	List	   *statements;		/* OpsStatement */
	List	   *queries;		/* Query: all that stand in it */
	bool		judged;			/* it is known to have no side effects */
	bool		busy;			/* being evaluated: a call is a recursion */
} OpsRoutine;

/* A token as the server's scanner sees it. */
typedef struct RoutineToken
{
	int			start;
	int			code;			/* a lone character, or else > 255 */
	const char *name;			/* of a word or quoted identifier, or NULL */
	bool		quoted;
} RoutineToken;

/* Name of a variable; of what a routine cannot use, the number is 0. */
typedef struct RoutineName
{
	const char *name;
	int			variable;
	bool		is_argument;	/* also known by function.name */
	bool		is_record;
	bool		is_open;		/* its fields are those of a query */
	List	   *fields;			/* RoutineName; NIL: not known yet */
} RoutineName;

typedef enum RoutineConflict
{
	CONFLICT_ERROR,				/* a name of a variable and of a column */
	CONFLICT_COLUMN,
	CONFLICT_VARIABLE,
} RoutineConflict;

typedef struct RoutineReader
{
	OpsFunction *function;
	OpsRoutine *routine;
	const char *source;
	RoutineToken *tokens;		/* ends with one whose code is 0 */
	int			next;
	List	   *names;			/* RoutineName, innermost last */
	int			found;			/* number of FOUND */
	int			ncases;
	RoutineConflict conflict;
	MemoryContext scratch;		/* for what analysis leaves behind */
} RoutineReader;

/* routine.c */

/* Set the search path that a function runs with, within a scope. */
extern void ops_routine_search_path(HeapTuple tuple);
extern void ops_routine_read(OpsFunction *function, HeapTuple tuple,
							 MemoryContext keep);

/* routine_scan.c: raises an error for what is not as expected */
pg_noreturn extern void ops_routine_refuse(const char *what);
extern void ops_routine_scan(RoutineReader *reader);
extern RoutineToken *ops_routine_peek(RoutineReader *reader);
extern bool ops_routine_is_word(const RoutineToken *token, const char *word);
extern bool ops_routine_at(RoutineReader *reader, const char *word);
extern bool ops_routine_assigns(const RoutineReader *reader,
								const RoutineToken *token);
extern bool ops_routine_accept(RoutineReader *reader, const char *word);
extern void ops_routine_expect(RoutineReader *reader, const char *word);
extern void ops_routine_expect_code(RoutineReader *reader, char code);
extern const char *ops_routine_expect_name(RoutineReader *reader);
extern char *ops_routine_text(RoutineReader *reader, int first, int end);
extern int	ops_routine_end(RoutineReader *reader, const char *word);
extern char *ops_routine_read_text(RoutineReader *reader, const char *word);

/* routine_names.c */
extern void ops_routine_declare(RoutineReader *reader, int outer,
								List **statements);
extern int	ops_routine_add_variable(RoutineReader *reader, const char *name,
									 Oid type, int32 typmod);
extern int	ops_routine_find(RoutineReader *reader, const char *name);
extern int	ops_routine_resolve(RoutineReader *reader, const char *qualifier,
								const char *name);
extern OpsVariable *ops_routine_variable(RoutineReader *reader, int number);
extern List *ops_routine_targets(RoutineReader *reader);
extern RoutineName *ops_routine_record_target(RoutineReader *reader);
extern List *ops_routine_fields(RoutineReader *reader, RoutineName *record,
								Query *query);

/* routine_parse.c */
extern void ops_routine_parse(RoutineReader *reader);
extern OpsStatement *ops_routine_assignment(RoutineReader *reader,
											Query *query, List *targets);

/* routine_inline.c */
extern void ops_routine_inline(OpsRoutine *routine);
extern Query *ops_routine_only_rows(const OpsRoutine *routine);
extern Query *ops_routine_only_value(OpsRoutine *routine);

/* routine_query.c */
extern Query *ops_routine_expression(RoutineReader *reader,
									 const char *source);
extern Query *ops_routine_select(RoutineReader *reader, const char *source);
extern void ops_routine_cast(RoutineReader *reader, Query *query, int column,
							 Oid type, int32 typmod);
extern int	ops_routine_column_count(const Query *query);
extern Oid	ops_routine_column_type(const Query *query, int column);

/*
 * Something in a query that may change what the session says, or NULL;
 * without an audit, functions of the schema are not looked into.
 */
extern const char *ops_routine_side_effect(OpsRlsAudit *audit, Node *node);
extern void ops_routine_check_settings(HeapTuple tuple);

/* body.c */
extern bool ops_rls_lock_tables(Node *statement, const char **locked);

#endif							/* OPS_ROUTINE_H */
