/*-------------------------------------------------------------------------
 *
 * render.h
 *	  From the results of a run to the document that is shown.
 *
 * A renderer reads plain structs; it knows neither SPI nor any table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RENDER_H
#define OPS_RENDER_H

#include "health/check.h"
#include "utils/jsonb.h"

typedef struct OpsFormat
{
	const char *name;
	Jsonb	   *(*render) (const OpsRun *run);
} OpsFormat;

/* Ends with a format whose name is NULL. */
extern const OpsFormat ops_format_table[];

extern Jsonb *ops_render_default(const OpsRun *run);
extern Jsonb *ops_render_details(const OpsRun *run, const OpsResult *result);
extern int	ops_render_decimals(double value);

#endif							/* OPS_RENDER_H */
