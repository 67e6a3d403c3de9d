/*-------------------------------------------------------------------------
 *
 * checks_sequences.c
 *	  How far sequences are used up, without waiting for any of them.
 *
 * A sequence ends where its own range ends or where a column that it fills
 * cannot take its values any longer, whichever comes first.  pg_depend knows
 * the columns: the one that owns the sequence, and those whose default asks
 * it for a value.
 *
 * The value is read from the sequence's only page, under a lock if that can be
 * had at once.  It is the lock that nextval() takes, since a weaker one would
 * let ALTER SEQUENCE replace the file under our eyes.  A sequence that cannot
 * be locked is named, never left out: it may be the very one that is about to
 * end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "core/relation.h"
#include "health/catalog.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* A sequence that can end. */
typedef struct Sequence
{
	const OpsRelation *relation;
	FormData_pg_sequence form;
	const OpsRelation *table;	/* of the narrowest column it fills, or NULL */
	AttrNumber	column;
	Oid			column_type;
} Sequence;

typedef struct Locked
{
	const Sequence *sequence;
	int			holder;			/* 0 if that cannot be said */
} Locked;

typedef struct Survey
{
	const OpsCatalog *catalog;
	int			count;
	int			space;
	Sequence   *sequences;		/* sorted by OID */
	int			skipped;		/* unlogged, on a standby */

	/* The default whose dependencies are being read. */
	Oid			attrdef;
	Oid			table;
	AttrNumber	column;
	int			nfilling;
	Sequence  **filling;

	/* What was found. */
	int			nlocked;
	Locked		locked[OPS_MAX_CULPRITS];
	const Sequence *worst;
	double		worst_percent;
	double		worst_left;
} Survey;

/*
 * The sequence of this OID, NULL if it is none or never ends.
 */
static Sequence *
find_sequence(const Survey *survey, Oid relid)
{
	int			low = 0;
	int			high = survey->count - 1;

	while (low <= high)
	{
		int			middle = low + (high - low) / 2;
		Sequence   *sequence = &survey->sequences[middle];

		if (sequence->form.seqrelid == relid)
			return sequence;
		if (sequence->form.seqrelid < relid)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return NULL;
}

/*
 * A row of pg_sequence.
 */
static void
read_definition(HeapTuple tuple, TupleDesc desc, void *arg)
{
	Survey	   *survey = (Survey *) arg;
	Form_pg_sequence form = (Form_pg_sequence) GETSTRUCT(tuple);
	OpsRelation *relation = ops_catalog_relation(survey->catalog, form->seqrelid);
	Sequence   *sequence;

	if (relation == NULL || !relation->user || form->seqcycle)
		return;
	if (relation->form.relpersistence == RELPERSISTENCE_UNLOGGED &&
		RecoveryInProgress())
	{
		survey->skipped++;
		return;
	}
	if (survey->count == survey->space)
	{
		survey->space *= 2;
		survey->sequences = repalloc_huge(survey->sequences,
										  survey->space * sizeof(Sequence));
	}
	sequence = &survey->sequences[survey->count++];
	memset(sequence, 0, sizeof(Sequence));
	sequence->relation = relation;
	sequence->form = *form;
}

/*
 * The largest value of an integer type, 0 for any other type.
 */
static int64
type_maximum(Oid type)
{
	switch (type)
	{
		case INT2OID:
			return PG_INT16_MAX;
		case INT4OID:
			return PG_INT32_MAX;
		case INT8OID:
			return PG_INT64_MAX;
		default:
			return 0;
	}
}

static int64
type_minimum(Oid type)
{
	switch (type)
	{
		case INT2OID:
			return PG_INT16_MIN;
		case INT4OID:
			return PG_INT32_MIN;
		default:
			return PG_INT64_MIN;
	}
}

/*
 * The integer type that a column has, under domains if need be; 0 if it has
 * another type or is gone.
 */
static Oid
integer_type(Oid relid, AttrNumber column)
{
	Oid			type = get_atttype(relid, column);

	while (type_maximum(type) == 0)
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));

		if (!HeapTupleIsValid(tuple))
			return InvalidOid;
		type = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
		ReleaseSysCache(tuple);
	}
	return type;
}

/*
 * Note a column that a sequence fills; the narrowest one is kept.
 */
static void
note_column(const Survey *survey, Sequence *sequence,
			Oid relid, AttrNumber column)
{
	const OpsRelation *table;
	Oid			type;

	if (sequence->table && relid == sequence->table->form.oid &&
		column == sequence->column)
		return;
	table = ops_catalog_relation(survey->catalog, relid);
	type = integer_type(relid, column);
	if (table == NULL || !OidIsValid(type) ||
		(sequence->table &&
		 type_maximum(type) >= type_maximum(sequence->column_type)))
		return;
	sequence->table = table;
	sequence->column = column;
	sequence->column_type = type;
}

/*
 * A row of pg_depend about a relation: whether a column owns this sequence.
 */
static void
read_owner(HeapTuple tuple, TupleDesc desc, void *arg)
{
	Survey	   *survey = (Survey *) arg;
	Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
	Sequence   *sequence;

	if (form->refclassid != RelationRelationId || form->refobjsubid <= 0 ||
		form->objsubid != 0 ||
		(form->deptype != DEPENDENCY_AUTO && form->deptype != DEPENDENCY_INTERNAL))
		return;
	sequence = find_sequence(survey, form->objid);
	if (sequence)
		note_column(survey, sequence, form->refobjid, form->refobjsubid);
}

/*
 * Use what the rows about one default say together.
 */
static void
finish_default(Survey *survey)
{
	for (int i = 0; i < survey->nfilling; i++)
		note_column(survey, survey->filling[i], survey->table, survey->column);
	survey->nfilling = 0;
	survey->table = InvalidOid;
}

/*
 * A row of pg_depend about a column's default: its column, or a sequence.
 *
 * Those of one default follow one another.
 */
static void
read_default(HeapTuple tuple, TupleDesc desc, void *arg)
{
	Survey	   *survey = (Survey *) arg;
	Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);
	Sequence   *sequence;

	if (form->objid != survey->attrdef)
		finish_default(survey);
	survey->attrdef = form->objid;
	if (form->refclassid != RelationRelationId)
		return;
	if (form->refobjsubid > 0 && form->deptype == DEPENDENCY_AUTO)
	{
		survey->table = form->refobjid;
		survey->column = form->refobjsubid;
	}
	else if (form->refobjsubid == 0 &&
			 (sequence = find_sequence(survey, form->refobjid)) != NULL)
	{
		survey->filling = repalloc(survey->filling,
								   (survey->nfilling + 1) * sizeof(Sequence *));
		survey->filling[survey->nfilling++] = sequence;
	}
}

static void
scan_dependencies(OpsRun *run, Survey *survey, Oid dependents,
				  OpsTupleReader reader)
{
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(dependents));
	ops_catalog_scan(run, DependRelationId, DependDependerIndexId, 1, &key,
					 reader, survey);
}

/*
 * Read all sequences that can end, with the columns that they fill.
 */
static Survey *
survey_sequences(OpsRun *run)
{
	Survey	   *survey = palloc0(sizeof(Survey));

	survey->catalog = ops_catalog(run);
	survey->space = 256;
	survey->sequences = palloc(survey->space * sizeof(Sequence));
	survey->filling = palloc(sizeof(Sequence *));

	ops_catalog_scan(run, SequenceRelationId, SequenceRelidIndexId, 0, NULL,
					 read_definition, survey);
	if (survey->count > 0)
	{
		scan_dependencies(run, survey, RelationRelationId, read_owner);
		scan_dependencies(run, survey, AttrDefaultRelationId, read_default);
		finish_default(survey);
	}
	return survey;
}

/*
 * Read a sequence's page; false if there is none any longer.
 *
 * The caller holds a lock, so the file that pg_class names by now stays.
 */
static bool
read_page(Oid relid, FormData_pg_sequence_data *data)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	Buffer		buffer;
	Page		page;
	ItemId		item;
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	buffer = ops_compat_read_first_page(OidIsValid(form->reltablespace) ?
										form->reltablespace : MyDatabaseTableSpace,
										form->relfilenode,
										form->relpersistence == RELPERSISTENCE_PERMANENT);
	ReleaseSysCache(tuple);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (!PageIsNew(page) &&
		PageGetMaxOffsetNumber(page) >= FirstOffsetNumber &&
		ItemIdIsNormal(item = PageGetItemId(page, FirstOffsetNumber)))
	{
		HeapTupleHeader row = (HeapTupleHeader) PageGetItem(page, item);

		memcpy(data, (char *) row + row->t_hoff, sizeof(*data));
		found = true;
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

/*
 * The last value that a sequence can give out of use.
 */
static int64
last_possible(const Sequence *sequence)
{
	const FormData_pg_sequence *form = &sequence->form;

	if (form->seqincrement < 0)
		return sequence->table ?
			Max(form->seqmin, type_minimum(sequence->column_type)) : form->seqmin;
	return sequence->table ?
		Min(form->seqmax, type_maximum(sequence->column_type)) : form->seqmax;
}

/*
 * Share of its values that a sequence has given out, and how many are left.
 *
 * Counted from where it started: values on the far side of that are given out
 * only if somebody sets it back.
 */
static double
used_percent(const Sequence *sequence, const FormData_pg_sequence_data *data,
			 double *left)
{
	double		step = sequence->form.seqincrement;
	double		start = sequence->form.seqstart;
	double		all = floor((last_possible(sequence) - start) / step) + 1;
	double		used = floor((data->last_value - start) / step) +
	(data->is_called ? 1 : 0);

	*left = Max(all - used, 0);
	if (all < 1)
		return 100;
	return 100 * Max(used, 0) / all;
}

/*
 * A command that makes room: a wider column, a wider sequence or both.
 */
static void
suggest_room(OpsResult *result, const Sequence *sequence)
{
	const char *name = ops_catalog_quoted(sequence->relation);
	const char *column = sequence->table ?
	ops_catalog_quoted_column(sequence->table, sequence->column) : NULL;
	bool		up = sequence->form.seqincrement > 0;
	int64		end = up ? sequence->form.seqmax : sequence->form.seqmin;
	Oid			type = sequence->form.seqtypid;
	int64		type_end = up ? type_maximum(type) : type_minimum(type);

	if (column && sequence->column_type != INT8OID &&
		type == sequence->column_type)
		ops_result_remedy(result, "ALTER SEQUENCE %s AS bigint; ALTER TABLE %s ALTER COLUMN %s TYPE bigint;",
						  name, ops_catalog_quoted(sequence->table), column);
	else if (column && sequence->column_type != INT8OID)
		ops_result_remedy(result, "ALTER TABLE %s ALTER COLUMN %s TYPE bigint;",
						  ops_catalog_quoted(sequence->table), column);
	else if (end != type_end)
		ops_result_remedy(result, up ? "ALTER SEQUENCE %s NO MAXVALUE;" :
						  "ALTER SEQUENCE %s NO MINVALUE;", name);
	else if (type != INT8OID)
		ops_result_remedy(result, "ALTER SEQUENCE %s AS bigint;", name);
}

/*
 * Name a sequence that comes near its end, and what it fills.
 */
static void
name_sequence(OpsResult *result, const Sequence *sequence, double percent)
{
	OpsCulprit *culprit = ops_catalog_culprit(result, percent, sequence->relation);
	const char *column = NULL;

	if (culprit == NULL)
		return;
	culprit->value = percent;
	if (sequence->table)
		column = get_attname(sequence->table->form.oid, sequence->column, true);
	if (column)
		culprit->note = psprintf(_("fills column \"%s\" of \"%s\", of type %s"),
								 column, NameStr(sequence->table->form.relname),
								 format_type_be(sequence->column_type));
}

/*
 * Read one sequence's value, unless it is locked, and see how bad it is.
 */
static void
look_at(Survey *survey, OpsResult *result, const Sequence *sequence)
{
	Oid			relid = sequence->form.seqrelid;
	FormData_pg_sequence_data data;
	bool		found;
	double		percent;
	double		left;

	if (!ConditionalLockRelationOid(relid, RowExclusiveLock))
	{
		if (survey->nlocked < OPS_MAX_CULPRITS)
		{
			/* Looks through all locks there are, so only for a few. */
			survey->locked[survey->nlocked].sequence = sequence;
			survey->locked[survey->nlocked].holder = ops_relation_lock_holder(relid,
																			  RowExclusiveLock);
		}
		survey->nlocked++;
		return;
	}
	found = read_page(relid, &data);
	UnlockRelationOid(relid, RowExclusiveLock);
	if (!found)
		return;

	percent = used_percent(sequence, &data, &left);
	if (survey->worst == NULL || percent > survey->worst_percent)
	{
		survey->worst = sequence;
		survey->worst_percent = percent;
		survey->worst_left = left;
	}
	if (percent >= result->warning || percent >= result->critical)
		name_sequence(result, sequence, percent);
}

/*
 * Name the sequences that could not be read, after those that could.
 */
static void
name_locked(OpsResult *result, const Survey *survey)
{
	for (int i = 0; i < Min(survey->nlocked, OPS_MAX_CULPRITS); i++)
	{
		OpsCulprit *culprit = ops_catalog_culprit(result, -1,
												  survey->locked[i].sequence->relation);

		if (culprit == NULL)
			return;
		culprit->pid = survey->locked[i].holder;
		culprit->note = _("locked, could not be read");
	}
}

/*
 * Say that nothing can be said, because of sequences that are locked.
 */
static void
report_locked(OpsResult *result, const Survey *survey)
{
	const Locked *first = &survey->locked[0];
	const char *name = NameStr(first->sequence->relation->form.relname);

	if (first->holder != 0)
		ops_result_unknown(result, OPS_LOCKED,
						   ngettext("%d sequence could not be read: \"%s\" is locked by process %d",
									"%d sequences could not be read: \"%s\" is locked by process %d",
									survey->nlocked),
						   survey->nlocked, name, first->holder);
	else
		ops_result_unknown(result, OPS_LOCKED,
						   ngettext("%d sequence could not be read: \"%s\" is locked",
									"%d sequences could not be read: \"%s\" is locked",
									survey->nlocked),
						   survey->nlocked, name);
	name_locked(result, survey);
}

/*
 * sequences: how much of its values the fullest one has given out.
 */
static void
probe_sequences(OpsRun *run, OpsResult *result)
{
	Survey	   *survey = survey_sequences(run);
	const char *name;

	for (int i = 0; i < survey->count; i++)
	{
		ops_catalog_tick(run, i);
		look_at(survey, result, &survey->sequences[i]);
	}

	/* Good news about the others is no news. */
	if (survey->nlocked > 0 && result->nculprits == 0)
	{
		report_locked(result, survey);
		return;
	}
	if (survey->worst == NULL)
	{
		ops_result_value(result, 0, "%s", survey->skipped > 0 ?
						 _("no sequence that can be read: unlogged ones have no values on a standby") :
						 _("no sequence that can end"));
		return;
	}

	name = NameStr(survey->worst->relation->form.relname);
	if (survey->nlocked > 0)
		ops_result_value(result, survey->worst_percent,
						 _("\"%s\" has used %.1f %% of its values, %.0f are left; %d other sequences are locked and could not be read"),
						 name, survey->worst_percent, survey->worst_left,
						 survey->nlocked);
	else if (survey->skipped > 0)
		ops_result_value(result, survey->worst_percent,
						 _("\"%s\" has used %.1f %% of its values, %.0f are left; %d unlogged sequences have no values on a standby"),
						 name, survey->worst_percent, survey->worst_left,
						 survey->skipped);
	else
		ops_result_value(result, survey->worst_percent,
						 _("\"%s\" has used %.1f %% of its values, %.0f are left"),
						 name, survey->worst_percent, survey->worst_left);
	suggest_room(result, survey->worst);
	name_locked(result, survey);
}

const OpsCheck ops_sequences_checks[] = {
	{
		.name = "sequences",
		.title = gettext_noop("values that a sequence has used up, of those that its columns can take"),
		.unit = "percent",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_MONITOR,
		.warning = 80,
		.critical = 95,
		.probe = probe_sequences,
	},
};
const int	ops_sequences_count = lengthof(ops_sequences_checks);
