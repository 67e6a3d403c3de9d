/*-------------------------------------------------------------------------
 *
 * control.c
 *	  The control file, as the server itself reads it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/controldata_utils.h"
#include "core/control.h"
#include "miscadmin.h"
#include "storage/lwlock.h"

/*
 * A copy of the control file.  Under the lock nobody is writing it.
 */
ControlFileData *
ops_control_file(void)
{
	ControlFileData *control;
	bool		crc_ok;

	LWLockAcquire(ControlFileLock, LW_SHARED);
	control = get_controlfile(DataDir, &crc_ok);
	LWLockRelease(ControlFileLock);
	if (!crc_ok)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the control file is corrupt")));
	return control;
}
