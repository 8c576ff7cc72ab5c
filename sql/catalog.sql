-- What must hold of every object of the extension, asked of the catalogs, so that it holds of those to come too.
-- Each query lists what breaks a rule: no rows.
SET search_path = pg_catalog;

CREATE TEMP VIEW ours AS
	SELECT c.oid, c.relname AS name, c.relkind AS kind, c.relrowsecurity, c.reloptions, c.relacl
	FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
		JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE d.deptype = 'e' AND e.extname = 'modelreg';
CREATE TEMP VIEW our_functions AS
	SELECT p.*, p.oid::regprocedure::text AS name
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
		JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE d.deptype = 'e' AND e.extname = 'modelreg';
-- The lists are not empty, so that the rest of this test says something.
SELECT count(*) FILTER (WHERE kind = 'r') > 10 AS tables, count(*) FILTER (WHERE kind = 'v') > 0 AS views,
	count(*) FILTER (WHERE kind = 'S') > 3 AS sequences, (SELECT count(*) > 50 FROM our_functions) AS functions
FROM ours;

-- Nothing stands in the schema but what the extension made.
SELECT c.oid::regclass AS stray FROM pg_class c
WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
	AND NOT EXISTS (SELECT FROM ours o WHERE o.oid = c.oid) AND NOT c.relispartition;
SELECT p.oid::regprocedure AS stray FROM pg_proc p
WHERE p.pronamespace = 'modelreg'::regnamespace AND NOT EXISTS (SELECT FROM our_functions o WHERE o.oid = p.oid);

-- Everything that a user can see is described.
SELECT name AS without_comment FROM ours WHERE obj_description(oid, 'pg_class') IS NULL
UNION ALL
SELECT name FROM our_functions WHERE obj_description(oid, 'pg_proc') IS NULL
UNION ALL
SELECT format('%s.%s', o.name, a.attname) FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid
WHERE o.kind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND col_description(o.oid, a.attnum) IS NULL
UNION ALL
SELECT t.typname FROM pg_type t
WHERE t.typnamespace = 'modelreg'::regnamespace AND t.typrelid = 0 AND t.typelem = 0
	AND obj_description(t.oid, 'pg_type') IS NULL
UNION ALL
SELECT e.evtname FROM pg_event_trigger e
WHERE e.evtname LIKE 'modelreg%' AND obj_description(e.oid, 'pg_event_trigger') IS NULL
ORDER BY 1;

-- What anybody may execute was granted by list: a function that nobody thought of has no list at all.
SELECT name AS executable_without_list FROM our_functions WHERE proacl IS NULL ORDER BY 1;
-- Nobody but the owner may write to a table or draw from a sequence.
SELECT o.name, a.privilege_type AS writable FROM ours o, aclexplode(o.relacl) a
WHERE a.grantee = 0 AND NOT (o.kind IN ('r', 'p', 'v') AND a.privilege_type = 'SELECT') ORDER BY 1;

-- Every table shows rows by one policy, and has no other.
SELECT name AS without_row_security FROM ours WHERE kind IN ('r', 'p') AND NOT relrowsecurity ORDER BY 1;
SELECT o.name, p.polname AS policy FROM ours o LEFT JOIN pg_policy p ON p.polrelid = o.oid
WHERE o.kind IN ('r', 'p') AND (p.polname, p.polcmd, p.polroles) IS DISTINCT FROM ('readable', 'r', '{0}') ORDER BY 1;

-- Where everybody sees every row, columns are granted one by one.
SELECT o.name, a.attname AS public_column FROM ours o JOIN pg_policy p ON p.polrelid = o.oid JOIN pg_attribute a ON a.attrelid = o.oid
WHERE pg_get_expr(p.polqual, o.oid) = 'true' AND a.attnum > 0 AND has_column_privilege('public', o.oid, a.attnum, 'SELECT') ORDER BY 1, 2;
-- Who has no rights may look at every view, and sees no row of it, but for the policies that come with the extension and the registry's keys.
CREATE ROLE regress_catalog_nobody;
SELECT string_agg(format('SELECT %L AS view, count(*) AS rows FROM modelreg.%I', name, name)
	|| CASE name WHEN 'signing_keys' THEN ' WHERE team IS NOT NULL' ELSE '' END, ' UNION ALL ') || ' ORDER BY 1' AS all_views
FROM ours WHERE kind = 'v' \gset
SET ROLE regress_catalog_nobody;
:all_views;
RESET ROLE;
DROP ROLE regress_catalog_nobody;

-- Every table is guarded by its two triggers, which always fire, and has no other.
SELECT o.name, g.name AS missing_trigger
FROM ours o CROSS JOIN (VALUES ('guard_row', 27), ('guard_truncate', 34)) g (name, type)
WHERE o.kind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = o.oid AND t.tgname = g.name
	AND t.tgtype = g.type AND t.tgenabled = 'A' AND t.tgfoid = ('modelreg.' || g.name)::regproc AND t.tgqual IS NULL)
ORDER BY 1, 2;
SELECT o.name, t.tgname AS trigger FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid
WHERE t.tgname NOT IN ('guard_row', 'guard_truncate') ORDER BY 1;
SELECT evtname, evtevent, evtenabled FROM pg_event_trigger WHERE evtname LIKE 'modelreg%' ORDER BY 1;
-- Every index is known to be the extension's.
SELECT x.indexrelid::regclass AS unmarked FROM ours o JOIN pg_index x ON x.indrelid = o.oid
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid
	AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x') ORDER BY 1;

-- Every table and sequence goes into a dump, all rows of it.
SELECT o.name AS not_dumped FROM ours o, pg_extension e
WHERE e.extname = 'modelreg' AND o.kind IN ('r', 'p', 'S')
	AND coalesce(e.extcondition[array_position(e.extconfig, o.oid)], 'not at all') <> '' ORDER BY 1;
-- Restoring needs no order among tables, and fires nothing.
SELECT o.name, c.conname AS foreign_key FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid OR c.confrelid = o.oid
WHERE c.contype IN ('f', 't') ORDER BY 1;
-- A sequence hands out no numbers in advance.
SELECT o.name AS cached FROM ours o JOIN pg_sequence s ON s.seqrelid = o.oid WHERE s.seqcache <> 1 ORDER BY 1;

-- Each row that has a hash is checked by it, over the columns before it, and says its format.
SELECT o.name AS unchecked_hash FROM ours o JOIN pg_attribute h ON h.attrelid = o.oid AND h.attname = 'hash'
WHERE o.kind IN ('r', 'p') AND NOT EXISTS (
	SELECT FROM pg_constraint c JOIN pg_attribute f ON f.attrelid = o.oid AND f.attname = 'format'
	WHERE c.conrelid = o.oid AND c.contype = 'c' AND pg_get_constraintdef(c.oid) LIKE '%row_hash(''' || o.name || '''%'
		AND f.attnum = h.attnum + 1 AND f.attnotnull AND h.attnotnull
		AND c.conkey @> ARRAY(SELECT a.attnum FROM pg_attribute a
			WHERE a.attrelid = o.oid AND a.attnum BETWEEN 1 AND f.attnum AND NOT a.attisdropped))
ORDER BY 1;
-- Texts in keys are compared by bytes.
SELECT x.indexrelid::regclass AS index, a.attname AS column FROM ours o JOIN pg_index x ON x.indrelid = o.oid
	JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = ANY (x.indkey)
WHERE a.attcollation NOT IN (0, 950) ORDER BY 1, 2;

-- Views look with the caller's eyes, and have columns of plain types.
SELECT name AS insecure FROM ours
WHERE kind = 'v' AND NOT coalesce(reloptions @> '{security_invoker=true,security_barrier=true}', false) ORDER BY 1;
SELECT o.name, a.attname AS column, a.atttypid::regtype AS type FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid
WHERE o.kind = 'v' AND a.attnum > 0 AND (a.atttypid NOT IN ('text'::regtype, 'bigint'::regtype, 'integer'::regtype,
	'float8'::regtype, 'boolean'::regtype, 'timestamptz'::regtype, 'jsonb'::regtype))
ORDER BY 1, 2;

-- No function lends its owner's rights, none is in a language that has to be there at run time.
SELECT name AS definer FROM our_functions WHERE prosecdef ORDER BY 1;
SELECT name, prolang FROM our_functions
WHERE prolang NOT IN (SELECT oid FROM pg_language WHERE lanname IN ('c', 'sql')) ORDER BY 1;
-- What writes says so; a function that takes a request id is one.
SELECT name AS wrong_volatility FROM our_functions
WHERE (provolatile = 'v' OR 'request_id' = ANY (proargnames)) AND (provolatile, proparallel) <> ('v', 'u')
UNION
SELECT name FROM our_functions WHERE 'request_id' = ANY (proargnames)
	AND NOT pg_get_function_arguments(oid) ~ 'request_id text DEFAULT NULL::text$'
ORDER BY 1;
-- A reason that has to be given is one that can be seen, in every function that asks for one.
CREATE FUNCTION pg_temp.blank_reason(function regprocedure) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	args text;
BEGIN
	SELECT string_agg(CASE WHEN p.proargnames[n] = 'reason' THEN quote_literal(E' \t\u00A0') WHEN p.proargnames[n] = 'payload' THEN quote_literal(repeat('0', 64))
		WHEN p.proargnames[n] = 'stage' THEN quote_literal('Production') ELSE quote_literal('1') END, ', ' ORDER BY n) INTO args
	FROM pg_proc p, generate_series(1, p.pronargs - p.pronargdefaults) n WHERE p.oid = function;
	EXECUTE format('SELECT %s(%s)', function::regproc, args);
	RETURN 'no error';
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN SQLERRM;
END $$;
SELECT p.name, pg_temp.blank_reason(p.oid) FROM our_functions p
WHERE array_position(p.proargnames, 'reason') <= p.pronargs - p.pronargdefaults ORDER BY 1;
-- What is called one thing counts one thing: shares are millionths, percentages are percent.
CREATE TEMP VIEW our_columns AS
	SELECT o.name, a.attname::text AS col, a.atttypid AS type FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid WHERE o.kind IN ('r', 'p', 'v', 'c') AND a.attnum > 0
	UNION ALL SELECT f.name, x.col, x.type FROM our_functions f, unnest(f.proargnames, f.proargmodes, f.proallargtypes) AS x(col, mode, type) WHERE x.mode IN ('o', 't');
SELECT name, col, format_type(type, NULL) AS type FROM our_columns
WHERE (col = 'share' AND type <> 'integer'::regtype) OR (col = 'percent' AND type <> 'float8'::regtype) ORDER BY 1, 2;
-- Keys join: where a view names a version or an endpoint, what is its for good stands beside.
SELECT o.name AS without_id FROM ours o CROSS JOIN LATERAL (SELECT array_agg(a.attname::text) AS names FROM pg_attribute a WHERE a.attrelid = o.oid) c
WHERE o.kind = 'v' AND (c.names @> '{model,version}' AND NOT c.names @> '{model_id}' OR c.names @> '{endpoint}' AND NOT c.names @> '{endpoint_id}') ORDER BY 1;
