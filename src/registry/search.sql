-- registry: search. The function authorizes its caller, so EXECUTE is everybody's.

CREATE TABLE modelreg.description (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	team_id bigint NOT NULL,
	payload bytea NOT NULL,
	words text[] COLLATE "C" NOT NULL,
	CONSTRAINT description_pkey PRIMARY KEY (model_id, version)
);
CREATE INDEX description_payload ON modelreg.description (payload);
COMMENT ON TABLE modelreg.description IS 'The description of each model and version as it is now; a fold of registrations and notes. A redacted one has no row.';
COMMENT ON COLUMN modelreg.description.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.description.version IS 'The version; 0 for the model itself.';
COMMENT ON COLUMN modelreg.description.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.description.payload IS 'Salted digest of the description.';
COMMENT ON COLUMN modelreg.description.words IS 'The words of a version''s description that a search finds, in byte order; of a model''s, none.';

-- A list per word in the order of versions, and no inverted index of the server: a page of hits is then a stretch of one
-- list, however many hits there are, and a team's search costs nothing for what other teams write.
CREATE TABLE modelreg.search_word (
	team_id bigint NOT NULL,
	word text COLLATE "C" NOT NULL,
	model_id bigint NOT NULL,
	version integer NOT NULL,
	CONSTRAINT search_word_pkey PRIMARY KEY (team_id, word, model_id, version)
);
COMMENT ON TABLE modelreg.search_word IS 'Which word stands in the description of which version; a fold of table description.';
COMMENT ON COLUMN modelreg.search_word.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.search_word.word IS 'A word, as the server''s text search configuration "simple" makes it.';
COMMENT ON COLUMN modelreg.search_word.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.search_word.version IS 'The version.';

ALTER TABLE modelreg.description ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.description FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
ALTER TABLE modelreg.search_word ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.search_word FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.description, modelreg.search_word TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.description', '');
SELECT pg_catalog.pg_extension_config_dump('modelreg.search_word', '');

-- A key of tags within one model, whatever its values.
CREATE INDEX tag_of_model ON modelreg.tag (model_id, key, value, version);

CREATE FUNCTION modelreg.search_versions(model text DEFAULT NULL, team text DEFAULT NULL, name_pattern text DEFAULT NULL, words text DEFAULT NULL,
		stage modelreg.stage DEFAULT NULL, tag_key text DEFAULT NULL, tag_value text DEFAULT NULL, param_key text DEFAULT NULL,
		param_value text DEFAULT NULL, metric text DEFAULT NULL, metric_min float8 DEFAULT NULL, metric_max float8 DEFAULT NULL,
		lowest_first boolean DEFAULT false, run text DEFAULT NULL, snapshot text DEFAULT NULL,
		commit text DEFAULT NULL, registered_since timestamptz DEFAULT NULL, registered_until timestamptz DEFAULT NULL, after text DEFAULT NULL, page_size integer DEFAULT 50)
	RETURNS TABLE (model text, version integer, stage text, registered_at timestamptz, uri text, permanent_id text,
		description text, metric_value float8, key text)
	AS 'MODULE_PATHNAME', 'modelreg_search_versions' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 50;
COMMENT ON FUNCTION modelreg.search_versions(text, text, text, text, modelreg.stage, text, text, text, text, text, float8, float8, boolean, text, text, text, timestamptz, timestamptz, text, integer) IS
	'Versions of live models that match all filters. name_pattern is of the model''s name without the team, * standing for any characters and ? for one; snapshot and commit are addresses of nodes from which the version derives; words must all stand in the version''s description; metric_min and metric_max are included, registered_until is not. Pages: each row has its key; call again with the same filters and after => the key of the last row, until no row comes. A row with nothing but a key says that modelreg.search_scan_limit rows were looked at and the search goes on from there. Teams follow each other; within one the order is that of the index which drives the search: of a metric the highest value first (or lowest_first), of a tag''s key alone its values, of a name pattern the names, else the newest models or versions first.';
REVOKE ALL ON FUNCTION modelreg.search_versions(text, text, text, text, modelreg.stage, text, text, text, text, text, float8, float8, boolean, text, text, text, timestamptz, timestamptz, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION modelreg.search_versions(text, text, text, text, modelreg.stage, text, text, text, text, text, float8, float8, boolean, text, text, text, timestamptz, timestamptz, text, integer) TO PUBLIC;
