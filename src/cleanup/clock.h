/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  Between the files that tell when a row is old.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_CLOCK_H
#define OPS_CLOCK_H

#include "cleanup/cleanup.h"
#include "pgtime.h"

#define SNOWFLAKE_SHIFT	22

/* The digits of ULIDs; one stands for five bits. */
#define CROCKFORD		"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#define ULID_TIME_DIGITS	10

/* clock.c */
extern pg_tz *ops_clock_zone(const OpsRetention *policy);
extern int64 ops_clock_unix_ms(TimestampTz instant);
extern const char *ops_clock_text(Timestamp timestamp, bool with_zone);

/* own.c */
extern const char *ops_clock_own(const OpsTarget *target);

#endif							/* OPS_CLOCK_H */
