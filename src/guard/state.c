/*
 * state.c
 *		For verify(): does the protection stand as it was installed?
 *
 * Rows that verify() finds intact may have been open to changes all the same,
 * and may be so now.
 */
#include "postgres.h"

#include "guard/guard.h"

/* The extension's objects of one catalog. */
#define MEMBERS(catalog) \
	"(SELECT o.* FROM pg_catalog." catalog " o JOIN pg_catalog.pg_depend d ON d.objid = o.oid AND d.objsubid = 0 " \
	"AND d.classid = 'pg_catalog." catalog "'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e' " \
	"JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE e.extname = 'modelreg')"
/* Partitions of our tables are made later, and are no members. */
#define RELATIONS \
	"(SELECT c.* FROM " MEMBERS("pg_class") " c UNION ALL SELECT c.* FROM pg_catalog.pg_class c " \
	"JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid JOIN " MEMBERS("pg_class") " p ON p.oid = i.inhparent WHERE c.relkind <> 'I' AND p.relkind = 'p')"
#define TABLES \
	"(SELECT c.* FROM " RELATIONS " c WHERE c.relkind IN ('r', 'p', 'f'))"
#define GUARDS \
	"(VALUES ('guard_row', 27), ('guard_truncate', 34)) g(name, type)"

/*
 * A trigger stands if it fires always, on all rows, before the same commands
 * as it was created for, and calls our function.
 */
static const char *const statements[] = {
	"SELECT concat('table ', t.relname), concat('its trigger ', g.name, ' is missing, disabled or another one') "
	"FROM " TABLES " t CROSS JOIN " GUARDS " WHERE NOT t.relhastriggers OR NOT EXISTS (SELECT FROM pg_catalog.pg_trigger x "
	"JOIN " MEMBERS("pg_proc") " p ON p.oid = x.tgfoid WHERE x.tgrelid = t.oid AND x.tgname = g.name AND p.proname = g.name "
	"AND x.tgtype = g.type AND x.tgenabled = 'A' AND x.tgqual IS NULL AND x.tgattr = '') ORDER BY 1, 2",

	"SELECT concat('table ', t.relname), concat('it has a trigger of somebody else, ', x.tgname) FROM " TABLES " t "
	"JOIN pg_catalog.pg_trigger x ON x.tgrelid = t.oid WHERE x.tgname NOT IN (SELECT g.name FROM " GUARDS ") ORDER BY 1, 2",

	"SELECT concat('table ', t.relname), concat('it has a rule, ', x.rulename) FROM " TABLES " t "
	"JOIN pg_catalog.pg_rewrite x ON x.ev_class = t.oid ORDER BY 1, 2",

	"SELECT concat('table ', t.relname), 'row-level security is off' FROM " TABLES " t "
	"WHERE NOT t.relrowsecurity ORDER BY 1",

	"SELECT concat('table ', t.relname), 'its policy is not the one that shows readable rows' FROM " TABLES " t "
	"WHERE (SELECT array_agg(concat(x.polname, ' ', x.polcmd, ' ', x.polroles, ' ', x.polpermissive, ' ', pg_catalog.pg_get_expr(x.polqual, x.polrelid))) "
	"FROM pg_catalog.pg_policy x WHERE x.polrelid = t.oid) IS DISTINCT FROM CASE WHEN NOT t.relispartition THEN ARRAY[concat('readable r {0} t ', "
	"CASE t.relname WHEN 'registry' THEN 'true' WHEN 'blob' THEN 'false' ELSE concat(CASE t.relname WHEN 'signing_key' THEN '((team_id = 0) OR ' END, '(', "
	"CASE t.relname WHEN 'team' THEN 'id' WHEN 'fact_head' THEN 'id' WHEN 'edge' THEN 'child_team' ELSE 'team_id' END, "
	"' = ANY (( SELECT modelreg.readable_teams() AS readable_teams)::bigint[]))', CASE t.relname WHEN 'signing_key' THEN ')' END) END)] END ORDER BY 1",

	"SELECT concat('table ', t.relname), concat('its rows include those of ', x.inhrelid::regclass) FROM " TABLES " t "
	"JOIN pg_catalog.pg_inherits x ON x.inhparent = t.oid WHERE t.relkind = 'r' ORDER BY 1, 2",

	"SELECT concat('table ', c.relname), 'it is not the extension''s' FROM pg_catalog.pg_class c "
	"JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'modelreg' AND c.relkind IN ('r', 'p', 'f') "
	"AND NOT EXISTS (SELECT FROM " TABLES " t WHERE t.oid = c.oid) ORDER BY 1",

	"SELECT concat('function ', p.proname), 'it is not the extension''s' FROM pg_catalog.pg_proc p "
	"JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'modelreg' "
	"AND NOT EXISTS (SELECT FROM " MEMBERS("pg_proc") " m WHERE m.oid = p.oid) ORDER BY 1",

	"SELECT concat('event trigger ', g.name), 'it is missing, disabled or another one' FROM "
	"(VALUES ('modelreg_ddl_start', 'ddl_command_start', 'guard_ddl_start'), ('modelreg_ddl_end', 'ddl_command_end', 'guard_ddl_end')) "
	"g(name, event, function) WHERE NOT EXISTS (SELECT FROM " MEMBERS("pg_event_trigger") " x "
	"JOIN " MEMBERS("pg_proc") " p ON p.oid = x.evtfoid WHERE x.evtname = g.name AND x.evtevent = g.event "
	"AND x.evtenabled = 'A' AND x.evttags IS NULL AND p.proname = g.function) ORDER BY 1",

	"SELECT concat('function ', p.proname), 'it is not as it was installed' FROM " MEMBERS("pg_proc") " p "
	"JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE p.prosecdef OR p.proconfig IS NOT NULL "
	"OR l.lanname <> 'c' OR p.probin IS DISTINCT FROM '$libdir/modelreg' OR p.prosrc NOT IN (concat('modelreg_', p.proname), "
	"concat('modelreg_bytes_', regexp_replace(p.proname, '^(digest|model_uri|traffic_split)_', ''))) ORDER BY 1",

	"SELECT concat('view ', c.relname), 'it does not ask for the rights of its caller' FROM " MEMBERS("pg_class") " c "
	"WHERE c.relkind = 'v' AND NOT COALESCE(c.reloptions @> '{security_invoker=true,security_barrier=true}', false) ORDER BY 1",

	"SELECT concat('sequence ', c.relname), 'it does not count as it should' FROM " MEMBERS("pg_class") " c "
	"JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid WHERE s.seqincrement <> 1 OR s.seqmin <> 1 OR s.seqcache <> 1 OR s.seqcycle ORDER BY 1",

	"SELECT concat('relation ', c.relname), 'it does not outlive a crash' FROM " RELATIONS " c "
	"WHERE c.relpersistence <> 'p' ORDER BY 1",

	"SELECT concat('relation ', c.relname), 'pg_dump does not save all of it' FROM " MEMBERS("pg_class") " c "
	"JOIN pg_catalog.pg_extension e ON e.extname = 'modelreg' WHERE c.relkind IN ('r', 'p', 'S') "
	"AND COALESCE(e.extcondition[array_position(e.extconfig, c.oid)], 'none') <> '' ORDER BY 1",

	"SELECT concat(o.kind, ' ', o.name), concat('it belongs to ', pg_catalog.pg_get_userbyid(o.owner)) FROM ("
	"SELECT 'relation' AS kind, c.relname AS name, c.relowner AS owner FROM " RELATIONS " c WHERE NOT c.relispartition "
	/* by another superuser's restore */
	"OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = c.relowner AND r.rolsuper) "
	"UNION ALL SELECT 'function', p.proname, p.proowner FROM " MEMBERS("pg_proc") " p "
	"UNION ALL SELECT 'schema', n.nspname, n.nspowner FROM " MEMBERS("pg_namespace") " n "
	"UNION ALL SELECT 'event trigger', x.evtname, x.evtowner FROM " MEMBERS("pg_event_trigger") " x) o "
	"JOIN pg_catalog.pg_extension e ON e.extname = 'modelreg' WHERE o.owner <> e.extowner ORDER BY 1"
};

void
mr_guard_verify(MrVerify *verify, const void *arg)
{
	for (int i = 0; i < lengthof(statements); i++)
		mr_verify_findings(verify, "guard", statements[i]);
}
