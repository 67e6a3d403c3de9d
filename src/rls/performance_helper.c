/*-------------------------------------------------------------------------
 *
 * performance_helper.c
 *	  What it costs to call a function in a policy.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "rls/formula.h"
#include "rls/performance.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* What the words of a body's text say so far. */
typedef struct BodyWords
{
	bool		in_query;		/* SELECT or PERFORM was seen */
	bool		argument;		/* the next FROM is that of extract() */
	bool		distinct;		/* the last word was DISTINCT */
} BodyWords;

static HTAB *make_helpers(OpsRlsAudit *audit);
static void learn(OpsRlsAudit *audit, OpsHelper *helper);
static bool says_who_asks(const OpsFunction *function);
static void learn_body(OpsRlsAudit *audit, OpsHelper *helper,
					   OpsFunction *function);

typedef struct BodyWalk
{
	OpsRlsAudit *audit;
	OpsHelper  *helper;
} BodyWalk;

static bool walk_body(Node *node, BodyWalk *walk);
static bool is_one_expression(OpsRlsAudit *audit, const OpsFunction *function);
static bool calls_volatile(Node *node, OpsRlsAudit *audit);
static bool text_reads_tables(Oid function);
static bool source_reads_tables(const char *source);
static const char *skip_comment(const char *source);
static bool word_reads_tables(BodyWords *words, const char *word, int length);
static bool is_word(const char *word, int length, const char *wanted);

/*
 * What is known of a function, looked up once.  One that calls itself sees
 * itself half known, as if the inner call cost nothing.
 */
OpsHelper *
ops_rls_helper(OpsRlsAudit *audit, Oid function)
{
	struct OpsPerformance *performance = audit->performance;
	MemoryContext caller;
	OpsHelper  *helper;
	bool		found;

	if (performance->helpers == NULL)
		performance->helpers = make_helpers(audit);
	helper = hash_search(performance->helpers, &function, HASH_ENTER, &found);
	if (found)
		return helper;

	memset(helper, 0, sizeof(OpsHelper));
	helper->oid = function;
	caller = MemoryContextSwitchTo(audit->context);
	learn(audit, helper);
	MemoryContextSwitchTo(caller);
	return helper;
}

static HTAB *
make_helpers(OpsRlsAudit *audit)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(OpsHelper);
	ctl.hcxt = audit->context;
	return hash_create("functions in policies", 128, &ctl,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
learn(OpsRlsAudit *audit, OpsHelper *helper)
{
	OpsFunction *function = ops_rls_function(audit, helper->oid);

	if (function->name == NULL)
		return;					/* gone by now */
	helper->user_defined = helper->oid >= FirstNormalObjectId;
	helper->is_volatile = function->volatility == PROVOLATILE_VOLATILE;
	helper->session = says_who_asks(function);
	if (helper->user_defined)
		learn_body(audit, helper, function);
}

/*
 * Of the server's own functions only one does, as far as policies go; who
 * knows what others' functions say.
 */
static bool
says_who_asks(const OpsFunction *function)
{
	if (function->oid < FirstNormalObjectId)
		return function->oid == F_CURRENT_SETTING_TEXT ||
			function->oid == F_CURRENT_SETTING_TEXT_BOOL;
	return function->volatility != PROVOLATILE_IMMUTABLE;
}

static void
learn_body(OpsRlsAudit *audit, OpsHelper *helper, OpsFunction *function)
{
	BodyWalk	walk = {
		.audit = audit,
		.helper = helper,
	};

	ops_rls_read_body(audit, function);
	if (function->query == NULL)
	{
		helper->reads_tables = text_reads_tables(helper->oid);
		return;
	}
	walk_body((Node *) function->query, &walk);
	helper->melts = is_one_expression(audit, function);
}

static bool
walk_body(Node *node, BodyWalk *walk)
{
	OpsHelper  *helper = walk->helper;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;
		ListCell   *lc;

		foreach(lc, ops_rls_unserved_lookups(walk->audit, query))
		{
			OpsUnserved *unserved = lfirst(lc);

			unserved->helper = helper->oid;
			helper->unserved = lappend(helper->unserved, unserved);
		}
		foreach(lc, query->rtable)
		{
			if (lfirst_node(RangeTblEntry, lc)->rtekind == RTE_RELATION)
				helper->reads_tables = true;
		}
		return query_tree_walker(query, walk_body, walk, 0);
	}
	if (IsA(node, FuncExpr) &&
		((FuncExpr *) node)->funcid >= FirstNormalObjectId)
	{
		OpsHelper  *other = ops_rls_helper(walk->audit,
										   ((FuncExpr *) node)->funcid);

		helper->reads_tables |= other->reads_tables;
		if (other != helper)
			helper->unserved = list_concat(helper->unserved, other->unserved);
	}
	return expression_tree_walker(node, walk_body, walk);
}

/*
 * Whether the planner puts the body of a function in the place of the call,
 * so that what the function claims to be does not matter.
 */
static bool
is_one_expression(OpsRlsAudit *audit, const OpsFunction *function)
{
	Query	   *query = function->query;

	return !function->definer && !function->has_settings &&
		!function->set_returning && !function->strict &&
		query->rtable == NIL && query->cteList == NIL &&
		query->jointree->quals == NULL && !query->hasSubLinks &&
		!query->hasAggs && !query->hasWindowFuncs && !query->hasTargetSRFs &&
		query->setOperations == NULL && list_length(query->targetList) == 1 &&
		!calls_volatile((Node *) query->targetList, audit);
}

static bool
calls_volatile(Node *node, OpsRlsAudit *audit)
{
	Oid			function;

	if (node == NULL)
		return false;
	function = ops_tree_function(node);
	if (OidIsValid(function) && ops_rls_helper(audit, function)->is_volatile)
		return true;
	return expression_tree_walker(node, calls_volatile, audit);
}

/*
 * Whether a body that is only known as text contains a query.
 */
static bool
text_reads_tables(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		reads = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prolang != ClanguageId && form->prolang != INTERNALlanguageId)
	{
		bool		isnull;
		Datum		source = SysCacheGetAttr(PROCOID, tuple,
											 Anum_pg_proc_prosrc, &isnull);

		if (!isnull)
			reads = source_reads_tables(TextDatumGetCString(source));
	}
	ReleaseSysCache(tuple);
	return reads;
}

static bool
source_reads_tables(const char *source)
{
	BodyWords	words = {0};

	while (*source)
	{
		int			length = 0;

		source = skip_comment(source);
		while (isalnum((unsigned char) source[length]) ||
			   source[length] == '_' || source[length] == '$')
			length++;
		if (length == 0)
		{
			if (*source)
				source++;
			continue;
		}
		if (word_reads_tables(&words, source, length))
			return true;
		source += length;
	}
	return false;
}

static const char *
skip_comment(const char *source)
{
	const char *end;

	if (source[0] == '-' && source[1] == '-')
		return source + strcspn(source, "\n");
	if (source[0] != '/' || source[1] != '*')
		return source;
	end = strstr(source + 2, "*/");
	return end ? end + 2 : source + strlen(source);
}

static bool
word_reads_tables(BodyWords *words, const char *word, int length)
{
	bool		distinct = words->distinct;

	words->distinct = is_word(word, length, "distinct");
	if (is_word(word, length, "execute"))
		return true;
	if (is_word(word, length, "select") || is_word(word, length, "perform"))
		words->in_query = true;
	else if (is_word(word, length, "extract") || is_word(word, length, "trim") ||
			 is_word(word, length, "substring") ||
			 is_word(word, length, "overlay"))
		words->argument = true;
	else if (is_word(word, length, "from"))
	{
		if (words->in_query && !distinct && !words->argument)
			return true;
		words->argument = false;
	}
	return false;
}

static bool
is_word(const char *word, int length, const char *wanted)
{
	return length == strlen(wanted) &&
		pg_strncasecmp(word, wanted, length) == 0;
}
