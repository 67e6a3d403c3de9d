-- perf_cases.sql: small tables, each with policies that are slow in one way,
-- or in none.  The comment on a table lists the performance codes that the
-- audit has to report for it at P0 to P2, in order; "none" is none.  What is
-- reported at P3 is left open, except where the comment says "p3: code".
--
-- Run with psql in a database of its own where the extension is installed;
-- the last query shows what differs, and has to be empty.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

CREATE SCHEMA perf_cases;
SET search_path = perf_cases;
CREATE ROLE perf_cases_app LOGIN;
CREATE ROLE perf_cases_team NOLOGIN;
CREATE ROLE perf_cases_member LOGIN;
GRANT perf_cases_team TO perf_cases_member;
GRANT USAGE ON SCHEMA perf_cases TO perf_cases_app, perf_cases_team;

-- helpers
CREATE FUNCTION tenant() RETURNS uuid LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$;
CREATE FUNCTION account() RETURNS uuid LANGUAGE plpgsql STABLE
AS $$ BEGIN RETURN current_setting('app.user_id', true)::uuid; END $$;
CREATE FUNCTION loose_account() RETURNS uuid LANGUAGE plpgsql VOLATILE
AS $$ BEGIN RETURN current_setting('app.user_id', true)::uuid; END $$;
CREATE FUNCTION loose_tenant() RETURNS uuid LANGUAGE sql VOLATILE
AS $$ SELECT current_setting('app.tenant_id', true)::uuid $$;
CREATE FUNCTION fixed() RETURNS uuid LANGUAGE sql IMMUTABLE
AS $$ SELECT '00000000-0000-0000-0000-000000000001'::uuid $$;

CREATE TABLE members (team_id uuid, user_id uuid, level int, PRIMARY KEY (team_id, user_id));
CREATE TABLE members_by_user (team_id uuid, user_id uuid, PRIMARY KEY (user_id, team_id));
CREATE TABLE bare_members (team_id uuid, user_id uuid);
CREATE TABLE text_members (team_id uuid, user_id uuid);
CREATE INDEX ON text_members ((user_id::text));
CREATE TABLE profiles (user_id uuid, tenant_id uuid);
CREATE TABLE good_profiles (user_id uuid PRIMARY KEY, tenant_id uuid);

CREATE FUNCTION is_member(uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = perf_cases
AS $$ SELECT EXISTS (SELECT FROM members_by_user WHERE team_id = $1 AND user_id = account()) $$;
CREATE FUNCTION is_member_plpgsql(team uuid) RETURNS boolean LANGUAGE plpgsql STABLE
AS $$
BEGIN
	-- nothing to select from here
	RETURN EXISTS (SELECT 1 FROM members WHERE team_id = team AND user_id = account());
END $$;
CREATE FUNCTION same_tenant(uuid) RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT $1 = (SELECT tenant()) $$;
CREATE FUNCTION compares(uuid) RETURNS boolean LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN $1 IS NOT DISTINCT FROM current_setting('app.tenant_id', true)::uuid; -- select from
END $$;
CREATE FUNCTION profile_tenant() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = perf_cases
AS $$ SELECT tenant_id FROM profiles WHERE user_id = account() $$;
CREATE FUNCTION good_profile_tenant() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC SELECT tenant_id FROM good_profiles WHERE user_id = account(); END;
CREATE FUNCTION my_teams() RETURNS SETOF uuid LANGUAGE sql STABLE
AS $$ SELECT team_id FROM members_by_user WHERE user_id = account() $$;
CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
AS $$ SELECT lower($1) $$;

-- initplan
CREATE TABLE ip_setting (tenant_id uuid PRIMARY KEY, note text);
COMMENT ON TABLE ip_setting IS 'perf_policy_initplan';
CREATE POLICY p ON ip_setting TO perf_cases_app
	USING (tenant_id = current_setting('app.tenant_id')::uuid);

CREATE TABLE ip_helper (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_helper IS 'perf_policy_initplan';
CREATE POLICY p ON ip_helper TO perf_cases_app USING (tenant_id = tenant()) WITH CHECK (tenant_id = tenant());

CREATE TABLE ip_check (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_check IS 'perf_policy_initplan';
CREATE POLICY p ON ip_check FOR INSERT TO perf_cases_app WITH CHECK (tenant_id = tenant());

CREATE TABLE ip_wrapped (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_wrapped IS 'none';
CREATE POLICY p ON ip_wrapped TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE ip_wrapped_inside (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_wrapped_inside IS 'none';
CREATE POLICY p ON ip_wrapped_inside TO perf_cases_app
	USING (tenant_id = (SELECT current_setting('app.tenant_id'))::uuid);

CREATE TABLE ip_exists (team_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_exists IS 'perf_policy_initplan, p3: perf_policy_correlated_subquery';
CREATE POLICY p ON ip_exists TO perf_cases_app
	USING (EXISTS (SELECT FROM members m WHERE m.team_id = ip_exists.team_id AND m.user_id = account()));

CREATE TABLE ip_exists_wrapped (team_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_exists_wrapped IS 'p3: perf_policy_correlated_subquery';
CREATE POLICY p ON ip_exists_wrapped TO perf_cases_app
	USING (EXISTS (SELECT FROM members m
				   WHERE m.team_id = ip_exists_wrapped.team_id AND m.user_id = (SELECT account())));

CREATE TABLE ip_in (team_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_in IS 'none';
CREATE POLICY p ON ip_in TO perf_cases_app
	USING (team_id IN (SELECT team_id FROM members_by_user WHERE user_id = account()));

CREATE TABLE ip_nested (team_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_nested IS 'p3: perf_policy_correlated_subquery';
CREATE POLICY p ON ip_nested TO perf_cases_app
	USING (EXISTS (SELECT FROM members m WHERE m.team_id = ip_nested.team_id
				   AND m.level = 1 AND m.user_id IN (SELECT user_id FROM good_profiles WHERE user_id = account())));

CREATE TABLE ip_constant (tenant_id uuid PRIMARY KEY, until timestamptz);
COMMENT ON TABLE ip_constant IS 'none';
CREATE POLICY p ON ip_constant TO perf_cases_app USING (tenant_id = fixed() AND until > now());

CREATE TABLE ip_role (owner name PRIMARY KEY);
COMMENT ON TABLE ip_role IS 'none';
CREATE POLICY p ON ip_role TO perf_cases_app USING (owner = current_user);

CREATE TABLE ip_array (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_array IS 'perf_policy_initplan';
CREATE POLICY p ON ip_array TO perf_cases_app
	USING (tenant_id = ANY (string_to_array(current_setting('app.tenants', true), ',')::uuid[]));

CREATE TABLE ip_alone (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_alone IS 'p3: perf_policy_initplan';
CREATE POLICY p ON ip_alone TO perf_cases_app USING (current_setting('app.role', true) = 'admin');

CREATE TABLE ip_or (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ip_or IS 'perf_policy_initplan';
CREATE POLICY p ON ip_or TO perf_cases_app
	USING (current_setting('app.role', true) = 'admin' OR tenant_id = (SELECT tenant()));

CREATE TABLE "ip ""odd""" ("te nant" uuid PRIMARY KEY);
COMMENT ON TABLE "ip ""odd""" IS 'perf_policy_initplan';
CREATE POLICY "p ""q""" ON "ip ""odd""" TO perf_cases_app USING ("te nant" = tenant());

-- indexes
CREATE TABLE ix_none (id int PRIMARY KEY, tenant_id uuid);
COMMENT ON TABLE ix_none IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_none TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE ix_second (id int, tenant_id uuid, PRIMARY KEY (id, tenant_id));
COMMENT ON TABLE ix_second IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_second TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE ix_leads (id int, tenant_id uuid, PRIMARY KEY (tenant_id, id));
COMMENT ON TABLE ix_leads IS 'none';
CREATE POLICY p ON ix_leads TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE ix_hash (id int, tenant_id uuid);
CREATE INDEX ON ix_hash USING hash (tenant_id);
COMMENT ON TABLE ix_hash IS 'none';
CREATE POLICY p ON ix_hash TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE ix_partial (id int, tenant_id uuid, deleted boolean);
CREATE INDEX ON ix_partial (tenant_id) WHERE NOT deleted;
COMMENT ON TABLE ix_partial IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_partial TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE ix_partial_implied (id int, tenant_id uuid, deleted boolean);
CREATE INDEX ON ix_partial_implied (tenant_id) WHERE NOT deleted;
COMMENT ON TABLE ix_partial_implied IS 'none';
CREATE POLICY p ON ix_partial_implied TO perf_cases_app
	USING (tenant_id = (SELECT tenant()) AND NOT deleted);

CREATE TABLE ix_not_null (id int, tenant_id uuid);
CREATE INDEX ON ix_not_null (tenant_id) WHERE tenant_id IS NOT NULL;
COMMENT ON TABLE ix_not_null IS 'none';
CREATE POLICY p ON ix_not_null TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE ix_one_of_two (tenant_id uuid, owner_id uuid, id int, PRIMARY KEY (tenant_id, id));
COMMENT ON TABLE ix_one_of_two IS 'none';
CREATE POLICY p ON ix_one_of_two TO perf_cases_app
	USING (tenant_id = (SELECT tenant()) AND owner_id = (SELECT account()));

CREATE TABLE ix_alternatives (tenant_id uuid PRIMARY KEY, owner_id uuid);
COMMENT ON TABLE ix_alternatives IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_alternatives TO perf_cases_app
	USING (tenant_id = (SELECT tenant()) OR owner_id = (SELECT account()));

CREATE TABLE ix_check_only (tenant_id uuid);
COMMENT ON TABLE ix_check_only IS 'none';
CREATE POLICY p ON ix_check_only FOR INSERT TO perf_cases_app WITH CHECK (tenant_id = (SELECT tenant()));

CREATE TABLE ix_literal (state text, tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ix_literal IS 'none';
CREATE POLICY p ON ix_literal TO perf_cases_app USING (state = 'published' OR tenant_id = (SELECT tenant()));

CREATE TABLE ix_varchar (tenant varchar PRIMARY KEY);
COMMENT ON TABLE ix_varchar IS 'none';
CREATE POLICY p ON ix_varchar TO perf_cases_app USING (tenant = (SELECT current_setting('app.tenant')));

CREATE TABLE ix_lookup (team_id uuid PRIMARY KEY);
COMMENT ON TABLE ix_lookup IS 'p3: perf_policy_unindexed_column';
COMMENT ON TABLE bare_members IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_lookup TO perf_cases_app
	USING (team_id IN (SELECT team_id FROM bare_members WHERE user_id = account()));

CREATE TABLE ix_lookup_second (team_id uuid PRIMARY KEY);
COMMENT ON TABLE ix_lookup_second IS 'p3: perf_policy_unindexed_column';
COMMENT ON TABLE members IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_lookup_second TO perf_cases_app
	USING (team_id IN (SELECT team_id FROM members WHERE user_id = account()));

CREATE TABLE ix_lookup_helper (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ix_lookup_helper IS 'p3: perf_policy_unindexed_column';
COMMENT ON TABLE profiles IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_lookup_helper TO perf_cases_app USING (tenant_id = (SELECT profile_tenant()));

CREATE TABLE ix_lookup_helper_good (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE ix_lookup_helper_good IS 'none';
CREATE POLICY p ON ix_lookup_helper_good TO perf_cases_app USING (tenant_id = (SELECT good_profile_tenant()));

CREATE TABLE ix_set (team_id uuid);
COMMENT ON TABLE ix_set IS 'perf_policy_unindexed_column';
CREATE POLICY p ON ix_set TO perf_cases_app USING (team_id IN (SELECT my_teams()));

CREATE TABLE ix_list (tenant_id uuid, id int) PARTITION BY LIST (tenant_id);
COMMENT ON TABLE ix_list IS 'none';
CREATE POLICY p ON ix_list TO perf_cases_app USING (tenant_id = (SELECT tenant()));

-- defeated
CREATE TABLE de_cast (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE de_cast IS 'perf_policy_index_defeated';
CREATE POLICY p ON de_cast TO perf_cases_app
	USING (tenant_id::text = (SELECT current_setting('app.tenant_id', true)));

CREATE TABLE de_cast_indexed (tenant_id uuid);
CREATE INDEX ON de_cast_indexed ((tenant_id::text));
COMMENT ON TABLE de_cast_indexed IS 'none';
CREATE POLICY p ON de_cast_indexed TO perf_cases_app
	USING (tenant_id::text = (SELECT current_setting('app.tenant_id', true)));

CREATE TABLE de_function (owner text PRIMARY KEY);
COMMENT ON TABLE de_function IS 'perf_policy_index_defeated';
CREATE POLICY p ON de_function TO perf_cases_app
	USING (fold(owner) = (SELECT current_setting('app.owner', true)));

CREATE TABLE de_numeric (tenant_id int PRIMARY KEY);
COMMENT ON TABLE de_numeric IS 'perf_policy_index_defeated';
CREATE POLICY p ON de_numeric TO perf_cases_app
	USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::numeric));

CREATE TABLE de_bigint (tenant_id int PRIMARY KEY);
COMMENT ON TABLE de_bigint IS 'none';
CREATE POLICY p ON de_bigint TO perf_cases_app
	USING ((SELECT current_setting('app.tenant_id', true)::bigint) = tenant_id);

CREATE TABLE de_lookup (team_id uuid PRIMARY KEY);
COMMENT ON TABLE de_lookup IS 'none';
CREATE POLICY p ON de_lookup TO perf_cases_app
	USING (team_id IN (SELECT t.team_id FROM text_members t WHERE t.user_id::text = current_setting('app.user_id', true)));

-- functions
CREATE TABLE fn_member (team_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_member IS 'perf_policy_per_row_function';
CREATE POLICY p ON fn_member TO perf_cases_app USING (is_member(team_id));

CREATE TABLE fn_member_plpgsql (team_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_member_plpgsql IS 'perf_policy_per_row_function';
CREATE POLICY p ON fn_member_plpgsql TO perf_cases_app USING (is_member_plpgsql(team_id));

CREATE TABLE fn_wrapped (team_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_wrapped IS 'perf_policy_per_row_function';
CREATE POLICY p ON fn_wrapped TO perf_cases_app USING ((SELECT is_member(team_id)));

CREATE TABLE fn_no_query (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_no_query IS 'none';
CREATE POLICY p ON fn_no_query TO perf_cases_app USING (same_tenant(tenant_id));

CREATE TABLE fn_no_query_plpgsql (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_no_query_plpgsql IS 'none';
CREATE POLICY p ON fn_no_query_plpgsql TO perf_cases_app USING (compares(tenant_id));

CREATE TABLE fn_volatile (user_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_volatile IS 'perf_policy_initplan, perf_policy_volatile_function';
CREATE POLICY p ON fn_volatile TO perf_cases_app USING (user_id = loose_account());

CREATE TABLE fn_volatile_melts (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_volatile_melts IS 'perf_policy_initplan, p3: perf_policy_volatile_function';
CREATE POLICY p ON fn_volatile_melts TO perf_cases_app USING (tenant_id = loose_tenant());

CREATE TABLE fn_random (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE fn_random IS 'perf_policy_volatile_function';
CREATE POLICY p ON fn_random TO perf_cases_app USING (tenant_id = (SELECT tenant()) AND random() < 2);

-- correlated
CREATE TABLE co_scalar (team_id uuid PRIMARY KEY);
COMMENT ON TABLE co_scalar IS 'p3: perf_policy_correlated_subquery';
CREATE POLICY p ON co_scalar TO perf_cases_app
	USING ((SELECT tenant_id FROM good_profiles WHERE user_id = co_scalar.team_id) = (SELECT tenant()));

CREATE TABLE co_range (level int PRIMARY KEY, team_id uuid);
COMMENT ON TABLE co_range IS 'none';
CREATE POLICY p ON co_range TO perf_cases_app
	USING (EXISTS (SELECT FROM members_by_user m WHERE m.user_id = (SELECT account()) AND m.team_id > co_range.team_id));

-- several policies
CREATE TABLE mu_two (tenant_id uuid PRIMARY KEY, public boolean);
COMMENT ON TABLE mu_two IS 'perf_multiple_permissive_policies';
CREATE POLICY a ON mu_two FOR SELECT TO perf_cases_app USING (tenant_id = (SELECT tenant()));
CREATE POLICY b ON mu_two TO perf_cases_app USING (public);

CREATE TABLE mu_inherited (tenant_id uuid PRIMARY KEY, public boolean);
COMMENT ON TABLE mu_inherited IS 'perf_multiple_permissive_policies';
CREATE POLICY a ON mu_inherited FOR SELECT TO perf_cases_team USING (tenant_id = (SELECT tenant()));
CREATE POLICY b ON mu_inherited FOR SELECT TO perf_cases_member USING (public);

CREATE TABLE mu_roles (tenant_id uuid PRIMARY KEY, public boolean);
COMMENT ON TABLE mu_roles IS 'none';
CREATE POLICY a ON mu_roles FOR SELECT TO perf_cases_app USING (tenant_id = (SELECT tenant()));
CREATE POLICY b ON mu_roles FOR SELECT TO perf_cases_team USING (public);

CREATE TABLE mu_commands (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE mu_commands IS 'none';
CREATE POLICY a ON mu_commands FOR SELECT TO perf_cases_app USING (tenant_id = (SELECT tenant()));
CREATE POLICY b ON mu_commands FOR DELETE TO perf_cases_app USING (tenant_id = (SELECT tenant()));

CREATE TABLE mu_restrictive (tenant_id uuid PRIMARY KEY, owner_id uuid);
COMMENT ON TABLE mu_restrictive IS 'p3: perf_policy_unindexed_column';
CREATE POLICY a ON mu_restrictive AS RESTRICTIVE USING (tenant_id = (SELECT tenant()));
CREATE POLICY b ON mu_restrictive TO perf_cases_app USING (owner_id = (SELECT account()));

CREATE TABLE mu_public (tenant_id uuid PRIMARY KEY);
COMMENT ON TABLE mu_public IS 'p3: perf_policy_to_public';
CREATE POLICY p ON mu_public USING (tenant_id = (SELECT tenant()));

-- nobody is concerned
CREATE TABLE no_grant (tenant_id uuid);
COMMENT ON TABLE no_grant IS 'none';
CREATE POLICY p ON no_grant USING (tenant_id = tenant());

CREATE TABLE no_rls (tenant_id uuid);
COMMENT ON TABLE no_rls IS 'none';
CREATE POLICY p ON no_rls USING (tenant_id = tenant());

SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', oid::regclass)
FROM pg_class
WHERE relnamespace = 'perf_cases'::regnamespace AND relname <> 'no_rls'
	AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid) \gexec
SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO perf_cases_app, perf_cases_team', oid::regclass)
FROM pg_class
WHERE relnamespace = 'perf_cases'::regnamespace AND relname <> 'no_grant'
	AND relkind IN ('r', 'p') \gexec

-- what the audit says and the comments do not, and the reverse
RESET search_path;
WITH found AS (
	SELECT object_name, code, severity
	FROM ops.rls_audit(schemas => '{perf_cases}')
	WHERE class = 'performance'
), claim AS (
	SELECT relname AS object_name, trim(part) AS part
	FROM pg_class, string_to_table(obj_description(oid, 'pg_class'), ',') AS part
	WHERE relnamespace = 'perf_cases'::regnamespace
)
SELECT 'not reported' AS what, object_name, part AS code
FROM claim
WHERE part <> 'none' AND NOT EXISTS (
	SELECT FROM found
	WHERE found.object_name = claim.object_name
		AND CASE WHEN part LIKE 'p3: %' THEN severity = 'P3' AND 'p3: ' || code = part
			ELSE severity < 'P3' AND code = part END)
UNION
SELECT 'too much', object_name, code
FROM found
WHERE severity < 'P3' AND NOT EXISTS (
	SELECT FROM claim WHERE claim.object_name = found.object_name AND part = code)
ORDER BY 1, 2, 3;
