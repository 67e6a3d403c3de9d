/*-------------------------------------------------------------------------
 *
 * packer.h
 *	  Pages as a rewrite would fill them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_PACKER_H
#define OPS_PACKER_H

#include "storage/bufpage.h"

/* What of a page rows and line pointers can share. */
#define OPS_PAGE_ROOM (BLCKSZ - SizeOfPageHeaderData)

typedef struct OpsPacker
{
	Size		reserve;		/* fillfactor leaves it empty */
	Size		room;			/* of the open page, without the reserve */
	int			items;			/* on the open page */
	double		closed;			/* pages */
	double		wasted;			/* bytes on them */
	double		charged;		/* for all items */
	double		charged_open;	/* for those on the open page */
	double		charged_squares;	/* the sum, over closed pages */
	float		charges[BLCKSZ / MAXIMUM_ALIGNOF + 1];	/* 0 if not known */
} OpsPacker;

extern void ops_packer_begin(OpsPacker *packer, Size reserve);
extern double ops_packer_add(OpsPacker *packer, Size length);
extern void ops_packer_add_many(OpsPacker *packer, Size length, int64 count);
extern void ops_packer_close(OpsPacker *packer);
extern double ops_packer_pages(const OpsPacker *packer);
extern double ops_packer_whole_pages(const OpsPacker *packer);
extern double ops_packer_error(const OpsPacker *packer);

#endif							/* OPS_PACKER_H */
