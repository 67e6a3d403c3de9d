/*-------------------------------------------------------------------------
 *
 * srf.c
 *	  Calling a set-returning function of the server without SPI.
 *
 * For built-in functions without arguments that return a row for each call.
 * Nobody's right to execute the function is checked: the caller decides who
 * is shown what.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/srf.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/execnodes.h"

void
ops_srf_read(Oid function, OpsRowReader reader, void *arg)
{
	LOCAL_FCINFO(fcinfo, 0);
	ReturnSetInfo rsinfo = {.type = T_ReturnSetInfo};
	FmgrInfo	flinfo;

	fmgr_info(function, &flinfo);
	rsinfo.econtext = CreateStandaloneExprContext();
	rsinfo.allowedModes = SFRM_ValuePerCall;
	rsinfo.returnMode = SFRM_ValuePerCall;

	for (;;)
	{
		Datum		row;

		InitFunctionCallInfoData(*fcinfo, &flinfo, 0, InvalidOid, NULL,
								 (Node *) &rsinfo);
		rsinfo.isDone = ExprSingleResult;
		row = FunctionCallInvoke(fcinfo);
		if (rsinfo.isDone != ExprMultipleResult)
			break;
		reader(DatumGetHeapTupleHeader(row), arg);
	}
	FreeExprContext(rsinfo.econtext, true);
}
