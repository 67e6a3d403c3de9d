/*-------------------------------------------------------------------------
 *
 * relation.h
 *	  Access to relations that never waits, and sizes without any lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_RELATION_H
#define OPS_RELATION_H

#include "access/htup.h"
#include "catalog/pg_class.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/* Lock if nobody is in the way, held or queued; else false, and the pid. */
extern bool ops_relation_try_lock(Oid relid, int *holder);
extern bool ops_relation_try_lock_mode(Oid relid, LOCKMODE mode, int *holder);
extern void ops_relation_unlock(Oid relid);
extern int	ops_relation_lock_holder(Oid relid, LOCKMODE mode);

/* Relation of the extension itself, by its name in our schema. */
extern Oid	ops_own_relation(const char *name);
extern Oid	ops_own_relation_owner(const char *name);

/* The same, locked; an error, 55P03, if it would have to be waited for. */
extern Oid	ops_own_relation_lock(const char *name, LOCKMODE mode);

extern Oid	ops_relation_owner(Oid relid);

/* The table that a TOAST table belongs to; InvalidOid of any other. */
extern Oid	ops_relation_of_toast(Oid toast);

/* As the catalog has it; 0 if the relation was dropped, or is mapped. */
extern Oid	ops_relation_filenumber(Oid relid);

/* Dead rows at which autovacuum acts; options are the table's own, or NULL. */
extern double ops_vacuum_threshold(const AutoVacOpts *options,
								   double reltuples);

/* Bytes of the main fork, by stat(); -1 if there is no file. */
extern int64 ops_relation_file_size(Form_pg_class relation);

#endif							/* OPS_RELATION_H */
