/*-------------------------------------------------------------------------
 *
 * routine_scan.c
 *	  The text of a plpgsql function as tokens.
 *
 * They are those of the server's scanner, which is the one that plpgsql uses,
 * and an expression ends where it ends for plpgsql.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "common/keywords.h"
#include "miscadmin.h"
#include "parser/scanner.h"
#include "rls/routine.h"

static bool is_word_start(const char *source);

/*
 * Whatever is not understood for certain makes the whole function opaque.
 */
void
ops_routine_refuse(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg_internal("%s", what)));
}

void
ops_routine_scan(RoutineReader *reader)
{
	MemoryContext keep = MemoryContextSwitchTo(reader->scratch);
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(reader->source, &extra, &ScanKeywords,
										 ScanKeywordTokens);
	int			room = 64;
	int			count = 0;
	RoutineToken *tokens = palloc(room * sizeof(RoutineToken));

	extra.escape_string_warning = false;
	do
	{
		core_YYSTYPE value;
		YYLTYPE		location;
		RoutineToken *token;

		CHECK_FOR_INTERRUPTS();
		if (count == room)
		{
			room *= 2;
			tokens = repalloc(tokens, room * sizeof(RoutineToken));
		}
		token = &tokens[count++];
		memset(token, 0, sizeof(RoutineToken));
		token->code = core_yylex(&value, &location, scanner);
		if (token->code == 0)
			break;
		token->start = location;
		token->quoted = reader->source[location] == '"';
		/* Words of the grammar and names alike come with their spelling. */
		if (token->quoted || is_word_start(&reader->source[location]))
			token->name = pstrdup(value.str);
	} while (true);
	scanner_finish(scanner);
	reader->tokens = tokens;
	MemoryContextSwitchTo(keep);
}

/*
 * Whether a token is a word, and no string with a letter before its quote.
 */
static bool
is_word_start(const char *source)
{
	unsigned char first = source[0];

	if (!isalpha(first) && first != '_' && !IS_HIGHBIT_SET(first))
		return false;
	if (source[1] == '\'')
		return false;
	return !((first == 'u' || first == 'U') && source[1] == '&' &&
			 (source[2] == '\'' || source[2] == '"'));
}

RoutineToken *
ops_routine_peek(RoutineReader *reader)
{
	return &reader->tokens[reader->next];
}

bool
ops_routine_is_word(const RoutineToken *token, const char *word)
{
	return token->name && !token->quoted && strcmp(token->name, word) == 0;
}

bool
ops_routine_at(RoutineReader *reader, const char *word)
{
	return ops_routine_is_word(ops_routine_peek(reader), word);
}

bool
ops_routine_assigns(const RoutineReader *reader, const RoutineToken *token)
{
	return token->code == '=' ||
		(token->code != 0 &&
		 strncmp(&reader->source[token->start], ":=", 2) == 0);
}

bool
ops_routine_accept(RoutineReader *reader, const char *word)
{
	if (!ops_routine_at(reader, word))
		return false;
	reader->next++;
	return true;
}

void
ops_routine_expect(RoutineReader *reader, const char *word)
{
	if (!ops_routine_accept(reader, word))
		ops_routine_refuse("its syntax");
}

void
ops_routine_expect_code(RoutineReader *reader, char code)
{
	if (ops_routine_peek(reader)->code != code)
		ops_routine_refuse("its syntax");
	reader->next++;
}

const char *
ops_routine_expect_name(RoutineReader *reader)
{
	if (ops_routine_peek(reader)->name == NULL)
		ops_routine_refuse("its syntax");
	return reader->tokens[reader->next++].name;
}

char *
ops_routine_text(RoutineReader *reader, int first, int end)
{
	int			start = reader->tokens[first].start;

	if (first == end)
		ops_routine_refuse("its syntax");
	return pnstrdup(&reader->source[start],
					reader->tokens[end].start - start);
}

/*
 * Where an expression ends: at a word or, without one, at a semicolon, that
 * stands in no parentheses.
 */
int
ops_routine_end(RoutineReader *reader, const char *word)
{
	int			depth = 0;

	for (int i = reader->next; reader->tokens[i].code != 0; i++)
	{
		RoutineToken *token = &reader->tokens[i];

		if (depth == 0 &&
			(word ? ops_routine_is_word(token, word) : token->code == ';'))
			return i;
		if (token->code == '(' || token->code == '[')
			depth++;
		if (token->code == ')' || token->code == ']')
			depth--;
		if (depth < 0 || token->code == ';')
			break;
	}
	ops_routine_refuse("its syntax");
	return 0;
}

/*
 * The text up to there, which stays the next token.
 */
char *
ops_routine_read_text(RoutineReader *reader, const char *word)
{
	int			end = ops_routine_end(reader, word);
	char	   *text_of = ops_routine_text(reader, reader->next, end);

	reader->next = end;
	return text_of;
}
