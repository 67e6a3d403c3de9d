/*-------------------------------------------------------------------------
 *
 * target.c
 *	  The tables that a policy is about, each with what is known of it.
 *
 * Which tables there are is read from catalogs, under their snapshot and
 * without a lock on any table: one that is dropped meanwhile is left out.
 * What takes the parser, the relation cache or the table's size is done under
 * a lock that was there for the asking and is given back at once; a table
 * that is locked by others is listed with what the catalogs say of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_rewrite.h"
#include "cleanup/target.h"
#include "core/attempt.h"
#include "core/compat.h"
#include "core/relation.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "rewrite/rewriteDefine.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/syscache.h"

typedef struct Listing
{
	const OpsRetention *policy;
	TimestampTz now;
	List	   *detaching;		/* oids of partitions that earlier runs took
								 * off, or tried to */
	HTAB	   *seen;			/* oids of tables that are in the list */
	List	   *targets;
} Listing;

static HTAB *make_set(const char *name);
static bool add_to_set(HTAB *set, Oid relid);
static void add_descendants(HTAB *set, Oid relid);
static void list_tree(Listing *listing, Oid relid, Oid root);
static void list_detached(Listing *listing);
static OpsTarget *list_target(Listing *listing, HeapTuple tuple, Oid root);
static bool has_rows(char relkind);
static int	compare_names(const ListCell *a, const ListCell *b);
static const char *full_name(Form_pg_class form);
static void look_at(OpsTarget *target);
static void look_closely(void *arg);
static void read_rules(OpsTarget *target);
static bool lacks_identity(Relation relation);

/*
 * All targets of a policy, ordered by name.
 *
 * A table that is a partition or a child of another one the policy names
 * belongs to that one's tree.
 */
List *
ops_cleanup_targets(const OpsRetention *policy, TimestampTz now)
{
	Listing		listing = {.policy = policy,.now = now};
	List	   *named = OidIsValid(policy->relation) ?
	list_make1_oid(policy->relation) : ops_retention_tables(policy);
	HTAB	   *below = make_set("operations_runbook descendants");
	ListCell   *lc;

	if (policy->name)
		listing.detaching = ops_log_detachings(policy->name);
	listing.seen = make_set("operations_runbook targets");
	if (list_length(named) > 1)
	{
		foreach(lc, named)
			add_descendants(below, lfirst_oid(lc));
	}
	foreach(lc, named)
	{
		Oid			relid = lfirst_oid(lc);

		if (hash_search(below, &relid, HASH_FIND, NULL) == NULL)
			list_tree(&listing, relid, relid);
	}
	list_detached(&listing);
	hash_destroy(below);
	hash_destroy(listing.seen);

	list_sort(listing.targets, compare_names);
	foreach(lc, listing.targets)
	{
		OpsTarget  *target = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		look_at(target);

		/* What is on its way out goes as a whole or is none of ours. */
		if (target->detaching && !target->expired)
			listing.targets = foreach_delete_current(listing.targets, lc);
	}
	return listing.targets;
}

/*
 * Partitions that earlier runs began to detach, and that are not part of
 * their table any more for whoever looks now.  One that is detached and was
 * to be kept is where it belongs.
 */
static void
list_detached(Listing *listing)
{
	ListCell   *lc;

	foreach(lc, listing->detaching)
	{
		Oid			relid = lfirst_oid(lc);
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
		bool		detaching;
		Oid			parent;

		if (!HeapTupleIsValid(tuple))
			continue;
		parent = ops_target_parent(relid, &detaching);
		if ((!OidIsValid(parent) &&
			 listing->policy->partitions == OPS_PARTITIONS_DROP) || detaching)
		{
			if (add_to_set(listing->seen, relid))
			{
				OpsTarget  *target = list_target(listing, tuple, relid);

				if (target)
					target->detaching = true;
			}
		}
		ReleaseSysCache(tuple);
	}
}

static HTAB *
make_set(const char *name)
{
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(Oid)};

	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * False if it was there.
 */
static bool
add_to_set(HTAB *set, Oid relid)
{
	bool		found;

	(void) hash_search(set, &relid, HASH_ENTER, &found);
	return !found;
}

static void
add_descendants(HTAB *set, Oid relid)
{
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, ops_target_children(relid))
	{
		if (add_to_set(set, lfirst_oid(lc)))
			add_descendants(set, lfirst_oid(lc));
	}
}

/*
 * A table and all below it.
 */
static void
list_tree(Listing *listing, Oid relid, Oid root)
{
	HeapTuple	tuple;
	bool		parent;
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (!add_to_set(listing->seen, relid))
		return;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return;
	parent = ((Form_pg_class) GETSTRUCT(tuple))->relhassubclass;
	(void) list_target(listing, tuple, root);
	ReleaseSysCache(tuple);

	if (parent)
	{
		foreach(lc, ops_target_children(relid))
			list_tree(listing, lfirst_oid(lc), root);
	}
}

/*
 * Partitions and inheritance children of a table, but for those that are
 * just being detached.
 */
List *
ops_target_children(Oid relid)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *children = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsParentIndexId, true, NULL, 1,
							  &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(tuple);

		if (!form->inhdetachpending)
			children = lappend_oid(children, form->inhrelid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return children;
}

/*
 * NULL if there is nothing that could have rows.
 */
static OpsTarget *
list_target(Listing *listing, HeapTuple tuple, Oid root)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	char	   *alias = get_rel_name(root);
	OpsTarget  *target;
	int64		size;

	/* What is partitioned has no rows of its own. */
	if (form->relkind == RELKIND_PARTITIONED_TABLE || alias == NULL)
		return NULL;

	target = palloc0(sizeof(OpsTarget));
	target->policy = listing->policy;
	target->relid = form->oid;
	target->root = root;
	target->name = full_name(form);
	target->alias = pstrdup(quote_identifier(alias));
	target->owner = form->relowner;
	target->run_as = listing->policy->run_as;
	target->relkind = form->relkind;
	target->persistence = form->relpersistence;
	target->now = listing->now;
	target->reltuples = form->reltuples;
	size = ops_relation_file_size(form);
	target->blocks = size > 0 ? size / BLCKSZ : 0;
	listing->targets = lappend(listing->targets, target);
	return target;
}

static bool
has_rows(char relkind)
{
	return relkind == RELKIND_RELATION;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((OpsTarget *) lfirst(a))->name,
				  ((OpsTarget *) lfirst(b))->name);
}

static const char *
full_name(Form_pg_class form)
{
	char	   *schema = isTempNamespace(form->relnamespace) ?
	pstrdup("pg_temp") : get_namespace_name(form->relnamespace);

	return quote_qualified_identifier(schema ? schema : "?",
									  NameStr(form->relname));
}

/*
 * Find out all about one target.
 */
static void
look_at(OpsTarget *target)
{
	ErrorData  *error;

	if (!has_rows(target->relkind) ||
		(target->persistence == RELPERSISTENCE_TEMP &&
		 isOtherTempNamespace(get_rel_namespace(target->relid))))
		return;
	read_rules(target);
	ops_target_trace(target);
	if (OidIsValid(target->policy->archive))
		ops_target_match_archive(target);

	if (!OidIsValid(target->run_as))
	{
		target->problem = _("the role that it runs as does not exist any more");
		return;
	}
	error = ops_glance(look_closely, target);
	if (error == NULL)
		return;
	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		target->locked = true;
	else if (error->sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE ||
			 ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION)
		target->problem = error->message;
	else
		ReThrowError(error);
	target->predicate = NULL;
}

/*
 * Rolled back in any case, and with it the locks that the parser took.
 */
static void
look_closely(void *arg)
{
	OpsTarget  *target = arg;
	const char *column = target->policy->time_column;
	Relation	relation;
	OpsScope	scope;

	target->locked = !ops_relation_try_lock(target->relid, &target->holder);
	ops_target_demand_name(target);
	if (column && get_attnum(target->relid, column) <= InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" does not exist", column)));

	ops_target_enter(&scope, target->run_as);
	if (!target->locked)
	{
		relation = table_open(target->relid, NoLock);
		target->blocks = RelationGetNumberOfBlocks(relation);
		target->unidentified = lacks_identity(relation);
		table_close(relation, NoLock);
	}
	if (column || !target->locked)
		ops_clock_set(target);
	if (!target->locked)
		ops_target_choose_index(target);
	target->expired = ops_target_outlived(target);
	target->young = ops_target_is_young(target);
	ops_scope_leave(&scope);
}

/*
 * Whether a partition is still one that can go as a whole, by catalogs that
 * the caller's locks keep as they are.
 */
bool
ops_target_still_expired(const OpsTarget *target)
{
	OpsTarget	now = *target;

	now.references = NIL;
	now.triggers = NIL;
	now.has_rules = false;
	read_rules(&now);
	ops_target_trace(&now);
	return ops_target_outlived(&now);
}

/*
 * Raise 42P01 if a table is not called any more what it was when it was
 * listed: queries that name it would find another one.  The answer holds as
 * long as a lock on the table does.
 */
void
ops_target_demand_name(const OpsTarget *target)
{
	HeapTuple	tuple = SearchSysCache1(RELOID,
										ObjectIdGetDatum(target->relid));
	bool		same = false;

	if (HeapTupleIsValid(tuple))
	{
		same = strcmp(full_name((Form_pg_class) GETSTRUCT(tuple)),
					  target->name) == 0;
		ReleaseSysCache(tuple);
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table %s does not exist any more", target->name)));
}

/*
 * The closed scope in which what users wrote is parsed and run.
 *
 * Their expressions can name tables of which nothing is known here.  A
 * millisecond is the shortest that the server can be told to wait for them.
 */
void
ops_target_enter(OpsScope *scope, Oid role)
{
	/* To the scope no role means the caller, and his rights do not count. */
	if (!OidIsValid(role))
		elog(ERROR, "the role to run as does not exist");
	ops_scope_enter(scope, role);
	(void) set_config_option("lock_timeout", "1ms", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * What rules have to do with deleting from a table.
 */
static void
read_rules(OpsTarget *target)
{
	Relation	catalog = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_rewrite_ev_class, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(target->relid));
	scan = systable_beginscan(catalog, RewriteRelRulenameIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_rewrite form = (Form_pg_rewrite) GETSTRUCT(tuple);

		if (form->ev_type != '0' + CMD_DELETE ||
			form->ev_enabled == RULE_DISABLED)
			continue;
		target->has_rules = true;
		if (form->is_instead)
			target->instead_rule = true;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/*
 * Whether deletions are published that a subscriber could not carry out, for
 * then the server refuses them.
 */
static bool
lacks_identity(Relation relation)
{
	PublicationDesc publication;

	RelationBuildPublicationDesc(relation, &publication);
	if (!publication.pubactions.pubdelete)
		return false;
	if (!publication.rf_valid_for_delete || !publication.cols_valid_for_delete)
		return true;
	return relation->rd_rel->relreplident != REPLICA_IDENTITY_FULL &&
		!OidIsValid(RelationGetReplicaIndex(relation));
}
