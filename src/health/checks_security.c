/*-------------------------------------------------------------------------
 *
 * checks_security.c
 *	  Checks of roles, their passwords and what everybody may do.
 *
 * Source: pg_authid, of which everything but the password is shown to
 * everybody by pg_roles.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_namespace.h"
#include "core/guc.h"
#include "health/activity.h"
#include "health/catalog.h"
#include "libpq/crypt.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

/* What a hasty extension of a password's life adds to it. */
#define RESPITE_DAYS	7

/* What a reader of roles goes by, and what it found. */
typedef struct RoleScan
{
	OpsRun	   *run;
	OpsResult  *result;
	List	   *allowed;		/* names that may be privileged */
	int			found;
	double		first_expiry;	/* in days; NaN if none */
} RoleScan;

static void
scan_roles(RoleScan *scan, OpsTupleReader reader)
{
	ops_catalog_scan(scan->run, AuthIdRelationId, AuthIdRolnameIndexId,
					 0, NULL, reader, scan);
}

/*
 * The names in operations_runbook.superusers.
 */
static List *
allowed_superusers(void)
{
	List	   *names;

	if (!SplitIdentifierString(pstrdup(ops_guc_superusers), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("operations_runbook.superusers is no list of names")));
	return names;
}

static bool
is_listed(const char *role, const List *names)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(role, (const char *) lfirst(cell)) == 0)
			return true;
	}
	return false;
}

static void
read_privileges(HeapTuple tuple, TupleDesc desc, void *arg)
{
	RoleScan   *scan = (RoleScan *) arg;
	Form_pg_authid role = (Form_pg_authid) GETSTRUCT(tuple);
	OpsCulprit *culprit;

	if (!role->rolcanlogin || (!role->rolsuper && !role->rolbypassrls))
		return;
	if (role->oid == BOOTSTRAP_SUPERUSERID ||
		is_listed(NameStr(role->rolname), scan->allowed))
		return;
	scan->found++;
	culprit = ops_result_culprit(scan->result, role->rolsuper ? 1 : 0);
	if (culprit)
	{
		culprit->role = pstrdup(NameStr(role->rolname));
		culprit->note = role->rolsuper ? _("is superuser") :
			_("bypasses row-level security");
	}
}

/*
 * roles: login roles that stand above all permissions, or above row-level
 * security, and that nobody has put on the list.
 */
static void
probe_roles(OpsRun *run, OpsResult *result)
{
	RoleScan	scan = {0};

	scan.run = run;
	scan.result = result;
	scan.allowed = allowed_superusers();
	scan_roles(&scan, read_privileges);
	if (scan.found == 0)
	{
		ops_result_value(result, 0, "%s", _("no unlisted login role is superuser or bypasses row-level security"));
		return;
	}
	ops_result_value(result, scan.found,
					 ngettext("%d unlisted login role is superuser or bypasses row-level security: \"%s\"",
							  "%d unlisted login roles are superuser or bypass row-level security, among them \"%s\"",
							  scan.found),
					 scan.found, result->culprit[0].role);
	ops_result_remedy(result, "ALTER ROLE %s NOSUPERUSER NOBYPASSRLS;",
					  quote_identifier(result->culprit[0].role));
}

static void
read_expiry(HeapTuple tuple, TupleDesc desc, void *arg)
{
	RoleScan   *scan = (RoleScan *) arg;
	Form_pg_authid role = (Form_pg_authid) GETSTRUCT(tuple);
	bool		isnull;
	Datum		datum = heap_getattr(tuple, Anum_pg_authid_rolvaliduntil,
									 desc, &isnull);
	TimestampTz until = isnull ? DT_NOEND : DatumGetTimestampTz(datum);
	OpsCulprit *culprit;
	double		days;

	if (!role->rolcanlogin || TIMESTAMP_NOT_FINITE(until))
		return;
	days = (until - scan->run->now) / (double) USECS_PER_DAY;
	if (isnan(scan->first_expiry) || days < scan->first_expiry)
		scan->first_expiry = days;
	if (days < 0)
		scan->found++;
	culprit = ops_result_culprit(scan->result, -days);
	if (culprit)
	{
		culprit->role = pstrdup(NameStr(role->rolname));
		culprit->value = days;
	}
}

/*
 * password_expiry: days until the first login role can no longer use its
 * password.
 */
static void
probe_password_expiry(OpsRun *run, OpsResult *result)
{
	RoleScan	scan = {0};
	const char *role;

	scan.run = run;
	scan.result = result;
	scan.first_expiry = get_float8_nan();
	scan_roles(&scan, read_expiry);
	if (isnan(scan.first_expiry))
	{
		ops_result_value(result, scan.first_expiry, "%s",
						 _("no login role's password expires"));
		return;
	}

	role = result->culprit[0].role;
	if (scan.found > 0)
		ops_result_value(result, scan.first_expiry,
						 ngettext("%d password has expired, that of role \"%s\" %s ago",
								  "%d passwords have expired, that of role \"%s\" %s ago",
								  scan.found),
						 scan.found, role,
						 ops_duration(-scan.first_expiry * SECS_PER_DAY));
	else
		ops_result_value(result, scan.first_expiry,
						 _("the password of role \"%s\" expires in %s"),
						 role, ops_duration(scan.first_expiry * SECS_PER_DAY));
	ops_result_remedy(result, "ALTER ROLE %s VALID UNTIL %s;",
					  quote_identifier(role),
					  quote_literal_cstr(timestamptz_to_str(run->now + RESPITE_DAYS * USECS_PER_DAY)));
}

static void
read_password(HeapTuple tuple, TupleDesc desc, void *arg)
{
	RoleScan   *scan = (RoleScan *) arg;
	Form_pg_authid role = (Form_pg_authid) GETSTRUCT(tuple);
	bool		isnull;
	Datum		datum = heap_getattr(tuple, Anum_pg_authid_rolpassword,
									 desc, &isnull);
	OpsCulprit *culprit;
	char	   *password;
	bool		is_md5;

	if (isnull || !role->rolcanlogin)
		return;
	password = TextDatumGetCString(datum);
	is_md5 = get_password_type(password) == PASSWORD_TYPE_MD5;
	pfree(password);
	if (!is_md5)
		return;
	scan->found++;
	culprit = ops_result_culprit(scan->result, 0);
	if (culprit)
		culprit->role = pstrdup(NameStr(role->rolname));
}

/*
 * md5_passwords: login roles whose password is stored as an MD5 hash.
 */
static void
probe_md5_passwords(OpsRun *run, OpsResult *result)
{
	RoleScan	scan = {0};

	scan.run = run;
	scan.result = result;
	scan_roles(&scan, read_password);
	if (scan.found == 0)
	{
		ops_result_value(result, 0, "%s", _("no password is stored as an MD5 hash"));
		return;
	}
	ops_result_value(result, scan.found,
					 ngettext("%d password is stored as an MD5 hash, that of role \"%s\"",
							  "%d passwords are stored as MD5 hashes, among them that of role \"%s\"",
							  scan.found),
					 scan.found, result->culprit[0].role);
	ops_result_remedy(result, "SET password_encryption = 'scram-sha-256'; \\password %s",
					  quote_identifier(result->culprit[0].role));
}

/*
 * Whether an access control list lets everybody create objects.
 */
static bool
public_may_create(const Acl *acl)
{
	const AclItem *items = ACL_DAT(acl);

	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		if (items[i].ai_grantee == ACL_ID_PUBLIC &&
			(ACLITEM_GET_PRIVS(items[i]) & ACL_CREATE) != 0)
			return true;
	}
	return false;
}

/*
 * public_schema_create: whether everybody can put objects where everybody
 * else's unqualified names lead.
 */
static void
probe_public_schema_create(OpsRun *run, OpsResult *result)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACENAME, CStringGetDatum("public"));
	bool		isnull;
	Datum		datum;
	bool		open;

	if (!HeapTupleIsValid(tuple))
	{
		ops_result_value(result, 0, "%s", _("there is no schema public"));
		return;
	}

	/* Without a list everything is as the owner likes it: not open. */
	datum = SysCacheGetAttr(NAMESPACENAME, tuple, Anum_pg_namespace_nspacl,
							&isnull);
	open = !isnull && public_may_create(DatumGetAclP(datum));
	ReleaseSysCache(tuple);

	if (open)
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, 1, "%s", _("everybody can create objects in schema public"));
	}
	else
		ops_result_value(result, 0, "%s", _("creating objects in schema public takes a privilege"));
}

const OpsCheck ops_security_checks[] = {
	{
		.name = "roles",
		.title = gettext_noop("unlisted login roles that are superuser or bypass row-level security"),
		.unit = "roles",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.warning = 1,
		.critical = NAN,
		.probe = probe_roles,
	},
	{
		.name = "password_expiry",
		.title = gettext_noop("time until the first login role's password expires"),
		.unit = "days",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.lower_is_worse = true,
		.warning = 14,
		.critical = 0,
		.probe = probe_password_expiry,
	},
	{
		.name = "md5_passwords",
		.title = gettext_noop("login roles whose password is stored as an MD5 hash"),
		.unit = "roles",
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.audience = OPS_FOR_SUPERUSER,
		.warning = 1,
		.critical = NAN,
		.probe = probe_md5_passwords,
	},
	{
		.name = "public_schema_create",
		.title = gettext_noop("whether everybody can create objects in schema public"),
		.severity = OPS_P2,
		.depth = OPS_DEEP,
		.warning = NAN,
		.critical = NAN,
		.probe = probe_public_schema_create,
		.remedy = gettext_noop("REVOKE CREATE ON SCHEMA public FROM PUBLIC;"),
	},
};
const int	ops_security_count = lengthof(ops_security_checks);
