/*-------------------------------------------------------------------------
 *
 * report.h
 *	  What every room's rows have in common: severities, and columns that
 *	  are null where there is nothing to say.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_REPORT_H
#define OPS_REPORT_H

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/timestamp.h"

/* How soon somebody has to act. */
typedef enum OpsSeverity
{
	OPS_P0,						/* down or leaking now */
	OPS_P1,						/* will be, or one condition away */
	OPS_P2,						/* degraded */
	OPS_P3,						/* hygiene */
} OpsSeverity;

extern const char *const ops_severity_name[];

/* Columns of a row; a NULL string is a null. */
extern void ops_report_text(Datum *value, bool *isnull, const char *string);
extern void ops_report_texts(Datum *value, bool *isnull, List *strings);

/* Arguments; a null argument is NULL. */
extern const char *ops_argument_text(FunctionCallInfo fcinfo, int place,
									 const char *default_value);
extern List *ops_argument_texts(FunctionCallInfo fcinfo, int place);
extern int64 ops_argument_positive(FunctionCallInfo fcinfo, int place,
								   const char *name);
extern double ops_argument_ms(FunctionCallInfo fcinfo, int place,
							  const char *name);

/* Milliseconds of an interval; a month has 30 days; NULL is 0. */
extern double ops_interval_ms(const Interval *span);

#endif							/* OPS_REPORT_H */
