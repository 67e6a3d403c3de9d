/*-------------------------------------------------------------------------
 *
 * result.h
 *	  Rows of ops.bloat_report(), from the list of relations to the verdict.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RESULT_H
#define OPS_RESULT_H

#include "bloat/bloat.h"
#include "bloat/verdict.h"

/* What is asked for. */
typedef struct OpsBloatRequest
{
	Oid			relation;		/* and what belongs to it; else all */
	int64		min_size;		/* bytes; relations below it are left out */
	int			largest;		/* only so many, the largest; 0: all */
	double		target;			/* half-width, share of a relation's size */
	bool		exact;
	TimestampTz until;			/* begin no other table after this; 0: never */
} OpsBloatRequest;

/* One relation, or the sum over one's partitions. */
typedef struct OpsBloatResult
{
	Oid			relation;
	Oid			table;			/* of an index or TOAST table, else itself */
	Oid			root;			/* whose partition it is, or InvalidOid */
	Oid			namespace;
	OpsBloatKind kind;
	const char *kind_name;
	int64		size;			/* bytes of the main fork */

	Oid			toast;			/* of a table, or InvalidOid */
	bool		is_partition;
	bool		helps;			/* no row of its own */
	bool		gone;			/* dropped meanwhile */
	bool		measured;		/* else the note says why not */
	OpsBloatMeasure measure;	/* without what it pointed to while open */
	OpsBloatFacts facts;
	OpsBloatVerdict verdict;
	const char *note;

	/* of a sum over partitions */
	int			nparts;
	int			nmissing;		/* of these, could not be measured */
	int			nadvised;		/* of these, something should be done about */
	double		variance;		/* of pages_after, from the widths */
	const struct OpsBloatResult *worst; /* of those advised */
} OpsBloatResult;

/* A table and what is measured with it. */
typedef struct OpsBloatTable
{
	OpsBloatResult *table;
	OpsBloatResult *toast;		/* or NULL */
	List	   *indexes;		/* OpsBloatResult, of the table */
	List	   *toast_indexes;
} OpsBloatTable;

/* Pages that are read of a relation at first, and at last. */
#define OPS_BLOAT_FIRST_SAMPLE	64
#define OPS_BLOAT_LAST_SAMPLE	4096

/* The same where a model needs to see much of an index. */
#define OPS_BLOAT_MODEL_SAMPLE	300

/* list.c */
extern List *ops_bloat_list(const OpsBloatRequest *request);

/* collect.c */
extern List *ops_bloat_collect(const OpsBloatRequest *request);

/* measure.c */
extern void ops_bloat_measure_table(const OpsBloatRequest *request,
									const OpsBloatScene *scene, uint64 seed,
									OpsBloatTable *table);
extern const char *ops_bloat_kind(Form_pg_class form, OpsBloatKind *kind);
extern bool ops_bloat_is_modelled(OpsBloatKind kind);
extern int64 ops_bloat_bytes(const OpsBloatMeasure *measure,
							 double pages_left);

#endif							/* OPS_RESULT_H */
