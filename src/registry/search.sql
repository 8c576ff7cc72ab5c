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
