/*-------------------------------------------------------------------------
 *
 * result.c
 *	  What a probe says, and what the limits make of it.
 *
 * Strings are made in the current memory context, which the runner sets to
 * that of the run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "health/check.h"
#include "lib/stringinfo.h"
#include "utils/float.h"

#define FORMAT_ARGUMENTS(target) \
	do { \
		va_list		args; \
		va_start(args, format); \
		(target) = format_text(format, args); \
		va_end(args); \
	} while (0)

static const char *format_text(const char *format, va_list args) pg_attribute_printf(1, 0);

/*
 * Say what was measured.
 */
void
ops_result_value(OpsResult *result, double value, const char *format,...)
{
	result->value = value;
	FORMAT_ARGUMENTS(result->message);
}

/*
 * Say that nothing could be measured, and why.
 */
void
ops_result_unknown(OpsResult *result, OpsReason reason,
				   const char *format,...)
{
	result->status = OPS_UNKNOWN;
	result->reason = reason;
	result->value = get_float8_nan();
	FORMAT_ARGUMENTS(result->message);
}

/*
 * Say that the result is at least this bad, whatever the limits are.
 */
void
ops_result_at_least(OpsResult *result, OpsStatus status)
{
	result->at_least = Max(result->at_least, status);
}

/*
 * Say what to do next, where it is better than the check's own remedy.
 */
void
ops_result_remedy(OpsResult *result, const char *format,...)
{
	FORMAT_ARGUMENTS(result->remedy);
}

/*
 * Name a culprit.  Only the heaviest few are kept: the result is where to
 * write this one's facts, or NULL if it is not among them.
 */
OpsCulprit *
ops_result_culprit(OpsResult *result, double weight)
{
	int			place = result->nculprits;

	while (place > 0 && result->culprit[place - 1].weight < weight)
		place--;
	if (place == OPS_MAX_CULPRITS)
		return NULL;

	if (result->nculprits < OPS_MAX_CULPRITS)
		result->nculprits++;
	memmove(&result->culprit[place + 1], &result->culprit[place],
			(result->nculprits - place - 1) * sizeof(OpsCulprit));
	memset(&result->culprit[place], 0, sizeof(OpsCulprit));
	result->culprit[place].weight = weight;
	result->culprit[place].value = get_float8_nan();
	return &result->culprit[place];
}

/*
 * Compare what was measured with the limits.
 */
void
ops_result_judge(OpsResult *result)
{
	double		sign = result->check->lower_is_worse ? -1 : 1;

	if (result->reason != OPS_REASON_NONE)
		return;

	/* No comparison with NaN holds: no limit, no value, no finding. */
	if (sign * result->value >= sign * result->critical)
		result->status = OPS_FAIL;
	else if (sign * result->value >= sign * result->warning)
		result->status = OPS_WARN;
	else
		result->status = OPS_OK;
	result->status = Max(result->status, result->at_least);

	/* Nobody is to blame for nothing. */
	if (result->status == OPS_OK)
	{
		result->remedy = NULL;
		result->nculprits = 0;
	}
	else if (result->remedy == NULL)
		result->remedy = result->check->remedy ? _(result->check->remedy) : NULL;
}

static const char *
format_text(const char *format, va_list args)
{
	StringInfoData string;

	initStringInfo(&string);
	for (;;)
	{
		va_list		again;
		int			needed;

		va_copy(again, args);
		needed = appendStringInfoVA(&string, format, again);
		va_end(again);
		if (needed == 0)
			return string.data;
		enlargeStringInfo(&string, needed);
	}
}
