/*-------------------------------------------------------------------------
 *
 * model.h
 *	  What the indexes have in common whose pages a build fills by a law
 *	  that has to be modelled: GIN, GiST and SP-GiST.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_MODEL_H
#define OPS_MODEL_H

#include "access/xlogdefs.h"
#include "bloat/bloat.h"
#include "bloat/pointers.h"
#include "storage/itemptr.h"

/* A page that was read: where, and when it was last changed. */
typedef struct OpsSeenPage
{
	BlockNumber block;
	int			live;			/* bytes on a leaf, -1: any other page */
	XLogRecPtr	lsn;
} OpsSeenPage;

/* What is learned about an index besides the totals of its pages. */
typedef struct OpsModel
{
	OpsBloatMeasure *measure;
	OpsSeenPage *pages;
	int			npages;
	int			space;
	OpsBloatPointers pointers;	/* all entries that were looked up */
	uint64		broken;			/* items and pages that make no sense */
	double		untouched;		/* share of pages, -1 until it is asked for */
	XLogRecPtr	built;			/* when the last pages of a build were logged */
	bool		tidied;			/* vacuum changes pages of which no entry goes */
	uint64		leaves;			/* that lead to rows in more than one block */
	uint64		narrow;			/* of these, to rows close to one another */
} OpsModel;

/* What a new index would take, by the model of its kind. */
typedef struct OpsModelled
{
	double		content;		/* pages for all that is on the pages now */
	double		live;			/* pages for what leads to a row */
	double		doubt;			/* half-width of the model, relative */
	bool		by_chance;		/* a small build, which may come out otherwise */
	bool		as_grown;		/* a build does what inserts do one by one */
	bool		counted;		/* all entries that lead to rows, one by one */
} OpsModelled;

/*
 * How full builds were found to leave leaves, by the first operator class:
 * of rows in no order, and of rows that come in the order of their keys.
 */
typedef struct OpsUsualFill
{
	const char *opclass;		/* NULL ends the table: any other */
	double		fill;
	double		doubt;			/* half-width, relative */
	double		ordered;
	double		ordered_doubt;
} OpsUsualFill;

extern void ops_model_opclass(Relation index, NameData *name);
extern const OpsUsualFill *ops_model_usual_fill(Relation index,
												const OpsUsualFill *table);
extern void ops_model_init(OpsModel *model, OpsBloatMeasure *measure,
						   bool every_row);
extern void ops_model_saw(OpsModel *model, BlockNumber block, Page page,
						  int live);
extern OpsRootState ops_model_match(OpsModel *model, ItemPointer tid,
									Size size);
extern void ops_model_span(OpsModel *model, BlockNumber first,
						   BlockNumber last);
extern bool ops_model_is_ordered(const OpsModel *model);
extern double ops_model_dead_share(const OpsModel *model);
extern double ops_model_bytes_left(const OpsModel *model, double share);
extern double ops_model_scale(const OpsModel *model, BlockNumber first);
extern bool ops_model_is_untouched(OpsModel *model);
extern void ops_model_conclude(OpsModel *model, const OpsModelled *modelled);

extern bool ops_page_is_sound(Page page, Size special);
extern void *ops_page_item(Page page, OffsetNumber offset, Size *length);

#endif							/* OPS_MODEL_H */
