/*-------------------------------------------------------------------------
 *
 * objects_tables.c
 *	  Findings about tables as such: protection that is off or lets the owner
 *	  through, rights that pass it by, and what constraints give away.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_policy.h"
#include "catalog/pg_type.h"
#include "rls/objects.h"
#include "utils/builtins.h"

static void judge_foreign_table(OpsObjects *objects,
								const OpsRlsRelation *relation);
static void judge_unprotected(OpsObjects *objects,
							  const OpsRlsRelation *relation);
static OpsRlsCodeId unprotected_code(const OpsRlsRelation *relation,
									 const OpsRlsRelation *protector);
static void describe_unprotected(OpsObjects *objects, OpsRlsFinding *finding,
								 const OpsRlsRelation *relation,
								 const OpsRlsRelation *protector,
								 const OpsReachers *reachers);
static OpsSeverity unprotected_severity(const OpsRlsRelation *relation,
										const OpsRlsRelation *protector);
static void report_unreached(OpsObjects *objects,
							 const OpsRlsRelation *relation);
static const OpsRlsRelation *protected_ancestor(const OpsRlsRelation *relation);
static bool parent_is_reported(OpsObjects *objects,
							   const OpsRlsRelation *relation,
							   AclMode rights, bool row_security);
static void judge_owner(OpsObjects *objects, const OpsRlsRelation *relation);
static bool parent_spares_owner(const OpsRlsRelation *relation);
static bool is_audited(const OpsRlsAudit *audit, Oid role);
static void judge_whole_table_right(OpsObjects *objects,
									const OpsRlsRelation *relation,
									OpsRlsCodeId code, AclMode rights);
static bool is_open_anyway(OpsObjects *objects,
						   const OpsRlsRelation *relation);
static bool has_whole_table_right(OpsObjects *objects, const OpsRlsRole *role,
								  const OpsRlsRelation *relation,
								  OpsRlsCodeId code, AclMode rights);
static void judge_unique_keys(OpsObjects *objects,
							  const OpsRlsRelation *relation,
							  const OpsReachers *writers);
static bool tells_of_others(const OpsRlsRelation *relation,
							const Bitmapset *key);
static void judge_foreign_keys(OpsObjects *objects,
							   const OpsRlsRelation *relation,
							   const OpsReachers *writers);
static const char *column_names(const OpsRlsRelation *relation,
								const Bitmapset *columns);
static Bitmapset *foreign_key_columns(const OpsRlsForeignKey *key);
static void judge_returning(OpsObjects *objects,
							const OpsRlsRelation *relation,
							const OpsReachers *writers);
static bool has_permissive(const OpsRlsAudit *audit,
						   const OpsRlsRelation *relation,
						   const OpsRlsRole *role, char command);

/*
 * Judge a table, partitioned table or foreign table.
 */
void
ops_objects_judge_table(OpsObjects *objects, const OpsRlsRelation *relation)
{
	OpsReachers writers = {0};

	if (relation->kind == RELKIND_FOREIGN_TABLE)
	{
		judge_foreign_table(objects, relation);
		return;
	}
	if (!relation->row_security)
		judge_unprotected(objects, relation);
	if (!ops_objects_holds_tenants(relation))
		return;

	if (relation->row_security)
		judge_owner(objects, relation);
	judge_whole_table_right(objects, relation, TRUNCATE_GRANTED,
							ACL_TRUNCATE);
	judge_whole_table_right(objects, relation, REFERENCES_TRIGGER_GRANTED,
							ACL_REFERENCES | ACL_TRIGGER);

	/* Where all is open anyway, nobody has to guess. */
	if (!relation->row_security)
		return;
	ops_reachers_find(objects, &writers, relation, ACL_INSERT | ACL_UPDATE);
	if (writers.roles == NIL)
		return;
	judge_unique_keys(objects, relation, &writers);
	judge_foreign_keys(objects, relation, &writers);
	judge_returning(objects, relation, &writers);
	list_free(writers.roles);
}

static void
judge_foreign_table(OpsObjects *objects, const OpsRlsRelation *relation)
{
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;
	OpsRlsRole *first;
	const char *grantees;

	if (relation->is_public)
		return;
	ops_reachers_find(objects, &reachers, relation, OPS_ROW_RIGHTS);
	if (reachers.roles == NIL)
		return;
	first = ops_reachers_first(&reachers);
	finding = ops_rls_report(objects->audit, FOREIGN_TABLE_EXPOSED, relation);
	finding->verdict = "open";
	finding->reach = ops_rls_reach(objects->audit, first, relation,
								   ops_objects_row_rights(objects->audit, first,
														  relation,
														  OPS_ROW_RIGHTS));
	if (ops_objects_holds_tenants(relation))
	{
		finding->counterexample = _("any session, any row");
		finding->message = psprintf(_("%s holds rows of all tenants and is reachable; foreign tables cannot have row security"),
									finding->object);
	}
	else
	{
		finding->severity = OPS_P3;
		finding->verdict = "unproved";
		finding->message = psprintf(_("%s is reachable and cannot have row security; nothing in it tells tenants apart, so its rows may be meant for all"),
									finding->object);
	}
	ops_reachers_describe(&reachers, finding);
	grantees = ops_reachers_grantees(objects->audit, &reachers, relation->acl,
									 OPS_ROW_RIGHTS);
	if (grantees)
		finding->remediation = psprintf("REVOKE ALL ON %s FROM %s;",
										finding->object, grantees);
	finding->probe = ops_objects_probe(first, relation);
	ops_rls_evidence(finding, "owner", "%s",
					 ops_objects_role_name(objects->audit, relation->owner));
}

/*
 * A table with row security off.
 *
 * What is reached through its parent is the parent's matter.  A partition
 * reached by its own name is not covered by the parent's policies; if the
 * parent has none either, only the parent is reported.
 */
static void
judge_unprotected(OpsObjects *objects, const OpsRlsRelation *relation)
{
	const OpsRlsRelation *protector = protected_ancestor(relation);
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;
	bool		tenants = ops_objects_holds_tenants(relation);

	if (relation->is_public && relation->policies == NIL)
		return;
	ops_reachers_find(objects, &reachers, relation, OPS_ROW_RIGHTS);
	if (reachers.roles == NIL)
	{
		if (tenants && relation->parents == NIL)
			report_unreached(objects, relation);
		return;
	}
	if (protector == NULL &&
		parent_is_reported(objects, relation, OPS_ROW_RIGHTS, false))
		return;

	finding = ops_rls_report(objects->audit,
							 unprotected_code(relation, protector), relation);
	describe_unprotected(objects, finding, relation, protector, &reachers);
	finding->severity = unprotected_severity(relation, protector);
	if (finding->severity == OPS_P0)
		finding->counterexample = _("any session, any row");
	ops_reachers_describe(&reachers, finding);
}

/*
 * Policies say that somebody meant to protect the table; without them and
 * without a tenant's column it may well be everybody's.
 */
static OpsSeverity
unprotected_severity(const OpsRlsRelation *relation,
					 const OpsRlsRelation *protector)
{
	if (ops_objects_holds_tenants(relation))
		return OPS_P0;
	if (relation->is_public)
		return OPS_P3;
	return relation->policies != NIL || protector ? OPS_P2 : OPS_P3;
}

static OpsRlsCodeId
unprotected_code(const OpsRlsRelation *relation,
				 const OpsRlsRelation *protector)
{
	if (protector)
		return relation->is_partition ? PARTITION_CHILD_UNPROTECTED :
			INHERITANCE_CHILD_UNPROTECTED;
	return relation->policies != NIL ? POLICY_EXISTS_RLS_DISABLED :
		RLS_DISABLED;
}

static void
describe_unprotected(OpsObjects *objects, OpsRlsFinding *finding,
					 const OpsRlsRelation *relation,
					 const OpsRlsRelation *protector,
					 const OpsReachers *reachers)
{
	OpsRlsRole *first = ops_reachers_first(reachers);
	AclMode		rights = ops_objects_row_rights(objects->audit, first,
												relation, OPS_ROW_RIGHTS);
	const char *names = ops_objects_right_names(rights);
	ListCell   *lc;

	finding->verdict = "open";
	finding->reach = ops_rls_reach(objects->audit, first, relation,
								   rights & ACL_SELECT ? ACL_SELECT : rights);
	finding->remediation = psprintf("ALTER TABLE %s ENABLE ROW LEVEL SECURITY;",
									finding->object);
	finding->probe = ops_objects_probe(first, relation);

	if (protector)
		finding->message = psprintf(_("%s can be reached by its own name (%s), where the policies of %s do not apply"),
									finding->object, names,
									ops_rls_relation_name(protector));
	else if (relation->policies != NIL)
		finding->message = psprintf(_("%s has policies, but its row security is off, so none of them applies (%s)"),
									finding->object, names);
	else if (ops_objects_holds_tenants(relation))
		finding->message = psprintf(_("%s holds rows of all tenants and has row security off (%s)"),
									finding->object, names);
	else
	{
		finding->verdict = "unproved";
		finding->message = psprintf(_("%s has row security off (%s); nothing in it tells tenants apart, so its rows may be meant for all"),
									finding->object, names);
	}

	foreach(lc, relation->policies)
		finding->policies = lappend(finding->policies,
									unconstify(char *, ((OpsRlsPolicy *) lfirst(lc))->name));
	ops_rls_evidence(finding, "rights", "%s", names);
	ops_rls_evidence(finding, "owner", "%s",
					 ops_objects_role_name(objects->audit, relation->owner));
	if (ops_objects_key_names(relation)[0] != '\0')
		ops_rls_evidence(finding, "tenant_key", "%s",
						 ops_objects_key_names(relation));
	if (protector)
		ops_rls_evidence(finding, "parent", "%s",
						 ops_rls_relation_name(protector));
}

static void
report_unreached(OpsObjects *objects, const OpsRlsRelation *relation)
{
	OpsRlsFinding *finding;

	finding = ops_rls_report(objects->audit,
							 relation->policies != NIL ?
							 POLICY_EXISTS_RLS_DISABLED :
							 RLS_DISABLED_UNREACHABLE, relation);
	finding->severity = OPS_P3;
	finding->verdict = "not_applicable";
	finding->message = psprintf(_("%s has row security off, but no audited role reaches it; the next grant would open it"),
								finding->object);
	finding->remediation = psprintf("ALTER TABLE %s ENABLE ROW LEVEL SECURITY;",
									finding->object);
}

static const OpsRlsRelation *
protected_ancestor(const OpsRlsRelation *relation)
{
	ListCell   *lc;

	foreach(lc, relation->parents)
	{
		const OpsRlsRelation *parent = lfirst(lc);
		const OpsRlsRelation *found;

		if (parent->row_security)
			return parent;
		found = protected_ancestor(parent);
		if (found)
			return found;
	}
	return NULL;
}

/*
 * Whether an ancestor gives away the same and is reported for it, so that its
 * children need no rows of their own.
 */
static bool
parent_is_reported(OpsObjects *objects, const OpsRlsRelation *relation,
				   AclMode rights, bool row_security)
{
	ListCell   *lc;

	foreach(lc, relation->parents)
	{
		const OpsRlsRelation *parent = lfirst(lc);
		OpsReachers reachers = {0};

		if (parent->in_scope && parent->row_security == row_security &&
			!parent->is_public)
			ops_reachers_find(objects, &reachers, parent, rights);
		if (reachers.roles != NIL)
			return true;
		if (parent_is_reported(objects, parent, rights, row_security))
			return true;
	}
	return false;
}

/*
 * A table whose owner its policies do not bind.
 *
 * An owner that nobody can log in as, or become, is how it should be.  One
 * that is a superuser would not be bound by FORCE either.
 */
static void
judge_owner(OpsObjects *objects, const OpsRlsRelation *relation)
{
	OpsRlsRole *owner = ops_rls_role(objects->audit, relation->owner);
	OpsRlsFinding *finding;

	if (relation->forced || owner == NULL || !ops_objects_binds(owner) ||
		parent_spares_owner(relation))
		return;
	finding = ops_rls_report(objects->audit, RLS_NOT_FORCED, relation);
	finding->role_name = owner->name;
	finding->remediation = psprintf("ALTER TABLE %s FORCE ROW LEVEL SECURITY;",
									finding->object);
	ops_rls_evidence(finding, "owner", "%s", owner->name);
	ops_rls_evidence(finding, "owner_logs_in", "%s",
					 owner->logs_in ? "true" : "false");

	if (is_audited(objects->audit, owner->oid))
	{
		finding->severity = OPS_P0;
		finding->verdict = "open";
		finding->reach = owner->name;
		finding->counterexample = psprintf(_("any session of %s, any row"),
										   owner->name);
		finding->probe = ops_objects_probe(owner, relation);
		finding->message = psprintf(_("statements are run as %s, which owns %s, and no policy binds it"),
									owner->name, finding->object);
	}
	else if (owner->logs_in)
	{
		finding->reach = owner->name;
		finding->message = psprintf(_("%s, which owns %s, can log in, and no policy binds it"),
									owner->name, finding->object);
	}
	else if (owner->reachable &&
			 !list_member_oid(objects->owners_reached, owner->oid))
	{
		finding->reach = psprintf("SET ROLE %s", owner->name);
		finding->message = psprintf(_("a login can become %s, which owns %s, and no policy binds it"),
									owner->name, finding->object);
	}
	else
	{
		finding->severity = OPS_P3;
		finding->verdict = "not_applicable";
		finding->message = psprintf(_("%s, which owns %s, is not bound by policies; nobody logs in as this role"),
									owner->name, finding->object);
	}
}

/*
 * Whether a parent with the same owner gets that row already.
 */
static bool
parent_spares_owner(const OpsRlsRelation *relation)
{
	ListCell   *lc;

	foreach(lc, relation->parents)
	{
		const OpsRlsRelation *parent = lfirst(lc);

		if ((parent->in_scope && parent->row_security && !parent->forced &&
			 parent->owner == relation->owner) ||
			parent_spares_owner(parent))
			return true;
	}
	return false;
}

static bool
is_audited(const OpsRlsAudit *audit, Oid role)
{
	ListCell   *lc;

	foreach(lc, audit->roles)
	{
		const OpsRlsRole *audited = lfirst(lc);

		if (audited->oid == role)
			return audited->reachable;
	}
	return false;
}

/*
 * Rights that policies have no say in.
 *
 * The owner has them anyway, and a partition's row would repeat its parent's.
 */
static void
judge_whole_table_right(OpsObjects *objects, const OpsRlsRelation *relation,
						OpsRlsCodeId code, AclMode rights)
{
	const OpsRlsAudit *audit = objects->audit;
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;
	OpsRlsRole *first;
	const char *grantees;
	ListCell   *lc;

	foreach(lc, audit->roles)
	{
		if (has_whole_table_right(objects, lfirst(lc), relation, code, rights))
			ops_reachers_add(&reachers, lfirst(lc));
	}
	if (reachers.roles == NIL || is_open_anyway(objects, relation) ||
		parent_is_reported(objects, relation, rights, relation->row_security))
		return;

	first = ops_reachers_first(&reachers);
	rights = ops_rls_rights(audit, first, relation, rights);
	finding = ops_rls_report(objects->audit, code, relation);
	finding->verdict = "open";
	finding->reach = ops_rls_reach(audit, first, relation, rights);
	if (code == TRUNCATE_GRANTED)
	{
		finding->command = "TRUNCATE";
		finding->message = psprintf(_("TRUNCATE on %s is granted, which removes the rows of all tenants whatever the policies say"),
									finding->object);
	}
	else
		finding->message = psprintf(_("%s on %s is granted to a role that can create objects, whose keys and triggers see rows past the policies"),
									ops_objects_right_names(rights),
									finding->object);
	grantees = ops_reachers_grantees(audit, &reachers, relation->acl, rights);
	if (grantees)
		finding->remediation = psprintf("REVOKE %s ON %s FROM %s;",
										ops_objects_right_names(rights),
										finding->object, grantees);
	finding->probe = psprintf("SELECT has_table_privilege(%s, %s, %s);",
							  quote_literal_cstr(first->name),
							  quote_literal_cstr(finding->object),
							  quote_literal_cstr(ops_objects_right_names(rights)));
	ops_rls_evidence(finding, "rights", "%s", ops_objects_right_names(rights));
	ops_reachers_describe(&reachers, finding);
}

/*
 * Whether the table is reported for having no protection at all.
 */
static bool
is_open_anyway(OpsObjects *objects, const OpsRlsRelation *relation)
{
	OpsReachers reachers = {0};

	if (relation->row_security)
		return false;
	ops_reachers_find(objects, &reachers, relation, OPS_ROW_RIGHTS);
	return reachers.roles != NIL;
}

static bool
has_whole_table_right(OpsObjects *objects, const OpsRlsRole *role,
					  const OpsRlsRelation *relation, OpsRlsCodeId code,
					  AclMode rights)
{
	if (!ops_objects_binds(role) ||
		ops_rls_inherits(objects->audit, role, relation->owner) ||
		ops_rls_rights(objects->audit, role, relation, rights) == 0)
		return false;
	if (code != REFERENCES_TRIGGER_GRANTED)
		return true;
	return ops_objects_maker(objects, role)->in_schema ||
		ops_objects_maker(objects, role)->schemas;
}

/*
 * Unique keys: a row that cannot be inserted exists already, somewhere.
 */
static void
judge_unique_keys(OpsObjects *objects, const OpsRlsRelation *relation,
				  const OpsReachers *writers)
{
	StringInfoData keys;
	OpsRlsFinding *finding;
	ListCell   *lc;

	initStringInfo(&keys);
	foreach(lc, relation->unique_keys)
	{
		const Bitmapset *key = lfirst(lc);

		if (tells_of_others(relation, key))
			appendStringInfo(&keys, "%s(%s)", keys.len > 0 ? ", " : "",
							 column_names(relation, key));
	}
	if (keys.len == 0)
	{
		pfree(keys.data);
		return;
	}
	finding = ops_rls_report(objects->audit, UNIQUE_SIDE_CHANNEL, relation);
	finding->reach = ops_rls_reach(objects->audit,
								   ops_reachers_first(writers), relation,
								   ACL_INSERT | ACL_UPDATE);
	finding->message = psprintf(_("a duplicate in %s tells that some tenant's row of %s has the same value"),
								keys.data, finding->object);
	ops_rls_evidence(finding, "unique_keys", "%s", keys.data);
	ops_reachers_describe(writers, finding);
}

/*
 * Values that the server makes up, or nobody guesses, give nothing away.
 */
static bool
tells_of_others(const OpsRlsRelation *relation, const Bitmapset *key)
{
	bool		made_up = true;
	int			column = -1;

	if (bms_overlap(key, relation->tenant_keys) ||
		bms_overlap(key, relation->links))
		return false;
	while ((column = bms_next_member(key, column)) >= 0)
	{
		if (column > relation->ncolumns)
			return false;
		if (relation->columns[column - 1].type == UUIDOID)
			return false;
		made_up &= relation->columns[column - 1].has_default;
	}
	return !made_up;
}

/*
 * Foreign keys: a row that can be inserted refers to one that exists.
 */
static void
judge_foreign_keys(OpsObjects *objects, const OpsRlsRelation *relation,
				   const OpsReachers *writers)
{
	StringInfoData keys;
	OpsRlsFinding *finding;
	ListCell   *lc;

	initStringInfo(&keys);
	foreach(lc, relation->foreign_keys)
	{
		const OpsRlsForeignKey *key = lfirst(lc);
		const OpsRlsRelation *target = ops_rls_relation(objects->audit,
														key->target);
		Bitmapset  *columns = foreign_key_columns(key);

		if (target == NULL || !target->row_security ||
			!ops_objects_holds_tenants(target) ||
			bms_overlap(columns, relation->tenant_keys))
			continue;
		appendStringInfo(&keys, "%s(%s) -> %s", keys.len > 0 ? ", " : "",
						 column_names(relation, columns),
						 ops_rls_relation_name(target));
	}
	if (keys.len == 0)
	{
		pfree(keys.data);
		return;
	}
	finding = ops_rls_report(objects->audit, FK_SIDE_CHANNEL, relation);
	finding->reach = ops_rls_reach(objects->audit,
								   ops_reachers_first(writers), relation,
								   ACL_INSERT | ACL_UPDATE);
	finding->message = psprintf(_("rows of %s can refer to another tenant's row, and whether they can tells that it exists: %s"),
								finding->object, keys.data);
	ops_rls_evidence(finding, "foreign_keys", "%s", keys.data);
	ops_reachers_describe(writers, finding);
}

static const char *
column_names(const OpsRlsRelation *relation, const Bitmapset *columns)
{
	StringInfoData names;
	int			column = -1;

	initStringInfo(&names);
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		if (column < 1 || column > relation->ncolumns ||
			relation->columns[column - 1].name == NULL)
			continue;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 quote_identifier(relation->columns[column - 1].name));
	}
	return names.data;
}

static Bitmapset *
foreign_key_columns(const OpsRlsForeignKey *key)
{
	Bitmapset  *columns = NULL;

	for (int i = 0; i < key->ncolumns; i++)
	{
		if (key->columns[i] > 0)
			columns = bms_add_member(columns, key->columns[i]);
	}
	return columns;
}

/*
 * INSERT passes, but INSERT ... RETURNING needs a SELECT policy as well.
 */
static void
judge_returning(OpsObjects *objects, const OpsRlsRelation *relation,
				const OpsReachers *writers)
{
	const OpsRlsAudit *audit = objects->audit;
	OpsReachers reachers = {0};
	OpsRlsFinding *finding;
	ListCell   *lc;

	foreach(lc, writers->roles)
	{
		OpsRlsRole *role = lfirst(lc);

		if (ops_rls_exempt(audit, role->oid, relation) ||
			ops_objects_row_rights(audit, role, relation,
								   ACL_INSERT | ACL_SELECT) !=
			(ACL_INSERT | ACL_SELECT) ||
			!has_permissive(audit, relation, role, ACL_INSERT_CHR) ||
			has_permissive(audit, relation, role, ACL_SELECT_CHR))
			continue;
		ops_reachers_add(&reachers, role);
	}
	if (reachers.roles == NIL)
		return;
	finding = ops_rls_report(objects->audit, INSERT_RETURNING_DENIED,
							 relation);
	finding->command = "INSERT";
	finding->verdict = "denied";
	finding->reach = ops_rls_reach(audit, ops_reachers_first(&reachers),
								   relation, ACL_INSERT);
	finding->message = psprintf(_("rows can be inserted into %s, but INSERT ... RETURNING fails, for there is no SELECT policy"),
								finding->object);
	ops_reachers_describe(&reachers, finding);
}

static bool
has_permissive(const OpsRlsAudit *audit, const OpsRlsRelation *relation,
			   const OpsRlsRole *role, char command)
{
	ListCell   *lc;

	foreach(lc, relation->policies)
	{
		const OpsRlsPolicy *policy = lfirst(lc);

		if (!policy->permissive ||
			(policy->command != '*' && policy->command != command))
			continue;
		for (int i = 0; i < policy->nroles; i++)
		{
			if (!OidIsValid(policy->roles[i]) ||
				ops_rls_inherits(audit, role, policy->roles[i]))
				return true;
		}
	}
	return false;
}
