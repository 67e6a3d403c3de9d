/*-------------------------------------------------------------------------
 *
 * pointers.c
 *	  Which of an index's heap pointers lead to no row any more.
 *
 * Heap pages that were read tell that of the pointers into them.  What share
 * of the other pointers is dead, those tell if they are many; else the number
 * of rows in the table does, where the index has an entry for each.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/pointers.h"
#include "bloat/roots.h"
#include "storage/itemptr.h"

/* Pointers of a known fate, into different heap pages, that say enough. */
#define ENOUGH_KNOWN 500

/* Sizes of so many entries say half of what can be said. */
#define FEW_SIZED 25

/* Rows come and go between looking at the table and at the index. */
#define LEAST_ERROR 0.002

static double dead_of_all(const OpsBloatPointers *pointers, double all,
						  double *error);
static double dead_by_count(const struct OpsHeapRoots *roots, double all,
							double *error);
static double known_variance(const OpsBloatPointers *pointers, double dead);

void
ops_bloat_pointers_init(OpsBloatPointers *pointers, OpsBloatMeasure *measure,
						bool every_row)
{
	memset(pointers, 0, sizeof(*pointers));
	if (measure->roots != NULL && ops_bloat_dead_roots(measure->roots) > 0)
		pointers->roots = measure->roots;
	pointers->every_row = every_row;
	pointers->last_heap_block = InvalidBlockNumber;
}

/*
 * Neighbours that lead to one heap page say little more than one of them, so
 * they count as one where it matters how much is known.
 */
int
ops_bloat_pointers_live(OpsBloatPointers *pointers, ItemPointer tids,
						int count, OpsRootState *fates)
{
	int			live = 0;

	if (pointers->roots == NULL)
		return count;

	pointers->looked_up += count;
	for (int i = 0; i < count; i++)
	{
		OpsRootState root = ops_bloat_root(pointers->roots, &tids[i]);
		BlockNumber block;

		if (fates)
			fates[i] = root;
		if (root != ROOT_DEAD)
			live++;
		if (root == ROOT_UNKNOWN)
			continue;
		if (root == ROOT_DEAD)
			pointers->known_dead++;
		else
			pointers->known_live++;

		block = ItemPointerGetBlockNumberNoCheck(&tids[i]);
		if (block != pointers->last_heap_block)
		{
			pointers->known_runs++;
			pointers->last_heap_block = block;
		}
	}
	return live;
}

void
ops_bloat_pointers_sized(OpsBloatPointers *pointers, OpsRootState fate,
						 Size size)
{
	if (fate == ROOT_LIVE)
	{
		pointers->sized_live++;
		pointers->live_bytes += size;
	}
	else if (fate == ROOT_DEAD)
	{
		pointers->sized_dead++;
		pointers->dead_bytes += size;
	}
}

/*
 * Rows that were changed or deleted may have had longer keys than others, or
 * shorter ones.  The fewer of them are known the less that counts.
 */
double
ops_bloat_pointers_dead_bytes(const OpsBloatPointers *pointers, double dead)
{
	double		known = Min(Min(pointers->sized_live, pointers->sized_dead),
							pointers->known_runs);
	double		times;

	if (known == 0 || dead <= 0 || dead >= 1)
		return dead;
	times = (pointers->dead_bytes / pointers->sized_dead) /
		(pointers->live_bytes / pointers->sized_live);
	times = 1 + (times - 1) * known / (known + FEW_SIZED) *
		(pointers->sized_live + pointers->sized_dead) /
		(pointers->known_live + pointers->known_dead);
	return dead * times / (dead * times + 1 - dead);
}

double
ops_bloat_pointers_dead(const OpsBloatPointers *pointers, double kept,
						double *error)
{
	double		left = pointers->looked_up - pointers->known_dead;
	double		dead;

	*error = 0;
	if (pointers->roots == NULL || kept <= 0)
		return 0;
	if (pointers->all_kept)
		return dead_of_all(pointers, kept, error);
	if (left <= 0 || left <= pointers->known_live)
		return 0;

	dead = dead_of_all(pointers, kept * pointers->looked_up / left, error);

	/* Of these, the ones that were known are out already. */
	dead = (dead * pointers->looked_up - pointers->known_dead) / left;
	return Min(Max(dead, 0), 1);
}

/*
 * The share of all heap pointers that is dead, as rows were counted.
 *
 * Entries of dead rows may have been removed before their rows.  So the live
 * rows tell; but as long as nothing speaks for that, the share of rows that
 * is dead is known better than the number of live ones.
 */
static double
dead_by_count(const struct OpsHeapRoots *roots, double all, double *error)
{
	double		live_rows = ops_bloat_live_roots(roots);
	double		dead_rows = ops_bloat_dead_roots(roots);
	double		by_share = dead_rows / (live_rows + dead_rows);
	double		by_live = Min(Max(1 - live_rows / all, 0), 1);
	double		share_error = ops_roots_share_error(roots);
	double		live_error = ops_roots_live_error(roots) / all;

	if (share_error < live_error &&
		fabs(by_share - by_live) <= 2 * hypot(share_error, live_error))
	{
		*error = share_error;
		return by_share;
	}
	*error = live_error;

	/* Unless the index is short of entries, dead ones are as many as rows. */
	return Min(by_live,
			   Min(dead_rows / Min(all, live_rows + dead_rows), 1));
}

/*
 * The share of all heap pointers that is dead.
 */
static double
dead_of_all(const OpsBloatPointers *pointers, double all, double *error)
{
	double		dead_rows = ops_bloat_dead_roots(pointers->roots);
	double		live_rows = ops_bloat_live_roots(pointers->roots);
	double		known = pointers->known_live + pointers->known_dead;
	double		matched = known > 0 ? pointers->known_dead / known : 0;
	double		variance = known_variance(pointers, matched);
	double		counted;
	double		weight;

	if (pointers->every_row)
	{
		double		other;

		counted = dead_by_count(pointers->roots, all, &other);
		other = other * other + LEAST_ERROR * LEAST_ERROR;

		/* Both go by the same heap pages. */
		variance += other;
		weight = known > 0 ? other / (other + variance) : 0;
		*error = Min(sqrt(other), dead_rows / all);
	}
	else
	{
		counted = dead_rows / (live_rows + dead_rows);
		weight = Min(pointers->known_runs / ENOUGH_KNOWN, 1);

		/* One that was built since then, for example. */
		if (known > 0 && fabs(matched - counted) > 3 * sqrt(variance))
			weight = 1;
		*error = weight * sqrt(variance) + (1 - weight) * counted;
	}
	return Min(Max(weight * matched + (1 - weight) * counted, 0), 1);
}

static double
known_variance(const OpsBloatPointers *pointers, double dead)
{
	return Max(dead * (1 - dead), 0.01) / Max(pointers->known_runs, 1);
}
