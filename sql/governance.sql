-- Stages and what is current: promote, rollback_model, production, previous, history.

\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_gov_ann;
CREATE ROLE regress_gov_reader;
CREATE ROLE regress_gov_nobody;
CREATE ROLE regress_gov_eve;
SELECT modelreg.create_team('gov') > 0;
SELECT modelreg.grant_level('gov', 'regress_gov_ann', 'maintainer');
SELECT modelreg.grant_level('gov', 'regress_gov_reader', 'reader');
SELECT modelreg.grant_level('gov', 'regress_gov_eve', 'evaluator');
SET ROLE regress_gov_ann;
SELECT modelreg.create_model('gov.ranker', 'open', 'ranks') > 0;
SELECT modelreg.create_model('gov.other', 'nix');
SELECT modelreg.register_version('gov.ranker') FROM generate_series(1, 5);

-- nothing is current yet
SELECT version, uri, etag, final FROM modelreg.production('gov.ranker');
SELECT version, uri FROM modelreg.previous('gov.ranker');
SELECT modelreg.rollback_model('gov.ranker', 'nothing there');

-- one after the other: the one before is archived
SELECT modelreg.promote('gov.ranker', 1, 'Staging');
SELECT modelreg.promote('gov.ranker', 1, 'Production', 'first');
SELECT modelreg.promote('gov.ranker', 2, 'Production', 'better');
SELECT modelreg.promote('gov.ranker', 3, 'production', 'best');
SELECT modelreg.promote('gov.ranker', 3, 'Production', 'again: nothing to do') IS NULL;
SELECT version, uri, etag FROM modelreg.production('gov.ranker');
SELECT version, stage FROM modelreg.versions WHERE model = 'gov.ranker' ORDER BY version;

-- back, and further back: 3, 2, 1
SELECT version FROM modelreg.previous('gov.ranker');
SELECT modelreg.rollback_model('gov.ranker', 'ctr down', expected_current => 2);
SELECT modelreg.rollback_model('gov.ranker', 'ctr down', expected_current => 3, request_id => 'incident-1');
SELECT modelreg.rollback_model('gov.ranker', 'ctr down', expected_current => 3, request_id => 'incident-1');
SELECT modelreg.rollback_model('gov.ranker', 'another reason', expected_current => 3, request_id => 'incident-1');
SELECT version FROM modelreg.previous('gov.ranker');
SELECT modelreg.rollback_model('gov.ranker', 'still down');
SELECT modelreg.rollback_model('gov.ranker', 'further');
SELECT version FROM modelreg.production('gov.ranker');

-- never none by accident
SELECT modelreg.promote('gov.ranker', 1, 'Archived');
SELECT modelreg.promote('gov.ranker', 1, 'Archived', 'end of life', leave_none => true) IS NOT NULL;
SELECT version, uri FROM modelreg.production('gov.ranker');
SELECT version FROM modelreg.previous('gov.ranker');
SELECT modelreg.rollback_model('gov.ranker', 'it is needed after all');

-- several in stage Production, one of them current
SELECT modelreg.promote('gov.ranker', 4, 'Production', archive_others => false) IS NOT NULL;
SELECT version, stage FROM modelreg.versions WHERE model = 'gov.ranker' AND stage = 'Production' ORDER BY version;
SELECT version FROM modelreg.production('gov.ranker');
-- archiving the others is a move too, and not for who may make none
SET ROLE regress_gov_eve;
SELECT modelreg.promote('gov.ranker', 4, 'Production');
SELECT version, stage FROM modelreg.versions WHERE model = 'gov.ranker' AND stage = 'Production' ORDER BY version;
SET ROLE regress_gov_ann;
SELECT modelreg.promote('gov.ranker', 1, 'Archived', 'not current, so no question') IS NOT NULL;
SELECT modelreg.promote('gov.ranker', 5, 'Production', expected_current => 3);
SELECT modelreg.promote('gov.ranker', 5, 'Production', expected_current => 4, request_id => 'p5') > 0;
SELECT modelreg.promote('gov.ranker', 5, 'Production', expected_current => 4, request_id => 'p5') > 0;

-- what was: as one row per time, and at a time
SELECT version, until IS NULL AS now FROM modelreg.production_history WHERE model = 'gov.ranker' ORDER BY number;
-- (an answer is final once it is older than a decision may take and clocks may differ, which on a slow machine it is by now)
SELECT count(*) = count(*) FILTER (WHERE p.version IS NOT DISTINCT FROM h.version AND CASE WHEN p.final THEN h.since < clock_timestamp() - w.within ELSE h.since >= now() - w.within END)
	FROM modelreg.production_history h CROSS JOIN LATERAL modelreg.production(h.model, h.since) p,
		(SELECT current_setting('modelreg.max_decision_delay')::interval + current_setting('modelreg.max_clock_skew')::interval AS within) w WHERE h.model = 'gov.ranker';
SELECT version FROM modelreg.production('gov.ranker', 'infinity');
SELECT version FROM modelreg.production('gov.ranker', '-infinity');
SELECT version FROM modelreg.production('gov.ranker', '2001-01-01 BC');
SELECT kind, version, from_stage, to_stage, reason FROM modelreg.transitions WHERE model = 'gov.ranker' ORDER BY number, version;
SELECT chain, kind, version, reason FROM modelreg.model_history WHERE model = 'gov.ranker' AND kind <> 'stage_changed' ORDER BY at;
SELECT model, version, uri FROM modelreg.production_now WHERE model = 'gov.ranker';

-- a decision in a savepoint that is rolled back was none
BEGIN;
SAVEPOINT s;
SELECT modelreg.promote('gov.ranker', 2, 'Production') IS NOT NULL;
SELECT version FROM modelreg.production('gov.ranker');
ROLLBACK TO s;
SELECT version FROM modelreg.production('gov.ranker');
COMMIT;
SELECT version FROM modelreg.production('gov.ranker');

-- a call that is repeated with its request id returns its result, whatever the model is called by now
SELECT modelreg.register_version('gov.ranker', request_id => 'train-6');
SELECT modelreg.rename_model('gov.ranker', 'ranker2');
SELECT modelreg.promote('gov.ranker', 5, 'Production', expected_current => 4, request_id => 'p5') > 0;
SELECT modelreg.rollback_model('gov.ranker', 'ctr down', expected_current => 3, request_id => 'incident-1');
SELECT modelreg.register_version('gov.ranker', request_id => 'train-6');
SELECT modelreg.register_version('gov.ranker', request_id => 'train-7');
SELECT modelreg.rename_model('gov.ranker2', 'ranker');

-- what was asked wrongly
SELECT modelreg.promote('gov.ranker', 99, 'Production');
SELECT modelreg.promote('gov.ranker', 0, 'Production');
SELECT modelreg.promote('gov.ranker', NULL, 'Production');
SELECT modelreg.promote('gov.ranker', 1, NULL);
SELECT modelreg.promote(NULL, 1, 'Production');
SELECT modelreg.promote('gov.ranker', 1, 'Retired');
SELECT modelreg.promote('gov', 1, 'Production');
SELECT modelreg.promote('gov.nix', 1, 'Production');
SELECT modelreg.production(NULL);
SELECT modelreg.production('gov.nix');
SELECT modelreg.rollback_model('gov.ranker', NULL);

-- who may
SET ROLE regress_gov_reader;
SELECT version FROM modelreg.production('gov.ranker');
SELECT modelreg.promote('gov.ranker', 1, 'Production');
SELECT modelreg.rollback_model('gov.ranker', 'I want to');
SET ROLE regress_gov_nobody;
SELECT version FROM modelreg.production('gov.ranker');
SELECT modelreg.promote('gov.ranker', 1, 'Production');
SELECT count(*) FROM modelreg.production_now;
SELECT count(*) FROM modelreg.production_history;
SELECT count(*) FROM modelreg.transitions;
SELECT count(*) FROM modelreg.model_history;
RESET ROLE;
SELECT * FROM modelreg.verify('gov');
