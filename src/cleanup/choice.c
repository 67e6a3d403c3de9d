/*-------------------------------------------------------------------------
 *
 * choice.c
 *	  The index that finds the old rows of a table.
 *
 * Any access method will do that can make a bitmap and orders the values of
 * its first column as the type does.  A partial index is taken if every row
 * that the policy deletes is surely in it; it is the best there is, since it
 * may hold little else.
 *
 * The caller holds a lock on the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "catalog/pg_index.h"
#include "cleanup/target.h"
#include "core/compat.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* What the policy says of a table, analyzed. */
typedef struct Question
{
	const OpsTarget *target;
	Oid			less_than;		/* operator of the time's type */
	Node	   *time;			/* over the table as range table entry 1 */
	List	   *conditions;		/* that a row meets that is to go */
} Question;

/* How good an index is; the least is taken. */
typedef enum Rank
{
	RANK_PARTIAL,
	RANK_BTREE,
	RANK_BRIN,
	RANK_OTHER,
	RANK_NONE,
} Rank;

static bool ask(Question *question, const OpsTarget *target);
static Rank rank_index(const Question *question, HeapTuple tuple);
static bool orders_time(const Question *question, HeapTuple tuple);
static bool compares_bytes(Oid collation);
static bool begins_with(const Question *question, HeapTuple tuple);
static bool holds_all(const Question *question, HeapTuple tuple);
static Node *read_node(HeapTuple tuple, int attribute);
static Datum index_datum(HeapTuple tuple, int attribute);
static Oid	relation_am(Oid relid);
static const char *make_command(const OpsTarget *target);

void
ops_target_choose_index(OpsTarget *target)
{
	Question	question;
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Rank		best = RANK_NONE;

	if (ask(&question, target))
	{
		catalog = table_open(IndexRelationId, AccessShareLock);
		ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(target->relid));
		scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL,
								  1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			Rank		rank = rank_index(&question, tuple);

			if (rank < best)
			{
				best = rank;
				target->index = ((Form_pg_index) GETSTRUCT(tuple))->indexrelid;
			}
		}
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
	if (best == RANK_NONE)
		target->create_index = make_command(target);
}

/*
 * Analyze the time and the predicate, as for a query.
 */
static bool
ask(Question *question, const OpsTarget *target)
{
	TypeCacheEntry *type = lookup_type_cache(target->time_type,
											 TYPECACHE_LT_OPR);
	char	   *sql = psprintf("SELECT %s FROM ONLY %s AS %s WHERE %s",
							   target->time_sql, target->name, target->alias,
							   target->predicate);
	Query	   *query = parse_analyze_fixedparams(linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT)),
												  sql, NULL, 0, NULL);
	Node	   *conditions;

	question->target = target;
	question->less_than = type->lt_opr;
	question->time = (Node *) linitial_node(TargetEntry, query->targetList)->expr;
	question->time = eval_const_expressions(NULL, question->time);
	conditions = eval_const_expressions(NULL, query->jointree->quals);
	conditions = (Node *) canonicalize_qual((Expr *) conditions, false);
	question->conditions = make_ands_implicit((Expr *) conditions);
	return OidIsValid(question->less_than);
}

static Rank
rank_index(const Question *question, HeapTuple tuple)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	Oid			am;

	if (!form->indisvalid || !form->indisready || !form->indislive ||
		!orders_time(question, tuple) || !begins_with(question, tuple))
		return RANK_NONE;
	if (!heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		return holds_all(question, tuple) ? RANK_PARTIAL : RANK_NONE;
	am = relation_am(form->indexrelid);
	return am == BTREE_AM_OID ? RANK_BTREE :
		am == BRIN_AM_OID ? RANK_BRIN : RANK_OTHER;
}

/*
 * Whether the index can be asked for all that is less than a value.
 */
static bool
orders_time(const Question *question, HeapTuple tuple)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	oidvector  *classes = (oidvector *) DatumGetPointer(index_datum(tuple, Anum_pg_index_indclass));
	oidvector  *collations = (oidvector *) DatumGetPointer(index_datum(tuple, Anum_pg_index_indcollation));
	Oid			am = relation_am(form->indexrelid);
	Oid			collation = collations->values[0];

	if (!OidIsValid(am) ||
		GetIndexAmRoutineByAmId(am, false)->amgetbitmap == NULL ||
		!op_in_opfamily(question->less_than,
						get_opclass_family(classes->values[0])))
		return false;

	/* Identifiers that are text are compared byte by byte. */
	return question->target->format != OPS_TIME_ULID ||
		compares_bytes(collation);
}

/*
 * Whether a collation surely is one of bytes, by the catalogs.
 */
static bool
compares_bytes(Oid collation)
{
	bool		is_default = collation == DEFAULT_COLLATION_OID;
	int			cache = is_default ? DATABASEOID : COLLOID;
	HeapTuple	tuple;
	Datum		provider;
	Datum		locale;
	bool		no_provider;
	bool		no_locale;
	bool		result = false;

	if (collation == C_COLLATION_OID)
		return true;
	tuple = SearchSysCache1(cache, ObjectIdGetDatum(is_default ? MyDatabaseId : collation));
	if (!HeapTupleIsValid(tuple))
		return false;
	provider = SysCacheGetAttr(cache, tuple,
							   is_default ? Anum_pg_database_datlocprovider :
							   Anum_pg_collation_collprovider, &no_provider);
	locale = SysCacheGetAttr(cache, tuple,
							 is_default ? Anum_pg_database_datcollate :
							 Anum_pg_collation_collcollate, &no_locale);
	if (!no_provider && !no_locale && DatumGetChar(provider) == COLLPROVIDER_LIBC)
	{
		char	   *name = TextDatumGetCString(locale);

		result = strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
	}
	ReleaseSysCache(tuple);
	return result;
}

static bool
begins_with(const Question *question, HeapTuple tuple)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	AttrNumber	column = form->indkey.values[0];

	if (column != 0)
		return IsA(question->time, Var) &&
			((Var *) question->time)->varattno == column;
	return equal(linitial((List *) read_node(tuple, Anum_pg_index_indexprs)),
				 question->time);
}

/*
 * Whether a partial index holds all rows that are to go.
 */
static bool
holds_all(const Question *question, HeapTuple tuple)
{
	Expr	   *predicate = (Expr *) read_node(tuple, Anum_pg_index_indpred);

	predicate = canonicalize_qual(predicate, false);
	return predicate_implied_by(make_ands_implicit(predicate),
								question->conditions, false);
}

static Node *
read_node(HeapTuple tuple, int attribute)
{
	char	   *stored = TextDatumGetCString(index_datum(tuple, attribute));

	return eval_const_expressions(NULL, stringToNode(stored));
}

static Datum
index_datum(HeapTuple tuple, int attribute)
{
	bool		isnull;
	Datum		datum = SysCacheGetAttr(INDEXRELID, tuple, attribute, &isnull);

	if (isnull)
		elog(ERROR, "unexpected null in pg_index");
	return datum;
}

static Oid
relation_am(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			am = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		am = ((Form_pg_class) GETSTRUCT(tuple))->relam;
		ReleaseSysCache(tuple);
	}
	return am;
}

/*
 * The command that makes such an index.
 */
static const char *
make_command(const OpsTarget *target)
{
	if (target->format == OPS_TIME_ULID)
		return psprintf("CREATE INDEX CONCURRENTLY ON %s ((%s) COLLATE \"C\");",
						target->name, target->time_sql);
	if (target->policy->time_column == NULL)
		return psprintf("CREATE INDEX CONCURRENTLY ON %s ((%s));",
						target->name, target->time_sql);
	return psprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", target->name,
					quote_identifier(target->policy->time_column));
}
