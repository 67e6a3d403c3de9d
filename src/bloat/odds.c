/*-------------------------------------------------------------------------
 *
 * odds.c
 *	  How likely entries that were kept of an index lead to a row.
 *
 * Of most entries it is not known, for only some pages of the table are read.
 * But rows whose keys are close together are often deleted together, so what
 * is known of other entries of the same page tells something, and what is
 * known of all of a region of the index.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/odds.h"

/*
 * As how many entries of a region, or of a list if there are too few to tell,
 * counts what is expected of them anyway.
 */
#define USUAL_PRIOR			4

/* Lists that seem to be all alike may yet differ. */
#define MOST_PRIOR			200

#define ODDS(i)				((OpsOdds *) ((char *) first + (i) * size))

/* Entries of unknown fate, and those of which it is known. */
typedef struct Fates
{
	int			live;
	int			dead;
	int			unknown;
	double		odds;			/* of all that are unknown */
} Fates;

static double prior_of_lists(OpsOdds *first, int count, Size size);
static int	end_of_run(OpsOdds *first, int count, Size size, int from,
					   bool of_region);
static void weigh(OpsOdds *first, int count, Size size,
				  const struct OpsHeapRoots *roots, double prior);
static void count_fates(OpsOdds *first, int count, Size size, Fates *fates);

/*
 * Sharpen the odds of entries of unknown fate by that of the others.
 */
void
ops_odds_weigh(OpsOdds *first, int count, Size size,
			   const struct OpsHeapRoots *roots)
{
	double		prior = prior_of_lists(first, count, size);

	for (int from = 0, end; from < count; from = end)
	{
		end = end_of_run(first, count, size, from, false);
		weigh(ODDS(from), end - from, size, roots, prior);
	}
	for (int from = 0, end; from < count; from = end)
	{
		end = end_of_run(first, count, size, from, true);
		weigh(ODDS(from), end - from, size, roots, USUAL_PRIOR);
	}
}

/*
 * As how many entries of a list counts what is expected of all lists: the
 * less, the more the lists differ in how many of the known ones are dead.
 *
 * That is the moment estimate of a beta-binomial distribution: of n entries
 * of a list, with a share p of all being live, the live ones have the variance
 * n p (1 - p) (1 + (n - 1) / (prior + 1)).
 */
static double
prior_of_lists(OpsOdds *first, int count, Size size)
{
	double		n = 0;
	double		nn = 0;
	double		k = 0;
	double		kk = 0;
	double		kn = 0;
	double		p;
	double		alike;			/* 1 / (prior + 1) */

	for (int from = 0, end; from < count; from = end)
	{
		Fates		fates;
		double		known;

		end = end_of_run(first, count, size, from, false);
		count_fates(ODDS(from), end - from, size, &fates);
		known = fates.live + fates.dead;
		n += known;
		nn += known * known;
		k += fates.live;
		kk += (double) fates.live * fates.live;
		kn += fates.live * known;
	}
	if (k == 0 || k == n || nn == n)
		return USUAL_PRIOR;
	p = k / n;
	alike = ((kk - 2 * p * kn + p * p * nn) / (p * (1 - p)) - n) / (nn - n);
	alike = Min(Max(alike, 1.0 / (MOST_PRIOR + 1)), 0.5);
	return 1 / alike - 1;
}

/*
 * The entry after those of the same list, or of the same region.
 */
static int
end_of_run(OpsOdds *first, int count, Size size, int from, bool of_region)
{
	int			end = from + 1;

	while (end < count && ODDS(end)->region == ODDS(from)->region &&
		   (of_region || ODDS(end)->list == ODDS(from)->list))
		end++;
	return end;
}

/*
 * What is expected of these entries counts as much as so many of known fate.
 */
static void
weigh(OpsOdds *first, int count, Size size, const struct OpsHeapRoots *roots,
	  double prior)
{
	double		live = ops_bloat_live_roots(roots);
	double		dead = ops_bloat_dead_roots(roots);
	double		expected;
	double		factor;
	Fates		fates;

	count_fates(first, count, size, &fates);
	if (fates.odds <= 0 || live <= 0)
		return;
	expected = Min(live / (live + dead) * fates.odds / fates.unknown, 1);
	factor = (fates.live + prior * expected) /
		(fates.live + fates.dead + prior) / expected;
	for (int i = 0; i < count; i++)
		ODDS(i)->odds *= factor;
}

static void
count_fates(OpsOdds *first, int count, Size size, Fates *fates)
{
	memset(fates, 0, sizeof(Fates));
	for (int i = 0; i < count; i++)
	{
		float		odds = ODDS(i)->odds;

		if (isinf(odds))
			fates->live++;
		else if (odds == 0)
			fates->dead++;
		else
		{
			fates->unknown++;
			fates->odds += odds;
		}
	}
}
