/*-------------------------------------------------------------------------
 *
 * server.c
 *	  Findings about the server itself: row security's own bugs.
 *
 * Each row is a vulnerability that lets rows past policies, with the minor
 * release of each major one that fixed it.  Older ones were fixed before 15.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rls/rls.h"
#include "utils/guc.h"

/* Majors from this one on have a column in the table. */
#define FIRST_MAJOR 15
#define NUM_MAJORS	4

/* As server_version_num divides it. */
#define MAJOR_UNIT	10000

typedef struct Vulnerability
{
	const char *name;
	const char *what;			/* translatable */
	int			fixed[NUM_MAJORS];	/* minor release; 0: never affected */
} Vulnerability;

static const Vulnerability vulnerabilities[] = {
	{
		.name = "CVE-2023-2455",
		.what = gettext_noop("policies of the wrong role apply after a set-returning function was inlined"),
		.fixed = {3, 0, 0, 0},
	},
	{
		.name = "CVE-2023-39418",
		.what = gettext_noop("MERGE does not enforce UPDATE and SELECT policies"),
		.fixed = {4, 0, 0, 0},
	},
	{
		.name = "CVE-2024-10976",
		.what = gettext_noop("a plan made for one role is used for another below sub-queries"),
		.fixed = {9, 5, 1, 0},
	},
	{
		.name = "CVE-2024-10978",
		.what = gettext_noop("SET ROLE can be reset to the wrong role, whose policies then apply"),
		.fixed = {9, 5, 1, 0},
	},
	{
		.name = "CVE-2025-8713",
		.what = gettext_noop("statistics of partitions and children give away values that policies hide"),
		.fixed = {14, 10, 6, 0},
	},
	{
		.name = "CVE-2026-120154",
		.what = gettext_noop("INSERT ... ON CONFLICT DO UPDATE reads rows that policies hide"),
		.fixed = {20, 16, 12, 7},
	},
};

static bool has_policies(const OpsRlsAudit *audit);
static void report_vulnerabilities(OpsRlsAudit *audit, int major, int minor);

/*
 * Judge the server's release.
 */
void
ops_rls_judge_server(OpsRlsAudit *audit)
{
	const char *setting = GetConfigOption("server_version_num", true, false);
	int			version = setting ? atoi(setting) : 0;
	int			major = version / MAJOR_UNIT;

	if (major >= FIRST_MAJOR && major < FIRST_MAJOR + NUM_MAJORS &&
		has_policies(audit))
		report_vulnerabilities(audit, major, version % MAJOR_UNIT);
}

/*
 * Without policies there is nothing that these bugs could let anybody past.
 */
static bool
has_policies(const OpsRlsAudit *audit)
{
	ListCell   *lc;

	foreach(lc, audit->ordered)
	{
		const OpsRlsRelation *relation = lfirst(lc);

		if (relation->row_security && relation->policies != NIL)
			return true;
	}
	return false;
}

static void
report_vulnerabilities(OpsRlsAudit *audit, int major, int minor)
{
	OpsRlsFinding *finding = NULL;
	StringInfoData names;
	int			wanted = 0;

	initStringInfo(&names);
	for (int i = 0; i < lengthof(vulnerabilities); i++)
	{
		const Vulnerability *known = &vulnerabilities[i];
		int			fixed = known->fixed[major - FIRST_MAJOR];

		if (minor >= fixed)
			continue;
		if (finding == NULL)
			finding = ops_rls_report_object(audit, SERVER_RLS_CVE, "server",
											NULL, "server", "server");
		ops_rls_evidence(finding, known->name, _("fixed in %d.%d: %s"),
						 major, fixed, _(known->what));
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 known->name);
		wanted = Max(wanted, fixed);
	}
	if (finding == NULL)
		return;
	finding->verdict = "open";
	finding->message = psprintf(_("release %d.%d has known ways past row security: %s; %d.%d has not"),
								major, minor, names.data, major, wanted);
	finding->remediation = psprintf("-- install PostgreSQL %d.%d or later, then restart the server",
									major, wanted);
	finding->probe = "SHOW server_version;";
}
