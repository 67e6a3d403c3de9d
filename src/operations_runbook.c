/*-------------------------------------------------------------------------
 *
 * operations_runbook.c
 *	  Module magic and start-up; everything else lives in the rooms.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "core/compat.h"
#include "core/guc.h"
#include "core/memory.h"
#include "fmgr.h"

OPS_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	ops_guc_init();
	ops_memory_init();
}
