/*-------------------------------------------------------------------------
 *
 * ginkeys.c
 *	  The entries that a GIN index has once its pending list is merged.
 *
 * Rows wait in the pending list one by one, each with its key, which may be
 * among the entries already, come up a hundred times in the list, or once.
 * So keys are told apart by their hashes.  Where there are too many to be
 * kept, those with the lowest hashes are, with all that belongs to them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/gin_private.h"
#include "bloat/ginkeys.h"
#include "common/hashfn.h"

/* Rows of an entry whose fate stands for the others. */
#define MATCHED_TO_KNOW		8

/* Keys are told apart by their numbers of rows, up to that. */
#define MOST_TOLD			3

#define NUM_SLOTS			32768
#define MAX_KEYS			(NUM_SLOTS / 2)

/* An entry; of a key that nothing was added to, no rows and no bytes. */
typedef struct Key
{
	uint64		hash;
	bool		has_tree;
	double		waiting;		/* rows in the pending list */
	double		waiting_known;	/* of these, rows that were looked up */
	double		waiting_dead;
	OpsGinEntry entry;
} Key;

/* Shares of the rows of a key that are dead, where some wait. */
typedef struct Rates
{
	double		merged;
	double		waiting;
} Rates;

/* By the number of those that are merged, and that wait. */
typedef Rates RateTable[MOST_TOLD + 1][MOST_TOLD + 1];

struct OpsGinKeys
{
	uint64		most;			/* hash of a key that is kept */
	double		scale;
	Key		   *key;			/* in the order they came in */
	int			nkeys;
	int			space;
	uint16		slots[NUM_SLOTS];	/* keys, counted from 1 */
};

static uint16 *find_slot(struct OpsGinKeys *keys, uint64 hash);
static Key *new_key(struct OpsGinKeys *keys, uint16 *slot);
static void thin_out(struct OpsGinKeys *keys);
static void read_rates(const struct OpsGinKeys *keys, double dead,
					   double waiting_dead, RateTable rates);
static double rate(double known, double gone, double otherwise);
static Rates *rates_of(const Key *key, RateTable rates);
static double merged_rows(const Key *key);
static bool is_waiting_known(const Key *key);
static double dead_share(const Key *key, const Rates *usual);
static double gap_bytes(const OpsGinEntry *entry, double rows);

struct OpsGinKeys *
ops_gin_keys_create(void)
{
	struct OpsGinKeys *keys = palloc0(sizeof(struct OpsGinKeys));

	keys->most = PG_UINT64_MAX;
	keys->scale = 1;
	keys->space = 1024;
	keys->key = palloc(keys->space * sizeof(Key));
	return keys;
}

/*
 * Add rows to a key.
 *
 * An entry's tid_bytes are 0 if it comes from the pending list.
 */
void
ops_gin_keys_add(struct OpsGinKeys *keys, IndexTuple item,
				 const OpsGinEntry *entry)
{
	uint64		hash = hash_bytes_extended((unsigned char *) item +
										   sizeof(IndexTupleData),
										   entry->key - sizeof(IndexTupleData),
										   0);
	uint16	   *slot;
	Key		   *key;

	if (hash > keys->most)
		return;
	slot = find_slot(keys, hash);
	if (*slot == 0 && keys->nkeys == MAX_KEYS)
	{
		thin_out(keys);
		if (hash > keys->most)
			return;
		slot = find_slot(keys, hash);
	}
	if (*slot > 0)
		key = &keys->key[*slot - 1];
	else
	{
		key = new_key(keys, slot);
		key->hash = hash;
		key->entry = *entry;
		key->entry.ntids = 0;
		key->entry.tid_bytes = 0;
		key->entry.dead = -1;
	}
	key->entry.first = Min(key->entry.first, entry->first);
	key->entry.last = Max(key->entry.last, entry->last);
	if (entry->ntids == 0)
		key->has_tree = true;
	key->entry.ntids += entry->ntids;
	if (entry->tid_bytes > 0)
		key->entry.tid_bytes = entry->tid_bytes;
	if (!entry->waits)
		key->entry.dead = entry->dead;
	else
	{
		key->waiting += entry->ntids;
		if (entry->dead >= 0)
		{
			key->waiting_known += entry->ntids;
			key->waiting_dead += entry->ntids * entry->dead;
		}
	}
}

/*
 * Where a key is, or else the free slot for it.
 */
static uint16 *
find_slot(struct OpsGinKeys *keys, uint64 hash)
{
	for (uint32 place = (uint32) hash;; place++)
	{
		uint16	   *slot = &keys->slots[place & (NUM_SLOTS - 1)];

		if (*slot == 0 || keys->key[*slot - 1].hash == hash)
			return slot;
	}
}

static Key *
new_key(struct OpsGinKeys *keys, uint16 *slot)
{
	Key		   *key;

	if (keys->nkeys == keys->space)
	{
		keys->space *= 2;
		keys->key = repalloc(keys->key, keys->space * sizeof(Key));
	}
	key = &keys->key[keys->nkeys++];
	memset(key, 0, sizeof(Key));
	*slot = (uint16) keys->nkeys;
	return key;
}

static void
thin_out(struct OpsGinKeys *keys)
{
	int			kept = 0;

	keys->most /= 2;
	keys->scale *= 2;
	memset(keys->slots, 0, sizeof(keys->slots));
	for (int i = 0; i < keys->nkeys; i++)
	{
		uint64		hash = keys->key[i].hash;

		if (hash > keys->most)
			continue;
		keys->key[kept++] = keys->key[i];
		*find_slot(keys, hash) = (uint16) kept;
	}
	keys->nkeys = kept;
}

/*
 * Entries in the order they came in, which is that of keys for those that
 * come from entry pages.  Where rows were not looked up these shares of them
 * are dead, of those of entries and of those that wait.
 */
void
ops_gin_keys_merged(struct OpsGinKeys *keys, double dead, double waiting_dead,
					OpsGinMerged *merged)
{
	RateTable	rates;

	read_rates(keys, dead, waiting_dead, rates);
	memset(merged, 0, sizeof(OpsGinMerged));
	merged->entries = palloc((keys->nkeys + 1) * sizeof(OpsGinEntry));
	merged->nentries = keys->nkeys;
	merged->scale = keys->scale;
	for (int i = 0; i < keys->nkeys; i++)
	{
		Key		   *key = &keys->key[i];
		OpsGinEntry *entry = &key->entry;
		double		left;
		double		bytes;

		entry->dead = dead_share(key, rates_of(key, rates));
		left = 1 - (entry->dead >= 0 ? entry->dead : dead);
		if (entry->tid_bytes == 0)
			entry->tid_bytes = gap_bytes(entry, entry->ntids);
		bytes = left * entry->ntids * entry->tid_bytes;
		if (key->has_tree)
			merged->tree_bytes += keys->scale * left * key->waiting *
				entry->tid_bytes;
		else if (entry->key + bytes > GinMaxItemSize)
		{
			merged->new_bytes += keys->scale * bytes;
			merged->new_trees += keys->scale;
		}
		if (key->has_tree || entry->key + bytes > GinMaxItemSize)
			entry->ntids = 0;
		entry->page = i;
		merged->entries[i] = *entry;
	}
}

/*
 * How the rows of keys fare for which some wait, as far as is known.
 *
 * Two of a key can be versions of one row, or what a rolled-back update was
 * to replace and what it left behind: one is dead then, and it is not the
 * share of all rows that says which.
 */
static void
read_rates(const struct OpsGinKeys *keys, double dead, double waiting_dead,
		   RateTable rates)
{
	RateTable	known;
	RateTable	gone;

	memset(known, 0, sizeof(known));
	memset(gone, 0, sizeof(gone));
	for (int i = 0; i < keys->nkeys; i++)
	{
		const Key  *key = &keys->key[i];

		if (merged_rows(key) > 0 && key->entry.dead >= 0)
		{
			rates_of(key, known)->merged++;
			rates_of(key, gone)->merged += key->entry.dead;
		}
		if (is_waiting_known(key))
		{
			rates_of(key, known)->waiting++;
			rates_of(key, gone)->waiting += key->waiting_dead /
				key->waiting_known;
		}
	}
	for (int i = 0; i <= MOST_TOLD; i++)
	{
		for (int j = 0; j <= MOST_TOLD; j++)
		{
			rates[i][j].merged = rate(known[i][j].merged,
									  gone[i][j].merged, dead);
			rates[i][j].waiting = rate(known[i][j].waiting,
									   gone[i][j].waiting, waiting_dead);
		}
	}
}

static double
rate(double known, double gone, double otherwise)
{
	return known >= GIN_MIN_KNOWN ? gone / known : otherwise;
}

static Rates *
rates_of(const Key *key, RateTable rates)
{
	return &rates[(int) Min(Max(merged_rows(key), 0), MOST_TOLD)]
		[(int) Min(key->waiting, MOST_TOLD)];
}

static double
merged_rows(const Key *key)
{
	return key->entry.ntids - key->waiting;
}

static bool
is_waiting_known(const Key *key)
{
	return key->waiting > 0 &&
		key->waiting_known >= Min(key->waiting, MATCHED_TO_KNOW);
}

/*
 * Share of a key's rows that are dead; -1 if nothing is known of it.
 */
static double
dead_share(const Key *key, const Rates *usual)
{
	const OpsGinEntry *entry = &key->entry;
	double		dead = usual->merged;
	double		waiting_dead = usual->waiting;

	if (key->waiting == 0 || entry->ntids == 0)
		return entry->dead;
	if (entry->dead >= 0)
		dead = entry->dead;
	if (is_waiting_known(key))
		waiting_dead = key->waiting_dead / key->waiting_known;
	return (merged_rows(key) * dead + key->waiting * waiting_dead) /
		entry->ntids;
}

/*
 * Bytes of the distance between two rows, if these lie anywhere in a range of
 * blocks: another block costs a byte, and one that is far away two.
 */
static double
gap_bytes(const OpsGinEntry *entry, double rows)
{
	double		blocks = (double) entry->last - entry->first + 1;
	double		in_block = Max(rows, 1) / blocks;
	double		crosses = (1 - exp(-in_block)) / in_block;

	return 1 + crosses * (1 + exp(-8 * Min(in_block, 1)));
}
