/*-------------------------------------------------------------------------
 *
 * effects.c
 *	  Who else will feel a cleanup: other tables, and other servers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_publication.h"
#include "cleanup/plan.h"
#include "core/compat.h"
#include "core/process.h"
#include "miscadmin.h"
#include "replication/slot.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

static const char *relation_name(Oid relid);
static List *list_standbys(List *effects);
static List *list_slots(List *effects);
static List *list_publications(List *effects, const OpsTarget *target);
static bool publishes(Form_pg_publication publication, Oid relid, List *ancestors);
static bool has_full_identity(Oid relid);

/*
 * Foreign keys through which other rows are deleted or changed.
 */
List *
ops_plan_cascades(const OpsTarget *target)
{
	List	   *cascades = NIL;
	ListCell   *lc;

	foreach(lc, target->references)
	{
		const OpsReference *reference = lfirst(lc);

		if (reference->action == FKCONSTR_ACTION_NOACTION ||
			reference->action == FKCONSTR_ACTION_RESTRICT)
			continue;
		cascades = lappend(cascades,
						   psprintf("%s (%s): ON DELETE %s, %s",
									relation_name(reference->relation),
									quote_identifier(reference->constraint),
									ops_plan_action_name(reference->action),
									reference->indexed ? _("indexed") : _("no index")));
	}
	return cascades;
}

/*
 * Commands that make the indexes which foreign keys lack.
 */
List *
ops_plan_unindexed(const OpsTarget *target)
{
	List	   *commands = NIL;
	ListCell   *lc;

	foreach(lc, target->references)
	{
		const OpsReference *reference = lfirst(lc);

		if (!reference->indexed && reference->create_index)
			commands = lappend(commands, (char *) reference->create_index);
	}
	return commands;
}

const char *
ops_plan_action_name(char action)
{
	switch (action)
	{
		case FKCONSTR_ACTION_CASCADE:
			return "CASCADE";
		case FKCONSTR_ACTION_SETNULL:
			return "SET NULL";
		case FKCONSTR_ACTION_SETDEFAULT:
			return "SET DEFAULT";
		case FKCONSTR_ACTION_RESTRICT:
			return "RESTRICT";
		default:
			return "NO ACTION";
	}
}

static const char *
relation_name(Oid relid)
{
	char	   *schema = get_namespace_name(get_rel_namespace(relid));
	char	   *name = get_rel_name(relid);

	return schema && name ? quote_qualified_identifier(schema, name) : "?";
}

/*
 * Servers and subscribers that get the changes of a table, and how.
 */
List *
ops_plan_replication(const OpsTarget *target)
{
	List	   *effects = NIL;
	List	   *published;

	if (target->persistence != RELPERSISTENCE_PERMANENT)
		return NIL;
	effects = list_standbys(effects);
	if (!XLogLogicalInfoActive())
		return effects;
	effects = list_slots(effects);
	published = list_publications(NIL, target);
	effects = list_concat(effects, published);
	if (published != NIL && target->expired)
		effects = lappend(effects,
						  (char *) _("subscribers are not told of a partition that goes as a whole, and keep their rows"));
	else if (has_full_identity(target->relid))
		effects = lappend(effects,
						  (char *) _("REPLICA IDENTITY FULL: each row that goes is written to the WAL as a whole"));
	return effects;
}

/*
 * A sender of a standby is in no database.
 */
static List *
list_standbys(List *effects)
{
	OpsActivity *activity = ops_activity_read();
	int			standbys = 0;

	for (int i = 0; i < activity->count; i++)
	{
		if (activity->backend[i].type == B_WAL_SENDER &&
			!OidIsValid(activity->backend[i].database))
			standbys++;
	}
	if (standbys == 0)
		return effects;
	return lappend(effects,
				   psprintf(ngettext("%d standby or WAL receiver replays it",
									 "%d standbys or WAL receivers replay it",
									 standbys), standbys));
}

static List *
list_slots(List *effects)
{
	LWLockAcquire(ReplicationSlotControlLock, LW_SHARED);
	for (int i = 0; i < max_replication_slots; i++)
	{
		ReplicationSlot *slot = &ReplicationSlotCtl->replication_slots[i];
		char		name[NAMEDATALEN];
		bool		decodes;

		SpinLockAcquire(&slot->mutex);
		decodes = slot->in_use && slot->data.database == MyDatabaseId;
		strlcpy(name, NameStr(slot->data.name), sizeof(name));
		SpinLockRelease(&slot->mutex);
		if (decodes)
			effects = lappend(effects,
							  psprintf(_("slot \"%s\" decodes it"), name));
	}
	LWLockRelease(ReplicationSlotControlLock);
	return effects;
}

static List *
list_publications(List *effects, const OpsTarget *target)
{
	Relation	catalog = table_open(PublicationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0,
										  NULL);
	List	   *ancestors = NIL;
	HeapTuple	tuple;

	if (get_rel_relispartition(target->relid))
		ancestors = get_partition_ancestors(target->relid);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_publication form = (Form_pg_publication) GETSTRUCT(tuple);

		if (form->pubdelete && publishes(form, target->relid, ancestors))
			effects = lappend(effects,
							  psprintf(_("publication \"%s\" publishes it"),
									   NameStr(form->pubname)));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return effects;
}

static bool
publishes(Form_pg_publication publication, Oid relid, List *ancestors)
{
	bool		named = SearchSysCacheExists2(PUBLICATIONRELMAP,
											  ObjectIdGetDatum(relid),
											  ObjectIdGetDatum(publication->oid));
	ListCell   *lc;

	/* Where all tables are published, those named are the exceptions. */
	if (publication->puballtables)
		return !named;
	if (named ||
		SearchSysCacheExists2(PUBLICATIONNAMESPACEMAP,
							  ObjectIdGetDatum(get_rel_namespace(relid)),
							  ObjectIdGetDatum(publication->oid)))
		return true;
	foreach(lc, ancestors)
	{
		if (publishes(publication, lfirst_oid(lc), NIL))
			return true;
	}
	return false;
}

static bool
has_full_identity(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		full = false;

	if (HeapTupleIsValid(tuple))
	{
		full = ((Form_pg_class) GETSTRUCT(tuple))->relreplident == REPLICA_IDENTITY_FULL;
		ReleaseSysCache(tuple);
	}
	return full;
}
