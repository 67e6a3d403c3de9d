/*-------------------------------------------------------------------------
 *
 * verdict.c
 *	  What to do about a relation that was measured.
 *
 * The first rule that applies decides.  First comes what keeps a VACUUM from
 * doing its work, then what a VACUUM does, and a rewrite comes last, since
 * it takes a lock or a tool, and room on disk.  Rules go by the low end of
 * the interval: what is not certain to come back is no reason to act.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "bloat/verdict.h"
#include "commands/dbcommands.h"
#include "core/words.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#define MB	(1024.0 * 1024.0)
#define GB	(1024.0 * MB)

/* Rows that VACUUM may not remove yet, from which on it is of no use. */
#define HELD_SHARE		0.10
#define HELD_BYTES		(1 * GB)

/* Dead rows: their share, or what autovacuum tolerates, so many times. */
#define DEAD_SHARE		0.10
#define DEAD_THRESHOLDS 2

/* Index entries that lead to no row. */
#define DEAD_ENTRIES	0.10

/* Empty pages at the end. */
#define TAIL_SHARE		0.05
#define TAIL_BYTES		(8 * MB)

/* A partition that may as well go. */
#define GONE_SHARE		0.95

/* What a rebuild gives back, for sure; more if that comes from a model. */
#define INDEX_SHARE		0.30
#define MODEL_SHARE		0.50
#define INDEX_BYTES		(32 * MB)

/* What a rewrite gives back, for sure. */
#define HEAP_SHARE		0.30
#define HEAP_BYTES		(100 * MB)

/* Dropped columns: never free for new rows, so less is worth a rewrite. */
#define DROPPED_PART	0.50
#define DROPPED_SHARE	0.10
#define DROPPED_BYTES	(8 * MB)

/* A leaf split at random is half to full: no bloat up to this. */
#define RANDOM_SHARE	0.15

/* Free space that the table will have grown into this soon is in use. */
#define GROWN_INTO_DAYS	30

/* And rows that come and go this fast hide how much of it a peak needs. */
#define REUSED_DAYS		7

/* Tables so small are rewritten under a lock in a minute. */
#define LOCKED_BYTES	(1 * GB)

/* For the time a rewrite takes: what a plain disk does. */
#define BYTES_PER_SECOND	(100 * MB)

/* A relation, its verdict and the figures that rules go by. */
typedef struct Case
{
	const OpsBloatScene *scene;
	const OpsBloatFacts *facts;
	const OpsBloatMeasure *measure;
	OpsBloatVerdict *verdict;
	bool		heap;			/* table or TOAST table, else an index */
	double		size;			/* bytes, as all of these */
	double		reclaimable;
	double		low;
	double		high;
	double		after;			/* of what is rewritten together */
} Case;

typedef bool (*Rule) (Case *c);

static bool unblock(Case *c);
static bool detach(Case *c);
static bool vacuum_rows(Case *c);
static bool vacuum_entries(Case *c);
static bool truncate_tail(Case *c);
static bool reindex(Case *c);
static bool wait_for_growth(Case *c);
static bool rewrite(Case *c);
static bool nothing(Case *c);

static const Rule rules[] = {
	unblock,
	detach,
	vacuum_rows,
	vacuum_entries,
	truncate_tail,
	reindex,
	wait_for_growth,
	rewrite,
	nothing,
};

static void say(Case *c, const char *format,...) pg_attribute_printf(2, 3);
static void say_disk(Case *c);
static void blame(Case *c, const OpsHorizonHolder *holder);
static bool has_rates(const Case *c);
static bool is_ordinary(const OpsBloatFacts *facts);
static void choose_means(Case *c);
static bool can_repack(void);
static bool needs_wal(const Case *c);
static const char *vacuum_command(const Case *c);
static const char *share(const Case *c);
static const char *share_of(double size, double reclaimable,
							double low, double high);
static const char *since(const Case *c, TimestampTz then);
static const char *shell_quoted(const char *word);

/*
 * The verdict on a relation.
 */
void
ops_bloat_verdict(const OpsBloatScene *scene, const OpsBloatFacts *facts,
				  const OpsBloatMeasure *measure, OpsBloatVerdict *verdict)
{
	Case		c = {
		.scene = scene,
		.facts = facts,
		.measure = measure,
		.verdict = verdict,
		.heap = measure->kind == BLOAT_HEAP || measure->kind == BLOAT_TOAST,
		.size = (double) measure->nblocks * BLCKSZ,
	};

	memset(verdict, 0, sizeof(OpsBloatVerdict));
	c.reclaimable = Max(0, c.size - measure->pages_after * BLCKSZ);
	c.low = Max(0, c.size - measure->pages_high * BLCKSZ);
	c.high = Max(0, c.size - measure->pages_low * BLCKSZ);
	c.after = c.heap ?
		Max(facts->family_size, c.size) - facts->family_reclaimable :
		measure->pages_after * BLCKSZ;
	c.after = Max(c.after, 0);
	if (measure->kind != BLOAT_BRIN)
		verdict->disk_needed = (int64) c.after * (needs_wal(&c) ? 2 : 1);

	for (int i = 0; i < (int) lengthof(rules) && !rules[i] (&c); i++)
		;
	if (scene->standby && verdict->command)
		say(&c, "%s", _("to be run on the primary"));
}

/*
 * The verdict on the partitions of a table, taken together: that on the one
 * to begin with.
 */
void
ops_bloat_rollup_verdict(const OpsBloatRollup *rollup,
						 OpsBloatVerdict *verdict)
{
	const char *share = share_of(rollup->size, rollup->reclaimable,
								 rollup->low, rollup->high);

	memset(verdict, 0, sizeof(OpsBloatVerdict));
	if (rollup->worst == NULL)
	{
		verdict->action = "none";
		verdict->reason = psprintf(ngettext("%d partition has nothing worth doing: a rewrite would give back %s",
											"%d partitions have nothing worth doing: rewriting all of them would give back %s",
											rollup->partitions),
								   rollup->partitions, share);
		return;
	}
	verdict->action = rollup->worst->action;
	verdict->command = rollup->worst->command;
	verdict->disk_needed = rollup->worst->disk_needed;
	verdict->reason = psprintf(ngettext("there is something to do in %d of %d partition, and rewriting it would give back %s; begin with %s: %s",
										"there is something to do in %d of %d partitions, and rewriting all of them would give back %s; begin with %s: %s",
										rollup->partitions),
							   rollup->advised, rollup->partitions, share,
							   rollup->worst_name, rollup->worst->reason);
}

/*
 * UNBLOCK: rows are dead, but somebody may still have to see them.
 */
static bool
unblock(Case *c)
{
	double		held = c->measure->total[TOTAL_HELD_BYTES];
	const OpsHorizonHolder *holder;

	if (held <= HELD_SHARE * c->size && held <= HELD_BYTES)
		return false;

	c->verdict->action = "UNBLOCK";
	say(c, _("%s (%.0f %%) of %s are dead rows that somebody may still have to see, so that no VACUUM can remove them"),
		ops_bytes(held), 100 * held / c->size, ops_bytes(c->size));
	if (c->scene->standby)
	{
		say(c, "%s", _("who that is, the primary knows"));
		return true;
	}
	holder = ops_horizon_oldest(c->scene->holders, c->facts->scope);
	if (holder == NULL)
	{
		c->verdict->command = vacuum_command(c);
		say(c, "%s", _("whoever that was has ended meanwhile"));
	}
	else if (holder->pid == MyProcPid)
	{
		c->verdict->command = "COMMIT;";
		say(c, "%s", _("it is the transaction that asks"));
	}
	else if (holder->pid != 0 && !c->scene->monitor)
		say(c, "%s", _("which session that is can be told to members of pg_read_all_stats"));
	else
		blame(c, holder);
	return true;
}

static void
blame(Case *c, const OpsHorizonHolder *holder)
{
	long long	age = ops_horizon_age(holder, c->facts->scope,
									  ReadNextTransactionId());

	c->verdict->command = ops_horizon_command(holder);
	if (holder->since == 0)
		say(c, _("it is %s, %lld transactions old"),
			ops_horizon_name(holder), age);
	else
		say(c, _("it is %s, %lld transactions old, begun %s ago"),
			ops_horizon_name(holder), age, since(c, holder->since));
}

/*
 * DETACH: next to nothing of a partition is left.
 */
static bool
detach(Case *c)
{
	const OpsBloatFacts *facts = c->facts;

	if (c->measure->kind != BLOAT_HEAP || facts->parent_name == NULL ||
		c->low < GONE_SHARE * c->size || c->low < TAIL_BYTES)
		return false;

	c->verdict->action = "DETACH";
	c->verdict->command = psprintf(facts->parent_has_default ?
								   "ALTER TABLE %s DETACH PARTITION %s;" :
								   "ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY;",
								   facts->parent_name, facts->table_name);
	say(c, _("next to nothing of the partition is left, a rewrite would give back %s"),
		share(c));
	say(c, _("detach and drop it, or move the %.0f rows that it still has"),
		c->measure->total[TOTAL_LIVE]);
	return true;
}

/*
 * VACUUM: for dead rows.
 */
static bool
vacuum_rows(Case *c)
{
	const OpsBloatFacts *facts = c->facts;
	double		dead = c->measure->total[TOTAL_DEAD_BYTES];

	if (!c->heap || dead <= 0 ||
		(dead <= DEAD_SHARE * c->size &&
		 facts->dead_rows < DEAD_THRESHOLDS * facts->vacuum_threshold))
		return false;

	c->verdict->action = "VACUUM";
	c->verdict->command = vacuum_command(c);
	say(c, _("%s (%.0f %%) of %s are dead rows: VACUUM frees them for new ones, the file stays as it is"),
		ops_bytes(dead), 100 * dead / c->size, ops_bytes(c->size));
	if (facts->temporary)
		say(c, "%s", _("autovacuum does not come to temporary tables"));
	else if (!facts->autovacuum)
		say(c, "%s", _("autovacuum is off here"));
	else if (facts->dead_rows < facts->vacuum_threshold)
		say(c, _("autovacuum has counted %.0f dead rows and comes at %.0f, see autovacuum_vacuum_scale_factor"),
			facts->dead_rows, facts->vacuum_threshold);
	else if (facts->last_vacuum == 0)
		say(c, _("autovacuum should have come at %.0f, and has not since statistics began"),
			facts->vacuum_threshold);
	else
		say(c, _("autovacuum should have come at %.0f, the last VACUUM was %s ago"),
			facts->vacuum_threshold, since(c, facts->last_vacuum));
	return true;
}

/*
 * VACUUM: for index entries that lead to no row.
 */
static bool
vacuum_entries(Case *c)
{
	if (c->heap || c->measure->dead_entries <= DEAD_ENTRIES)
		return false;

	c->verdict->action = "VACUUM";
	c->verdict->command = vacuum_command(c);
	say(c, _("%.0f %% of its entries lead to no row: let VACUUM remove them, then see what a REINDEX would still give back"),
		100 * c->measure->dead_entries);
	say(c, _("now that is %s"), share(c));
	return true;
}

/*
 * TRUNCATE: for empty pages at the end.
 */
static bool
truncate_tail(Case *c)
{
	double		tail = (double) c->measure->truncatable * BLCKSZ;

	if (!c->heap || tail < TAIL_BYTES || tail < TAIL_SHARE * c->size)
		return false;

	c->verdict->action = "TRUNCATE";
	c->verdict->command = psprintf("VACUUM (TRUNCATE) %s;", c->facts->table_name);
	say(c, _("the last %s of %s are empty: VACUUM gives them back to the operating system"),
		ops_bytes(tail), ops_bytes(c->size));
	say(c, "%s", _("at its end it takes an ACCESS EXCLUSIVE lock for a moment, if it gets one, and queries on standbys may be cancelled"));
	return true;
}

/*
 * REINDEX
 */
static bool
reindex(Case *c)
{
	const OpsBloatFacts *facts = c->facts;
	double		worth = c->measure->modelled ? MODEL_SHARE : INDEX_SHARE;

	if (c->heap || c->measure->kind == BLOAT_BRIN ||
		c->low < worth * c->size || c->low < INDEX_BYTES)
		return false;

	c->verdict->action = "REINDEX";
	c->verdict->command = psprintf(facts->concurrently ?
								   "REINDEX INDEX CONCURRENTLY %s;" :
								   "REINDEX INDEX %s;", facts->name);
	say(c, _("a REINDEX would give back %s"), share(c));
	say_disk(c);
	if (facts->concurrently)
		say(c, "%s", _("it blocks neither reads nor writes; if it fails, drop the invalid index whose name ends in _ccnew"));
	else
		say(c, "%s", _("it locks the table against writes and this index against reads, as CONCURRENTLY is not possible here"));
	if (facts->unused)
		say(c, _("no query on this server has used the index for %s: consider DROP INDEX CONCURRENTLY %s instead"),
			since(c, c->scene->statistics_began), facts->name);
	return true;
}

/*
 * Whether a rewrite gives back enough, and for sure.
 */
static bool
is_worth_rewriting(const Case *c)
{
	return c->heap && c->low >= HEAP_SHARE * c->size && c->low >= HEAP_BYTES;
}

/*
 * Whether most of what a rewrite gives back was left by dropped columns.
 */
static bool
is_left_by_columns(const Case *c)
{
	return c->heap && c->low >= DROPPED_SHARE * c->size &&
		c->low >= DROPPED_BYTES &&
		c->measure->total[TOTAL_DROPPED_BYTES] > DROPPED_PART * c->reclaimable;
}

/*
 * How long rows, so many since statistics began, take to fill the free space,
 * in days; infinity if that is never or not known.
 */
static double
days_to_fill(const Case *c, double rows)
{
	double		days = (double) (c->scene->now - c->scene->statistics_began) / USECS_PER_DAY;
	double		live = c->measure->total[TOTAL_LIVE];

	if (!has_rates(c) || rows <= 0 || live <= 0)
		return get_float8_infinity();
	return c->reclaimable * days * live /
		(rows * c->measure->pages_after * BLCKSZ);
}

static bool
has_rates(const Case *c)
{
	return c->facts->counted && !c->scene->standby &&
		c->scene->now - c->scene->statistics_began >= USECS_PER_DAY;
}

/*
 * WAIT: the table is about to grow into its free space.
 *
 * What new rows take counts only as far as others do not make room: a queue
 * that has once been long can do with less for ever.
 */
static bool
wait_for_growth(Case *c)
{
	double		days = days_to_fill(c, c->facts->inserted - c->facts->deleted);

	if (!is_worth_rewriting(c) || is_left_by_columns(c) ||
		days > GROWN_INTO_DAYS)
		return false;

	c->verdict->action = "WAIT";
	say(c, _("a rewrite would give back %s, but the free space is being used"),
		share(c));
	say(c, _("%.1f days of growth fit in it"), days);
	return true;
}

/*
 * REWRITE: by the means that are there.
 */
static bool
rewrite(Case *c)
{
	bool		columns = is_left_by_columns(c);

	if (!columns && !is_worth_rewriting(c))
		return false;

	c->verdict->action = "REWRITE";
	say(c, _("a rewrite would give back %s"), share(c));
	if (columns)
		say(c, _("dropped columns left %s of it, and no VACUUM ever frees these"),
			ops_bytes(c->measure->total[TOTAL_DROPPED_BYTES]));
	choose_means(c);
	say_disk(c);
	if (columns || c->scene->standby)
		return true;
	if (!has_rates(c))
		say(c, "%s", _("whether new rows will need the space is not known, as statistics are younger than a day"));
	else if (days_to_fill(c, c->facts->inserted) <= REUSED_DAYS)
		say(c, _("%.1f days of inserts fit in it, though as many rows go: leave it if a peak comes back that needs the space"),
			days_to_fill(c, c->facts->inserted));
	return true;
}

/*
 * Whether tools that rewrite a table under way can be let loose on it.
 */
static bool
is_ordinary(const OpsBloatFacts *facts)
{
	return facts->relkind == RELKIND_RELATION && facts->logged &&
		!facts->catalog;
}

/*
 * How to rewrite a table, and what that locks.
 */
static void
choose_means(Case *c)
{
	const OpsBloatFacts *facts = c->facts;
	bool		for_tools = is_ordinary(facts) && c->after > LOCKED_BYTES;
	double		seconds = (c->size + 2 * c->after) / BYTES_PER_SECOND;

	if (for_tools && facts->has_identity && can_repack())
	{
		c->verdict->command = psprintf("REPACK (CONCURRENTLY) %s;", facts->table_name);
		say(c, "%s", _("it blocks others for a moment at its end; it is new in PostgreSQL 19, so try it on a copy first"));
	}
	else if (for_tools && facts->has_key && c->scene->pg_repack)
	{
		c->verdict->command = psprintf("pg_repack --dbname=%s --table=%s",
									   shell_quoted(get_database_name(MyDatabaseId)),
									   shell_quoted(facts->table_name));
		say(c, "%s", _("it blocks others for a moment at its beginning and its end"));
	}
	else if (for_tools && facts->has_identity && c->scene->pg_squeeze)
	{
		c->verdict->command = psprintf("SELECT squeeze.squeeze_table(%s, %s);",
									   quote_literal_cstr(facts->table_schema),
									   quote_literal_cstr(facts->table_relname));
		say(c, "%s", _("it blocks others for a moment at its end"));
	}
	else
	{
		c->verdict->command = psprintf("VACUUM (FULL) %s;", facts->table_name);
		say(c, _("it locks everybody out of the table for about %s, at %s a second"),
			ops_duration(Max(1, seconds)), ops_bytes(BYTES_PER_SECOND));
		if (for_tools && facts->has_key)
			say(c, "%s", _("pg_repack, if it were installed in this database, would hardly block anybody"));
	}
}

/*
 * Whether the server's own REPACK could work alongside others.
 */
static bool
can_repack(void)
{
	const char *slots;

	if (!ops_compat_has_repack() || !XLogIsNeeded())
		return false;
	slots = GetConfigOption("max_repack_replication_slots", true, false);
	return slots && atoi(slots) > 0;
}

/*
 * none, and why not.
 */
static bool
nothing(Case *c)
{
	c->verdict->action = "none";
	if (c->measure->kind == BLOAT_BRIN)
		say(c, "%s", _("an index of this kind holds a summary and hardly bloats"));
	else if (c->heap && c->low > 0 && c->low >= HEAP_SHARE * c->size)
		say(c, _("a rewrite would give back %s, which is too little to lock a table for"),
			share(c));
	else if (c->heap)
		say(c, _("nothing worth a rewrite, which would give back %s"), share(c));
	else if (c->low > 0 && c->low >= INDEX_SHARE * c->size &&
			 c->low < INDEX_BYTES)
		say(c, _("a REINDEX would give back %s, which is too little to care for"),
			share(c));
	else if (c->measure->kind == BLOAT_BTREE &&
			 c->reclaimable >= RANDOM_SHARE * c->size)
		say(c, _("normal for keys that come in random order: a REINDEX would give back %s, and it grows back"),
			share(c));
	else
		say(c, _("nothing worth a REINDEX, which would give back %s"), share(c));
	return true;
}

static const char *
vacuum_command(const Case *c)
{
	return psprintf("VACUUM (VERBOSE) %s;", c->facts->table_name);
}

/*
 * What a rewrite needs besides the relation, while both are there.
 */
static void
say_disk(Case *c)
{
	if (needs_wal(c))
		say(c, _("it needs %s on disk, of these %s for the new files and as much for WAL"),
			ops_bytes((double) c->verdict->disk_needed), ops_bytes(c->after));
	else
		say(c, _("it needs %s on disk for the new files"), ops_bytes(c->after));
	if (!c->heap)
		say(c, "%s", _("what it sorts takes about as much in temporary files"));
}

static bool
needs_wal(const Case *c)
{
	return c->facts->logged && XLogIsNeeded();
}

/*
 * "31 % (29 - 33 %) of 12 GB"
 */
static const char *
share(const Case *c)
{
	return share_of(c->size, c->reclaimable, c->low, c->high);
}

static const char *
share_of(double size, double reclaimable, double low, double high)
{
	double		percent = 100 / Max(size, 1);

	return psprintf(_("%.0f %% (%.0f - %.0f %%) of %s"),
					percent * reclaimable, percent * low, percent * high,
					ops_bytes(size));
}

static const char *
since(const Case *c, TimestampTz then)
{
	return ops_duration(Max(0, (c->scene->now - then) / USECS_PER_SEC));
}

/*
 * A word that a shell takes as it is.
 */
static const char *
shell_quoted(const char *word)
{
	StringInfoData quoted;

	initStringInfo(&quoted);
	appendStringInfoChar(&quoted, '\'');
	for (; *word; word++)
	{
		if (*word == '\'')
			appendStringInfoString(&quoted, "'\\''");
		else
			appendStringInfoChar(&quoted, *word);
	}
	appendStringInfoChar(&quoted, '\'');
	return quoted.data;
}

/*
 * Add a statement to the reason.
 */
static void
say(Case *c, const char *format,...)
{
	StringInfoData reason;

	initStringInfo(&reason);
	if (c->verdict->reason)
		appendStringInfo(&reason, "%s; ", c->verdict->reason);
	for (;;)
	{
		va_list		args;
		int			missing;

		va_start(args, format);
		missing = appendStringInfoVA(&reason, format, args);
		va_end(args);
		if (missing == 0)
			break;
		enlargeStringInfo(&reason, missing);
	}
	c->verdict->reason = reason.data;
}
