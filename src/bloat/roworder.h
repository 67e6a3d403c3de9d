/*-------------------------------------------------------------------------
 *
 * roworder.h
 *	  Index entries in the order of the rows that they point to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_ROWORDER_H
#define OPS_ROWORDER_H

#include "storage/itemptr.h"

/* Something that points to a row. */
typedef struct OpsRowEntry
{
	uint64		row;			/* block and offset */
	void	   *entry;
} OpsRowEntry;

static inline OpsRowEntry
ops_row_entry(const ItemPointerData * tid, void *entry)
{
	uint64		block = ItemPointerGetBlockNumberNoCheck(tid);

	return (OpsRowEntry)
	{
		.row = block << 16 | ItemPointerGetOffsetNumberNoCheck(tid),
			.entry = entry,
	};
}

extern void ops_row_entries_sort(OpsRowEntry *entries, int count);

#endif							/* OPS_ROWORDER_H */
