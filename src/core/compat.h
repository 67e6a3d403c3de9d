/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between server versions; the only reader of the version.
 *
 * What stands here takes the newest server's shape and serves the older
 * ones.  Structs of the server whose fields were renamed are read into a
 * struct of ours, so that the rooms know one name for one fact.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_COMPAT_H
#define OPS_COMPAT_H

#include "access/amapi.h"
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "common/relpath.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "postmaster/autovacuum.h"
#include "postmaster/bgworker.h"
#include "postmaster/postmaster.h"
#include "replication/slot.h"
#include "storage/bufmgr.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#if PG_VERSION_NUM >= 170000
#include "storage/read_stream.h"
#endif
#include "storage/sinvaladt.h"
#include "storage/standby.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc_tables.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relmapper.h"
#include "utils/spccache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#if PG_VERSION_NUM < 150000
#error "operations_runbook needs PostgreSQL 15 or newer"
#endif

/* Since 18 a module names itself and its version. */
#if PG_VERSION_NUM >= 180000
#define OPS_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT( \
						.name = "operations_runbook", \
						.version = OPS_VERSION \
	)
#else
#define OPS_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* Since 18 the mark stands before what it marks. */
#ifndef pg_noreturn
#define pg_noreturn __attribute__((noreturn))
#endif

/* Slots of auxiliary processes in the backend status array. */
#if PG_VERSION_NUM >= 170000
#define OPS_NUM_AUX_SLOTS NUM_AUXILIARY_PROCS
#else
#define OPS_NUM_AUX_SLOTS NUM_AUXPROCTYPES
#endif

#if PG_VERSION_NUM < 160000
typedef Oid RelFileNumber;
#endif

/* Renamed, or turned into a struct of another name, in 17. */
#if PG_VERSION_NUM < 170000
#define SplitPageLayout SplitedPageLayout
#define TransamVariables ShmemVariableCache
#endif

/*
 * Whether vacuum_defer_cleanup_age keeps dead rows; gone since 16.
 */
static inline bool
ops_compat_cleanup_is_deferred(void)
{
#if PG_VERSION_NUM >= 160000
	return false;
#else
	return vacuum_defer_cleanup_age > 0;
#endif
}

/*
 * The shared array of backend status entries.
 *
 * It is private to the server, but each backend knows its own entry and that
 * entry's place.  Reading the entries where they lie costs a twentieth of
 * pgstat_fetch_stat_local_beentry(), which copies every string of every
 * session first.
 */
static inline volatile PgBackendStatus *
ops_compat_backend_status_array(void)
{
#if PG_VERSION_NUM >= 170000
	return MyBEEntry - MyProcNumber;
#else
	return MyBEEntry - (MyBackendId - 1);
#endif
}

/*
 * Place of a process in that array, or -1 while it is still starting up.
 */
static inline int
ops_compat_status_slot(volatile PGPROC *proc)
{
#if PG_VERSION_NUM >= 170000
	return (int) (proc - ProcGlobal->allProcs);
#else
	return proc->backendId > 0 ? proc->backendId - 1 : -1;
#endif
}

/*
 * Whether a role can SET ROLE to another one; since 16 being its member is
 * not enough.
 */
static inline bool
ops_compat_can_set_role(Oid member, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(member, role);
#else
	return is_member_of_role(member, role);
#endif
}

/*
 * Whether a role may look into a schema.
 */
static inline bool
ops_compat_can_use_schema(Oid schema, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, role,
						   ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/*
 * Whether a role may connect to a database.
 */
static inline bool
ops_compat_can_connect(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(DatabaseRelationId, database, role,
						   ACL_CONNECT) == ACLCHECK_OK;
#else
	return pg_database_aclcheck(database, role, ACL_CONNECT) == ACLCHECK_OK;
#endif
}

/*
 * Whether a role may VACUUM and ANALYZE a relation that is not shared.
 */
static inline bool
ops_compat_may_maintain(Oid relid, Oid role)
{
#if PG_VERSION_NUM >= 170000
	return pg_class_aclcheck(relid, role, ACL_MAINTAIN) == ACLCHECK_OK ||
		object_ownercheck(DatabaseRelationId, MyDatabaseId, role);
#elif PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relid, role) ||
		object_ownercheck(DatabaseRelationId, MyDatabaseId, role);
#else
	return pg_class_ownercheck(relid, role) ||
		pg_database_ownercheck(MyDatabaseId, role);
#endif
}

/*
 * Whether a background worker can connect as a role; before 17 only as one
 * that may log in.
 */
static inline bool
ops_compat_worker_may_login(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
#if PG_VERSION_NUM >= 170000
		result = true;
#else
		result = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
#endif
		ReleaseSysCache(tuple);
	}
	return result;
}

static inline void
ops_compat_connect_worker(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 170000
	BackgroundWorkerInitializeConnectionByOid(database, role,
											  BGWORKER_BYPASS_ROLELOGINCHECK);
#else
	BackgroundWorkerInitializeConnectionByOid(database, role, 0);
#endif
}

/*
 * Let transactions take as long as what they wait for: since 17 there can be
 * a limit to them, which ends the session.
 */
static inline void
ops_compat_no_transaction_timeout(GucAction action)
{
#if PG_VERSION_NUM >= 170000
	(void) set_config_option("transaction_timeout", "0", PGC_USERSET,
							 PGC_S_SESSION, action, true, 0, false);
#endif
}

/*
 * Run a portal to its end, as a client's statement of its own.  18 knows by
 * itself that it is run once.
 */
#if PG_VERSION_NUM >= 180000
#define ops_compat_portal_run(portal, receiver, completion) \
	PortalRun(portal, FETCH_ALL, true, receiver, receiver, completion)
#else
#define ops_compat_portal_run(portal, receiver, completion) \
	PortalRun(portal, FETCH_ALL, true, true, receiver, receiver, completion)
#endif

/*
 * Connections that ordinary roles cannot take.
 */
static inline int
ops_compat_reserved_connections(void)
{
#if PG_VERSION_NUM >= 160000
	return SuperuserReservedConnections + ReservedConnections;
#else
	return ReservedBackends;
#endif
}

/*
 * Autovacuum workers that can run at a time.  Since 18 their slots are set
 * aside at start, and a limit above that number is not reached.
 */
static inline int
ops_compat_autovacuum_workers(void)
{
#if PG_VERSION_NUM >= 180000
	return Min(autovacuum_max_workers, autovacuum_worker_slots);
#else
	return autovacuum_max_workers;
#endif
}

static inline struct config_generic **
ops_compat_guc_variables(int *count)
{
#if PG_VERSION_NUM >= 160000
	return get_guc_variables(count);
#else
	*count = GetNumConfigOptions();
	return get_guc_variables();
#endif
}

/*
 * Whether workers can take part in building an index: GIN since 18.
 */
static inline bool
ops_compat_can_build_parallel(Relation index)
{
#if PG_VERSION_NUM >= 170000
	return index->rd_indam->amcanbuildparallel;
#else
	return index->rd_rel->relam == BTREE_AM_OID;
#endif
}

static inline RelFileNumber
ops_compat_mapped_filenumber(Oid relid, bool shared)
{
#if PG_VERSION_NUM >= 160000
	return RelationMapOidToFilenumber(relid, shared);
#else
	return RelationMapOidToFilenode(relid, shared);
#endif
}

/*
 * Path of a permanent relation's main fork, into the caller's buffer.
 */
static inline void
ops_compat_relation_path(char *buffer, size_t size, Oid database,
						 Oid tablespace, RelFileNumber filenumber)
{
#if PG_VERSION_NUM >= 180000
	RelPathStr	path = GetRelationPath(database, tablespace, filenumber,
									   INVALID_PROC_NUMBER, MAIN_FORKNUM);

	strlcpy(buffer, path.str, size);
#else
	char	   *path = GetRelationPath(database, tablespace, filenumber,
									   -1, MAIN_FORKNUM);

	strlcpy(buffer, path, size);
	pfree(path);
#endif
}

/*
 * First page of a relation's main fork, pinned, without opening the relation.
 *
 * The caller holds a lock that keeps the file from going away.
 */
static inline Buffer
ops_compat_read_first_page(Oid tablespace, RelFileNumber filenumber,
						   bool permanent)
{
#if PG_VERSION_NUM >= 160000
	RelFileLocator file = {tablespace, MyDatabaseId, filenumber};
#else
	RelFileNode file = {tablespace, MyDatabaseId, filenumber};
#endif

	return ReadBufferWithoutRelcache(file, MAIN_FORKNUM, 0, RBM_NORMAL, NULL,
									 permanent);
}

/*
 * The process that uses a schema for temporary tables, 0 if nobody does.
 *
 * The schema is named after a slot, which can have gone to another session,
 * even to one of another database, after a crash left the schema behind.
 */
static inline int
ops_compat_temp_schema_pid(Oid schema)
{
#if PG_VERSION_NUM >= 170000
	ProcNumber	owner = GetTempNamespaceProcNumber(schema);
	PGPROC	   *proc = owner >= 0 ? ProcNumberGetProc(owner) : NULL;
#else
	int			owner = GetTempNamespaceBackendId(schema);
	PGPROC	   *proc = owner > 0 ? BackendIdGetProc(owner) : NULL;
#endif

	if (proc == NULL || proc->databaseId != MyDatabaseId ||
		proc->tempNamespaceId != schema)
		return 0;
	return proc->pid;
}

/*
 * Dead rows from which on autovacuum acts however large the table is, since
 * 18; negative if there is no such limit.
 */
static inline int
ops_compat_vacuum_max_threshold(const AutoVacOpts *options)
{
#if PG_VERSION_NUM >= 180000
	if (options && options->vacuum_max_threshold >= -1)
		return options->vacuum_max_threshold;
	return autovacuum_vac_max_thresh;
#else
	return -1;
#endif
}

/*
 * Whether a constraint is enforced at all; since 18 it need not be.
 */
static inline bool
ops_compat_constraint_enforced(Form_pg_constraint constraint)
{
#if PG_VERSION_NUM >= 180000
	return constraint->conenforced;
#else
	return true;
#endif
}

/*
 * What a membership of a role gives: since 16 each says so itself, before it
 * was the member that inherits all or nothing, and SET ROLE was always free.
 */
static inline bool
ops_compat_membership_inherits(Form_pg_auth_members membership,
							   bool member_inherits)
{
#if PG_VERSION_NUM >= 160000
	return membership->inherit_option;
#else
	return member_inherits;
#endif
}

static inline bool
ops_compat_membership_sets(Form_pg_auth_members membership)
{
#if PG_VERSION_NUM >= 160000
	return membership->set_option;
#else
	return true;
#endif
}

/*
 * Whether a database's owner has the rights of pg_database_owner.
 */
static inline bool
ops_compat_owner_inherits(bool owner_inherits)
{
#if PG_VERSION_NUM >= 160000
	return true;
#else
	return owner_inherits;
#endif
}

/*
 * Cumulative statistics of one database.
 */
typedef struct OpsDatabaseStats
{
	int64		commits;
	int64		rollbacks;
	int64		blocks_fetched;
	int64		blocks_hit;
	int64		conflicts;
	int64		temp_files;
	int64		temp_bytes;
	int64		deadlocks;
	int64		checksum_failures;
	TimestampTz last_checksum_failure;
	TimestampTz reset;			/* 0 if never */
} OpsDatabaseStats;

static inline bool
ops_compat_database_stats(Oid database, OpsDatabaseStats *stats)
{
	PgStat_StatDBEntry *entry = pgstat_fetch_stat_dbentry(database);

	if (entry == NULL)
		return false;
#if PG_VERSION_NUM >= 160000
	stats->commits = entry->xact_commit;
	stats->rollbacks = entry->xact_rollback;
	stats->blocks_fetched = entry->blocks_fetched;
	stats->blocks_hit = entry->blocks_hit;
	stats->conflicts = entry->conflict_tablespace + entry->conflict_lock +
		entry->conflict_snapshot + entry->conflict_logicalslot +
		entry->conflict_bufferpin + entry->conflict_startup_deadlock;
	stats->temp_files = entry->temp_files;
	stats->temp_bytes = entry->temp_bytes;
	stats->deadlocks = entry->deadlocks;
	stats->checksum_failures = entry->checksum_failures;
#else
	stats->commits = entry->n_xact_commit;
	stats->rollbacks = entry->n_xact_rollback;
	stats->blocks_fetched = entry->n_blocks_fetched;
	stats->blocks_hit = entry->n_blocks_hit;
	stats->conflicts = entry->n_conflict_tablespace + entry->n_conflict_lock +
		entry->n_conflict_snapshot + entry->n_conflict_bufferpin +
		entry->n_conflict_startup_deadlock;
	stats->temp_files = entry->n_temp_files;
	stats->temp_bytes = entry->n_temp_bytes;
	stats->deadlocks = entry->n_deadlocks;
	stats->checksum_failures = entry->n_checksum_failures;
#endif
	stats->last_checksum_failure = entry->last_checksum_failure;
	stats->reset = entry->stat_reset_timestamp;
	return true;
}

/*
 * Cumulative statistics of one table or index.
 */
typedef struct OpsRelationStats
{
	int64		scans;
	int64		live_tuples;
	int64		dead_tuples;
	int64		mod_since_analyze;
	int64		ins_since_vacuum;
	int64		inserted;
	int64		deleted;
	TimestampTz last_vacuum;	/* by anybody; 0 if never */
	TimestampTz last_analyze;
} OpsRelationStats;

static inline bool
ops_compat_relation_stats(Oid relid, bool shared, OpsRelationStats *stats)
{
#if PG_VERSION_NUM >= 190000
	bool		may_free;
	PgStat_StatTabEntry *entry = pgstat_fetch_stat_tabentry_ext(shared, relid,
																&may_free);
#else
	PgStat_StatTabEntry *entry = pgstat_fetch_stat_tabentry_ext(shared, relid);
#endif

	if (entry == NULL)
		return false;
	stats->scans = entry->numscans;
	stats->inserted = entry->tuples_inserted;
	stats->deleted = entry->tuples_deleted;
#if PG_VERSION_NUM >= 160000
	stats->live_tuples = entry->live_tuples;
	stats->dead_tuples = entry->dead_tuples;
	stats->mod_since_analyze = entry->mod_since_analyze;
	stats->ins_since_vacuum = entry->ins_since_vacuum;
	stats->last_vacuum = Max(entry->last_vacuum_time,
							 entry->last_autovacuum_time);
	stats->last_analyze = Max(entry->last_analyze_time,
							  entry->last_autoanalyze_time);
#else
	stats->live_tuples = entry->n_live_tuples;
	stats->dead_tuples = entry->n_dead_tuples;
	stats->mod_since_analyze = entry->changes_since_analyze;
	stats->ins_since_vacuum = entry->inserts_since_vacuum;
	stats->last_vacuum = Max(entry->vacuum_timestamp,
							 entry->autovac_vacuum_timestamp);
	stats->last_analyze = Max(entry->analyze_timestamp,
							  entry->autovac_analyze_timestamp);
#endif
	return true;
}

/*
 * Whether REPACK (CONCURRENTLY) is there, since 19.
 */
static inline bool
ops_compat_has_repack(void)
{
#if PG_VERSION_NUM >= 190000
	return true;
#else
	return false;
#endif
}

/*
 * Checkpoints by the clock and on request, since the statistics began.
 */
static inline void
ops_compat_checkpoint_stats(int64 *timed, int64 *requested)
{
	PgStat_CheckpointerStats *stats = pgstat_fetch_stat_checkpointer();

#if PG_VERSION_NUM >= 170000
	*timed = stats->num_timed + stats->restartpoints_timed;
	*requested = stats->num_requested + stats->restartpoints_requested;
#else
	*timed = stats->timed_checkpoints;
	*requested = stats->requested_checkpoints;
#endif
}

/*
 * When the counters of checkpoints last began at zero; 0 if never.  Before
 * 17 they were reset along with those of the background writer.
 */
static inline TimestampTz
ops_compat_checkpoint_reset(void)
{
#if PG_VERSION_NUM >= 170000
	return pgstat_fetch_stat_checkpointer()->stat_reset_timestamp;
#else
	return pgstat_fetch_stat_bgwriter()->stat_reset_timestamp;
#endif
}

/*
 * Whether a slot was given up: it is of no use any more and holds nothing.
 */
static inline bool
ops_compat_slot_invalidated(const ReplicationSlotPersistentData *data)
{
#if PG_VERSION_NUM >= 160000
	return data->invalidated != RS_INVAL_NONE;
#else
	return XLogRecPtrIsInvalid(data->restart_lsn) &&
		!XLogRecPtrIsInvalid(data->invalidated_at);
#endif
}

/*
 * Why such a slot was given up.
 */
static inline const char *
ops_compat_slot_loss(const ReplicationSlotPersistentData *data)
{
#if PG_VERSION_NUM >= 160000
	switch (data->invalidated)
	{
		case RS_INVAL_HORIZON:
			return _("rows that it needs were removed");
		case RS_INVAL_WAL_LEVEL:
			return _("wal_level is too low for it");
#if PG_VERSION_NUM >= 180000
		case RS_INVAL_IDLE_TIMEOUT:
			return _("it was idle for too long");
#endif
		default:
			break;
	}
#endif
	return _("its WAL is gone");
}

/*
 * Whether a slot is or was a copy of one on the primary.
 */
static inline bool
ops_compat_slot_synced(const ReplicationSlotPersistentData *data)
{
#if PG_VERSION_NUM >= 170000
	return data->synced;
#else
	return false;
#endif
}

/*
 * The process that uses a slot, 0 if none does.
 */
static inline int
ops_compat_slot_pid(const ReplicationSlot *slot)
{
#if PG_VERSION_NUM >= 190000
	return slot->active_proc == INVALID_PROC_NUMBER ? 0 :
		GetPGProcByNumber(slot->active_proc)->pid;
#else
	return slot->active_pid;
#endif
}

/*
 * Since when nobody uses a slot, 0 if the server does not keep it.
 */
static inline TimestampTz
ops_compat_slot_inactive_since(const ReplicationSlot *slot)
{
#if PG_VERSION_NUM >= 170000
	return slot->inactive_since;
#else
	return 0;
#endif
}

/*
 * An interval without end or beginning, since 17.
 */
static inline bool
ops_compat_interval_infinite(const Interval *interval)
{
#if PG_VERSION_NUM >= 170000
	return INTERVAL_NOT_FINITE(interval);
#else
	return false;
#endif
}

/*
 * Whether SQL has date_subtract(), which takes days and months off in a given
 * time zone, since 16.
 */
static inline bool
ops_compat_subtracts_in_zone(void)
{
#if PG_VERSION_NUM >= 160000
	return true;
#else
	return false;
#endif
}

/*
 * A plain scan of a table.
 */
static inline TableScanDesc
ops_compat_beginscan(Relation table, Snapshot snapshot)
{
#if PG_VERSION_NUM >= 190000
	return table_beginscan(table, snapshot, 0, NULL, 0);
#else
	return table_beginscan(table, snapshot, 0, NULL);
#endif
}

/*
 * Growing jsonb: 19 gathers its state in one struct.
 */
#if PG_VERSION_NUM >= 190000
typedef JsonbInState OpsJsonbState;

static inline void
ops_compat_push_jsonb(OpsJsonbState *state, JsonbIteratorToken token,
					  JsonbValue *value)
{
	pushJsonbValue(state, token, value);
}
#else
typedef struct OpsJsonbState
{
	JsonbParseState *parseState;
	JsonbValue *result;
} OpsJsonbState;

static inline void
ops_compat_push_jsonb(OpsJsonbState *state, JsonbIteratorToken token,
					  JsonbValue *value)
{
	state->result = pushJsonbValue(&state->parseState, token, value);
}
#endif

/*
 * An expression that GROUP BY computes, if a variable stands for one; since
 * 18 such a variable points to a range table entry of its own.
 */
static inline Node *
ops_compat_group_expression(RangeTblEntry *rte, AttrNumber column)
{
#if PG_VERSION_NUM >= 180000
	if (rte->rtekind == RTE_GROUP &&
		column >= 1 && column <= list_length(rte->groupexprs))
		return (Node *) list_nth(rte->groupexprs, column - 1);
#endif
	return NULL;
}

/*
 * What an operator means to B-trees: a bit for each strategy, and 6 for "not
 * equal"; orders only as the type's own order has them.
 */
static inline int
ops_compat_operator_strategies(Oid operator)
{
	int			strategies = 0;
	ListCell   *lc;

#if PG_VERSION_NUM >= 180000
	foreach(lc, get_op_index_interpretation(operator))
	{
		OpIndexInterpretation *meaning = lfirst(lc);
		int			strategy = meaning->cmptype;
#else
	foreach(lc, get_op_btree_interpretation(operator))
	{
		OpBtreeInterpretation *meaning = lfirst(lc);
		int			strategy = meaning->strategy;
#endif
		TypeCacheEntry *type = lookup_type_cache(meaning->oplefttype,
												 TYPECACHE_BTREE_OPFAMILY);

		if (strategy == BTEqualStrategyNumber || strategy > BTMaxStrategyNumber ||
			type->btree_opf == meaning->opfamily_id)
			strategies |= 1 << strategy;
	}
	return strategies;
}

/*
 * Reading chosen blocks of a relation, ahead of their use.
 *
 * The callback names the next block, InvalidBlockNumber after the last one.
 * It is asked for blocks long before they are used, must not touch a buffer
 * and takes no lock.  Buffers come pinned, in the order of the callback.
 * Since 17 a read stream does this; before, advice for the kernel.
 */
typedef BlockNumber (*OpsNextBlock) (void *state);

typedef struct OpsBlockStream
{
	OpsNextBlock next;
	void	   *state;
#if PG_VERSION_NUM >= 170000
	ReadStream *stream;
#else
	Relation	rel;
	BufferAccessStrategy ring;
	bool		ended;			/* the callback knows no more blocks */
	int			size;			/* of the queue */
	int			head;			/* the next one to read */
	int			count;
	BlockNumber last;			/* put into the queue */
	int			quick;			/* reads in a row that waited for no device */
	BlockNumber *queue;
#endif
} OpsBlockStream;

#if PG_VERSION_NUM < 170000
/* Microseconds of a read that was not from memory. */
#define OPS_SLOW_READ	60

/* So many others in a row, and the rest is thought to be in memory. */
#define OPS_QUICK_READS 64
#endif

#if PG_VERSION_NUM >= 170000
#ifndef READ_STREAM_USE_BATCHING
#define READ_STREAM_USE_BATCHING 0	/* since 18 */
#endif

static inline BlockNumber
ops_compat_stream_callback(ReadStream *stream, void *callback_private_data,
						   void *per_buffer_data)
{
	OpsBlockStream *blocks = callback_private_data;

	return blocks->next(blocks->state);
}
#endif

static inline OpsBlockStream *
ops_compat_begin_blocks(Relation rel, BufferAccessStrategy ring,
						OpsNextBlock next, void *state)
{
	OpsBlockStream *blocks = palloc0(sizeof(OpsBlockStream));

	blocks->next = next;
	blocks->state = state;
#if PG_VERSION_NUM >= 170000
	blocks->stream = read_stream_begin_relation(READ_STREAM_MAINTENANCE |
												READ_STREAM_USE_BATCHING,
												ring, rel, MAIN_FORKNUM,
												ops_compat_stream_callback,
												blocks, 0);
#else
	blocks->rel = rel;
	blocks->ring = ring;
	blocks->last = InvalidBlockNumber;
	blocks->quick = OPS_QUICK_READS;
	blocks->size = 1 +
		get_tablespace_maintenance_io_concurrency(rel->rd_rel->reltablespace);
	blocks->queue = palloc(blocks->size * sizeof(BlockNumber));
#endif
	return blocks;
}

/*
 * The next buffer, InvalidBuffer after the last one.
 */
static inline Buffer
ops_compat_next_buffer(OpsBlockStream *blocks)
{
#if PG_VERSION_NUM >= 170000
	return read_stream_next_buffer(blocks->stream, NULL);
#else
	BlockNumber block;
	Buffer		buffer;
	instr_time	start;
	instr_time	took;

	while (!blocks->ended && blocks->count < blocks->size)
	{
		block = blocks->next(blocks->state);
		if (block == InvalidBlockNumber)
		{
			blocks->ended = true;
			break;
		}

		/*
		 * The kernel sees by itself what is read in sequence, and advice on
		 * what it has in its cache costs as much as to read it.
		 */
		if (blocks->quick < OPS_QUICK_READS && blocks->count > 0 &&
			block != blocks->last + 1)
			PrefetchBuffer(blocks->rel, MAIN_FORKNUM, block);
		blocks->queue[(blocks->head + blocks->count) % blocks->size] = block;
		blocks->count++;
		blocks->last = block;
	}
	if (blocks->count == 0)
		return InvalidBuffer;
	block = blocks->queue[blocks->head];
	blocks->head = (blocks->head + 1) % blocks->size;
	blocks->count--;
	INSTR_TIME_SET_CURRENT(start);
	buffer = ReadBufferExtended(blocks->rel, MAIN_FORKNUM, block, RBM_NORMAL,
								blocks->ring);
	INSTR_TIME_SET_CURRENT(took);
	INSTR_TIME_SUBTRACT(took, start);
	if (INSTR_TIME_GET_MICROSEC(took) >= OPS_SLOW_READ)
		blocks->quick = 0;
	else
		blocks->quick++;
	return buffer;
#endif
}

static inline void
ops_compat_end_blocks(OpsBlockStream *blocks)
{
#if PG_VERSION_NUM >= 170000
	read_stream_end(blocks->stream);
#else
	pfree(blocks->queue);
#endif
	pfree(blocks);
}

/*
 * Private iteration over a bitmap got a name of its own, and its result a
 * place of the caller's, in 18.
 */
#if PG_VERSION_NUM >= 180000
typedef TBMPrivateIterator OpsBitmapIterator;

static inline OpsBitmapIterator *
ops_compat_begin_bitmap(TIDBitmap *bitmap)
{
	return tbm_begin_private_iterate(bitmap);
}

static inline BlockNumber
ops_compat_next_bitmap_block(OpsBitmapIterator *iterator)
{
	TBMIterateResult result;

	if (!tbm_private_iterate(iterator, &result))
		return InvalidBlockNumber;
	return result.blockno;
}

static inline void
ops_compat_end_bitmap(OpsBitmapIterator *iterator)
{
	tbm_end_private_iterate(iterator);
}
#else
typedef TBMIterator OpsBitmapIterator;

static inline OpsBitmapIterator *
ops_compat_begin_bitmap(TIDBitmap *bitmap)
{
	return tbm_begin_iterate(bitmap);
}

static inline BlockNumber
ops_compat_next_bitmap_block(OpsBitmapIterator *iterator)
{
	TBMIterateResult *result = tbm_iterate(iterator);

	return result ? result->blockno : InvalidBlockNumber;
}

static inline void
ops_compat_end_bitmap(OpsBitmapIterator *iterator)
{
	tbm_end_iterate(iterator);
}
#endif

/* Since 18 a scan can be told where to count. */
static inline IndexScanDesc
ops_compat_begin_bitmap_scan(Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan_bitmap(index, snapshot, NULL, nkeys);
#else
	return index_beginscan_bitmap(index, snapshot, nkeys);
#endif
}

#endif							/* OPS_COMPAT_H */
