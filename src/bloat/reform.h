/*-------------------------------------------------------------------------
 *
 * reform.h
 *	  How long a row is once it is formed anew.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_REFORM_H
#define OPS_REFORM_H

#include "access/htup_details.h"
#include "access/tupdesc.h"

typedef struct OpsColumn
{
	int16		length;
	char		align;
	char		storage;
	char		compression;
	bool		dropped;
	bool		packable;		/* a varlena that may get a short header */
	bool		has_default;	/* for rows older than the column */
	bool		by_value;
	Datum		value;			/* that default */
} OpsColumn;

/* The columns of a table, as far as the length of its rows depends on them. */
typedef struct OpsReform
{
	int			ncolumns;
	int			ndropped;
	int		   *dropped;		/* their positions */
	OpsColumn  *columns;
} OpsReform;

/* A value as it is in a row, formed anew or not. */
typedef struct OpsRowValue
{
	const char *data;			/* NULL: it is null, or passed by value */
	Size		size;			/* 0: it is null */
} OpsRowValue;

extern OpsReform *ops_reform_begin(TupleDesc desc);
extern Size ops_reform_length(const OpsReform *reform, HeapTupleHeader tuple,
							  Size length, Size *dropped);

/*
 * The value of each column, those of dropped columns as well as defaults of
 * new ones; false if the row cannot be taken apart.
 */
extern bool ops_reform_values(const OpsReform *reform, HeapTupleHeader tuple,
							  Size length, OpsRowValue *values);

#endif							/* OPS_REFORM_H */
