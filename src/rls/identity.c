/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  What a session says about itself, and functions of it.
 *
 * A custom setting is null until it is first set in a session, and '' from
 * then on whenever it is not set: both mean that nobody said who it is.  What
 * a function makes of these two states is followed here, for functions that
 * came with the server; what an unknown function makes of them can be
 * anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "core/compat.h"
#include "lib/stringinfo.h"
#include "rls/identity.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define STATE_ANY	(STATE_VALUE | STATE_NULL | STATE_ERROR | STATE_EMPTY)

static OpsTerm *text_array_term(const Const *node);
static bool is_null_for_null(Oid function);
static OpsTerm *const_term(const char *key, Oid type, int nargs,
						   OpsTerm **args);
static OpsTerm *cast_term(OpsTerm *arg, Oid type, OpsRlsAudit *audit);
static bool is_same_text(const OpsTerm *constant, Oid type);
static Oid	base_type(Oid type);
static bool keeps_values_apart(Oid from, Oid to);
static bool is_text(Oid type);
static bool claim_path(Oid function, int nargs, OpsTerm **args,
					   StringInfo path);
static OpsTerm *claim_term(OpsRlsAudit *audit, Oid function,
						   OpsTerm *document, const char *path, Oid type);
static OpsTerm *session_term(OpsRlsAudit *audit, OpsReading *reading,
							 OpsFunction *function, const char *key,
							 Oid type, int nargs, OpsTerm **args);
static uint8 state_after(OpsFunction *function, uint8 state);
static uint8 cast_state(Oid type, uint8 state);
static void append_key(StringInfo key, const OpsTerm *term);
static bool is_pattern_function(Oid function);

/*
 * A constant.  Only values of plain built-in types are printed: an output
 * function of the schema is nothing that an audit calls.
 */
OpsTerm *
ops_identity_const(const Const *node)
{
	switch (node->consttype)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case TEXTOID:
		case VARCHAROID:
		case NAMEOID:
		case UUIDOID:
		case UNKNOWNOID:
			if (!node->constisnull)
			{
				Oid			output;
				bool		has_header;

				getTypeOutputInfo(node->consttype, &output, &has_header);
				return ops_term_const(node->consttype,
									  OidOutputFunctionCall(output, node->constvalue));
			}
			break;
		default:
			break;
	}
	if (node->constisnull)
		return ops_term_null(node->consttype);
	if (node->consttype == TEXTARRAYOID)
		return text_array_term(node);
	else
	{
		Size		size = datumGetSize(node->constvalue, node->constbyval,
										node->constlen);
		uint64		hash;

		if (node->constbyval)
			hash = hash_bytes_extended((unsigned char *) &node->constvalue,
									   sizeof(Datum), 0);
		else
			hash = hash_bytes_extended((unsigned char *) DatumGetPointer(node->constvalue),
									   size, 0);
		return ops_term_unknown_const(node->consttype,
									  psprintf("constant %016llx of type %u",
											   (unsigned long long) hash,
											   node->consttype),
									  false);
	}
}

/*
 * A constant array of texts, which may be a path into a document.
 */
static OpsTerm *
text_array_term(const Const *node)
{
	ArrayType  *array = DatumGetArrayTypeP(node->constvalue);
	Datum	   *texts;
	bool	   *isnull;
	int			ntexts;
	StringInfoData path;
	OpsTerm    *term;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &texts, &isnull, &ntexts);
	initStringInfo(&path);
	for (int i = 0; i < ntexts; i++)
		appendStringInfo(&path, "%s%s", i > 0 ? "." : "",
						 isnull[i] ? "" : TextDatumGetCString(texts[i]));
	term = ops_term_unknown_const(TEXTARRAYOID, path.data, false);
	term->path = path.data;
	return term;
}

/*
 * Casts that exist as functions of the server and neither round nor cut.
 */
bool
ops_identity_is_cast(Oid function)
{
	switch (function)
	{
		case F_INT4_INT2:
		case F_INT8_INT2:
		case F_INT8_INT4:
		case F_INT2_INT4:
		case F_INT2_INT8:
		case F_INT4_INT8:
		case F_NUMERIC_INT2:
		case F_NUMERIC_INT4:
		case F_NUMERIC_INT8:
		case F_TEXT_NAME:
		case F_TEXT_CHAR:
		case F_VARCHAR_NAME:
		case F_NAME_TEXT:
		case F_NAME_VARCHAR:
			return true;
		default:
			return false;
	}
}

/*
 * A function of terms.
 */
OpsTerm *
ops_identity_apply(OpsRlsAudit *audit, OpsReading *reading, Oid function,
				   const char *key, Oid type, int nargs, OpsTerm **args)
{
	OpsFunction *callee = OidIsValid(function) ?
	ops_rls_function(audit, function) : NULL;
	bool		rows = false;
	bool		session = false;
	StringInfoData path;
	OpsTerm    *term;

	if (callee == NULL && nargs == 1 && strcmp(key, "cast") == 0)
		return cast_term(args[0], type, audit);
	if (nargs > 0 && args[0]->kind == TERM_CONST && args[0]->isnull &&
		(callee ? is_null_for_null(function) :
		 strcmp(key, "cast") == 0 || strcmp(key, "array cast") == 0 ||
		 strcmp(key, "subscript") == 0))
		return ops_term_null(type);
	if (callee && callee->builtin && callee->strict)
	{
		for (int i = 0; i < nargs; i++)
		{
			if (args[i]->kind == TERM_CONST && args[i]->isnull)
				return ops_term_null(type);
		}
	}
	if ((function == F_CURRENT_SETTING_TEXT ||
		 function == F_CURRENT_SETTING_TEXT_BOOL) &&
		args[0]->kind == TERM_CONST && args[0]->known)
	{
		bool		missing_ok = nargs == 2 && args[1]->kind == TERM_CONST &&
		args[1]->known && args[1]->key[0] == 't';

		return ops_term_identity(ops_identity_setting(audit, args[0]->key,
													  missing_ok), type);
	}
	if (function == F_CURRENT_USER || function == F_SESSION_USER ||
		function == F_GETPGUSERNAME)
		return ops_term_identity(ops_identity_role(audit,
												   function == F_SESSION_USER ?
												   "session_user" : "current_user"),
								 type);
	initStringInfo(&path);
	if (nargs >= 2 && args[0]->kind == TERM_IDENTITY &&
		list_length(args[0]->identity->sources) == 1 &&
		claim_path(function, nargs, args, &path))
		return claim_term(audit, function, args[0], path.data, type);

	for (int i = 0; i < nargs; i++)
	{
		rows |= ops_term_depends_on_rows(args[i]) ||
			(args[i]->kind == TERM_APPLY && ops_term_obstacle(args[i]));
		session |= args[i]->kind == TERM_IDENTITY;
	}
	if (!rows && (session || (callee && callee->volatility != PROVOLATILE_IMMUTABLE)))
		return session_term(audit, reading, callee, key, type, nargs, args);
	if (!rows && (callee == NULL || callee->builtin))
		return const_term(key, type, nargs, args);
	if (!rows)
		return session_term(audit, reading, callee, key, type, nargs, args);

	if (callee && callee->volatility == PROVOLATILE_VOLATILE)
		key = psprintf("%s %d", key, ++reading->nnodes);
	term = ops_term_apply(key, type, nargs, args,
						  callee && !callee->builtin ? callee->name : NULL);
	term->is_pattern = is_pattern_function(function);
	return term;
}

/*
 * Functions that are not strict but give null if their first argument is.
 */
static bool
is_null_for_null(Oid function)
{
	return function == F_STRING_TO_ARRAY_TEXT_TEXT ||
		function == F_STRING_TO_ARRAY_TEXT_TEXT_TEXT;
}

/*
 * A function of constants: not computed.  An array of texts is kept as a
 * path, since it may be one into a document.
 */
static OpsTerm *
const_term(const char *key, Oid type, int nargs, OpsTerm **args)
{
	StringInfoData said;
	StringInfoData path;
	bool		known = nargs > 0;
	OpsTerm    *term;

	initStringInfo(&said);
	initStringInfo(&path);
	appendStringInfo(&said, "%s(", key);
	for (int i = 0; i < nargs; i++)
	{
		append_key(&said, args[i]);
		known &= args[i]->known;
		if (known)
			appendStringInfo(&path, "%s%s", i > 0 ? "." : "", args[i]->key);
	}
	appendStringInfoChar(&said, ')');
	term = ops_term_unknown_const(type, said.data, true);
	if (known && strcmp(key, "array") == 0)
	{
		term->path = path.data;
		term->nullable = false;
	}
	return term;
}

/*
 * A cast.  One that keeps different values different leaves a column what it
 * is; an identity becomes another one, which may fail for ''.
 */
static OpsTerm *
cast_term(OpsTerm *arg, Oid type, OpsRlsAudit *audit)
{
	OpsTerm    *term = palloc(sizeof(OpsTerm));
	const char *obstacle = NULL;

	*term = *arg;
	term->type = type;
	switch (arg->kind)
	{
		case TERM_COLUMN:
			if (!keeps_values_apart(arg->type, type))
				break;
			/* '1' and '01' are different texts and the same number. */
			if (is_text(arg->type) && !is_text(type))
			{
				obstacle = OPS_LOSSY_CAST;
				break;
			}
			term->is_cast = arg->is_cast ||
				!(is_text(arg->type) && is_text(type));
			return term;
		case TERM_CONST:
			if (arg->known && !is_same_text(arg, type))
				term->known = false;
			return term;
		case TERM_IDENTITY:
			if (is_text(type) && (is_text(arg->type) ||
								  keeps_values_apart(arg->type, type)))
				return term;
			else
			{
				OpsIdentity *identity = arg->identity;
				OpsIdentity *cast = ops_identity(audit,
												 psprintf("%s::%s", identity->key,
														  ops_identity_type_name(type)),
												 identity->sources,
												 cast_state(type, identity->when_unset),
												 cast_state(type, identity->when_empty));

				cast->is_volatile = identity->is_volatile;
				cast->obstacle = identity->obstacle;
				cast->function = identity->function;
				term->identity = cast;
				return term;
			}
		case TERM_APPLY:
			break;
	}
	{
		OpsTerm   **args = palloc(sizeof(OpsTerm *));

		args[0] = arg;
		return ops_term_apply(psprintf("cast to %s", ops_identity_type_name(type)),
							  type, 1, args, obstacle);
	}
}

/*
 * Whether a constant of another type is printed the same, so that it can be
 * compared by its text: '007' is the number 7.
 */
static bool
is_same_text(const OpsTerm *constant, Oid type)
{
	const char *p = constant->key;

	if (!is_text(constant->type))
		return keeps_values_apart(constant->type, type);
	if (is_text(type))
		return true;
	switch (base_type(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			if (*p == '-')
				p++;
			if (*p < '1' || *p > '9')
				return strcmp(constant->key, "0") == 0;
			return strspn(p, "0123456789") == strlen(p);
		case UUIDOID:
			return strlen(p) == 36 &&
				strspn(p, "0123456789abcdef-") == 36 &&
				p[8] == '-' && p[13] == '-' && p[18] == '-' && p[23] == '-';
		default:
			return false;
	}
}

/*
 * Name of a type as a reader knows it; of a type of the schema, its number.
 */
const char *
ops_identity_type_name(Oid type)
{
	switch (type)
	{
		case TEXTOID:
			return "text";
		case UUIDOID:
			return "uuid";
		case INT4OID:
			return "integer";
		case INT8OID:
			return "bigint";
		case JSONOID:
			return "json";
		case JSONBOID:
			return "jsonb";
		case BOOLOID:
			return "boolean";
		default:
			return psprintf("type %u", type);
	}
}

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == UNKNOWNOID ||
		type == NAMEOID;
}

/*
 * What a domain is over; a type that is gone stays what it is.
 */
static Oid
base_type(Oid type)
{
	if (type < FirstGenbkiObjectId ||
		!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)))
		return type;
	return getBaseType(type);
}

static bool
keeps_values_apart(Oid from, Oid to)
{
	from = base_type(from);
	to = base_type(to);
	if (from == to)
		return true;
	switch (from)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return to == INT2OID || to == INT4OID || to == INT8OID ||
				to == NUMERICOID || to == TEXTOID || to == VARCHAROID;
		case UUIDOID:
		case BOOLOID:
		case OIDOID:
			return to == TEXTOID || to == VARCHAROID;
		case TEXTOID:
		case VARCHAROID:
		case NAMEOID:
		case UNKNOWNOID:
			return to == TEXTOID || to == VARCHAROID || to == UUIDOID ||
				to == INT2OID || to == INT4OID || to == INT8OID;
		default:
			/* Enums print their labels, which differ. */
			return get_typtype(from) == TYPTYPE_ENUM &&
				(to == TEXTOID || to == VARCHAROID);
	}
}

/*
 * The setting of a name, in lower case as the server compares it.
 */
OpsIdentity *
ops_identity_setting(OpsRlsAudit *audit, const char *name, bool missing_ok)
{
	char	   *lower = pstrdup(name);
	OpsSource  *source;
	bool		custom;

	for (char *p = lower; *p; p++)
		*p = pg_ascii_tolower((unsigned char) *p);
	if (strcmp(lower, "role") == 0 ||
		strcmp(lower, "session_authorization") == 0)
		return ops_identity_role(audit, lower[0] == 'r' ?
								 "current_user" : "session_user");
	custom = strchr(lower, '.') != NULL;
	source = ops_source(audit, SOURCE_SETTING, lower);
	return ops_identity(audit,
						psprintf("current_setting(%s%s)",
								 quote_literal_cstr(lower),
								 missing_ok ? ", true" : ""),
						list_make1(source),
						!custom ? STATE_VALUE :
						missing_ok ? STATE_NULL : STATE_ERROR,
						custom ? STATE_EMPTY : STATE_VALUE);
}

OpsIdentity *
ops_identity_role(OpsRlsAudit *audit, const char *name)
{
	return ops_identity(audit, name,
						list_make1(ops_source(audit, SOURCE_ROLE, name)),
						STATE_VALUE, STATE_VALUE);
}

/*
 * Whether a function takes a member of a json document, and which.
 */
static bool
claim_path(Oid function, int nargs, OpsTerm **args, StringInfo path)
{
	switch (function)
	{
		case F_JSON_OBJECT_FIELD:
		case F_JSON_OBJECT_FIELD_TEXT:
		case F_JSONB_OBJECT_FIELD:
		case F_JSONB_OBJECT_FIELD_TEXT:
			break;
		case F_JSON_EXTRACT_PATH:
		case F_JSON_EXTRACT_PATH_TEXT:
		case F_JSONB_EXTRACT_PATH:
		case F_JSONB_EXTRACT_PATH_TEXT:
			if (nargs != 2 || args[1]->path == NULL)
				return false;
			appendStringInfoString(path, args[1]->path);
			return true;
		default:
			return false;
	}
	if (nargs != 2 || args[1]->kind != TERM_CONST || !args[1]->known)
		return false;
	appendStringInfoString(path, args[1]->key);
	return true;
}

/*
 * A claim: a source of its own, missing whenever its document is.
 */
static OpsTerm *
claim_term(OpsRlsAudit *audit, Oid function, OpsTerm *document,
		   const char *path, Oid type)
{
	OpsSource  *parent = linitial(document->identity->sources);
	OpsSource  *source = ops_source(audit, parent->kind,
									psprintf("%s.%s", parent->name, path));
	bool		is_empty = is_text(type);
	OpsIdentity *identity;

	source->parent = parent;
	source->user_editable |= parent->user_editable;
	identity = ops_identity(audit,
							psprintf("(%s %s %s)", document->identity->key,
									 is_empty ? "->>" : "->",
									 quote_literal_cstr(path)),
							list_make1(source), STATE_NULL,
							is_empty ? STATE_EMPTY : STATE_VALUE);
	identity->obstacle = document->identity->obstacle;
	identity->function = document->identity->function;
	return ops_term_identity(identity, type);
}

/*
 * A function of the session and of constants alone.
 */
static OpsTerm *
session_term(OpsRlsAudit *audit, OpsReading *reading, OpsFunction *function,
			 const char *key, Oid type, int nargs, OpsTerm **args)
{
	StringInfoData said;
	List	   *sources = NIL;
	OpsIdentity *identity;
	uint8		when_unset = STATE_VALUE;
	uint8		when_empty = STATE_VALUE;
	const char *obstacle = NULL;

	initStringInfo(&said);
	appendStringInfo(&said, "%s(", key);
	for (int i = 0; i < nargs; i++)
	{
		if (i > 0)
			appendStringInfoString(&said, ", ");
		append_key(&said, args[i]);
		if (args[i]->kind != TERM_IDENTITY)
			continue;
		sources = list_concat_unique_ptr(sources,
										 args[i]->identity->sources);
		when_unset = args[i]->identity->when_unset;
		when_empty = args[i]->identity->when_empty;
		if (obstacle == NULL)
			obstacle = args[i]->identity->obstacle;
	}
	appendStringInfoChar(&said, ')');

	if (function && !function->builtin)
	{
		sources = list_append_unique_ptr(sources,
										 ops_source(audit, SOURCE_FUNCTION, function->name));
		if (!ops_identity_is_declared(audit, function))
			obstacle = function->obstacle ? function->obstacle : function->name;
		when_unset = when_empty = STATE_ANY;
	}
	else if (sources == NIL)
		when_unset = when_empty = STATE_VALUE;
	else if (list_length(sources) == 1)
	{
		when_unset = state_after(function, when_unset);
		when_empty = state_after(function, when_empty);
	}
	else
		when_unset = when_empty = STATE_ANY;

	if (function && function->volatility == PROVOLATILE_VOLATILE)
		appendStringInfo(&said, " %d", ++reading->nnodes);
	identity = ops_identity(audit, said.data, sources, when_unset, when_empty);
	identity->obstacle = obstacle;
	if (function && !function->builtin)
		identity->function = function->oid;
	identity->is_volatile = function &&
		function->volatility == PROVOLATILE_VOLATILE;
	return ops_term_identity(identity, type);
}

/*
 * What a strict function makes of a missing value, as far as is known.
 */
static uint8
state_after(OpsFunction *function, uint8 state)
{
	uint8		after = 0;

	if (function == NULL || !function->strict)
		return STATE_ANY;
	if (state & STATE_NULL)
		after |= STATE_NULL;
	if (state & STATE_ERROR)
		after |= STATE_ERROR;
	if (state & (STATE_VALUE | STATE_EMPTY))
		after |= STATE_VALUE | STATE_EMPTY | STATE_NULL | STATE_ERROR;
	return after;
}

/*
 * What a cast makes of it: '' is no number, no uuid and no json.
 */
static uint8
cast_state(Oid type, uint8 state)
{
	if ((state & STATE_EMPTY) == 0 || is_text(type))
		return state;
	state &= ~STATE_EMPTY;
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case BOOLOID:
		case UUIDOID:
		case JSONOID:
		case JSONBOID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return state | STATE_ERROR;
		default:
			return state | STATE_VALUE | STATE_ERROR | STATE_NULL;
	}
}

/*
 * One element of an array, which one nobody knows.
 */
OpsTerm *
ops_term_element(OpsRlsAudit *audit, OpsTerm *array)
{
	OpsIdentity *identity = array->identity;
	OpsIdentity *element;

	Assert(array->kind == TERM_IDENTITY);
	element = ops_identity(audit, psprintf("one of %s", identity->key),
						   identity->sources, identity->when_unset,
						   (identity->when_empty & ~STATE_EMPTY) | STATE_VALUE);
	element->obstacle = identity->obstacle;
	element->function = identity->function;
	element->is_volatile = identity->is_volatile;
	return ops_term_identity(element, array->type);
}

/*
 * Whether somebody declared what a function gives to be an identity.
 */
bool
ops_identity_is_declared(OpsRlsAudit *audit, const OpsFunction *function)
{
	ListCell   *lc;

	if (function->name == NULL)
		return false;
	foreach(lc, audit->identities_wanted)
	{
		const char *name = lfirst(lc);

		if (strcmp(name, function->name) == 0 &&
			function->query == NULL && function->routine == NULL)
			return true;
	}
	return false;
}

static void
append_key(StringInfo key, const OpsTerm *term)
{
	switch (term->kind)
	{
		case TERM_COLUMN:
			appendStringInfo(key, "row %d column %d", term->row, term->column);
			break;
		case TERM_IDENTITY:
			appendStringInfoString(key, term->identity->key);
			break;
		case TERM_CONST:
			if (term->isnull || !term->known)
				appendStringInfoString(key, term->key);
			else
				appendStringInfoString(key, quote_literal_cstr(term->key));
			break;
		case TERM_APPLY:
			appendStringInfo(key, "%s(", term->key);
			for (int i = 0; i < term->nargs; i++)
				append_key(key, term->args[i]);
			appendStringInfoChar(key, ')');
			break;
	}
}

/*
 * Functions of the server that compare a text with a pattern or a part.
 */
static bool
is_pattern_function(Oid function)
{
	char	   *name;
	static const char *const names[] = {
		"textlike", "texticlike", "textregexeq", "texticregexeq",
		"bpcharlike", "bpchariclike", "bpcharregexeq", "bpcharicregexeq",
		"namelike", "nameiclike", "nameregexeq", "nameicregexeq",
		"like", "similar_to_escape", "starts_with", "strpos", "position",
		"regexp_like", "regexp_match", "regexp_matches",
	};

	if (!OidIsValid(function) || function >= FirstGenbkiObjectId)
		return false;
	name = get_func_name(function);
	for (int i = 0; name && i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}
