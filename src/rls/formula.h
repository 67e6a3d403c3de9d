/*-------------------------------------------------------------------------
 *
 * formula.h
 *	  A condition of a policy, a view or a lookup, as the prover sees it.
 *
 * A formula is the condition in three-valued logic, exactly, over atoms that
 * compare terms.  A term is a column of some row, something the session says
 * about itself (an identity), a constant, or a function of these.  Whatever
 * chooses between values (CASE, COALESCE, NULLIF, a sub-select that may find
 * no row) is lifted out of terms into the logic.
 *
 * Rows are numbered: row 0 is the one the policy is asked about, the others
 * stand for "some row" of a sub-select.  A sub-select that has to find a row
 * is a witness: true if its body is true of some row, so the rows of its body
 * are free to be any.  A witness can be false whenever it likes, which claims
 * too little about NOT EXISTS and never too much about isolation.
 *
 * Nothing here calls a function of the audited schema.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_FORMULA_H
#define OPS_FORMULA_H

#include "lib/stringinfo.h"
#include "rls/rls.h"

/* What a formula can be, as a set; an error ends the statement. */
#define TRUTH_T		0x1
#define TRUTH_F		0x2
#define TRUTH_N		0x4
#define TRUTH_E		0x8
typedef uint8 OpsTruth;

/* How two values relate, as a set. */
#define RELATES_LT	0x1
#define RELATES_EQ	0x2
#define RELATES_GT	0x4
#define RELATES_NE	(RELATES_LT | RELATES_GT)
#define RELATES_ANY (RELATES_LT | RELATES_EQ | RELATES_GT)

typedef enum OpsSourceKind
{
	SOURCE_SETTING,				/* current_setting(), claims in it included */
	SOURCE_ROLE,				/* current_user, session_user */
	SOURCE_FUNCTION,			/* a function that nobody can look into */
} OpsSourceKind;

/* Where a session says who it is. */
typedef struct OpsSource
{
	int			number;
	OpsSourceKind kind;
	const char *name;			/* app.tenant_id, request.jwt.claims.sub ... */
	struct OpsSource *parent;	/* setting or claim that holds this claim */
	bool		user_editable;	/* below user_metadata */
	bool		configured;		/* by the caller or ops.tenancy */
	bool		trusted;		/* tells tenants or users apart (tenancy.c) */
	bool		is_user;		/* names a user rather than a tenant */
	int			uses;			/* tables bound by it */
} OpsSource;

/* What an identity is while its source is missing, as a set. */
#define STATE_VALUE	0x1			/* some value */
#define STATE_NULL	0x2
#define STATE_ERROR 0x4
#define STATE_EMPTY 0x8			/* the empty string */

/* A value that is fixed for the session: a function of sources alone. */
typedef struct OpsIdentity
{
	int			number;
	const char *key;			/* canonical text, also shown */
	List	   *sources;		/* OpsSource; NIL: clock and the like */
	uint8		when_unset;		/* STATE_*, with the source null */
	uint8		when_empty;		/* STATE_*, with the source '' */
	bool		is_volatile;
	const char *obstacle;		/* function it hides in, or NULL */
	Oid			function;		/* that function, or InvalidOid */
} OpsIdentity;

typedef enum OpsTermKind
{
	TERM_COLUMN,
	TERM_IDENTITY,
	TERM_CONST,
	TERM_APPLY,
} OpsTermKind;

/* An obstacle of its own kind: hardly ever a leak. */
#define OPS_LOSSY_CAST	"a cast of texts, which can make different ones equal"

typedef struct OpsTerm
{
	OpsTermKind kind;
	Oid			type;
	int			row;			/* TERM_COLUMN: whose, */
	AttrNumber	column;			/* and which column */
	bool		nullable;
	bool		is_cast;		/* of that column to another type */
	OpsIdentity *identity;		/* TERM_IDENTITY */
	const char *key;			/* TERM_CONST: its text; TERM_APPLY: what */
	bool		isnull;			/* TERM_CONST */
	bool		known;			/* TERM_CONST: key is its value */
	int			nargs;			/* TERM_APPLY */
	struct OpsTerm **args;
	const char *obstacle;		/* TERM_APPLY: user-defined function, or NULL */
	bool		is_pattern;		/* TERM_APPLY: LIKE and its kin */
	const char *path;			/* TERM_CONST: a text array, joined by dots */
} OpsTerm;

typedef enum OpsFormulaKind
{
	FORMULA_CONST,				/* truth */
	FORMULA_AND,
	FORMULA_OR,
	FORMULA_NOT,
	FORMULA_IF,					/* args: condition, then, else */
	FORMULA_TEST,				/* true if args[0] is among truth, else false */
	FORMULA_RELATE,				/* left relates to right as in relates */
	FORMULA_ISNULL,				/* left is null */
	FORMULA_BOOL,				/* left, a boolean, is true */
	FORMULA_CHOICE,				/* true or false, nobody can know */
	FORMULA_FREE,				/* anything; obstacle says why */
	FORMULA_WITNESS,			/* some row makes args[0] true */
	FORMULA_VISIBLE,			/* policies let user see row of relation */
	FORMULA_HAS_ROLE,			/* the role is a member of key */
} OpsFormulaKind;

typedef struct OpsFormula
{
	OpsFormulaKind kind;
	OpsTruth	truth;
	uint8		relates;
	int			size;			/* of it as a tree, all copies counted */
	bool		null_possible;	/* FORMULA_WITNESS: IN rather than EXISTS */
	int			nargs;
	struct OpsFormula **args;
	OpsTerm    *left;
	OpsTerm    *right;
	int			row;			/* VISIBLE */
	Oid			relation;		/* VISIBLE */
	Oid			user;			/* VISIBLE: InvalidOid is the role itself */
	const char *obstacle;		/* FREE: user-defined thing, or NULL */
	const char *key;			/* HAS_ROLE: its name */
} OpsFormula;

/*
 * Formulas of one audit share what they are made of.
 */
typedef struct OpsTermTable
{
	HTAB	   *identities;		/* by key */
	HTAB	   *sources;		/* by name */
	List	   *source_list;
	int			nidentities;
	int			nsources;
	HTAB	   *bodies;			/* functions and views that were read */
	OpsFormula *true_formula;
	OpsFormula *false_formula;
	OpsFormula *null_formula;
} OpsTermTable;

/*
 * A value that depends: the first case whose condition is true.  A boolean
 * can be given by its formula instead of a term.
 */
typedef struct OpsCase
{
	OpsFormula *when;
	OpsTerm    *then;
	OpsFormula *truth;
} OpsCase;

/* formula.c: making them; simplifies what is constant */
extern void ops_formula_begin(OpsRlsAudit *audit);
extern OpsFormula *ops_formula_const(OpsRlsAudit *audit, OpsTruth truth);
extern OpsFormula *ops_formula_and(OpsRlsAudit *audit, OpsFormula *a,
								   OpsFormula *b);
extern OpsFormula *ops_formula_or(OpsRlsAudit *audit, OpsFormula *a,
								  OpsFormula *b);
extern OpsFormula *ops_formula_not(OpsRlsAudit *audit, OpsFormula *a);
extern OpsFormula *ops_formula_if(OpsRlsAudit *audit, OpsFormula *condition,
								  OpsFormula *yes, OpsFormula *no);
extern OpsFormula *ops_formula_test(OpsRlsAudit *audit, OpsFormula *a,
									OpsTruth truth);
extern OpsFormula *ops_formula_relate(OpsRlsAudit *audit, OpsTerm *left,
									  OpsTerm *right, uint8 relates);
extern OpsFormula *ops_formula_isnull(OpsRlsAudit *audit, OpsTerm *term);
extern OpsFormula *ops_formula_bool(OpsRlsAudit *audit, OpsTerm *term);
extern OpsFormula *ops_formula_choice(void);
extern OpsFormula *ops_formula_free(const char *obstacle);
extern OpsFormula *ops_formula_witness(OpsRlsAudit *audit, OpsFormula *body,
									   bool null_possible);
extern OpsFormula *ops_formula_visible(int row, Oid relation, Oid user);
extern OpsFormula *ops_formula_has_role(const char *name);

extern OpsFormula *ops_formula_copy(OpsRlsAudit *audit,
									const OpsFormula *formula, List **copied);
extern bool ops_formula_equal(const OpsFormula *a, const OpsFormula *b);

extern OpsTerm *ops_term_column(int row, AttrNumber column, Oid type,
								bool nullable);
extern OpsTerm *ops_term_const(Oid type, const char *string);
extern OpsTerm *ops_term_unknown_const(Oid type, const char *key,
									   bool nullable);
extern OpsTerm *ops_term_null(Oid type);
extern OpsTerm *ops_term_identity(OpsIdentity *identity, Oid type);
extern OpsTerm *ops_term_apply(const char *key, Oid type, int nargs,
							   OpsTerm **args, const char *obstacle);
extern bool ops_term_equal(const OpsTerm *a, const OpsTerm *b);
extern bool ops_term_depends_on_rows(const OpsTerm *term);
extern bool ops_term_depends_on_session(const OpsTerm *term);
extern const char *ops_term_obstacle(const OpsTerm *term);

extern OpsSource *ops_source(OpsRlsAudit *audit, OpsSourceKind kind,
							 const char *name);
extern OpsIdentity *ops_identity(OpsRlsAudit *audit, const char *key,
								 List *sources, uint8 when_unset,
								 uint8 when_empty);

/*
 * body.c: functions, and what is known of them; views.
 */
typedef struct OpsFunction
{
	Oid			oid;			/* hash key, first */
	const char *name;			/* as regproc prints it; NULL if gone */
	const char *proname;
	Oid			owner;
	Oid			result;
	char		volatility;
	bool		builtin;		/* came with the server */
	bool		strict;
	bool		set_returning;
	bool		definer;
	bool		has_settings;
	int			nargs;
	Query	   *query;			/* body, arguments are PARAM_EXTERN */
	struct OpsRoutine *routine; /* body in plpgsql */
	const char *obstacle;		/* why there is no body */
	bool		read;			/* the body was looked for */
} OpsFunction;

extern OpsFunction *ops_rls_function(OpsRlsAudit *audit, Oid oid);
extern void ops_rls_read_body(OpsRlsAudit *audit, OpsFunction *function);
extern Query *ops_rls_view_query(OpsRlsAudit *audit, Oid view);
extern uint8 ops_rls_operator_relates(OpsRlsAudit *audit, Oid operator);

/*
 * normal.c, value.c, level.c: conditions and values of analysed trees.
 */
typedef struct OpsReading
{
	OpsRlsAudit *audit;
	int			nrows;			/* numbers given to rows */
	int			nnodes;			/* looked at so far */
	int			depth;			/* of queries, functions and views */
	List	   *rows;			/* OpsQueryRow */
} OpsReading;

/* A relation in FROM. */
typedef struct OpsFromItem
{
	bool		opened;
	int			row;			/* of a table, else 0 */
	struct OpsLevel *level;		/* of a sub-select, view or function */
	OpsFormula *visible;		/* what its rows satisfy */
	List	   *absences;		/* choices: null row of an outer join */
	List	   *value;			/* OpsCase: a function that is no query */
	List	   *choices;		/* of VALUES: which row, but for the last */
} OpsFromItem;

/* A query whose expressions are read. */
typedef struct OpsLevel
{
	OpsReading *reading;
	struct OpsLevel *up;		/* what Vars of one level up mean */
	Query	   *query;			/* NULL: a policy */
	OpsRlsRelation *target;		/* of that policy */
	Oid			user;			/* whose rights count; InvalidOid: the role */
	Oid			definer;		/* current_user, if not the role */
	List	   *args;			/* of a function: a list of OpsCase each */
	OpsFromItem *from;			/* by range table index */
	List	   *calls;			/* set-returning calls in the target list */
	OpsFormula *may_be_empty;	/* some of which may return no row, or NULL */
	List	   *branches;		/* OpsLevel: of UNION */
	List	   *choices;		/* which branch, but for the last */
	List	   *common;			/* OpsLevel: INTERSECT, has the row as well */
	struct OpsLevel *sublink;	/* what PARAM_SUBLINK means */
	List	   *case_test;		/* what CaseTestExpr means */
} OpsLevel;

extern OpsFormula *ops_condition(OpsLevel *level, Node *node);
extern OpsFormula *ops_any_element(OpsLevel *level, Node *array, List *left,
								   uint8 relates);
extern List *ops_value(OpsLevel *level, Node *node);
extern List *ops_value_of_term(OpsLevel *level, OpsTerm *term);
extern List *ops_value_of_truth(OpsLevel *level, OpsFormula *truth);
extern List *ops_value_guard(OpsLevel *level, OpsFormula *when, List *yes,
							 List *no);
extern List *ops_value_apply(OpsLevel *level, Oid function, const char *key,
							 Oid type, List *args);
extern OpsFormula *ops_value_truth(OpsLevel *level, List *value);
extern OpsFormula *ops_value_isnull(OpsLevel *level, List *value);
extern OpsFormula *ops_value_relate(OpsLevel *level, List *left, List *right,
									uint8 relates);
extern OpsTerm *ops_term_element(OpsRlsAudit *audit, OpsTerm *array);
extern OpsLevel *ops_level_policy(OpsReading *reading,
								  OpsRlsRelation *relation);
extern OpsLevel *ops_level_query(OpsReading *reading, OpsLevel *up,
								 Query *query, Oid user, Oid definer,
								 List *args);
extern OpsLevel *ops_level_function(OpsLevel *level, OpsFunction *function,
									List *args);
extern OpsFormula *ops_level_rows(OpsLevel *level);
extern OpsFormula *ops_level_has_row(OpsLevel *level);
extern List *ops_level_output(OpsLevel *level, int column);
extern List *ops_level_var(OpsLevel *level, Var *var);
extern List *ops_level_call(OpsLevel *level, FuncExpr *call);
extern List *ops_routine_value(OpsLevel *level, OpsFunction *function,
							   List *args);

/* What a query reads, and what its rows satisfy. */
typedef struct OpsQueryRow
{
	int			row;
	OpsRlsRelation *relation;
	Oid			user;
} OpsQueryRow;

extern void ops_rls_read_formulas(OpsRlsAudit *audit);

#endif							/* OPS_FORMULA_H */
