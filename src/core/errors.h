/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of our own, class OR, for what no code of the server fits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ERRORS_H
#define OPS_ERRORS_H

#include "utils/elog.h"

/* A name that stands for no check and no family of checks. */
#define OPS_ERRCODE_UNDEFINED_CHECK	MAKE_SQLSTATE('O','R','0','0','1')

/* The extension's own tables are not as its script made them. */
#define OPS_ERRCODE_BROKEN_INSTALL	MAKE_SQLSTATE('O','R','0','0','2')

/* A report used up its budget; caught by whoever set the budget. */
#define OPS_ERRCODE_OUT_OF_BUDGET	MAKE_SQLSTATE('O','R','0','0','3')

#endif							/* OPS_ERRORS_H */
