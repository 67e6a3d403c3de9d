/*-------------------------------------------------------------------------
 *
 * control.h
 *	  The control file, as the server itself reads it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_CONTROL_H
#define OPS_CONTROL_H

#include "catalog/pg_control.h"

extern ControlFileData *ops_control_file(void);

#endif							/* OPS_CONTROL_H */
