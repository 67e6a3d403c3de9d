/*-------------------------------------------------------------------------
 *
 * horizon.h
 *	  Who keeps vacuum from removing rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef OPS_HORIZON_H
#define OPS_HORIZON_H

#include "core/process.h"
#include "nodes/pg_list.h"

typedef enum OpsHolderKind
{
	OPS_HOLDER_SESSION,
	OPS_HOLDER_STANDBY,			/* its feedback, by the process receiving it */
	OPS_HOLDER_PREPARED,
	OPS_HOLDER_SLOT,
} OpsHolderKind;

typedef struct OpsHorizonHolder
{
	OpsHolderKind kind;
	TransactionId xmin;			/* the oldest that it may have to see, in */
	TransactionId catalog_xmin; /* any table or in catalogs; either invalid */
	int			pid;			/* of a session or a standby's sender */
	const char *name;			/* of a prepared transaction or slot */
	Oid			role;
	Oid			database;
	bool		everywhere;		/* counts in all databases */
	TimestampTz since;			/* 0 if not known */
	bool		active;			/* of a slot */
} OpsHorizonHolder;

/* Which rows are asked about. */
typedef enum OpsHorizonScope
{
	OPS_HORIZON_DATA,			/* of tables of this database */
	OPS_HORIZON_CATALOG,		/* and of catalogs and what is used as such */
	OPS_HORIZON_SHARED,			/* and of what databases share: any rows */
} OpsHorizonScope;

extern List *ops_horizon_holders(const OpsActivity *activity);
extern List *ops_horizon_after_statement(List *holders);
extern const OpsHorizonHolder *ops_horizon_oldest(List *holders,
												  OpsHorizonScope scope);

extern TransactionId ops_horizon_limit(List *holders, OpsHorizonScope scope);
extern int64 ops_horizon_age(const OpsHorizonHolder *holder,
							 OpsHorizonScope scope, TransactionId next);

/* Words for it, translated, and a command that ends or shows it. */
extern const char *ops_horizon_name(const OpsHorizonHolder *holder);
extern const char *ops_horizon_command(const OpsHorizonHolder *holder);

#endif							/* OPS_HORIZON_H */
