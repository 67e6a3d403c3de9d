/*-------------------------------------------------------------------------
 *
 * roworder.c
 *	  Index entries in the order of the rows that they point to.
 *
 * A build meets rows in this order, so each build that is played begins with
 * it.  The comparison is compiled into the sort, other than with qsort().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/roworder.h"

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE OpsRowEntry
#define ST_COMPARE(a, b) ((a)->row < (b)->row ? -1 : (a)->row > (b)->row)
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

void
ops_row_entries_sort(OpsRowEntry *entries, int count)
{
	sort_entries(entries, count);
}
