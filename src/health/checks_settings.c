/*-------------------------------------------------------------------------
 *
 * checks_settings.c
 *	  Checks of how the server is configured, and of files it depends on.
 *
 * Settings are read as a new session of this role in this database would get
 * them, so that what somebody has SET for the moment does not count.
 *
 * The files are shown by functions of the server that are for superusers and
 * those who were granted them.  They are called in the caller's own name: who
 * may not call them gets an unknown result, not a glimpse.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#include <sys/stat.h>

#ifdef USE_OPENSSL
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#endif

#include "catalog/pg_authid.h"
#include "core/compat.h"
#include "core/query.h"
#include "health/activity.h"
#include "postmaster/postmaster.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* A setting with a value nobody wants in production. */
typedef struct DangerousSetting
{
	const char *name;
	const char *dangerous;
	OpsStatus	status;
	bool		needs_restart;
	const char *consequence;
} DangerousSetting;

static const DangerousSetting dangerous_settings[] = {
	{"fsync", "off", OPS_FAIL, false,
	gettext_noop("a crash can destroy the whole cluster")},
	{"full_page_writes", "off", OPS_FAIL, false,
	gettext_noop("a crash can leave torn pages behind")},
	{"data_sync_retry", "on", OPS_WARN, true,
	gettext_noop("data the kernel failed to write can be lost unnoticed")},
	{"ignore_checksum_failure", "on", OPS_WARN, false,
	gettext_noop("damaged pages are read as if they were sound")},
	{"zero_damaged_pages", "on", OPS_WARN, false,
	gettext_noop("damaged pages are emptied instead of reported")},
	{"ignore_invalid_pages", "on", OPS_WARN, true,
	gettext_noop("recovery skips changes it cannot apply")},
	{"ignore_system_indexes", "on", OPS_WARN, false,
	gettext_noop("catalogs are read without their indexes")},
	{"allow_system_table_mods", "on", OPS_WARN, false,
	gettext_noop("system catalogs can be changed by hand")},
	{"track_activities", "off", OPS_WARN, false,
	gettext_noop("checks of sessions see no states and no statements")},
};

/*
 * settings: how many settings have a dangerous value.
 */
static void
probe_settings(OpsRun *run, OpsResult *result)
{
	const DangerousSetting *worst = NULL;
	int			found = 0;

	for (int i = 0; i < lengthof(dangerous_settings); i++)
	{
		const DangerousSetting *setting = &dangerous_settings[i];
		const char *value = GetConfigOptionResetString(setting->name);
		OpsCulprit *culprit;

		if (value == NULL || strcmp(value, setting->dangerous) != 0)
			continue;
		found++;
		ops_result_at_least(result, setting->status);
		if (worst == NULL || setting->status > worst->status)
			worst = setting;
		culprit = ops_result_culprit(result, setting->status);
		if (culprit)
		{
			culprit->name = setting->name;
			culprit->note = _(setting->consequence);
		}
	}

	if (worst == NULL)
	{
		ops_result_value(result, 0, "%s", _("no setting has a dangerous value"));
		return;
	}
	ops_result_value(result, found,
					 ngettext("%d setting has a dangerous value: %s is %s",
							  "%d settings have dangerous values, among them %s is %s",
							  found),
					 found, worst->name, worst->dangerous);
	ops_result_remedy(result, worst->needs_restart ?
					  "ALTER SYSTEM SET %s = %s; -- takes a restart" :
					  "ALTER SYSTEM SET %s = %s; SELECT pg_reload_conf();",
					  worst->name,
					  strcmp(worst->dangerous, "on") == 0 ? "off" : "on");
}

/*
 * pending_restart: for how long settings in the files have been waiting for a
 * restart.
 *
 * Which reload brought them is not recorded, so it is for at least as long
 * as the latest one is ago.
 */
static void
probe_pending_restart(OpsRun *run, OpsResult *result)
{
	bool		sees_all = has_privs_of_role(GetUserId(),
											 ROLE_PG_READ_ALL_SETTINGS);
	int			pending = 0;
	int			count;
	struct config_generic **variables = ops_compat_guc_variables(&count);
	double		seconds;

	for (int i = 0; i < count; i++)
	{
		OpsCulprit *culprit;

		if ((variables[i]->status & GUC_PENDING_RESTART) == 0)
			continue;
		pending++;
		if ((variables[i]->flags & GUC_SUPERUSER_ONLY) != 0 && !sees_all)
			continue;
		culprit = ops_result_culprit(result, 0);
		if (culprit)
			culprit->name = variables[i]->name;
	}

	if (pending == 0)
	{
		ops_result_value(result, 0, "%s", _("no setting waits for a restart"));
		return;
	}
	seconds = ops_seconds_since(run, PgReloadTime);
	ops_result_value(result, seconds,
					 ngettext("%d setting has waited for a restart for %s or longer",
							  "%d settings have waited for a restart for %s or longer",
							  pending),
					 pending, ops_duration(seconds));
}

/*
 * Whether the server would take a value from its files after a restart.
 *
 * pg_file_settings calls such a line an error, and in the same words as a
 * value that no restart will make valid.
 */
static bool
waits_for_restart(const char *name, const char *setting)
{
	int			count;
	struct config_generic **variables = ops_compat_guc_variables(&count);

	for (int i = 0; i < count; i++)
	{
		if (pg_strcasecmp(variables[i]->name, name) != 0)
			continue;
		return variables[i]->context == PGC_POSTMASTER &&
			set_config_option(name, setting, PGC_POSTMASTER, PGC_S_FILE,
							  GUC_ACTION_SET, false, DEBUG5, false) != 0;
	}
	return false;
}

/*
 * config_files: lines of the configuration files that are in error.
 *
 * A single one keeps the server from starting, and keeps a reload from
 * changing anything.  What has no file is a setting that went from the files
 * and waits for a restart.
 */
static void
probe_config_files(OpsRun *run, OpsResult *result)
{
	OpsQuery	query;
	int			errors = 0;

	ops_query_run(&query, InvalidOid,
				  "SELECT sourcefile, sourceline::int8, name, setting, error "
				  "FROM pg_catalog.pg_file_settings "
				  "WHERE error IS NOT NULL AND sourcefile IS NOT NULL "
				  "ORDER BY seqno");
	MemoryContextSwitchTo(run->context);	/* strings outlive the query */
	for (uint64 row = 0; row < query.nrows; row++)
	{
		bool		isnull;
		int64		line = ops_query_int64(&query, row, 2, &isnull);
		const char *file = ops_query_text(&query, row, 1);
		const char *name = ops_query_text(&query, row, 3);
		const char *setting = ops_query_text(&query, row, 4);
		const char *error = ops_query_text(&query, row, 5);
		OpsCulprit *culprit;

		if (name && setting && waits_for_restart(name, setting))
			continue;
		errors++;
		culprit = ops_result_culprit(result, 0);
		if (culprit)
		{
			culprit->name = psprintf("%s:%lld", file, (long long) line);
			culprit->note = name ? psprintf("%s: %s", name, error) : error;
		}
	}
	ops_query_end(&query);

	if (errors == 0)
		ops_result_value(result, 0, "%s", _("the configuration files have no errors"));
	else
		ops_result_value(result, errors,
						 ngettext("%d error in the configuration files: %s in %s",
								  "%d errors in the configuration files: %s in %s",
								  errors),
						 errors, result->culprit[0].note,
						 result->culprit[0].name);
}

/*
 * hba: lines of pg_hba.conf that are in error or let in too easily.
 *
 * The file is read as it is now, which a reload may have yet to load.  An
 * address counts as local if the whole range is; the mask is null for names
 * and keywords, which must not be cast.
 */
static void
probe_hba(OpsRun *run, OpsResult *result)
{
	OpsQuery	query;
	int			lines = 0;

	ops_query_run(&query, InvalidOid,
				  "SELECT line_number::int8, file, what FROM ("
				  " SELECT r.line_number,"
				  "  coalesce(pg_catalog.to_jsonb(r) ->> 'file_name', 'pg_hba.conf') AS file,"
				  "  CASE WHEN r.error IS NOT NULL THEN 'error: ' || r.error"
				  "   WHEN r.type = 'local' THEN NULL"
				  "   WHEN r.auth_method = 'trust' AND NOT CASE"
				  "     WHEN r.address IN ('localhost', 'samehost') THEN true"
				  "     WHEN r.netmask IS NULL THEN false"
				  "     WHEN pg_catalog.family(r.netmask::inet) = 4"
				  "      THEN (r.address::inet & r.netmask::inet) <<= '127.0.0.0/8'::inet"
				  "       AND (r.netmask::inet & '255.0.0.0'::inet) = '255.0.0.0'::inet"
				  "     ELSE r.address::inet = '::1'::inet"
				  "      AND r.netmask::inet = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'::inet"
				  "     END THEN 'trust'"
				  "   WHEN r.auth_method IN ('password', 'md5')"
				  "    AND (r.address = 'all' OR r.netmask IN ('0.0.0.0', '::'))"
				  "    THEN r.auth_method"
				  "   END AS what"
				  " FROM pg_catalog.pg_hba_file_rules r) judged "
				  "WHERE what IS NOT NULL ORDER BY file, line_number");
	MemoryContextSwitchTo(run->context);	/* strings outlive the query */
	for (uint64 row = 0; row < query.nrows; row++)
	{
		bool		isnull;
		int64		line = ops_query_int64(&query, row, 1, &isnull);
		const char *file = ops_query_text(&query, row, 2);
		const char *what = ops_query_text(&query, row, 3);
		bool		trust = strcmp(what, "trust") == 0;
		bool		error = strncmp(what, "error", 5) == 0;
		OpsCulprit *culprit;

		lines++;
		if (trust || error)
			ops_result_at_least(result, OPS_FAIL);
		culprit = ops_result_culprit(result, trust ? 2 : error ? 1 : 0);
		if (culprit == NULL)
			continue;
		culprit->name = psprintf("%s:%lld", file, (long long) line);
		culprit->note = trust ? _("lets in from elsewhere without a password") :
			error ? what :
			psprintf(_("takes method %s from any address"), what);
	}
	ops_query_end(&query);

	if (lines == 0)
		ops_result_value(result, 0, "%s", _("pg_hba.conf has no errors and no lines that let in too easily"));
	else
		ops_result_value(result, lines,
						 ngettext("%d line of pg_hba.conf is in question: %s %s",
								  "%d lines of pg_hba.conf are in question: %s %s",
								  lines),
						 lines, result->culprit[0].name,
						 result->culprit[0].note);
}

#ifdef USE_OPENSSL

/*
 * Days from the start of the run until a certificate expires.
 */
static double
days_until_expiry(OpsRun *run, X509 *certificate)
{
	ASN1_TIME  *now = ASN1_TIME_set(NULL, timestamptz_to_time_t(run->now));
	int			days = 0;
	int			seconds = 0;
	bool		known;

	known = now != NULL &&
		ASN1_TIME_diff(&days, &seconds, now, X509_get0_notAfter(certificate));
	ASN1_TIME_free(now);
	return known ? days + seconds / (double) SECS_PER_DAY : get_float8_nan();
}

/*
 * Days until the first certificate of a file expires; NaN if it holds none.
 */
static double
first_expiry(OpsRun *run, FILE *file)
{
	double		first = get_float8_nan();
	X509	   *certificate;

	while ((certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL)
	{
		double		days = days_until_expiry(run, certificate);

		X509_free(certificate);
		if (isnan(first) || days < first)
			first = days;
	}

	/* The end of the file is an error to the library; leave none behind. */
	ERR_clear_error();
	return first;
}

/*
 * tls: days until the server's certificate expires, or one of its chain.
 */
static void
probe_tls(OpsRun *run, OpsResult *result)
{
	const char *name = GetConfigOption("ssl_cert_file", false, false);
	struct stat st;
	FILE	   *file;
	double		days;

	if (!EnableSSL)
	{
		ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
						   _("not applicable: ssl is off"));
		return;
	}

	/* A relative path starts at the data directory, where servers run. */
	file = AllocateFile(name, PG_BINARY_R);
	if (file == NULL || fstat(fileno(file), &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open certificate file \"%s\": %m",
						name)));
	days = first_expiry(run, file);
	FreeFile(file);
	if (isnan(days))
	{
		ops_result_unknown(result, OPS_FAILED,
						   _("could not be measured: no certificate could be read from \"%s\""),
						   name);
		return;
	}

	if (days < 0)
		ops_result_value(result, days, _("the certificate expired %s ago"),
						 ops_duration(-days * SECS_PER_DAY));
	else
		ops_result_value(result, days, _("the certificate expires in %s"),
						 ops_duration(days * SECS_PER_DAY));
	if (time_t_to_timestamptz(st.st_mtime) > PgReloadTime)
	{
		ops_result_at_least(result, OPS_WARN);
		ops_result_value(result, days, _("the certificate file was changed after the last reload; its certificate expires in %.0f days"),
						 days);
		ops_result_remedy(result, "SELECT pg_reload_conf();");
	}
}

#else

static void
probe_tls(OpsRun *run, OpsResult *result)
{
	ops_result_unknown(result, OPS_NOT_APPLICABLE, "%s",
					   _("not applicable: this server was built without OpenSSL"));
}

#endif							/* USE_OPENSSL */

/*
 * extensions: installed extensions that have an update waiting.
 *
 * Versions have no order of their own: newer is what an update leads to.
 */
static void
probe_extensions(OpsRun *run, OpsResult *result)
{
	OpsQuery	query;

	ops_query_run(&query, InvalidOid,
				  "SELECT e.extname::text, e.extversion, a.default_version"
				  " FROM pg_catalog.pg_extension e"
				  " JOIN pg_catalog.pg_available_extensions() a ON a.name = e.extname"
				  " WHERE e.extversion <> a.default_version AND EXISTS"
				  "  (SELECT FROM pg_catalog.pg_extension_update_paths(e.extname) p"
				  "   WHERE p.source = e.extversion"
				  "   AND p.target = a.default_version AND p.path IS NOT NULL)"
				  " ORDER BY 1");
	MemoryContextSwitchTo(run->context);	/* strings outlive the query */
	for (uint64 row = 0; row < query.nrows; row++)
	{
		OpsCulprit *culprit = ops_result_culprit(result, 0);

		if (culprit == NULL)
			break;
		culprit->name = ops_query_text(&query, row, 1);
		culprit->note = psprintf(_("%s is installed, %s is available"),
								 ops_query_text(&query, row, 2),
								 ops_query_text(&query, row, 3));
	}
	if (query.nrows == 0)
		ops_result_value(result, 0, "%s", _("no extension has an update waiting"));
	else
	{
		ops_result_value(result, query.nrows,
						 ngettext("%d extension has an update waiting: %s",
								  "%d extensions have updates waiting: %s",
								  query.nrows),
						 (int) query.nrows, result->culprit[0].name);
		ops_result_remedy(result, "ALTER EXTENSION %s UPDATE;",
						  quote_identifier(result->culprit[0].name));
	}
	ops_query_end(&query);
}

const OpsCheck ops_settings_checks[] = {
	{
		.name = "settings",
		.title = gettext_noop("settings with a dangerous value"),
		.unit = "settings",
		.severity = OPS_P1,
		.warning = 1,
		.critical = NAN,
		.probe = probe_settings,
	},
	{
		.name = "pending_restart",
		.title = gettext_noop("time for which settings in the files have waited for a restart"),
		.unit = "seconds",
		.severity = OPS_P3,
		.warning = 86400,
		.critical = NAN,
		.probe = probe_pending_restart,
		.remedy = gettext_noop("SELECT name, setting, sourcefile FROM pg_settings WHERE pending_restart;"),
	},
	{
		.name = "config_files",
		.title = gettext_noop("errors in the configuration files"),
		.unit = "errors",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.warning = NAN,
		.critical = 1,
		.probe = probe_config_files,
		.remedy = gettext_noop("SELECT sourcefile, sourceline, name, setting, error FROM pg_file_settings WHERE error IS NOT NULL;"),
	},
	{
		.name = "hba",
		.title = gettext_noop("lines of pg_hba.conf in error or letting in too easily"),
		.unit = "lines",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.warning = 1,
		.critical = NAN,
		.probe = probe_hba,
		.remedy = gettext_noop("SELECT line_number, type, database, user_name, address, auth_method, error FROM pg_hba_file_rules;"),
	},
	{
		.name = "tls",
		.title = gettext_noop("time until the server's certificate expires"),
		.unit = "days",
		.severity = OPS_P1,
		.depth = OPS_DEEP,
		.lower_is_worse = true,
		.warning = 30,
		.critical = 7,
		.probe = probe_tls,
		.remedy = gettext_noop("SHOW ssl_cert_file; -- renew it, then: SELECT pg_reload_conf();"),
	},
	{
		.name = "extensions",
		.title = gettext_noop("installed extensions with an update waiting"),
		.unit = "extensions",
		.severity = OPS_P3,
		.depth = OPS_DEEP,
		.warning = 1,
		.critical = NAN,
		.probe = probe_extensions,
	},
};
const int	ops_settings_count = lengthof(ops_settings_checks);
