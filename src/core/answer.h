/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  A statement whose result is one text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ANSWER_H
#define OPS_ANSWER_H

#include "tcop/dest.h"

extern DestReceiver *ops_answer_receiver(char *place, int size, int encoding,
										 bool *answered);

#endif							/* OPS_ANSWER_H */
