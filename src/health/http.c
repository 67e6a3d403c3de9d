/*-------------------------------------------------------------------------
 *
 * http.c
 *	  The HTTP status of a health document.
 *
 * PostgREST tells what was asked for in the setting request.method and takes
 * the status of its answer from response.status, both of the transaction.
 * Other endpoints map the document themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/guc.h"
#include "health/http.h"
#include "health/maintenance.h"
#include "utils/guc.h"

static bool is_unavailable(const OpsRun *run);
static bool is_request(void);

/*
 * Answer a request with 503 if no traffic should be sent here.
 */
void
ops_http_answer(const OpsRun *run)
{
	if (is_unavailable(run) && is_request())
		(void) set_config_option("response.status", "503", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
}

/*
 * What a check says is enough; maintenance mode is, if a setting says so.
 */
static bool
is_unavailable(const OpsRun *run)
{
	if (ops_run_status(run) == OPS_FAIL)
		return true;
	return ops_guc_maintenance_unavailable && ops_maintenance_switched_on(run);
}

static bool
is_request(void)
{
	const char *method = GetConfigOption("request.method", true, false);

	return method && method[0] != '\0';
}
