/*-------------------------------------------------------------------------
 *
 * codes.c
 *	  The findings there are: one row is one code.
 *
 * The severity is that of a finding that any tenant's session can reach; a
 * rule softens it where it knows better.  Names are what waivers and scripts
 * refer to and never change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rls/rls.h"

const OpsRlsCode ops_rls_code_table[OPS_RLS_NUM_CODES] = {
	[RLS_DISABLED] = {
		.name = "rls_disabled",
		.severity = OPS_P0,
		.splinter = "rls_disabled_in_public",
		.title = gettext_noop("tenant data is reachable with row security off"),
	},
	[POLICY_EXISTS_RLS_DISABLED] = {
		.name = "policy_exists_rls_disabled",
		.severity = OPS_P0,
		.splinter = "policy_exists_rls_disabled",
		.title = gettext_noop("policies exist but row security is off, so none of them applies"),
	},
	[PARTITION_CHILD_UNPROTECTED] = {
		.name = "partition_child_unprotected",
		.severity = OPS_P0,
		.splinter = "rls_disabled_in_public",
		.title = gettext_noop("a partition is reachable by name without its parent's protection"),
	},
	[INHERITANCE_CHILD_UNPROTECTED] = {
		.name = "inheritance_child_unprotected",
		.severity = OPS_P0,
		.splinter = "rls_disabled_in_public",
		.title = gettext_noop("an inheritance child is reachable by name without its parent's protection"),
	},
	[MATERIALIZED_VIEW_EXPOSED] = {
		.name = "materialized_view_exposed",
		.severity = OPS_P0,
		.splinter = "materialized_view_in_api",
		.title = gettext_noop("a materialized view hands out rows of protected tables"),
	},
	[FOREIGN_TABLE_EXPOSED] = {
		.name = "foreign_table_exposed",
		.severity = OPS_P0,
		.splinter = "foreign_table_in_api",
		.title = gettext_noop("a foreign table, which row security cannot cover, is reachable"),
	},
	[VIEW_BYPASSES_RLS] = {
		.name = "view_bypasses_rls",
		.severity = OPS_P0,
		.splinter = "security_definer_view",
		.title = gettext_noop("a view reads protected tables as an owner whom no policy binds"),
	},
	[VIEW_WITHOUT_SECURITY_BARRIER] = {
		.name = "view_without_security_barrier",
		.severity = OPS_P1,
		.splinter = "security_definer_view",
		.title = gettext_noop("a view filters rows itself, but functions can be pushed below its filter"),
	},
	[SECURITY_DEFINER_BYPASSES_RLS] = {
		.name = "security_definer_bypasses_rls",
		.severity = OPS_P0,
		.splinter = "authenticated_security_definer_function_executable",
		.title = gettext_noop("a function hands out or writes protected rows as an owner whom no policy binds"),
	},
	[FUNCTION_SEARCH_PATH_MUTABLE] = {
		.name = "function_search_path_mutable",
		.severity = OPS_P1,
		.splinter = "function_search_path_mutable",
		.title = gettext_noop("a function that rows' protection rests on resolves names through its caller's search_path"),
	},
	[LEAKPROOF_USER_FUNCTION] = {
		.name = "leakproof_user_function",
		.severity = OPS_P1,
		.title = gettext_noop("a user's function marked LEAKPROOF runs before policies do"),
	},
	[BYPASSRLS_REACHABLE] = {
		.name = "bypassrls_reachable",
		.severity = OPS_P0,
		.title = gettext_noop("an application's role has or can take on BYPASSRLS or superuser"),
	},
	[OWNER_REACHABLE] = {
		.name = "owner_reachable",
		.severity = OPS_P0,
		.title = gettext_noop("an application's role can become the owner of a protected table"),
	},
	[RLS_NOT_FORCED] = {
		.name = "rls_not_forced",
		.severity = OPS_P1,
		.title = gettext_noop("the owner logs in and no policy binds it"),
	},
	[TRUNCATE_GRANTED] = {
		.name = "truncate_granted",
		.severity = OPS_P1,
		.title = gettext_noop("TRUNCATE, which no policy restricts, is granted"),
	},
	[REFERENCES_TRIGGER_GRANTED] = {
		.name = "references_trigger_granted",
		.severity = OPS_P1,
		.title = gettext_noop("REFERENCES or TRIGGER is granted to a role that can create objects"),
	},
	[DEFAULT_PRIVILEGES_EXPOSED] = {
		.name = "default_privileges_exposed",
		.severity = OPS_P1,
		.title = gettext_noop("tables to come are granted before they have row security"),
	},
	[LARGE_OBJECT_EXPOSED] = {
		.name = "large_object_exposed",
		.severity = OPS_P1,
		.title = gettext_noop("large objects are reachable, and row security covers only what points to them"),
	},
	[SEQUENCE_EXPOSED] = {
		.name = "sequence_exposed",
		.severity = OPS_P3,
		.title = gettext_noop("a counter shared by all tenants is readable"),
	},
	[POLICY_ALWAYS_TRUE] = {
		.name = "policy_always_true",
		.severity = OPS_P0,
		.splinter = "rls_policy_always_true",
		.title = gettext_noop("what the policies ask for is always true"),
	},
	[POLICY_SELF_COMPARISON] = {
		.name = "policy_self_comparison",
		.severity = OPS_P0,
		.title = gettext_noop("a policy compares a column with itself"),
	},
	[POLICY_UNCORRELATED_SUBQUERY] = {
		.name = "policy_uncorrelated_subquery",
		.severity = OPS_P0,
		.title = gettext_noop("a policy's membership test is not tied to the row"),
	},
	[POLICY_NOT_TENANT_BOUND] = {
		.name = "policy_not_tenant_bound",
		.severity = OPS_P0,
		.title = gettext_noop("what the policies ask for is true of another tenant's rows"),
	},
	[PERMISSIVE_OR_WIDENING] = {
		.name = "permissive_or_widening",
		.severity = OPS_P0,
		.splinter = "rls_policy_always_true",
		.title = gettext_noop("a further permissive policy opens what another one closes"),
	},
	[WRITE_CHECK_NOT_TENANT_BOUND] = {
		.name = "write_check_not_tenant_bound",
		.severity = OPS_P0,
		.splinter = "rls_policy_always_true",
		.title = gettext_noop("a row can be written into another tenant"),
	},
	[POLICY_DEFAULT_OPEN] = {
		.name = "policy_default_open",
		.severity = OPS_P0,
		.title = gettext_noop("what the policies ask for is true where the session says nothing of who it is"),
	},
	[POLICY_NULL_TENANT_VISIBLE] = {
		.name = "policy_null_tenant_visible",
		.severity = OPS_P1,
		.title = gettext_noop("rows that name no tenant are shared by all"),
	},
	[POLICY_WRONG_IDENTITY] = {
		.name = "policy_wrong_identity",
		.severity = OPS_P0,
		.title = gettext_noop("a tenant's column is compared with a user's identity, or the reverse"),
	},
	[POLICY_ROLE_IDENTITY] = {
		.name = "policy_role_identity",
		.severity = OPS_P0,
		.title = gettext_noop("a policy trusts the role's name while one role serves all tenants"),
	},
	[POLICY_TRUSTS_USER_METADATA] = {
		.name = "policy_trusts_user_metadata",
		.severity = OPS_P0,
		.splinter = "rls_references_user_metadata",
		.title = gettext_noop("a policy trusts a claim that users can edit"),
	},
	[POLICY_PATTERN_MATCH_IDENTITY] = {
		.name = "policy_pattern_match_identity",
		.severity = OPS_P0,
		.title = gettext_noop("a policy matches the identity against a pattern"),
	},
	[POLICY_LOOKUP_WRITABLE] = {
		.name = "policy_lookup_writable",
		.severity = OPS_P0,
		.title = gettext_noop("a table that a policy trusts can be written so as to join another tenant"),
	},
	[POLICY_IMMUTABLE_SESSION_FUNCTION] = {
		.name = "policy_immutable_session_function",
		.severity = OPS_P1,
		.title = gettext_noop("a function that reads the session is marked IMMUTABLE, so cached plans keep the first tenant"),
	},
	[POLICY_RECURSION] = {
		.name = "policy_recursion",
		.severity = OPS_P1,
		.title = gettext_noop("policies refer to one another in a circle, so every query fails"),
	},
	[RESTRICTIVE_ONLY] = {
		.name = "restrictive_only",
		.severity = OPS_P2,
		.title = gettext_noop("there are restrictive policies but no permissive one, so no row passes"),
	},
	[RLS_ENABLED_NO_POLICY] = {
		.name = "rls_enabled_no_policy",
		.severity = OPS_P2,
		.splinter = "rls_enabled_no_policy",
		.title = gettext_noop("row security is on without any policy, so no row passes"),
	},
	[RESTRICTIVE_POLICY_NOOP] = {
		.name = "restrictive_policy_noop",
		.severity = OPS_P2,
		.title = gettext_noop("a restrictive policy restricts nothing"),
	},
	[POLICY_IDENTITY_INCONSISTENT] = {
		.name = "policy_identity_inconsistent",
		.severity = OPS_P2,
		.title = gettext_noop("a policy reads another identity than its siblings"),
	},
	[POLICY_OPAQUE_FUNCTION] = {
		.name = "policy_opaque_function",
		.severity = OPS_P2,
		.title = gettext_noop("isolation cannot be proved past a function or operator"),
	},
	[UNIQUE_SIDE_CHANNEL] = {
		.name = "unique_side_channel",
		.severity = OPS_P3,
		.title = gettext_noop("a unique key without the tenant tells whether a value exists elsewhere"),
	},
	[FK_SIDE_CHANNEL] = {
		.name = "fk_side_channel",
		.severity = OPS_P3,
		.title = gettext_noop("a foreign key without the tenant tells whether a row exists elsewhere"),
	},
	[POLICY_DENIES_ALL] = {
		.name = "policy_denies_all",
		.severity = OPS_P3,
		.title = gettext_noop("no row ever passes the policies"),
	},
	[POLICY_REDUNDANT] = {
		.name = "policy_redundant",
		.severity = OPS_P3,
		.title = gettext_noop("a policy changes nothing"),
	},
	[RLS_DISABLED_UNREACHABLE] = {
		.name = "rls_disabled_unreachable",
		.severity = OPS_P3,
		.title = gettext_noop("tenant data has row security off, but no audited role reaches it"),
	},
	[SERVER_RLS_CVE] = {
		.name = "server_rls_cve",
		.severity = OPS_P1,
		.title = gettext_noop("the server lacks a security fix that concerns row security"),
	},
	[INSERT_RETURNING_DENIED] = {
		.name = "insert_returning_denied",
		.severity = OPS_P3,
		.title = gettext_noop("rows can be inserted, but INSERT ... RETURNING fails for want of a SELECT policy"),
	},
	[PUBLICATION_IGNORES_RLS] = {
		.name = "publication_ignores_rls",
		.severity = OPS_P3,
		.title = gettext_noop("a publication sends rows past row security"),
	},
	[SETTING_USER_WRITABLE] = {
		.name = "setting_user_writable",
		.severity = OPS_P3,
		.title = gettext_noop("whoever runs SQL can set the setting that policies trust"),
	},
	[TENANCY_ASSUMED] = {
		.name = "tenancy_assumed",
		.severity = OPS_P3,
		.title = gettext_noop("what tells tenants apart was found out, not declared"),
	},
	[RELATION_LOCKED] = {
		.name = "relation_locked",
		.severity = OPS_P3,
		.title = gettext_noop("a relation is locked exclusively; what is said of it is its last committed state"),
	},
	[NOT_VISIBLE] = {
		.name = "not_visible",
		.severity = OPS_P3,
		.title = gettext_noop("something could not be looked at"),
	},
	[PROOF_CONTRADICTED] = {
		.name = "proof_contradicted",
		.severity = OPS_P0,
		.title = gettext_noop("rows of another tenant were seen where a proof said there are none"),
	},
	[PERF_POLICY_INITPLAN] = {
		.name = "perf_policy_initplan",
		.severity = OPS_P2,
		.performance = true,
		.splinter = "auth_rls_initplan",
		.title = gettext_noop("an identity is evaluated for each row"),
	},
	[PERF_POLICY_UNINDEXED_COLUMN] = {
		.name = "perf_policy_unindexed_column",
		.severity = OPS_P2,
		.performance = true,
		.title = gettext_noop("no usable index leads with a column that policies compare"),
	},
	[PERF_POLICY_INDEX_DEFEATED] = {
		.name = "perf_policy_index_defeated",
		.severity = OPS_P2,
		.performance = true,
		.title = gettext_noop("a cast or function on the column keeps its index from being used"),
	},
	[PERF_POLICY_PER_ROW_FUNCTION] = {
		.name = "perf_policy_per_row_function",
		.severity = OPS_P2,
		.performance = true,
		.title = gettext_noop("a function with the row as argument runs a query for each row"),
	},
	[PERF_POLICY_VOLATILE_FUNCTION] = {
		.name = "perf_policy_volatile_function",
		.severity = OPS_P2,
		.performance = true,
		.title = gettext_noop("a volatile function in a policy keeps indexes from being used"),
	},
	[PERF_POLICY_CORRELATED_SUBQUERY] = {
		.name = "perf_policy_correlated_subquery",
		.severity = OPS_P3,
		.performance = true,
		.title = gettext_noop("a sub-select runs for each row where it could run once"),
	},
	[PERF_MULTIPLE_PERMISSIVE_POLICIES] = {
		.name = "perf_multiple_permissive_policies",
		.severity = OPS_P2,
		.performance = true,
		.splinter = "multiple_permissive_policies",
		.title = gettext_noop("several permissive policies are evaluated for one role and command"),
	},
	[PERF_POLICY_TO_PUBLIC] = {
		.name = "perf_policy_to_public",
		.severity = OPS_P3,
		.performance = true,
		.title = gettext_noop("a policy without a TO clause is evaluated for every role"),
	},
};
