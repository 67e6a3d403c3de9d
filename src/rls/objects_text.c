/*-------------------------------------------------------------------------
 *
 * objects_text.c
 *	  What the body of a function touches, without running or parsing it.
 *
 * Bodies in plpgsql and other languages are read word by word, past comments
 * and strings.  That tells which relations are named where statements name
 * relations, which functions are called, and whether the session is asked who
 * it is.  It proves nothing; whoever uses it says so.
 *
 * A body that was stored analysed is walked instead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/scansup.h"
#include "rls/objects.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

typedef enum TokenKind
{
	TOKEN_WORD,
	TOKEN_NAME,					/* in double quotes: never a key word */
	TOKEN_STRING,
	TOKEN_SIGN,
} TokenKind;

typedef struct Token
{
	TokenKind	kind;
	char	   *text;			/* folded, unquoted */
} Token;

typedef struct Tokens
{
	Token	   *all;
	int			count;
	int			space;
} Tokens;

/* A body while it is being read. */
typedef struct Reader
{
	OpsObjects *objects;
	const OpsRoutine *routine;
	OpsBodyFacts *facts;
	Tokens		tokens;
	int			depth;			/* of strings in strings */
	int			parentheses;
	int			from_at;		/* depth of the FROM clause; -1 if in none */
} Reader;

#define MAX_STRING_DEPTH	3

/* Functions of the server that tell about the session. */
static const char *const session_words[] = {
	"current_setting", "session_user", "pg_has_role", "getpgusername",
	"inet_client_addr", "inet_client_port", "pg_backend_pid",
	"pg_my_temp_schema", "system_user",
};

/* These tell about the session unless the function runs as its owner. */
static const char *const user_words[] = {
	"current_user", "current_role", "user",
};

static void read_body(Reader *reader, const char *body);
static void split(Tokens *tokens, const char *text);
static const char *skip_comment(const char *p);
static const char *read_quoted(Tokens *tokens, const char *p, TokenKind kind,
							   bool escapes);
static const char *read_dollar(Tokens *tokens, const char *p);
static const char *read_word(Tokens *tokens, const char *p);
static void add_token(Tokens *tokens, TokenKind kind, char *content);
static bool is_word(const Tokens *tokens, int place, const char *word);
static bool is_sign(const Tokens *tokens, int place, char sign);
static bool is_name(const Tokens *tokens, int place);
static void read_token(Reader *reader, int place);
static void read_session(Reader *reader, int place);
static void follow_from(Reader *reader, int place);
static void read_call(Reader *reader, int place);
static void read_condition(Reader *reader, int place);
static void read_target(Reader *reader, int place);
static void read_relation(Reader *reader, int place, List **list);
static void read_string(Reader *reader, int place);
static void read_new(Reader *reader, int place);
static bool takes_read_value(const Tokens *tokens, int place);
static const OpsRlsRelation *named_relation(Reader *reader,
											const char *schema,
											const char *name);
static bool may_resolve_to(const OpsRoutine *routine, const char *schema_name);
static List *things_named(HTAB *table, const char *name);
static bool walk_tree(Node *node, Reader *reader);
static bool note_function(Oid function, void *context);

/*
 * Facts of a body given as text.
 */
void
ops_body_read_text(OpsObjects *objects, const OpsRoutine *routine,
				   OpsBodyFacts *facts)
{
	Reader		reader = {
		.objects = objects,
		.routine = routine,
		.facts = facts,
	};

	read_body(&reader, routine->source);
}

/*
 * Facts of a body that was stored analysed; its names are bound for good.
 */
void
ops_body_read_tree(OpsObjects *objects, const OpsRoutine *routine,
				   OpsBodyFacts *facts)
{
	Reader		reader = {
		.objects = objects,
		.routine = routine,
		.facts = facts,
	};

	(void) walk_tree(stringToNode(routine->tree), &reader);
}

static void
read_body(Reader *reader, const char *body)
{
	Tokens		outer = reader->tokens;
	int			outer_from = reader->from_at;
	int			outer_parentheses = reader->parentheses;

	memset(&reader->tokens, 0, sizeof(Tokens));
	reader->from_at = -1;
	reader->parentheses = 0;
	split(&reader->tokens, body);
	for (int i = 0; i < reader->tokens.count; i++)
	{
		if (is_word(&reader->tokens, i, "execute"))
			reader->facts->is_dynamic = true;
	}
	for (int i = 0; i < reader->tokens.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_token(reader, i);
	}
	reader->tokens = outer;
	reader->from_at = outer_from;
	reader->parentheses = outer_parentheses;
}

/*
 * Split a text into words, names, strings and signs.
 */
static void
split(Tokens *tokens, const char *p)
{
	tokens->space = 64;
	tokens->all = palloc(tokens->space * sizeof(Token));
	while (*p)
	{
		if (isspace((unsigned char) *p))
			p++;
		else if ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'))
			p = skip_comment(p);
		else if (*p == '\'')
			p = read_quoted(tokens, p, TOKEN_STRING, false);
		else if ((*p == 'e' || *p == 'E') && p[1] == '\'')
			p = read_quoted(tokens, p + 1, TOKEN_STRING, true);
		else if (*p == '"')
			p = read_quoted(tokens, p, TOKEN_NAME, false);
		else if (*p == '$')
			p = read_dollar(tokens, p);
		else if (isalpha((unsigned char) *p) || *p == '_' ||
				 IS_HIGHBIT_SET(*p) || isdigit((unsigned char) *p))
			p = read_word(tokens, p);
		else
			add_token(tokens, TOKEN_SIGN, pnstrdup(p++, 1));
	}
}

static const char *
skip_comment(const char *p)
{
	int			depth = 0;

	if (*p == '-')
	{
		while (*p && *p != '\n')
			p++;
		return p;
	}
	do
	{
		if (p[0] == '/' && p[1] == '*')
		{
			depth++;
			p += 2;
		}
		else if (p[0] == '*' && p[1] == '/')
		{
			depth--;
			p += 2;
		}
		else if (*p)
			p++;
	} while (*p && depth > 0);
	return p;
}

/*
 * A string or name from its quote to the next that is not doubled.
 */
static const char *
read_quoted(Tokens *tokens, const char *p, TokenKind kind, bool escapes)
{
	char		quote = *p++;
	StringInfoData content;

	initStringInfo(&content);
	while (*p)
	{
		if (*p == quote && p[1] != quote)
			break;
		if (*p == quote || (escapes && *p == '\\' && p[1]))
			p++;
		appendStringInfoChar(&content, *p++);
	}
	add_token(tokens, kind, content.data);
	return *p ? p + 1 : p;
}

/*
 * A string between dollar signs, or else a parameter or sign.
 */
static const char *
read_dollar(Tokens *tokens, const char *p)
{
	const char *end = p + 1;
	const char *close;
	char	   *mark;

	while (isalnum((unsigned char) *end) || *end == '_' || IS_HIGHBIT_SET(*end))
		end++;
	if (*end != '$' || isdigit((unsigned char) p[1]))
	{
		add_token(tokens, TOKEN_SIGN, pnstrdup(p, end - p));
		return end;
	}
	end++;
	mark = pnstrdup(p, end - p);
	close = strstr(end, mark);
	if (close == NULL)
		close = end + strlen(end);
	add_token(tokens, TOKEN_STRING, pnstrdup(end, close - end));
	return *close ? close + strlen(mark) : close;
}

static const char *
read_word(Tokens *tokens, const char *p)
{
	const char *end = p;

	while (isalnum((unsigned char) *end) || *end == '_' || *end == '$' ||
		   IS_HIGHBIT_SET(*end))
		end++;
	add_token(tokens, TOKEN_WORD,
			  downcase_truncate_identifier(p, end - p, false));
	return end;
}

static void
add_token(Tokens *tokens, TokenKind kind, char *content)
{
	if (tokens->count == tokens->space)
	{
		tokens->space *= 2;
		tokens->all = repalloc_huge(tokens->all,
									tokens->space * sizeof(Token));
	}
	tokens->all[tokens->count].kind = kind;
	tokens->all[tokens->count].text = content;
	tokens->count++;
}

static bool
is_word(const Tokens *tokens, int place, const char *word)
{
	return place >= 0 && place < tokens->count &&
		tokens->all[place].kind == TOKEN_WORD &&
		strcmp(tokens->all[place].text, word) == 0;
}

static bool
is_sign(const Tokens *tokens, int place, char sign)
{
	return place >= 0 && place < tokens->count &&
		tokens->all[place].kind == TOKEN_SIGN &&
		tokens->all[place].text[0] == sign;
}

static bool
is_name(const Tokens *tokens, int place)
{
	return place >= 0 && place < tokens->count &&
		(tokens->all[place].kind == TOKEN_WORD ||
		 tokens->all[place].kind == TOKEN_NAME);
}

static void
read_token(Reader *reader, int place)
{
	const Tokens *tokens = &reader->tokens;

	switch (tokens->all[place].kind)
	{
		case TOKEN_STRING:
			read_string(reader, place);
			return;
		case TOKEN_SIGN:
			if (is_sign(tokens, place, '('))
				reader->parentheses++;
			else if (is_sign(tokens, place, ')'))
				reader->parentheses--;
			follow_from(reader, place);
			return;
		case TOKEN_WORD:
			read_session(reader, place);
			read_condition(reader, place);
			read_new(reader, place);
			follow_from(reader, place);
			read_target(reader, place);
			break;
		case TOKEN_NAME:
			break;
	}
	read_call(reader, place);
}

/*
 * A word by which the session says who it is.
 */
static void
read_session(Reader *reader, int place)
{
	const char *word = reader->tokens.all[place].text;

	for (int i = 0; i < lengthof(session_words); i++)
	{
		if (strcmp(word, session_words[i]) == 0)
			reader->facts->reads_session = true;
	}
	if (reader->routine->definer || is_sign(&reader->tokens, place - 1, '.'))
		return;
	for (int i = 0; i < lengthof(user_words); i++)
	{
		if (strcmp(word, user_words[i]) == 0)
			reader->facts->reads_session = true;
	}
}

/*
 * NEW in a trigger's function, and columns of it that take a value which may
 * have been read from somewhere.
 */
static void
read_new(Reader *reader, int place)
{
	const Tokens *tokens = &reader->tokens;
	OpsBodyFacts *facts = reader->facts;
	int			after = place + 3;
	bool		assigned = is_sign(tokens, after, '=') &&
	(is_sign(tokens, place - 1, ';') || is_word(tokens, place - 1, "then") ||
	 is_word(tokens, place - 1, "else") ||
	 is_word(tokens, place - 1, "begin"));

	if (!is_word(tokens, place, "new") || !is_sign(tokens, place + 1, '.') ||
		!is_name(tokens, place + 2))
		return;
	facts->uses_new = true;
	if (is_sign(tokens, after, ':') && is_sign(tokens, after + 1, '='))
		assigned = true;
	if (is_word(tokens, place - 1, "into") ||
		(assigned && takes_read_value(tokens, after)))
		facts->fills = lappend(facts->fills, tokens->all[place + 2].text);
}

/*
 * Whether an assignment takes the value of a sub-select or of a variable, not
 * just of a function or of other columns of the same row.
 */
static bool
takes_read_value(const Tokens *tokens, int place)
{
	static const char *const words[] = {
		"null", "true", "false", "and", "or", "not", "is", "new", "old",
		"case", "when", "then", "else", "end", "current_timestamp",
		"current_date", "current_user", "session_user",
	};

	for (; place < tokens->count && !is_sign(tokens, place, ';'); place++)
	{
		bool		known = false;

		if (is_word(tokens, place, "select"))
			return true;
		if (tokens->all[place].kind != TOKEN_WORD ||
			isdigit((unsigned char) tokens->all[place].text[0]) ||
			is_sign(tokens, place + 1, '(') ||
			is_sign(tokens, place - 1, '.') || is_sign(tokens, place - 1, ':'))
			continue;
		for (int i = 0; i < lengthof(words); i++)
			known |= is_word(tokens, place, words[i]);
		if (!known)
			return true;
	}
	return false;
}

/*
 * Keep track of FROM, in whose list a comma is followed by a relation.
 */
static void
follow_from(Reader *reader, int place)
{
	static const char *const ends[] = {
		"where", "group", "order", "limit", "having", "union", "returning",
		"set", "loop", "then", "window", "except", "intersect", "values",
	};
	const Tokens *tokens = &reader->tokens;

	if (is_sign(tokens, place, ';') ||
		reader->parentheses < reader->from_at)
		reader->from_at = -1;
	if (is_sign(tokens, place, ',') && reader->from_at == reader->parentheses)
		read_relation(reader, place + 1, &reader->facts->reads);
	if (tokens->all[place].kind != TOKEN_WORD)
		return;
	if (is_word(tokens, place, "from"))
		reader->from_at = reader->parentheses;
	for (int i = 0; i < lengthof(ends); i++)
	{
		if (is_word(tokens, place, ends[i]) &&
			reader->from_at == reader->parentheses)
			reader->from_at = -1;
	}
}

/*
 * A word that makes something depend on more than the arguments.
 */
static void
read_condition(Reader *reader, int place)
{
	static const char *const words[] = {
		"if", "case", "where", "assert", "raise", "returning", "declare",
		"select"
	};

	for (int i = 0; i < lengthof(words); i++)
		reader->facts->decides |= is_word(&reader->tokens, place, words[i]);
}

/*
 * A key word that a relation's name follows.
 */
static void
read_target(Reader *reader, int place)
{
	const Tokens *tokens = &reader->tokens;
	OpsBodyFacts *facts = reader->facts;

	if (is_word(tokens, place, "from"))
		read_relation(reader, place + 1,
					  is_word(tokens, place - 1, "delete") ?
					  &facts->changes : &facts->reads);
	else if (is_word(tokens, place, "join") || is_word(tokens, place, "using"))
		read_relation(reader, place + 1, &facts->reads);
	else if (is_word(tokens, place, "into") &&
			 is_word(tokens, place - 1, "insert"))
		read_relation(reader, place + 1, &facts->inserts);
	else if (is_word(tokens, place, "into") &&
			 is_word(tokens, place - 1, "merge"))
		read_relation(reader, place + 1, &facts->changes);
	else if (is_word(tokens, place, "update") &&
			 !is_word(tokens, place - 1, "for") &&
			 !is_word(tokens, place - 1, "key") &&
			 !is_word(tokens, place - 1, "do"))
		read_relation(reader, place + 1, &facts->changes);
	else if (is_word(tokens, place, "truncate"))
		read_relation(reader,
					  is_word(tokens, place + 1, "table") ? place + 2 : place + 1,
					  &facts->changes);
}

/*
 * The relation named at a place, if it is one that is known.
 */
static void
read_relation(Reader *reader, int place, List **list)
{
	const Tokens *tokens = &reader->tokens;
	const char *schema = NULL;
	const OpsRlsRelation *relation;

	while (is_word(tokens, place, "only") || is_word(tokens, place, "lateral"))
		place++;
	if (!is_name(tokens, place))
		return;
	if (is_sign(tokens, place + 1, '.') && is_name(tokens, place + 2))
	{
		schema = tokens->all[place].text;
		place += 2;
	}
	if (is_sign(tokens, place + 1, '(') && list == &reader->facts->reads)
		return;
	relation = named_relation(reader, schema, tokens->all[place].text);
	if (relation == NULL)
		return;
	*list = list_append_unique_ptr(*list, unconstify(OpsRlsRelation *, relation));
	if (schema == NULL)
		reader->facts->names_loosely = true;
}

/*
 * A function that is called, and those of its name that it may be.
 */
static void
read_call(Reader *reader, int place)
{
	const Tokens *tokens = &reader->tokens;
	bool		qualified = is_sign(tokens, place - 1, '.') &&
	is_name(tokens, place - 2);
	ListCell   *lc;

	if (!is_sign(tokens, place + 1, '('))
		return;
	foreach(lc, things_named(reader->objects->routine_names,
							 tokens->all[place].text))
	{
		OpsRoutine *callee = lfirst(lc);

		if (callee == reader->routine ||
			(qualified ?
			 strcmp(callee->schema_name, tokens->all[place - 2].text) != 0 :
			 !may_resolve_to(reader->routine, callee->schema_name)))
			continue;
		reader->facts->calls = list_append_unique_ptr(reader->facts->calls,
													  callee);
		if (!qualified)
			reader->facts->calls_loosely = true;
	}
}

/*
 * A string, which may be a statement where statements are built.
 */
static void
read_string(Reader *reader, int place)
{
	static const char *const verbs[] = {
		"select", "insert", "update", "delete", "with", "merge", "truncate",
	};
	const char *content = reader->tokens.all[place].text;

	if (!reader->facts->is_dynamic || reader->depth >= MAX_STRING_DEPTH)
		return;
	while (isspace((unsigned char) *content) || *content == '(')
		content++;
	for (int i = 0; i < lengthof(verbs); i++)
	{
		if (pg_strncasecmp(content, verbs[i], strlen(verbs[i])) == 0)
		{
			reader->depth++;
			read_body(reader, content);
			reader->depth--;
			return;
		}
	}
}

/*
 * The relation that a name stands for in a body: of the search path, or if
 * the function has none of its own, of its own schema before any other.
 */
static const OpsRlsRelation *
named_relation(Reader *reader, const char *schema, const char *name)
{
	const OpsRlsRelation *best = NULL;
	ListCell   *lc;

	foreach(lc, things_named(reader->objects->relation_names, name))
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (schema ? strcmp(schema, relation->schema_name) != 0 :
			!may_resolve_to(reader->routine, relation->schema_name))
			continue;
		if (best == NULL || relation->schema == reader->routine->schema ||
			(best->schema != reader->routine->schema &&
			 !ops_objects_holds_tenants(best)))
			best = relation;
	}
	return best;
}

static bool
may_resolve_to(const OpsRoutine *routine, const char *schema_name)
{
	ListCell   *lc;

	if (!routine->has_path)
		return true;
	foreach(lc, routine->path)
	{
		if (strcmp(lfirst(lc), schema_name) == 0 ||
			strcmp(lfirst(lc), "$user") == 0)
			return true;
	}
	return false;
}

static List *
things_named(HTAB *table, const char *name)
{
	NameData	key;
	OpsNamed   *named;

	if (strlen(name) >= NAMEDATALEN)
		return NIL;
	namestrcpy(&key, name);
	named = hash_search(table, &key, HASH_FIND, NULL);
	return named ? named->things : NIL;
}

static bool
walk_tree(Node *node, Reader *reader)
{
	if (node == NULL)
		return false;
	if (IsA(node, SQLValueFunction))
	{
		switch (((SQLValueFunction *) node)->op)
		{
			case SVFOP_SESSION_USER:
				reader->facts->reads_session = true;
				break;
			case SVFOP_CURRENT_ROLE:
			case SVFOP_CURRENT_USER:
			case SVFOP_USER:
				reader->facts->reads_session |= !reader->routine->definer;
				break;
			default:
				break;
		}
		return false;
	}
	if (IsA(node, RangeTblEntry))
		return false;
	if (IsA(node, CaseExpr))
		reader->facts->decides = true;
	(void) check_functions_in_node(node, note_function, reader);
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;
		ListCell   *lc;
		int			place = 0;

		if (query->commandType == CMD_SELECT || query->returningList ||
			query->jointree->quals)
			reader->facts->decides = true;
		foreach(lc, query->rtable)
		{
			RangeTblEntry *entry = lfirst(lc);
			OpsRlsRelation *relation;
			List	  **list = &reader->facts->reads;

			place++;
			if (entry->rtekind != RTE_RELATION)
				continue;
			if (place == query->resultRelation)
				list = query->commandType == CMD_INSERT ?
					&reader->facts->inserts : &reader->facts->changes;
			relation = ops_rls_relation(reader->objects->audit, entry->relid);
			if (relation)
				*list = list_append_unique_ptr(*list, relation);
		}
		return query_tree_walker(query, walk_tree, reader,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	return expression_tree_walker(node, walk_tree, reader);
}

static bool
note_function(Oid function, void *context)
{
	Reader	   *reader = context;
	OpsRoutine *callee;

	switch (function)
	{
		case F_CURRENT_SETTING_TEXT:
		case F_CURRENT_SETTING_TEXT_BOOL:
		case F_SESSION_USER:
		case F_INET_CLIENT_ADDR:
		case F_INET_CLIENT_PORT:
		case F_PG_BACKEND_PID:
		case F_PG_MY_TEMP_SCHEMA:
			reader->facts->reads_session = true;
			return false;
		case F_CURRENT_USER:
			reader->facts->reads_session |= !reader->routine->definer;
			return false;
		default:
			break;
	}
	callee = hash_search(reader->objects->routines, &function, HASH_FIND,
						 NULL);
	if (callee && callee != reader->routine)
		reader->facts->calls = list_append_unique_ptr(reader->facts->calls,
													  callee);
	return false;
}
