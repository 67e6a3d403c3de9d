/*-------------------------------------------------------------------------
 *
 * gistchoose.c
 *	  Where in a GiST index that is played a row goes.
 *
 * The server's own choice unpacks every key of a page for each row that comes
 * by, and most of the time of a play went there.  Here keys are unpacked once
 * and the operator class is asked the same questions; among downlinks that are
 * equally good one is drawn as the server does, with the same chances.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "bloat/gistchoose.h"
#include "common/pg_prng.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Room for downlinks of a page, before there are more. */
#define FEW_DOWNLINKS		16

/* One column. */
typedef struct Column
{
	FunctionCallInfo penalty;	/* ready to be called */
	bool		is_strict;
	bool		is_range;		/* its functions unpack what is packed */
	bool		by_value;
	int			length;
} Column;

struct OpsGistChooser
{
	Relation	index;
	GISTSTATE  *state;
	MemoryContext context;
	pg_prng_state random;
	int			ncolumns;
	Column		column[INDEX_MAX_KEYS];
	GISTENTRY	row[INDEX_MAX_KEYS];
	bool		row_null[INDEX_MAX_KEYS];
};

/* Columns of a downlink lie next to one another. */
struct OpsGistKeys
{
	int			count;			/* downlinks, */
	int			space;			/* and for how many there is room */
	GISTENTRY  *key;
	bool	   *is_null;
};

/* Whether what was found keeps its place if something is as good. */
typedef enum Keeps
{
	UNDECIDED,
	STAYS,
	GOES
} Keeps;

static void unpack(OpsGistChooser *chooser, IndexTuple tuple, GISTENTRY * key,
				   bool *is_null);
static void keep(OpsGistChooser *chooser, OpsGistKeys *keys, int downlink,
				 IndexTuple tuple);
static void forget(OpsGistChooser *chooser, OpsGistKeys *keys, int downlink);
static Keeps toss(OpsGistChooser *chooser);
static int	compare(OpsGistChooser *chooser, const OpsGistKeys *keys,
					int downlink, float *best, bool *is_perfect);
static float penalty(OpsGistChooser *chooser, int column, GISTENTRY * key,
					 bool is_null);

OpsGistChooser *
ops_gist_chooser_create(Relation index, GISTSTATE * state, uint64 seed)
{
	OpsGistChooser *chooser = palloc0(sizeof(OpsGistChooser));

	chooser->index = index;
	chooser->state = state;
	chooser->context = CurrentMemoryContext;
	chooser->ncolumns = IndexRelationGetNumberOfKeyAttributes(index);
	pg_prng_seed(&chooser->random, seed);
	for (int i = 0; i < chooser->ncolumns; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(index), i);
		Column	   *column = &chooser->column[i];

		column->penalty = palloc0(SizeForFunctionCallInfo(3));
		InitFunctionCallInfoData(*column->penalty, &state->penaltyFn[i], 3,
								 state->supportCollation[i], NULL, NULL);
		column->is_strict = state->penaltyFn[i].fn_strict;
		column->is_range = type_is_range(attribute->atttypid);
		column->by_value = attribute->attbyval;
		column->length = attribute->attlen;
	}
	return chooser;
}

OpsGistKeys *
ops_gist_keys_create(const OpsGistChooser *chooser)
{
	OpsGistKeys *keys = palloc(sizeof(OpsGistKeys));

	keys->count = 0;
	keys->space = FEW_DOWNLINKS;
	keys->key = palloc(keys->space * chooser->ncolumns * sizeof(GISTENTRY));
	keys->is_null = palloc(keys->space * chooser->ncolumns * sizeof(bool));
	return keys;
}

void
ops_gist_keys_add(OpsGistChooser *chooser, OpsGistKeys *keys,
				  IndexTuple downlink)
{
	if (keys->count == keys->space)
	{
		int			entries = keys->space * 2 * chooser->ncolumns;

		keys->space *= 2;
		keys->key = repalloc(keys->key, entries * sizeof(GISTENTRY));
		keys->is_null = repalloc(keys->is_null, entries * sizeof(bool));
	}
	keep(chooser, keys, keys->count++, downlink);
}

void
ops_gist_keys_replace(OpsGistChooser *chooser, OpsGistKeys *keys,
					  OffsetNumber offset, IndexTuple downlink)
{
	forget(chooser, keys, offset - FirstOffsetNumber);
	keep(chooser, keys, offset - FirstOffsetNumber, downlink);
}

void
ops_gist_keys_delete(OpsGistChooser *chooser, OpsGistKeys *keys,
					 OffsetNumber offset)
{
	int			columns = chooser->ncolumns;
	int			to = (offset - FirstOffsetNumber) * columns;
	int			moved = (keys->count - offset) * columns;

	forget(chooser, keys, offset - FirstOffsetNumber);
	keys->count--;
	memmove(keys->key + to, keys->key + to + columns,
			moved * sizeof(GISTENTRY));
	memmove(keys->is_null + to, keys->is_null + to + columns,
			moved * sizeof(bool));
}

void
ops_gist_keys_free(OpsGistChooser *chooser, OpsGistKeys *keys)
{
	for (int i = 0; i < keys->count; i++)
		forget(chooser, keys, i);
	pfree(keys->key);
	pfree(keys->is_null);
	pfree(keys);
}

void
ops_gist_chooser_take(OpsGistChooser *chooser, IndexTuple row)
{
	unpack(chooser, row, chooser->row, chooser->row_null);
}

/*
 * Get the keys of a tuple, as the operator classes' functions want them.
 *
 * None of these looks at the page.
 */
static void
unpack(OpsGistChooser *chooser, IndexTuple tuple, GISTENTRY * key,
	   bool *is_null)
{
	for (int i = 0; i < chooser->ncolumns; i++)
	{
		Datum		value = index_getattr(tuple, i + 1,
										  chooser->state->leafTupdesc,
										  &is_null[i]);

		if (chooser->column[i].is_range && !is_null[i])
			value = PointerGetDatum(PG_DETOAST_DATUM(value));
		gistdentryinit(chooser->state, i, &key[i], value, chooser->index,
					   NULL, InvalidOffsetNumber, false, is_null[i]);
	}
}

static void
keep(OpsGistChooser *chooser, OpsGistKeys *keys, int downlink,
	 IndexTuple tuple)
{
	GISTENTRY  *key = &keys->key[downlink * chooser->ncolumns];
	bool	   *is_null = &keys->is_null[downlink * chooser->ncolumns];
	MemoryContext before;

	unpack(chooser, tuple, key, is_null);
	before = MemoryContextSwitchTo(chooser->context);
	for (int i = 0; i < chooser->ncolumns; i++)
	{
		if (!is_null[i])
			key[i].key = datumCopy(key[i].key, chooser->column[i].by_value,
								   chooser->column[i].length);
	}
	MemoryContextSwitchTo(before);
}

static void
forget(OpsGistChooser *chooser, OpsGistKeys *keys, int downlink)
{
	GISTENTRY  *key = &keys->key[downlink * chooser->ncolumns];
	bool	   *is_null = &keys->is_null[downlink * chooser->ncolumns];

	for (int i = 0; i < chooser->ncolumns; i++)
	{
		if (!is_null[i] && !chooser->column[i].by_value)
			pfree(DatumGetPointer(key[i].key));
	}
}

/*
 * What is as good as the best so far takes its place or not; once the best
 * was to stay it does.  One that need not be widened at all ends the search if
 * it is to stay.
 */
OffsetNumber
ops_gist_choose(OpsGistChooser *chooser, const OpsGistKeys *keys)
{
	float		best[INDEX_MAX_KEYS] = {0};
	int			chosen = 0;
	Keeps		keeps = UNDECIDED;

	for (int i = 0; i < keys->count; i++)
	{
		bool		is_perfect;
		int			order = compare(chooser, keys, i, best, &is_perfect);

		if (order == 0 && keeps == UNDECIDED)
			keeps = toss(chooser);
		if (order < 0 || (order == 0 && keeps == GOES))
		{
			chosen = i;
			keeps = UNDECIDED;
		}
		if (is_perfect)
		{
			if (keeps == UNDECIDED)
				keeps = toss(chooser);
			if (keeps == STAYS)
				break;
		}
	}
	return chosen + FirstOffsetNumber;
}

static Keeps
toss(OpsGistChooser *chooser)
{
	return pg_prng_bool(&chooser->random) ? STAYS : GOES;
}

/*
 * How a downlink compares with the best so far, column by column: negative if
 * it is better, as the first is, and then it is the best.  It is perfect if nothing has to be
 * widened.
 */
static int
compare(OpsGistChooser *chooser, const OpsGistKeys *keys, int downlink,
		float *best, bool *is_perfect)
{
	int			ncolumns = chooser->ncolumns;
	int			order = downlink == 0 ? -1 : 0;

	*is_perfect = true;
	for (int i = 0; i < ncolumns; i++)
	{
		int			number = downlink * ncolumns + i;
		float		costs = penalty(chooser, i, &keys->key[number],
									keys->is_null[number]);

		if (costs > 0)
			*is_perfect = false;
		if (order == 0 && costs > best[i])
		{
			*is_perfect = false;
			return 1;
		}
		if (order < 0 || costs < best[i])
		{
			order = -1;
			best[i] = costs;
		}
	}
	return order;
}

/*
 * What it costs to widen a key, that it holds the row's, too.
 */
static float
penalty(OpsGistChooser *chooser, int column, GISTENTRY * key, bool is_null)
{
	FunctionCallInfo call = chooser->column[column].penalty;
	bool		any_null = is_null || chooser->row_null[column];
	float		costs = 0;

	if (any_null && chooser->column[column].is_strict)
		return is_null && chooser->row_null[column] ?
			0 : get_float4_infinity();
	call->isnull = false;
	call->args[0].value = PointerGetDatum(key);
	call->args[1].value = PointerGetDatum(&chooser->row[column]);
	call->args[2].value = PointerGetDatum(&costs);
	(void) FunctionCallInvoke(call);
	return isnan(costs) || costs < 0 ? 0 : costs;
}
