/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  What relations this database has, read once for each run.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_CATALOG_H
#define OPS_CATALOG_H

#include "access/skey.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "core/compat.h"
#include "health/check.h"

typedef struct OpsRelation
{
	FormData_pg_class form;
	bool		user;			/* neither the system's, nor temporary or ours */
	const AutoVacOpts *options; /* its own, NULL if it has none */
	struct OpsRelation *toasted;	/* the table that this TOAST table serves */
	int			first_index;	/* its indexes and constraints stand together */
	int			nindexes;
	int			first_constraint;
	int			nconstraints;
	bool		has_size;		/* use ops_catalog_size() */
	int64		size;
	bool		has_stats;		/* use ops_catalog_stats() */
	const OpsRelationStats *stats;
} OpsRelation;

/* An index on a user's table, or one on any table that is not valid. */
typedef struct OpsIndex
{
	OpsRelation *relation;
	HeapTuple	tuple;			/* of pg_index */
	Form_pg_index form;
	bool		constraint;		/* implements one */
	bool		referenced;		/* by a foreign key */
} OpsIndex;

/* A foreign key, or any constraint that is not valid. */
typedef struct OpsConstraint
{
	NameData	name;
	char		type;			/* as in pg_constraint.contype */
	bool		not_valid;
	Oid			table;			/* 0 for that of a domain */
	Oid			domain;
	int			ncolumns;		/* of a foreign key */
	AttrNumber *columns;
} OpsConstraint;

typedef struct OpsCatalog
{
	int			nrelations;		/* sorted by OID */
	OpsRelation *relations;
	int			nindexes;		/* sorted by table */
	OpsIndex   *indexes;
	int			nconstraints;	/* sorted by table */
	OpsConstraint *constraints;
	int64		database_size;
	TimestampTz statistics_began;
} OpsCatalog;

/* Rows between two looks at the clock. */
#define OPS_ROWS_PER_LOOK	256

typedef void (*OpsTupleReader) (HeapTuple tuple, TupleDesc desc, void *arg);

extern const OpsCatalog *ops_catalog(OpsRun *run);
extern OpsRelation *ops_catalog_relation(const OpsCatalog *catalog, Oid relid);
extern int64 ops_catalog_size(OpsRelation *relation);
extern TimestampTz ops_catalog_file_born(const OpsRelation *relation);
extern const OpsRelationStats *ops_catalog_stats(OpsRelation *relation);
extern int64 ops_catalog_database_size(OpsRun *run);
extern TimestampTz ops_catalog_statistics_began(OpsRun *run);

extern void ops_catalog_scan(OpsRun *run, Oid table, Oid index,
							 int nkeys, ScanKey keys,
							 OpsTupleReader reader, void *arg);

extern const char *ops_catalog_quoted(const OpsRelation *relation);
extern const char *ops_catalog_quoted_column(const OpsRelation *relation,
											 AttrNumber column);
extern OpsCulprit *ops_catalog_culprit(OpsResult *result, double weight,
									   const OpsRelation *relation);

/*
 * Called for each row of a loop: looks at the clock once in a while.
 */
static inline void
ops_catalog_tick(OpsRun *run, int row)
{
	if (row % OPS_ROWS_PER_LOOK == 0)
		ops_run_check_budget(run);
}

#endif							/* OPS_CATALOG_H */
