/*-------------------------------------------------------------------------
 *
 * memory.h
 *	  What is kept between calls: samples that rates are computed from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_MEMORY_H
#define OPS_MEMORY_H

#include "datatype/timestamp.h"

#define OPS_SAMPLE_COUNTERS	12

typedef struct OpsSample
{
	TimestampTz taken;
	TimestampTz epoch;			/* when the counters last began at zero */
	int64		counter[OPS_SAMPLE_COUNTERS];
} OpsSample;

/* A series is sampled at its own pace and kept for 64 times as long. */
typedef enum OpsSeries
{
	OPS_SERIES_MINUTES,			/* spaced by sample_interval */
	OPS_SERIES_HALF_HOURS,		/* spaced by 30 times that */
} OpsSeries;

#define OPS_NUM_SERIES	(OPS_SERIES_HALF_HOURS + 1)

/* One statement's cumulative figures. */
typedef struct OpsStatementSample
{
	uint64		key;			/* of query, role and nesting */
	int64		calls;
	double		total_ms;
} OpsStatementSample;

#define OPS_MAX_STATEMENTS	256

/* False unless the library was preloaded. */
extern bool ops_memory_available(void);

extern int64 ops_memory_spacing(OpsSeries series);
extern bool ops_memory_recall(Oid database, OpsSeries series,
							  TimestampTz now, TimestampTz since,
							  TimestampTz epoch, OpsSample *sample);
extern void ops_memory_remember(Oid database, OpsSeries series,
								const OpsSample *sample);

extern int	ops_memory_recall_statements(Oid database, TimestampTz now,
										 TimestampTz epoch,
										 TimestampTz *taken,
										 OpsStatementSample *statements);
extern void ops_memory_remember_statements(Oid database, TimestampTz now,
										   TimestampTz epoch, int count,
										   const OpsStatementSample *statements);

extern void ops_memory_init(void);

#endif							/* OPS_MEMORY_H */
