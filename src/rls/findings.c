/*-------------------------------------------------------------------------
 *
 * findings.c
 *	  Findings from when a rule makes them to the rows of ops.rls_audit().
 *
 * A finding's id is that of what it is about, not of what is said of it, so
 * that a waiver holds until somebody changes one of these: code, object,
 * role, command, gate, policies.  It is a SHA-256 cut short, the same on
 * every server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "core/compat.h"
#include "core/json.h"
#include "core/relation.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "rls/rls.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Columns of a row of ops.rls_audit(). */
enum
{
	COLUMN_FINDING_ID,
	COLUMN_SEVERITY,
	COLUMN_CODE,
	COLUMN_CLASS,
	COLUMN_OBJECT_TYPE,
	COLUMN_SCHEMA_NAME,
	COLUMN_OBJECT_NAME,
	COLUMN_OBJECT,
	COLUMN_POLICY,
	COLUMN_ROLE_NAME,
	COLUMN_COMMAND,
	COLUMN_GATE,
	COLUMN_REACH,
	COLUMN_VERDICT,
	COLUMN_PREDICATE,
	COLUMN_COUNTEREXAMPLE,
	COLUMN_MESSAGE,
	COLUMN_REMEDIATION,
	COLUMN_PROBE,
	COLUMN_EVIDENCE,
	COLUMN_SPLINTER_NAME,
	COLUMN_DOC_REF,
	COLUMN_WAIVED_UNTIL,
	COLUMN_WAIVER_REASON,
	NUM_COLUMNS
};

/* Columns of ops.rls_waiver. */
enum
{
	WAIVER_FINDING_ID,
	WAIVER_REASON,
	WAIVER_UNTIL,
	NUM_WAIVER_COLUMNS
};

#define ID_LENGTH	16

typedef struct Waiver
{
	char		id[ID_LENGTH + 1];	/* key, first */
	const char *reason;
	TimestampTz until;
} Waiver;

static const char *object_type(const OpsRlsRelation *relation);
static bool is_wanted(const OpsRlsAudit *audit, const char *schema_name);
static void identify(const OpsRlsAudit *audit, OpsRlsFinding *finding);
static void append_part(StringInfo parts, const char *part);
static const char *lasting_name(const OpsRlsAudit *audit, const char *names);
static void merge_same(OpsRlsAudit *audit);
static void merge_into(OpsRlsFinding *kept, const OpsRlsFinding *same);
static bool has_evidence(const OpsRlsFinding *finding, const char *key);
static int	compare_ids(const ListCell *left, const ListCell *right);
static int	compare_findings(const ListCell *left, const ListCell *right);
static int	compare_texts(const char *left, const char *right);
static HTAB *read_waivers(OpsRlsAudit *audit);
static void read_waiver(HTAB *waivers, TupleTableSlot *slot, TimestampTz now);
static void return_finding(const OpsRlsFinding *finding,
						   ReturnSetInfo *rsinfo);
static Jsonb *evidence_document(const OpsRlsFinding *finding);

/*
 * A new finding about a relation.
 */
OpsRlsFinding *
ops_rls_report(OpsRlsAudit *audit, OpsRlsCodeId code,
			   const OpsRlsRelation *relation)
{
	OpsRlsFinding *finding = palloc0(sizeof(OpsRlsFinding));

	finding->code = code;
	finding->severity = ops_rls_code_table[code].severity;
	finding->object_type = object_type(relation);
	finding->schema_name = relation->schema_name;
	finding->object_name = relation->name;
	finding->object = ops_rls_relation_name(relation);
	if (relation->in_scope)
		audit->findings = lappend(audit->findings, finding);
	return finding;
}

/*
 * A new finding about anything else; the schema is NULL where it has none.
 */
OpsRlsFinding *
ops_rls_report_object(OpsRlsAudit *audit, OpsRlsCodeId code,
					  const char *type, const char *schema_name,
					  const char *object_name, const char *object)
{
	OpsRlsFinding *finding = palloc0(sizeof(OpsRlsFinding));

	finding->code = code;
	finding->severity = ops_rls_code_table[code].severity;
	finding->object_type = type;
	finding->schema_name = schema_name;
	finding->object_name = object_name;
	finding->object = object;
	if (is_wanted(audit, schema_name))
		audit->findings = lappend(audit->findings, finding);
	return finding;
}

static const char *
object_type(const OpsRlsRelation *relation)
{
	switch (relation->kind)
	{
		case RELKIND_VIEW:
			return "view";
		case RELKIND_MATVIEW:
			return "materialized view";
		case RELKIND_FOREIGN_TABLE:
			return "foreign table";
		default:
			return "table";
	}
}

static bool
is_wanted(const OpsRlsAudit *audit, const char *schema_name)
{
	ListCell   *lc;

	if (audit->schemas_wanted == NIL || schema_name == NULL)
		return true;
	foreach(lc, audit->schemas_wanted)
	{
		if (strcmp(lfirst(lc), schema_name) == 0)
			return true;
	}
	return false;
}

/*
 * Add a fact to what a finding rests on.
 */
void
ops_rls_evidence(OpsRlsFinding *finding, const char *key,
				 const char *format,...)
{
	OpsRlsEvidence *evidence = palloc(sizeof(OpsRlsEvidence));
	StringInfoData value;

	initStringInfo(&value);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&value, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&value, needed);
	}
	evidence->key = key;
	/* The buffer is far larger than most values, and there are many. */
	evidence->value = pstrdup(value.data);
	pfree(value.data);
	finding->evidence = lappend(finding->evidence, evidence);
}

/*
 * A relation's name, whatever the search_path, as a command would spell it.
 */
const char *
ops_rls_relation_name(const OpsRlsRelation *relation)
{
	return quote_qualified_identifier(relation->schema_name, relation->name);
}

/*
 * Settle the list: every finding once, worst first, with its waiver.
 */
void
ops_rls_settle_findings(OpsRlsAudit *audit)
{
	HTAB	   *waivers = read_waivers(audit);
	ListCell   *lc;

	foreach(lc, audit->findings)
		identify(audit, lfirst(lc));
	merge_same(audit);
	list_sort(audit->findings, compare_findings);

	foreach(lc, audit->findings)
	{
		OpsRlsFinding *finding = lfirst(lc);
		Waiver	   *waiver = hash_search(waivers, finding->id, HASH_FIND,
										 NULL);

		if (waiver == NULL)
			continue;
		finding->waived_until = waiver->until;
		finding->waiver_reason = waiver->reason;
	}
}

/*
 * Return the settled findings as rows.
 */
void
ops_rls_return_findings(OpsRlsAudit *audit, ReturnSetInfo *rsinfo)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "operations_runbook row",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	ListCell   *lc;

	foreach(lc, audit->findings)
	{
		CHECK_FOR_INTERRUPTS();
		return_finding(lfirst(lc), rsinfo);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

static void
identify(const OpsRlsAudit *audit, OpsRlsFinding *finding)
{
	StringInfoData parts;
	bytea	   *input;
	bytea	   *digest;
	ListCell   *lc;

	initStringInfo(&parts);
	appendStringInfoSpaces(&parts, VARHDRSZ);
	append_part(&parts, ops_rls_code_table[finding->code].name);
	append_part(&parts, finding->object);
	append_part(&parts, lasting_name(audit, finding->role_name));
	append_part(&parts, finding->command);
	append_part(&parts, finding->gate);
	if (finding->via)
		append_part(&parts, finding->via);
	foreach(lc, finding->policies)
		append_part(&parts, lfirst(lc));

	input = (bytea *) parts.data;
	SET_VARSIZE(input, parts.len);
	digest = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea,
												 PointerGetDatum(input)));
	hex_encode(VARDATA_ANY(digest), ID_LENGTH / 2, finding->id);
	finding->id[ID_LENGTH] = '\0';
	pfree(parts.data);
	pfree(digest);
}

/*
 * Parts end in a byte that no name has, so no two lists of them are alike.
 */
static void
append_part(StringInfo parts, const char *part)
{
	if (part)
		appendStringInfoString(parts, part);
	appendStringInfoCharMacro(parts, '\0');
}

/*
 * The name that stays while further roles join those that are alike.
 */
static const char *
lasting_name(const OpsRlsAudit *audit, const char *names)
{
	ListCell   *lc;

	if (names == NULL)
		return NULL;
	foreach(lc, audit->roles)
	{
		const OpsRlsRole *role = lfirst(lc);

		if (role->names == names || strcmp(role->names, names) == 0)
			return role->name;
	}
	return names;
}

/*
 * Make one finding of those with the same id.
 */
static void
merge_same(OpsRlsAudit *audit)
{
	List	   *merged = NIL;
	OpsRlsFinding *kept = NULL;
	ListCell   *lc;

	list_sort(audit->findings, compare_ids);
	foreach(lc, audit->findings)
	{
		OpsRlsFinding *finding = lfirst(lc);

		if (kept && strcmp(kept->id, finding->id) == 0)
			merge_into(kept, finding);
		else
		{
			kept = finding;
			merged = lappend(merged, kept);
		}
	}
	list_free(audit->findings);
	audit->findings = merged;
}

/*
 * The worse one is kept; the other one adds what it alone knows.
 */
static void
merge_into(OpsRlsFinding *kept, const OpsRlsFinding *same)
{
	ListCell   *lc;

	foreach(lc, same->evidence)
	{
		OpsRlsEvidence *evidence = lfirst(lc);

		if (!has_evidence(kept, evidence->key))
			kept->evidence = lappend(kept->evidence, evidence);
	}
	if (kept->reach == NULL)
		kept->reach = same->reach;
	if (kept->counterexample == NULL)
		kept->counterexample = same->counterexample;
	if (kept->remediation == NULL)
		kept->remediation = same->remediation;
	if (kept->probe == NULL)
		kept->probe = same->probe;
}

static bool
has_evidence(const OpsRlsFinding *finding, const char *key)
{
	ListCell   *lc;

	foreach(lc, finding->evidence)
	{
		if (strcmp(((OpsRlsEvidence *) lfirst(lc))->key, key) == 0)
			return true;
	}
	return false;
}

static int
compare_ids(const ListCell *left, const ListCell *right)
{
	const OpsRlsFinding *a = lfirst(left);
	const OpsRlsFinding *b = lfirst(right);
	int			order = strcmp(a->id, b->id);

	if (order == 0)
		order = (int) a->severity - (int) b->severity;
	return order != 0 ? order : compare_texts(a->message, b->message);
}

static int
compare_findings(const ListCell *left, const ListCell *right)
{
	const OpsRlsFinding *a = lfirst(left);
	const OpsRlsFinding *b = lfirst(right);
	int			order = (int) a->severity - (int) b->severity;

	if (order == 0)
		order = compare_texts(ops_rls_code_table[a->code].name,
							  ops_rls_code_table[b->code].name);
	if (order == 0)
		order = compare_texts(a->object, b->object);
	if (order == 0)
		order = compare_texts(a->role_name, b->role_name);
	if (order == 0)
		order = compare_texts(a->command, b->command);
	if (order == 0)
		order = compare_texts(a->gate, b->gate);
	return order != 0 ? order : strcmp(a->id, b->id);
}

/*
 * What is missing comes first.
 */
static int
compare_texts(const char *left, const char *right)
{
	if (left == NULL || right == NULL)
		return (left != NULL) - (right != NULL);
	return strcmp(left, right);
}

/*
 * Waivers whose time is not over, by the finding's id.
 *
 * The table is ours, but somebody may hold a lock on it; then nothing is
 * waived and a row says so.
 */
static HTAB *
read_waivers(OpsRlsAudit *audit)
{
	HASHCTL		control = {
		.keysize = ID_LENGTH + 1,
		.entrysize = sizeof(Waiver),
		.hcxt = CurrentMemoryContext,
	};
	HTAB	   *waivers = hash_create("waivers", 64, &control,
									  HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	Oid			relid = ops_own_relation("rls_waiver");
	TimestampTz now = GetCurrentTimestamp();
	Relation	table;
	TupleTableSlot *slot;
	TableScanDesc scan;
	int			holder;

	if (!ops_relation_try_lock(relid, &holder))
	{
		OpsRlsFinding *finding = ops_rls_report_object(audit, NOT_VISIBLE,
													   "table", NULL,
													   "rls_waiver",
													   "ops.rls_waiver");

		finding->message = psprintf(_("ops.rls_waiver is locked by process %d, nothing is shown as waived"),
									holder);
		return waivers;
	}
	table = table_open(relid, NoLock);
	slot = table_slot_create(table, NULL);
	scan = ops_compat_beginscan(table, GetActiveSnapshot());
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		read_waiver(waivers, slot, now);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, AccessShareLock);
	return waivers;
}

static void
read_waiver(HTAB *waivers, TupleTableSlot *slot, TimestampTz now)
{
	TimestampTz until;
	Waiver	   *waiver;
	char	   *id;

	slot_getsomeattrs(slot, NUM_WAIVER_COLUMNS);
	id = TextDatumGetCString(slot->tts_values[WAIVER_FINDING_ID]);
	until = DatumGetTimestampTz(slot->tts_values[WAIVER_UNTIL]);
	if (until <= now || strlen(id) != ID_LENGTH)
		return;
	waiver = hash_search(waivers, id, HASH_ENTER, NULL);
	waiver->reason = TextDatumGetCString(slot->tts_values[WAIVER_REASON]);
	waiver->until = until;
}

static void
return_finding(const OpsRlsFinding *finding, ReturnSetInfo *rsinfo)
{
	const OpsRlsCode *code = &ops_rls_code_table[finding->code];
	Datum		values[NUM_COLUMNS];
	bool		nulls[NUM_COLUMNS];

#define TEXT(column, string) \
	ops_report_text(&values[COLUMN_##column], &nulls[COLUMN_##column], string)

	TEXT(FINDING_ID, finding->id);
	TEXT(SEVERITY, ops_severity_name[finding->severity]);
	TEXT(CODE, code->name);
	TEXT(CLASS, code->performance ? "performance" : "security");
	TEXT(OBJECT_TYPE, finding->object_type);
	TEXT(SCHEMA_NAME, finding->schema_name);
	TEXT(OBJECT_NAME, finding->object_name);
	TEXT(OBJECT, finding->object);
	ops_report_texts(&values[COLUMN_POLICY], &nulls[COLUMN_POLICY],
					 finding->policies);
	TEXT(ROLE_NAME, finding->role_name);
	TEXT(COMMAND, finding->command);
	TEXT(GATE, finding->gate);
	TEXT(REACH, finding->reach);
	TEXT(VERDICT, finding->verdict);
	TEXT(PREDICATE, finding->predicate);
	TEXT(COUNTEREXAMPLE, finding->counterexample);
	TEXT(MESSAGE, finding->message ? finding->message : _(code->title));
	TEXT(REMEDIATION, finding->remediation);
	TEXT(PROBE, finding->probe);
	nulls[COLUMN_EVIDENCE] = finding->evidence == NIL;
	if (finding->evidence != NIL)
		values[COLUMN_EVIDENCE] = JsonbPGetDatum(evidence_document(finding));
	TEXT(SPLINTER_NAME, code->splinter);
	TEXT(DOC_REF, "ops.runbook('rls')");
	nulls[COLUMN_WAIVED_UNTIL] = finding->waived_until == 0;
	values[COLUMN_WAIVED_UNTIL] = TimestampTzGetDatum(finding->waived_until);
	TEXT(WAIVER_REASON, finding->waiver_reason);
#undef TEXT

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static Jsonb *
evidence_document(const OpsRlsFinding *finding)
{
	OpsJsonbState state = {0};
	ListCell   *lc;

	ops_json_begin_object(&state, NULL);
	foreach(lc, finding->evidence)
	{
		const OpsRlsEvidence *evidence = lfirst(lc);

		ops_json_text(&state, evidence->key, evidence->value);
	}
	ops_json_end_object(&state);
	return ops_json_finish(&state);
}
