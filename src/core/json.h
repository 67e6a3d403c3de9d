/*-------------------------------------------------------------------------
 *
 * json.h
 *	  Building jsonb, a member at a time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_JSON_H
#define OPS_JSON_H

#include "core/compat.h"

/* The key is NULL for an element of an array and for the outermost value. */
extern void ops_json_begin_object(OpsJsonbState *state, const char *key);
extern void ops_json_end_object(OpsJsonbState *state);
extern void ops_json_begin_array(OpsJsonbState *state, const char *key);
extern void ops_json_end_array(OpsJsonbState *state);
extern void ops_json_text(OpsJsonbState *state, const char *key,
						  const char *value);
extern void ops_json_bool(OpsJsonbState *state, const char *key, bool value);
extern void ops_json_integer(OpsJsonbState *state, const char *key,
							 int64 value);
extern void ops_json_number(OpsJsonbState *state, const char *key,
							double value, int decimals);
extern Jsonb *ops_json_finish(OpsJsonbState *state);

#endif							/* OPS_JSON_H */
