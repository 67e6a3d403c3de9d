/*-------------------------------------------------------------------------
 *
 * estimate.c
 *	  From a stratified sample of pages to the relation.
 *
 * The plain estimate weights each page by its stratum.  The sharper one also
 * fits y = a + b x to the sample, x being the free space map's byte, apart
 * for pages that are all visible and for others; predicts each page of the
 * relation by its map entry; and adds the residuals of the sample, weighted.
 * Thus it is right on the average however wrong the map is: then the slope is
 * flat or the residuals are large, and the plain estimate, whose error is
 * smaller, is taken.  So it is if the map does not add up to what a sample like
 * this can come from: a line through pages that are nearly alike, however well
 * they lie on it, says nothing of one page that is not like them.
 *
 * Of a very large relation the map is not read to its end, but the leaf of
 * each sampled page, whose mean stands for the stratum.  A leaf is as likely
 * to be taken as its pages lie in the stratum, so that is unbiased, too.
 *
 * Either way an estimate is the sum over the strata of one value for each
 * (z below), and its error comes from the differences of successive ones.
 * That fits one page for each stratum, and a trend along the relation, or
 * long runs of full and of empty pages, widen the interval only at the edges.
 * Residuals are divided by 1 - leverage first, so that a line which
 * follows few pages does not look better than it is.
 *
 * A sample that shows the same everywhere, or nearly, may have missed pages
 * that are not like that, and its error does not tell: where one of 300 pages
 * is empty, as well four may be.  So the interval has room for the others to
 * be empty, or full: 1.92 / count of them if there was none, the upper end of
 * Jeffreys' interval for a share that is likely to be next to nothing, and
 * what that becomes after one or two.  The fewer pages are left, the fewer of
 * them can be unlike the sample.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/estimate.h"

#define NORMAL_95			1.96

/* Pages that the sample could miss, as a standard error */
#define MISSED_PAGES		0.98

/* A class of fewer pages is not told apart. */
#define CLASS_PAGES			20

/* No page may draw the line to itself more than this. */
#define MAX_LEVERAGE		0.9

/* Maps that sharpen less than this may do so by chance. */
#define BETTER				0.9

/* Standard errors that what a map adds up to can be off. */
#define FAR_OFF				4

/* y = level + slope * x, for the pages of one class */
typedef struct Line
{
	int			pages;			/* sampled */
	double		mean_x;
	double		spread_x;		/* sum of squares about the mean */
	double		level;
	double		slope;
	double		residuals;		/* sum of their squares */
} Line;

typedef struct Model
{
	bool		by_class;		/* else line[0] serves all */
	Line		line[OPS_MAP_CLASSES];
} Model;

static double
pages_of(const OpsMapSum *sum)
{
	return sum->pages[0] + sum->pages[1];
}

static int
class_of(const Model *model, const OpsSampledPage *page)
{
	return model->by_class ? page->entry.visible : 0;
}

static Line
fit_line(const OpsSample *sample, const Model *model, int class,
		 OpsBloatTotal total)
{
	Line		line = {0};
	double		sum_x = 0;
	double		sum_y = 0;
	double		product = 0;
	double		farthest = 0;

	for (int i = 0; i < sample->count; i++)
	{
		const OpsSampledPage *page = &sample->page[i];

		if (class_of(model, page) != class)
			continue;
		line.pages++;
		sum_x += page->entry.space;
		sum_y += page->total[total];
	}
	if (line.pages == 0)
		return line;
	line.mean_x = sum_x / line.pages;
	line.level = sum_y / line.pages;

	for (int i = 0; i < sample->count; i++)
	{
		const OpsSampledPage *page = &sample->page[i];
		double		distance = page->entry.space - line.mean_x;

		if (class_of(model, page) != class)
			continue;
		line.spread_x += distance * distance;
		product += distance * page->total[total];
		farthest = Max(farthest, distance * distance);
	}
	if (1.0 / line.pages + farthest / Max(line.spread_x, 1) > MAX_LEVERAGE)
		line.spread_x = 0;
	if (line.spread_x > 0)
		line.slope = product / line.spread_x;
	line.level -= line.slope * line.mean_x;
	return line;
}

/*
 * How far the pages that a line predicts are from the sampled ones, in bytes
 * of the map, summed up.
 */
static double
distance_of(const Model *model, int class, const OpsMapSum *sum)
{
	double		mean = model->line[class].mean_x;
	double		distance = sum->space[class] - sum->pages[class] * mean;

	if (!model->by_class)
		distance += sum->space[1] - sum->pages[1] * mean;
	return distance;
}

static void
fit_lines(const OpsSample *sample, Model *model, OpsBloatTotal total)
{
	for (int class = 0; class <= (model->by_class ? 1 : 0); class++)
		model->line[class] = fit_line(sample, model, class, total);
}

/*
 * Classes are told apart if both are known well enough: of one whose sampled
 * pages are all alike, other than its pages on the average, nothing is known
 * of how it goes on, while the other class may tell.
 */
static Model
fit_model(const OpsSample *sample, const OpsMapSum *sum, OpsBloatTotal total)
{
	Model		model = {0};
	int			visible = 0;

	for (int i = 0; i < sample->count; i++)
		visible += sample->page[i].entry.visible;
	model.by_class = Min(visible, sample->count - visible) >= CLASS_PAGES;
	fit_lines(sample, &model, total);
	for (int class = 0; model.by_class && class < OPS_MAP_CLASSES; class++)
	{
		if (model.line[class].spread_x == 0 &&
			fabs(distance_of(&model, class, sum)) > sum->pages[class])
		{
			model.by_class = false;
			fit_lines(sample, &model, total);
		}
	}
	return model;
}

/*
 * What the model predicts for the pages of some part of the map.
 */
static double
predict(const Model *model, const OpsMapSum *sum)
{
	double		prediction = 0;

	for (int class = 0; class < OPS_MAP_CLASSES; class++)
	{
		const Line *line = &model->line[model->by_class ? class : 0];

		prediction += line->level * sum->pages[class] +
			line->slope * sum->space[class];
	}
	return prediction;
}

/*
 * Standard error of a sum over strata, z being the value of each one's page.
 *
 * A stratum of one page adds none.  The last factor stands for the wider
 * tails of Student's distribution.
 */
static double
error_of_sum(const OpsSample *sample, const double *z)
{
	double		pages = 0;
	double		unknown = 0;
	double		squares = 0;

	for (int i = 0; i < sample->count; i++)
	{
		double		stratum = sample->page[i].stratum;

		pages += stratum;
		unknown += stratum * (stratum - 1);
		if (i > 0)
			squares += (z[i] - z[i - 1]) * (z[i] - z[i - 1]);
	}
	if (sample->count < 2)
		return pages;
	return sqrt(squares / 2 / (sample->count - 1) * unknown) *
		(1 + 2.0 / sample->count);
}

static OpsEstimate
estimate_plain(const OpsSample *sample, OpsBloatTotal total, double *z)
{
	OpsEstimate estimate = {0};

	for (int i = 0; i < sample->count; i++)
	{
		z[i] = sample->page[i].total[total];
		estimate.value += sample->page[i].stratum * z[i];
	}
	estimate.error = error_of_sum(sample, z);
	return estimate;
}

/*
 * What the maps say of the whole relation, as far as they were read.
 */
static OpsMapSum
population(const OpsSample *sample)
{
	OpsMapSum	sum = {0};

	if (sample->is_whole)
		return sample->whole;
	for (int i = 0; i < sample->count; i++)
	{
		const OpsSampledPage *page = &sample->page[i];
		double		weight = page->stratum / pages_of(&page->around);

		for (int class = 0; class < OPS_MAP_CLASSES; class++)
		{
			sum.pages[class] += weight * page->around.pages[class];
			sum.space[class] += weight * page->around.space[class];
		}
	}
	return sum;
}

/*
 * From the most that a page has to an empty page: of no line is more known.
 */
static double
steepest_slope(const OpsSample *sample, OpsBloatTotal total)
{
	double		most = 0;

	for (int i = 0; i < sample->count; i++)
		most = Max(most, sample->page[i].total[total]);
	return most / OPS_MAP_EMPTY;
}

/*
 * Variance of an estimate for the slopes of its lines not being known.
 *
 * That hardly counts if the sample is like the relation, and for all if a
 * line is drawn far beyond what was sampled.
 */
static double
variance_of_slopes(const OpsSample *sample, OpsBloatTotal total,
				   const Model *model, const OpsMapSum *sum)
{
	double		variance = 0;
	double		steepest = steepest_slope(sample, total);

	for (int class = 0; class <= (model->by_class ? 1 : 0); class++)
	{
		const Line *line = &model->line[class];
		double		distance = distance_of(model, class, sum);

		if (line->spread_x > 0)
			variance += distance * distance / line->spread_x *
				line->residuals / Max(line->pages - 2, 1);
		else
			variance += distance * distance * steepest * steepest;
	}
	return variance;
}

/*
 * How far the map, about the mean of each line, is from adding up to what the
 * sample does; 0 if that is by chance.  Lines that have no slope need not.
 */
static double
unlike_sample(const OpsSample *sample, const Model *model,
			  const OpsMapSum *sum, double *z)
{
	double		unlike = 0;

	for (int class = 0; class <= (model->by_class ? 1 : 0); class++)
	{
		const Line *line = &model->line[class];
		double		difference = distance_of(model, class, sum);

		if (line->spread_x == 0)
			continue;
		for (int i = 0; i < sample->count; i++)
		{
			const OpsSampledPage *page = &sample->page[i];

			z[i] = class_of(model, page) == class ?
				page->entry.space - line->mean_x : 0;
			difference -= page->stratum * z[i];
		}
		if (fabs(difference) > FAR_OFF * error_of_sum(sample, z))
			unlike += fabs(difference);
	}
	return unlike;
}

/*
 * False if the map is no help; then the plain estimate has to allow for pages
 * that the map knows of and the sample does not.
 */
static bool
estimate_by_map(const OpsSample *sample, OpsBloatTotal total, double *z,
				OpsEstimate *plain, OpsEstimate *estimate)
{
	OpsMapSum	sum = population(sample);
	Model		model = fit_model(sample, &sum, total);
	double		unlike = unlike_sample(sample, &model, &sum, z);

	if (unlike > 0)
	{
		plain->error = hypot(plain->error,
							 unlike * steepest_slope(sample, total));
		return false;
	}
	estimate->with_map = true;
	estimate->value = predict(&model, &sum);
	for (int i = 0; i < sample->count; i++)
	{
		const OpsSampledPage *page = &sample->page[i];
		Line	   *line = &model.line[class_of(&model, page)];
		double		distance = page->entry.space - line->mean_x;
		double		leverage = 1.0 / line->pages;
		double		fitted = line->level + line->slope * page->entry.space;
		double		residual = page->total[total] - fitted;

		estimate->value += page->stratum * residual;

		if (line->spread_x > 0)
			leverage += distance * distance / line->spread_x;
		z[i] = residual / (1 - leverage);
		line->residuals += z[i] * z[i];
		if (!sample->is_whole)
			z[i] += predict(&model, &page->around) / pages_of(&page->around);
	}
	estimate->error = hypot(error_of_sum(sample, z),
							sqrt(variance_of_slopes(sample, total, &model,
													&sum)));
	return true;
}

OpsEstimate
ops_bloat_estimate(const OpsSample *sample, OpsBloatTotal total)
{
	double	   *z = palloc(sample->count * sizeof(double));
	OpsEstimate best = estimate_plain(sample, total, z);

	if (sample->has_maps && sample->count >= CLASS_PAGES && best.error > 0)
	{
		OpsEstimate by_map = {0};

		if (estimate_by_map(sample, total, z, &best, &by_map) &&
			by_map.error < BETTER * best.error)
			best = by_map;
	}
	best.value = Max(best.value, 0);
	pfree(z);
	return best;
}

/*
 * How many of both a page has cancels out, other than in either total.
 */
double
ops_bloat_share_error(const OpsSample *sample, OpsBloatTotal total,
					  OpsBloatTotal other)
{
	double	   *z = palloc(sample->count * sizeof(double));
	double		part = 0;
	double		all = 0;
	double		error = 0;

	for (int i = 0; i < sample->count; i++)
	{
		const OpsSampledPage *page = &sample->page[i];

		part += page->stratum * page->total[total];
		all += page->stratum * (page->total[total] + page->total[other]);
	}
	if (all > 0)
	{
		for (int i = 0; i < sample->count; i++)
		{
			const double *totals = sample->page[i].total;

			z[i] = totals[total] - part / all * (totals[total] + totals[other]);
		}
		error = error_of_sum(sample, z) / all;
	}
	pfree(z);
	return error;
}

double
ops_bloat_half_width(double error, double unlike, double sampled,
					 double pages)
{
	double		missed = unlike * MISSED_PAGES / sampled *
	(1 - sampled / Max(pages, sampled));

	return NORMAL_95 * sqrt(error * error + missed * missed);
}

/*
 * Fill in pages_after, and the interval from the error of TOTAL_NEED, in
 * proportion, and a margin for what the sample cannot know.
 */
void
ops_bloat_conclude(OpsBloatMeasure *measure, double pages_after,
				   double margin)
{
	bool		can_be_empty = measure->kind == BLOAT_HEAP ||
	measure->kind == BLOAT_TOAST;
	double		least = can_be_empty ? 0 : Min(1, pages_after);
	double		most = Max(measure->nblocks, pages_after);
	double		below = margin;
	double		above = margin;

	if (measure->sampled > 0)
	{
		double		error = measure->need_error;

		if (measure->total[TOTAL_NEED] > 0)
			error *= pages_after / measure->total[TOTAL_NEED];
		below = Max(NORMAL_95 * error + margin,
					ops_bloat_half_width(error, pages_after,
										 measure->sampled, measure->nblocks));
		above = Max(NORMAL_95 * error + margin,
					ops_bloat_half_width(error, most - pages_after,
										 measure->sampled, measure->nblocks));
	}
	measure->pages_after = pages_after;
	measure->pages_low = Max(pages_after - below, least);
	measure->pages_high = Min(pages_after + above, most);
}

void
ops_bloat_detail(OpsBloatMeasure *measure, const char *key, double value,
				 int decimals)
{
	OpsBloatDetail *detail = palloc(sizeof(OpsBloatDetail));

	detail->key = key;
	detail->value = value;
	detail->decimals = decimals;
	measure->details = lappend(measure->details, detail);
}
