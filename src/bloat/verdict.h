/*-------------------------------------------------------------------------
 *
 * verdict.h
 *	  What to do about a relation that was measured.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_VERDICT_H
#define OPS_VERDICT_H

#include "bloat/bloat.h"
#include "core/horizon.h"

/* What is the same for all relations of a report. */
typedef struct OpsBloatScene
{
	TimestampTz now;
	TimestampTz statistics_began;	/* of this database */
	bool		standby;
	bool		monitor;		/* the caller may see other sessions */
	bool		pg_repack;		/* in this database */
	bool		pg_squeeze;
	List	   *holders;		/* OpsHorizonHolder, of the removal horizon,
								 * once the report is done */
} OpsBloatScene;

/*
 * What a verdict needs to know of a relation besides its measure, looked up
 * while the relation is open.
 */
typedef struct OpsBloatFacts
{
	Oid			relid;
	Oid			table;			/* to vacuum or to rewrite */
	const char *name;			/* of the relation, as it is written in SQL */
	const char *table_name;		/* of the table, as it is written in SQL */
	const char *table_schema;	/* and in parts, as they are */
	const char *table_relname;
	char		relkind;		/* of the table */
	bool		logged;			/* the table is */
	bool		temporary;
	bool		shared;
	bool		system;			/* a table of the system's own */
	bool		catalog;		/* that, or one used as such */
	OpsHorizonScope scope;		/* who may have to see its rows */
	bool		partition;		/* the table is one */
	const char *parent_name;	/* whose, unless it is the default one */
	bool		parent_has_default; /* which forbids DETACH CONCURRENTLY */
	bool		has_key;		/* primary key or unique and not null */
	bool		has_identity;	/* index for logical decoding */

	/* Cumulative statistics of the relation; 0 if there are none. */
	bool		counted;
	double		scans;
	double		dead_rows;
	double		inserted;		/* rows, since statistics began */
	double		deleted;
	TimestampTz last_vacuum;	/* 0 if never */
	double		vacuum_threshold;	/* dead rows at which autovacuum acts */
	bool		autovacuum;		/* is on for the relation */

	/* Of an index */
	bool		unused;			/* no scan for long, and enforces nothing */
	bool		concurrently;	/* can be rebuilt that way */

	/* Of a table or TOAST table: what a rewrite of the table takes. */
	int64		family_size;	/* table, TOAST table and all their indexes */
	int64		family_reclaimable; /* report.c: sum over those measured */
} OpsBloatFacts;

/* Before which transaction rows of a table must be deleted to be dead. */
extern TransactionId ops_bloat_horizon(const OpsBloatScene *scene,
									   Relation table);

typedef struct OpsBloatVerdict
{
	const char *action;			/* a word, the same in every language */
	const char *command;		/* to be pasted; NULL if there is none */
	const char *reason;			/* translated */
	int64		disk_needed;	/* bytes that a rewrite takes meanwhile */
} OpsBloatVerdict;

/* Partitions of one table, taken together. */
typedef struct OpsBloatRollup
{
	const char *name;			/* of the root, as it is written in SQL */
	int			partitions;		/* that were measured */
	int			advised;		/* those with an action other than "none" */
	int64		size;			/* sums over tables, indexes and TOAST */
	int64		reclaimable;
	int64		low;
	int64		high;
	const char *worst_name;		/* with an action, and the largest low end; */
	const OpsBloatVerdict *worst;	/* NULL if there is none */
} OpsBloatRollup;

/* Once for each report. */
extern void ops_bloat_scene(OpsBloatScene *scene);

/* While rel is open; heap is the table of an index, else rel itself. */
extern void ops_bloat_facts(const OpsBloatScene *scene, Relation rel,
							Relation heap, OpsBloatFacts *facts);

/*
 * Later, when the whole table was measured.  Reads no pointer of the measure:
 * only its kind, nblocks, totals and figures.
 */
extern void ops_bloat_verdict(const OpsBloatScene *scene,
							  const OpsBloatFacts *facts,
							  const OpsBloatMeasure *measure,
							  OpsBloatVerdict *verdict);
extern void ops_bloat_rollup_verdict(const OpsBloatRollup *rollup,
									 OpsBloatVerdict *verdict);

#endif							/* OPS_VERDICT_H */
