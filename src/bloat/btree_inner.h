/*-------------------------------------------------------------------------
 *
 * btree_inner.h
 *	  How many pages of a B-tree are above its leaf pages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_BTREE_INNER_H
#define OPS_BTREE_INNER_H

#include "bloat/bloat.h"

/* 0 if that is not known. */
extern double ops_btree_inner_pages(OpsBloatMeasure *measure);

#endif							/* OPS_BTREE_INNER_H */
