/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Building jsonb, a member at a time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "core/json.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static void push_key(OpsJsonbState *state, const char *key);
static void push_scalar(OpsJsonbState *state, const char *key,
						JsonbValue *value);
static double power_of_ten(int decimals);

void
ops_json_begin_object(OpsJsonbState *state, const char *key)
{
	push_key(state, key);
	ops_compat_push_jsonb(state, WJB_BEGIN_OBJECT, NULL);
}

void
ops_json_end_object(OpsJsonbState *state)
{
	ops_compat_push_jsonb(state, WJB_END_OBJECT, NULL);
}

void
ops_json_begin_array(OpsJsonbState *state, const char *key)
{
	push_key(state, key);
	ops_compat_push_jsonb(state, WJB_BEGIN_ARRAY, NULL);
}

void
ops_json_end_array(OpsJsonbState *state)
{
	ops_compat_push_jsonb(state, WJB_END_ARRAY, NULL);
}

/*
 * A string, or null.  The string must live until ops_json_finish().
 */
void
ops_json_text(OpsJsonbState *state, const char *key, const char *value)
{
	JsonbValue	scalar;

	if (value == NULL)
		scalar.type = jbvNull;
	else
	{
		scalar.type = jbvString;
		scalar.val.string.val = unconstify(char *, value);
		scalar.val.string.len = strlen(value);
	}
	push_scalar(state, key, &scalar);
}

void
ops_json_bool(OpsJsonbState *state, const char *key, bool value)
{
	JsonbValue	scalar;

	scalar.type = jbvBool;
	scalar.val.boolean = value;
	push_scalar(state, key, &scalar);
}

void
ops_json_integer(OpsJsonbState *state, const char *key, int64 value)
{
	JsonbValue	scalar;

	scalar.type = jbvNumeric;
	scalar.val.numeric = int64_to_numeric(value);
	push_scalar(state, key, &scalar);
}

/*
 * A number rounded to so many decimals, or null where JSON has no number.
 */
void
ops_json_number(OpsJsonbState *state, const char *key, double value,
				int decimals)
{
	double		scale = power_of_ten(decimals);
	JsonbValue	scalar;

	if (isnan(value) || isinf(value))
	{
		ops_json_text(state, key, NULL);
		return;
	}

	/* Whole numbers are most of them, and cheap. */
	if (value == rint(value) && fabs(value) < 1e15)
	{
		ops_json_integer(state, key, (int64) value);
		return;
	}

	scalar.type = jbvNumeric;
	if (fabs(value) < 1e12)
		scalar.val.numeric = int64_div_fast_to_numeric((int64) rint(value * scale),
													   decimals);
	else
		scalar.val.numeric = DatumGetNumeric(DirectFunctionCall1(float8_numeric,
																 Float8GetDatum(value)));
	push_scalar(state, key, &scalar);
}

/*
 * The finished document.
 */
Jsonb *
ops_json_finish(OpsJsonbState *state)
{
	return JsonbValueToJsonb(state->result);
}

static void
push_key(OpsJsonbState *state, const char *key)
{
	JsonbValue	name;

	if (key == NULL)
		return;
	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	ops_compat_push_jsonb(state, WJB_KEY, &name);
}

static void
push_scalar(OpsJsonbState *state, const char *key, JsonbValue *value)
{
	push_key(state, key);
	ops_compat_push_jsonb(state, key ? WJB_VALUE : WJB_ELEM, value);
}

static double
power_of_ten(int decimals)
{
	double		scale = 1;

	while (decimals-- > 0)
		scale *= 10;
	return scale;
}
