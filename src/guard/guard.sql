-- guard: triggers on every table, event triggers. The last part: it looks at all tables that the others made.

CREATE FUNCTION modelreg.guard_row() RETURNS trigger
	AS 'MODULE_PATHNAME', 'modelreg_guard_row' LANGUAGE C;
COMMENT ON FUNCTION modelreg.guard_row() IS 'Trigger: refuses to change or delete a row, but for the one that a function of modelreg changes now.';
REVOKE ALL ON FUNCTION modelreg.guard_row() FROM PUBLIC;

CREATE FUNCTION modelreg.guard_truncate() RETURNS trigger
	AS 'MODULE_PATHNAME', 'modelreg_guard_truncate' LANGUAGE C;
COMMENT ON FUNCTION modelreg.guard_truncate() IS 'Trigger: refuses TRUNCATE.';
REVOKE ALL ON FUNCTION modelreg.guard_truncate() FROM PUBLIC;

CREATE FUNCTION modelreg.guard_ddl_start() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'modelreg_guard_ddl_start' LANGUAGE C;
COMMENT ON FUNCTION modelreg.guard_ddl_start() IS 'Event trigger: loads the library, whose hook refuses to alter or drop what belongs to modelreg.';
REVOKE ALL ON FUNCTION modelreg.guard_ddl_start() FROM PUBLIC;

CREATE FUNCTION modelreg.guard_ddl_end() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'modelreg_guard_ddl_end' LANGUAGE C;
COMMENT ON FUNCTION modelreg.guard_ddl_end() IS 'Event trigger: refuses changes of modelreg''s tables, views and sequences but storage and statistics.';
REVOKE ALL ON FUNCTION modelreg.guard_ddl_end() FROM PUBLIC;

-- A partition gets the row trigger from its parent. A column of a table's row type in somebody's table would be in the way of
-- updates that add columns. Indexes are no members of an extension; the mark makes them known as ours.
DO $$
DECLARE
	item record;
BEGIN
	FOR item IN
		SELECT c.oid::regclass AS name FROM pg_class c
		WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
	LOOP
		EXECUTE format('CREATE TRIGGER guard_row BEFORE UPDATE OR DELETE ON %s
			FOR EACH ROW EXECUTE FUNCTION modelreg.guard_row()', item.name);
		EXECUTE format('CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON %s
			FOR EACH STATEMENT EXECUTE FUNCTION modelreg.guard_truncate()', item.name);
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER guard_row, ENABLE ALWAYS TRIGGER guard_truncate', item.name);
		EXECUTE format('REVOKE USAGE ON TYPE %s FROM PUBLIC', item.name);
	END LOOP;
	FOR item IN
		SELECT c.oid::regclass AS name FROM pg_class c
		WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind IN ('i', 'I') AND NOT c.relispartition
	LOOP
		EXECUTE format('ALTER INDEX %s DEPENDS ON EXTENSION modelreg', item.name);
	END LOOP;
END
$$;

CREATE EVENT TRIGGER modelreg_ddl_start ON ddl_command_start EXECUTE FUNCTION modelreg.guard_ddl_start();
ALTER EVENT TRIGGER modelreg_ddl_start ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER modelreg_ddl_start IS 'Protects the registry''s objects.';
CREATE EVENT TRIGGER modelreg_ddl_end ON ddl_command_end EXECUTE FUNCTION modelreg.guard_ddl_end();
ALTER EVENT TRIGGER modelreg_ddl_end ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER modelreg_ddl_end IS 'Protects the registry''s objects.';
