-- registry: models, versions, evaluations, tags, aliases, and the tables of stages and of what is current.
-- Rows are shown by policy, so the right to look may be everybody's.

CREATE SEQUENCE modelreg.model_id_seq;
COMMENT ON SEQUENCE modelreg.model_id_seq IS 'Ids of models.';
SELECT pg_catalog.pg_extension_config_dump('modelreg.model_id_seq', '');

CREATE SEQUENCE modelreg.evaluation_id_seq;
COMMENT ON SEQUENCE modelreg.evaluation_id_seq IS 'Ids of evaluations.';
SELECT pg_catalog.pg_extension_config_dump('modelreg.evaluation_id_seq', '');

CREATE SEQUENCE modelreg.note_id_seq;
COMMENT ON SEQUENCE modelreg.note_id_seq IS 'Ids of notes.';
SELECT pg_catalog.pg_extension_config_dump('modelreg.note_id_seq', '');

CREATE TABLE modelreg.model (
	id bigint NOT NULL CONSTRAINT model_pkey PRIMARY KEY,
	seq bigint NOT NULL,
	head_hash bytea NOT NULL,
	head_at timestamptz NOT NULL,
	team_id bigint NOT NULL,
	name text COLLATE "C" NOT NULL,
	policy text COLLATE "C" NOT NULL,
	policy_digest bytea NOT NULL,
	created_at timestamptz NOT NULL,
	retired_at timestamptz,
	current_version integer,
	current_since timestamptz,
	current_registered_at timestamptz,
	current_identity uuid,
	current_node_id bigint
);
CREATE UNIQUE INDEX model_live_name ON modelreg.model (team_id, name) WHERE retired_at IS NULL;
CREATE INDEX model_team ON modelreg.model (team_id);
ALTER TABLE modelreg.model SET (fillfactor = 70);
COMMENT ON TABLE modelreg.model IS 'Registered models: what production() answers from, and the head of the chain of each ones decisions.';
COMMENT ON COLUMN modelreg.model.id IS 'Permanent id of the model.';
COMMENT ON COLUMN modelreg.model.seq IS 'Number of the last decision.';
COMMENT ON COLUMN modelreg.model.head_hash IS 'Hash of the last decision.';
COMMENT ON COLUMN modelreg.model.head_at IS 'Time of the last decision.';
COMMENT ON COLUMN modelreg.model.team_id IS 'The team that owns it.';
COMMENT ON COLUMN modelreg.model.name IS 'Present name, without the team.';
COMMENT ON COLUMN modelreg.model.policy IS 'Name of the policy that guards its transitions.';
COMMENT ON COLUMN modelreg.model.policy_digest IS 'Digest of the pinned revision of the policy.';
COMMENT ON COLUMN modelreg.model.created_at IS 'When it was created.';
COMMENT ON COLUMN modelreg.model.retired_at IS 'When it was retired; null while it lives.';
COMMENT ON COLUMN modelreg.model.current_version IS 'The version that is current in Production; null for none.';
COMMENT ON COLUMN modelreg.model.current_since IS 'Since when it is.';
COMMENT ON COLUMN modelreg.model.current_registered_at IS 'When that version was registered.';
COMMENT ON COLUMN modelreg.model.current_identity IS 'Identity of the registry under which that version was registered.';
COMMENT ON COLUMN modelreg.model.current_node_id IS 'Its node in lineage.';
ALTER TABLE modelreg.model ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.model FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.model TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.model', '');

CREATE TABLE modelreg.model_name (
	team_id bigint NOT NULL,
	name text COLLATE "C" NOT NULL,
	model_id bigint NOT NULL,
	since timestamptz NOT NULL,
	until timestamptz,
	CONSTRAINT model_name_pkey PRIMARY KEY (team_id, name, since)
);
CREATE INDEX model_name_model ON modelreg.model_name (model_id, since);
COMMENT ON TABLE modelreg.model_name IS 'Every name that a model has had, and when.';
COMMENT ON COLUMN modelreg.model_name.team_id IS 'The team.';
COMMENT ON COLUMN modelreg.model_name.name IS 'The name.';
COMMENT ON COLUMN modelreg.model_name.model_id IS 'The model that has or had it.';
COMMENT ON COLUMN modelreg.model_name.since IS 'From when on.';
COMMENT ON COLUMN modelreg.model_name.until IS 'Until when; null for a present name.';
ALTER TABLE modelreg.model_name ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.model_name FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.model_name TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.model_name', '');

CREATE TABLE modelreg.registration_head (
	id bigint NOT NULL CONSTRAINT registration_head_pkey PRIMARY KEY,
	seq bigint NOT NULL,
	head_hash bytea NOT NULL,
	head_at timestamptz NOT NULL,
	team_id bigint NOT NULL,
	last_version integer NOT NULL
);
ALTER TABLE modelreg.registration_head SET (fillfactor = 50);
COMMENT ON TABLE modelreg.registration_head IS 'The head of the chain of a models registrations, with the number of its last version.';
COMMENT ON COLUMN modelreg.registration_head.id IS 'Id of the model.';
COMMENT ON COLUMN modelreg.registration_head.seq IS 'Number of the last registration.';
COMMENT ON COLUMN modelreg.registration_head.head_hash IS 'Hash of the last registration.';
COMMENT ON COLUMN modelreg.registration_head.head_at IS 'Time of the last registration.';
COMMENT ON COLUMN modelreg.registration_head.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.registration_head.last_version IS 'Number of the last version; the next is one more.';
ALTER TABLE modelreg.registration_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.registration_head FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.registration_head TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.registration_head', '');

CREATE TABLE modelreg.version (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	team_id bigint NOT NULL,
	node_id bigint NOT NULL,
	identity uuid NOT NULL,
	run_id bigint,
	registered_at timestamptz NOT NULL,
	occurred_at timestamptz,
	who jsonb NOT NULL,
	request_id text,
	description bytea,
	signature bytea,
	params bytea,
	node_hash bytea NOT NULL,
	training_hash bytea,
	artifacts_hash bytea NOT NULL,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT version_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('version', format, 
		model_id, version, team_id, node_id, identity, run_id, registered_at, occurred_at, who, request_id, description, signature, params, node_hash, training_hash, artifacts_hash) END IS TRUE),
	CONSTRAINT version_pkey PRIMARY KEY (model_id, version)
);
CREATE UNIQUE INDEX version_node ON modelreg.version (node_id);
-- so that an artifact's digest is known for a version's
CREATE INDEX version_by_hash ON modelreg.version (hash);
CREATE INDEX version_run ON modelreg.version (run_id, model_id, version);
CREATE INDEX version_registered ON modelreg.version (team_id, registered_at, model_id, version);
COMMENT ON TABLE modelreg.version IS 'Model versions, written once.';
COMMENT ON COLUMN modelreg.version.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.version.version IS 'Number of the version, from 1 without a gap.';
COMMENT ON COLUMN modelreg.version.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.version.node_id IS 'Its node in the lineage.';
COMMENT ON COLUMN modelreg.version.identity IS 'Identity of the registry under which it was registered.';
COMMENT ON COLUMN modelreg.version.run_id IS 'Node of the run that made it.';
COMMENT ON COLUMN modelreg.version.registered_at IS 'When it was registered.';
COMMENT ON COLUMN modelreg.version.occurred_at IS 'When it was made, as the caller claims for imported history; else null.';
COMMENT ON COLUMN modelreg.version.who IS 'Who registered it.';
COMMENT ON COLUMN modelreg.version.request_id IS 'The callers request id.';
COMMENT ON COLUMN modelreg.version.description IS 'Salted digest of the description given with it.';
COMMENT ON COLUMN modelreg.version.signature IS 'Salted digest of the signature (input and output schema).';
COMMENT ON COLUMN modelreg.version.params IS 'Salted digest of the params.';
COMMENT ON COLUMN modelreg.version.node_hash IS 'Hash of its node, so that the registration covers it.';
COMMENT ON COLUMN modelreg.version.training_hash IS 'Hash of the evaluation with the training metrics.';
COMMENT ON COLUMN modelreg.version.artifacts_hash IS 'Hash over its artifacts.';
COMMENT ON COLUMN modelreg.version.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.version.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.version ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.version FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.version TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.version', '');

CREATE TABLE modelreg.version_stage (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	team_id bigint NOT NULL,
	stage modelreg.stage NOT NULL,
	since timestamptz NOT NULL,
	CONSTRAINT version_stage_pkey PRIMARY KEY (model_id, version)
);
CREATE INDEX version_stage_by_stage ON modelreg.version_stage (team_id, stage, model_id, version);
CREATE INDEX version_stage_of_model ON modelreg.version_stage (model_id, stage, version);
COMMENT ON TABLE modelreg.version_stage IS 'The stage of each version now; a fold of the decisions.';
COMMENT ON COLUMN modelreg.version_stage.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.version_stage.version IS 'The version.';
COMMENT ON COLUMN modelreg.version_stage.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.version_stage.stage IS 'Its stage.';
COMMENT ON COLUMN modelreg.version_stage.since IS 'Since when.';
ALTER TABLE modelreg.version_stage ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.version_stage FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.version_stage TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.version_stage', '');

CREATE TABLE modelreg.production (
	model_id bigint NOT NULL,
	seq bigint NOT NULL,
	team_id bigint NOT NULL,
	at timestamptz NOT NULL,
	version integer,
	previous_seq bigint,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT production_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('production', format, 
		model_id, seq, team_id, at, version, previous_seq) END IS TRUE),
	CONSTRAINT production_pkey PRIMARY KEY (model_id, seq)
);
CREATE INDEX production_at ON modelreg.production (model_id, at);
COMMENT ON TABLE modelreg.production IS 'One row for each change of what is current in Production, written once; the decisions events say the same.';
COMMENT ON COLUMN modelreg.production.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.production.seq IS 'Number of the decision.';
COMMENT ON COLUMN modelreg.production.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.production.at IS 'When.';
COMMENT ON COLUMN modelreg.production.version IS 'The version that became current; null when none did.';
COMMENT ON COLUMN modelreg.production.previous_seq IS 'The decision whose version previous() then names; null for none.';
COMMENT ON COLUMN modelreg.production.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.production.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.production ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.production FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.production TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.production', '');

CREATE TABLE modelreg.alias (
	model_id bigint NOT NULL,
	alias text COLLATE "C" NOT NULL,
	team_id bigint NOT NULL,
	version integer NOT NULL,
	since timestamptz NOT NULL,
	version_identity uuid NOT NULL,
	version_registered_at timestamptz NOT NULL,
	CONSTRAINT alias_pkey PRIMARY KEY (model_id, alias)
);
CREATE INDEX alias_version ON modelreg.alias (model_id, version);
COMMENT ON TABLE modelreg.alias IS 'Movable names of versions; a fold of the decisions.';
COMMENT ON COLUMN modelreg.alias.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.alias.alias IS 'The alias.';
COMMENT ON COLUMN modelreg.alias.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.alias.version IS 'The version that it points to.';
COMMENT ON COLUMN modelreg.alias.since IS 'Since when.';
COMMENT ON COLUMN modelreg.alias.version_identity IS 'The version''s identity, once more, for who asks for it by the alias.';
COMMENT ON COLUMN modelreg.alias.version_registered_at IS 'When the version was registered, likewise.';
ALTER TABLE modelreg.alias ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.alias FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.alias TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.alias', '');

CREATE TABLE modelreg.evaluation (
	id bigint NOT NULL CONSTRAINT evaluation_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	batch bigint,
	node_id bigint NOT NULL,
	kind text COLLATE "C" NOT NULL,
	dataset_id bigint,
	slice text NOT NULL,
	metric_names text[] NOT NULL,
	metric_values float8[] NOT NULL,
	passed boolean,
	properties bytea,
	who jsonb NOT NULL,
	recorded_at timestamptz NOT NULL,
	occurred_at timestamptz,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT evaluation_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('evaluation', format, 
		id, team_id, batch, node_id, kind, dataset_id, slice, metric_names, metric_values, passed, properties, who, recorded_at, occurred_at) END IS TRUE),
	CONSTRAINT evaluation_sizes CHECK (pg_catalog.cardinality(metric_names) OPERATOR(pg_catalog.=) pg_catalog.cardinality(metric_values))
);
CREATE INDEX evaluation_node ON modelreg.evaluation (node_id, kind, id);
COMMENT ON TABLE modelreg.evaluation IS 'Results of evaluating a node, written once, all values of one evaluation in one row.';
COMMENT ON COLUMN modelreg.evaluation.id IS 'Id of the evaluation.';
COMMENT ON COLUMN modelreg.evaluation.team_id IS 'The team that owns the evaluated node.';
COMMENT ON COLUMN modelreg.evaluation.batch IS 'The set of facts that it was recorded with; null for the training metrics of a registration.';
COMMENT ON COLUMN modelreg.evaluation.node_id IS 'The evaluated node.';
COMMENT ON COLUMN modelreg.evaluation.kind IS 'training, offline, ab_test, shadow, fairness, calibration, data_quality, or a teams own.';
COMMENT ON COLUMN modelreg.evaluation.dataset_id IS 'Node of the data set that it was evaluated on.';
COMMENT ON COLUMN modelreg.evaluation.slice IS 'The part of the data set; empty for all of it.';
COMMENT ON COLUMN modelreg.evaluation.metric_names IS 'Names of the metrics, in byte order.';
COMMENT ON COLUMN modelreg.evaluation.metric_values IS 'Their values, in the same order.';
COMMENT ON COLUMN modelreg.evaluation.passed IS 'Whether the evaluator calls it passed; null where that is for gates to say.';
COMMENT ON COLUMN modelreg.evaluation.properties IS 'Salted digest of further details: report, evaluator, comment.';
COMMENT ON COLUMN modelreg.evaluation.who IS 'Who recorded it.';
COMMENT ON COLUMN modelreg.evaluation.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN modelreg.evaluation.occurred_at IS 'When it was made, as the caller claims; else null.';
COMMENT ON COLUMN modelreg.evaluation.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.evaluation.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.evaluation ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.evaluation FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.evaluation TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.evaluation', '');

CREATE TABLE modelreg.note (
	id bigint NOT NULL CONSTRAINT note_pkey PRIMARY KEY,
	team_id bigint NOT NULL,
	batch bigint,
	kind text COLLATE "C" NOT NULL,
	model_id bigint NOT NULL,
	version integer NOT NULL,
	key text COLLATE "C",
	value bytea,
	who jsonb NOT NULL,
	recorded_at timestamptz NOT NULL,
	hash bytea NOT NULL,
	format smallint NOT NULL DEFAULT 1,
	CONSTRAINT note_hash CHECK (CASE format WHEN 1 THEN hash = modelreg.row_hash('note', format, 
		id, team_id, batch, kind, model_id, version, key, value, who, recorded_at) END IS TRUE)
);
CREATE INDEX note_model ON modelreg.note (model_id, version, kind, key, id);
COMMENT ON TABLE modelreg.note IS 'Changes of tags, descriptions and model cards, and checks of external artifacts, written once.';
COMMENT ON COLUMN modelreg.note.id IS 'Id of the note.';
COMMENT ON COLUMN modelreg.note.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.note.batch IS 'The set of facts that it was recorded with.';
COMMENT ON COLUMN modelreg.note.kind IS 'tag, untag, description, model_card or artifact_check.';
COMMENT ON COLUMN modelreg.note.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.note.version IS 'The version; 0 for the model itself.';
COMMENT ON COLUMN modelreg.note.key IS 'Key of the tag, or name of the artifact.';
COMMENT ON COLUMN modelreg.note.value IS 'Salted digest of the value.';
COMMENT ON COLUMN modelreg.note.who IS 'Who recorded it.';
COMMENT ON COLUMN modelreg.note.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN modelreg.note.hash IS 'Hash of the columns before this one.';
COMMENT ON COLUMN modelreg.note.format IS 'Version of the row format, hashed too.';
ALTER TABLE modelreg.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.note FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.note TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.note', '');

CREATE TABLE modelreg.tag (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	key text COLLATE "C" NOT NULL,
	team_id bigint NOT NULL,
	value text COLLATE "C" NOT NULL,
	payload bytea NOT NULL,
	CONSTRAINT tag_pkey PRIMARY KEY (model_id, version, key)
);
CREATE INDEX tag_search ON modelreg.tag (team_id, key, value, model_id, version);
COMMENT ON TABLE modelreg.tag IS 'Tags as they are now; a fold of the notes.';
COMMENT ON COLUMN modelreg.tag.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.tag.version IS 'The version; 0 for the model itself.';
COMMENT ON COLUMN modelreg.tag.key IS 'The key.';
COMMENT ON COLUMN modelreg.tag.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.tag.value IS 'The value; empty for a label.';
COMMENT ON COLUMN modelreg.tag.payload IS 'Digest of the value in the note that set it.';
ALTER TABLE modelreg.tag ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.tag FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.tag TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.tag', '');

CREATE TABLE modelreg.metric (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	kind text COLLATE "C" NOT NULL,
	dataset_id bigint NOT NULL,
	slice text COLLATE "C" NOT NULL,
	metric text COLLATE "C" NOT NULL,
	team_id bigint NOT NULL,
	value float8 NOT NULL,
	evaluation_id bigint NOT NULL,
	CONSTRAINT metric_pkey PRIMARY KEY (model_id, version, kind, dataset_id, slice, metric)
);
CREATE INDEX metric_search ON modelreg.metric (team_id, metric, value, model_id, version);
CREATE INDEX metric_of_model ON modelreg.metric (model_id, metric, value, version);
COMMENT ON TABLE modelreg.metric IS 'The latest value of each metric; a fold of the evaluations.';
COMMENT ON COLUMN modelreg.metric.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.metric.version IS 'The version.';
COMMENT ON COLUMN modelreg.metric.kind IS 'Kind of the evaluation.';
COMMENT ON COLUMN modelreg.metric.dataset_id IS 'Node of the data set, 0 for none.';
COMMENT ON COLUMN modelreg.metric.slice IS 'The part of the data set, empty for all.';
COMMENT ON COLUMN modelreg.metric.metric IS 'Name of the metric.';
COMMENT ON COLUMN modelreg.metric.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.metric.value IS 'Its value.';
COMMENT ON COLUMN modelreg.metric.evaluation_id IS 'The evaluation that it comes from.';
ALTER TABLE modelreg.metric ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.metric FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.metric TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.metric', '');

CREATE TABLE modelreg.param (
	model_id bigint NOT NULL,
	version integer NOT NULL,
	key text COLLATE "C" NOT NULL,
	team_id bigint NOT NULL,
	value text COLLATE "C" NOT NULL,
	CONSTRAINT param_pkey PRIMARY KEY (model_id, version, key)
);
CREATE INDEX param_search ON modelreg.param (team_id, key, value, model_id, version);
COMMENT ON TABLE modelreg.param IS 'Params of versions; a fold of the registrations.';
COMMENT ON COLUMN modelreg.param.model_id IS 'The model.';
COMMENT ON COLUMN modelreg.param.version IS 'The version.';
COMMENT ON COLUMN modelreg.param.key IS 'Name of the param.';
COMMENT ON COLUMN modelreg.param.team_id IS 'The team that owns the model.';
COMMENT ON COLUMN modelreg.param.value IS 'Its value: a string as it is, any other JSON as its canonical text, of at most 100 characters.';
ALTER TABLE modelreg.param ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON modelreg.param FOR SELECT USING (team_id = ANY ((SELECT modelreg.readable_teams())::bigint[]));
GRANT SELECT ON modelreg.param TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('modelreg.param', '');
