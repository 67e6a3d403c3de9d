/*-------------------------------------------------------------------------
 *
 * http.h
 *	  The HTTP status of a health document.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_HTTP_H
#define OPS_HTTP_H

#include "health/check.h"

extern void ops_http_answer(const OpsRun *run);

#endif							/* OPS_HTTP_H */
