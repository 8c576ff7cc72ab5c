-- The README's tour: every statement that it shows is here, word for word (test/t/001_readme.pl compares), in a database of
-- its own, so that the numbers are those of the README.
SELECT current_database() AS home \gset
CREATE DATABASE regress_tour TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
\c regress_tour
SET timezone = 'UTC';

CREATE EXTENSION modelreg;
SELECT modelreg.create_team('search');
SELECT modelreg.create_model('search.reco-model', policy => 'open', description => 'Ranks the items of the home page');

SELECT modelreg.register_version('search.reco-model', metrics => '{"ndcg@10": 0.40}', params => '{"epochs": 10}');
SELECT modelreg.promote('search.reco-model', 1, 'Production', reason => 'the first one');
SELECT modelreg.create_endpoint('search.homepage', 'search.reco-model');

SELECT modelreg.record_snapshot('search.events', '2026-06-01', uri => 's3://lake/events/2026-06-01', rows => 81230114);
SELECT modelreg.record_node('transform', 'search.user_features', 'v7');
SELECT modelreg.record_node('commit', 'search.reco', 'abc123');
SELECT modelreg.record_run('search.train-8841', inputs => '{
    "training": ["snapshot:search.events@2026-06-01"],
    "features": ["transform:search.user_features@v7"],
    "code":     ["commit:search.reco@abc123"]}');

SELECT modelreg.begin_upload('search', size => 32, request_id => 'train-8841/weights') AS upload \gset
SELECT modelreg.append_upload(:upload, 0, 'the first chunk,');
SELECT modelreg.append_upload(:upload, 16, ' and the second.');
SELECT modelreg.append_upload(:upload, 16, ' and the second.');
SELECT modelreg.finish_upload(:upload);

CREATE TABLE training_job (run text, version integer, cost numeric);
BEGIN;
SELECT modelreg.register_version('search.reco-model', run => 'run:search.train-8841', request_id => 'train-8841',
    artifacts => format('[{"name": "weights", "upload": %s}]', :upload)::jsonb,
    signature => '{"inputs":  [{"name": "user_age", "type": "double"}],
                   "outputs": [{"name": "score", "type": "float"}]}',
    params    => '{"epochs": 12, "learning_rate": 0.001}',
    metrics   => '{"ndcg@10": 0.42}') AS version \gset
INSERT INTO training_job VALUES ('train-8841', :version, 41.20);
COMMIT;

SELECT modelreg.promote('search.reco-model', :version, 'Staging', reason => 'offline: +0.02 NDCG@10');
SELECT modelreg.promote('search.reco-model', :version, 'Production', reason => 'A/B test won');

SELECT version, uri FROM modelreg.production('search.reco-model');
SELECT version, uri FROM modelreg.previous('search.reco-model');
SELECT depth, role, address FROM modelreg.upstream('models:/search.reco-model/2');

SELECT modelreg.start_rollout('search.homepage', version => 2, plan => 'linear over 2 hours');
SELECT version, share FROM modelreg.serving('search.homepage', now() + interval '1 hour');
SELECT modelreg.complete_rollout('search.homepage', reason => 'two hours are long for a tour');
SELECT version, receipt FROM modelreg.route('search.homepage', request_key => 'user-991');
SELECT part, kind, address, basis FROM modelreg.trace_prediction('search.homepage', 'user-991', receipt => '3.0');

SELECT modelreg.set_alias('search.reco-model', 'champion', 2);
SELECT modelreg.set_tag('search.reco-model', 'owner', 'ranking', version => 2);
SELECT version, stage FROM modelreg.resolve('models:/search.reco-model@champion');
SELECT model, version, metric_value FROM modelreg.search_versions(team => 'search', metric => 'ndcg@10', metric_min => 0.41);

SELECT model, version, stage, is_current FROM modelreg.impact('snapshot:search.events@2026-06-01');

SELECT modelreg.rollback('search.homepage', reason => 'user_age is corrupted');
SELECT modelreg.rollback_model('search.reco-model', reason => 'user_age is corrupted');
SELECT version, from_stage, to_stage, reason FROM modelreg.transitions WHERE model = 'search.reco-model' ORDER BY number, version;

DELETE FROM modelreg.event;
SELECT * FROM modelreg.verify();

\c :home
DROP DATABASE regress_tour;
