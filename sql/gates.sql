-- Gates of evaluations: each kind holds, fails, misses, meets NaN, gets stale and warns, with Production absent and present.

\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_gate_ann;
CREATE ROLE regress_gate_eve;
CREATE ROLE regress_gate_admin;
SELECT modelreg.create_team('gate') > 0;
SELECT modelreg.grant_level('gate', 'regress_gate_ann', 'maintainer'), modelreg.grant_level('gate', 'regress_gate_ann', 'evaluator'),
	modelreg.grant_level('gate', session_user, 'maintainer'), modelreg.grant_level('gate', 'regress_gate_eve', 'evaluator'),
	modelreg.grant_registry_right('regress_gate_admin', 'admin');
SELECT modelreg.grant_registry_right(session_user, 'pooler');
SET ROLE regress_gate_ann;
SELECT modelreg.record_snapshot('gate.holdout', v) FROM unnest('{2026-05,2026-06}'::text[]) v;
SELECT modelreg.record_snapshot('gate.other', '1');
RESET ROLE;

-- A policy of one gate, a version with evaluations (and one in Production with others), and what check_promotion says; all of it is undone.
CREATE FUNCTION pg_temp.try(gate jsonb, evaluations jsonb, production jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	item jsonb;
	answer text;
BEGIN
	PERFORM modelreg.create_policy('gate', 'one', jsonb_build_object('format', 1, 'gates', jsonb_build_object('g', gate), 'transitions',
		'[{"from": ["Experimental"], "to": "Staging", "levels": ["contributor"]},
		{"from": ["Staging"], "to": "Production", "levels": ["contributor"], "gates": ["g"]}]'::jsonb, 'distinct', '[["evaluator", "registrant"]]'::jsonb));
	PERFORM modelreg.allow_policy('gate', 'one', 1);
	PERFORM modelreg.create_model('gate.m', 'open');
	SET LOCAL ROLE regress_gate_ann;
	PERFORM modelreg.register_version('gate.m') FROM generate_series(1, 2);
	PERFORM modelreg.promote('gate.m', 2, 'Staging');
	IF production IS NOT NULL THEN
		PERFORM modelreg.promote('gate.m', 1, 'Production');
	END IF;
	IF production->0 ? 'left' THEN
		PERFORM modelreg.promote('gate.m', 1, 'Archived', leave_none => true);
	END IF;
	PERFORM modelreg.request_policy('gate.m', 'one', 1);
	FOR item IN SELECT x || '{"version": 1}' FROM jsonb_array_elements(production) x UNION ALL SELECT x || '{"version": 2}' FROM jsonb_array_elements(evaluations) x LOOP
		EXECUTE format('SET LOCAL ROLE %I', COALESCE(item->>'by', 'regress_gate_eve'));
		PERFORM modelreg.record_evaluation('models:/gate.m/' || (item->>'version'), COALESCE(item->>'kind', 'offline'), COALESCE(item->'metrics', '{}'),
			dataset => item->>'dataset', slice => item->>'slice', passed => (item->>'passed')::boolean, occurred_at => (item->>'at')::timestamptz);
	END LOOP;
	RESET ROLE;
	SELECT format('%s %s | %s | %s | %s', severity, verdict, required, observed, earlier) INTO answer
	FROM modelreg.check_promotion('gate.m', 2, 'Production') c WHERE c.gate = 'g';
	-- A promotion is of the same mind.
	SET LOCAL ROLE regress_gate_ann;
	BEGIN
		PERFORM modelreg.promote('gate.m', 2, 'Production');
		IF answer LIKE 'block fails%' THEN answer := 'PROMOTED: ' || answer; END IF;
	EXCEPTION WHEN object_not_in_prerequisite_state THEN
		IF answer NOT LIKE 'block fails%' THEN answer := 'REFUSED: ' || answer; END IF;
	END;
	RAISE EXCEPTION USING ERRCODE = 'MR001', MESSAGE = answer;
EXCEPTION
	WHEN SQLSTATE 'MR001' THEN RETURN SQLERRM;
	WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

CREATE TEMP TABLE cases (no serial, topic text, gate jsonb, evaluations jsonb, production jsonb);
INSERT INTO cases (topic, gate, evaluations, production)
SELECT topic, gate::jsonb, evaluations::jsonb, production::jsonb FROM (VALUES
	('evaluation: holds', '{"kind": "evaluation", "evaluation": "offline", "passed": true, "max_age_days": 90}', '[{"passed": true}]', NULL),
	('evaluation: missing', '{"kind": "evaluation", "evaluation": "offline"}', '[]', NULL),
	('evaluation: of another kind', '{"kind": "evaluation", "evaluation": "offline"}', '[{"kind": "shadow", "passed": true}]', NULL),
	('evaluation: failed', '{"kind": "evaluation", "evaluation": "offline"}', '[{"passed": false}]', NULL),
	('evaluation: no verdict', '{"kind": "evaluation", "evaluation": "offline"}', '[{}]', NULL),
	('evaluation: no verdict where one is asked', '{"kind": "evaluation", "evaluation": "offline", "passed": true}', '[{}]', NULL),
	('evaluation: the latest counts', '{"kind": "evaluation", "evaluation": "offline"}', '[{"passed": true}, {"passed": true}, {"passed": false}]', NULL),
	('evaluation: the latest counts', '{"kind": "evaluation", "evaluation": "offline"}', '[{"passed": false}, {"passed": true}]', NULL),
	('evaluation: stale', '{"kind": "evaluation", "evaluation": "offline", "max_age_days": 90}', '[{"passed": true, "at": "2020-02-29 12:00:00.5+00"}]', NULL),
	('evaluation: claims to be of tomorrow', '{"kind": "evaluation", "evaluation": "offline", "max_age_days": 1}', '[{"passed": true, "at": "2999-01-01"}]', NULL),
	('evaluation: of a slice only', '{"kind": "evaluation", "evaluation": "offline"}', '[{"slice": "new users", "passed": true}]', NULL),
	('evaluation: of that slice', '{"kind": "evaluation", "evaluation": "offline", "slice": "new users"}', '[{"slice": "new users", "passed": true}]', NULL),
	('evaluation: on that data', '{"kind": "evaluation", "evaluation": "offline", "dataset": "snapshot:gate.holdout@2026-06"}', '[{"dataset": "snapshot:gate.holdout@2026-06"}, {"dataset": "snapshot:gate.holdout@2026-05", "passed": false}]', NULL),
	('evaluation: on any version of it', '{"kind": "evaluation", "evaluation": "offline", "dataset": "snapshot:gate.holdout"}', '[{"dataset": "snapshot:gate.holdout@2026-06"}, {"dataset": "snapshot:gate.other@1", "passed": false}]', NULL),
	('evaluation: on other data', '{"kind": "evaluation", "evaluation": "offline", "dataset": "snapshot:gate.holdout"}', '[{"dataset": "snapshot:gate.other@1", "passed": true}, {"passed": true}]', NULL),
	('evaluation: on data that there is not', '{"kind": "evaluation", "evaluation": "offline", "dataset": "snapshot:nix.holdout"}', '[{"dataset": "snapshot:gate.holdout@2026-06", "passed": true}]', NULL),
	('evaluation: by the registrant', '{"kind": "evaluation", "evaluation": "offline"}', '[{"passed": true}, {"passed": true, "by": "regress_gate_ann"}]', NULL),
	('evaluation: warns', '{"kind": "evaluation", "evaluation": "offline", "severity": "warn"}', '[]', NULL),
	('metric: at the bound', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.90}', '[{"metrics": {"auc": 0.9}}]', NULL),
	('metric: below it', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.90}', '[{"metrics": {"auc": 0.8999999999999999}}]', NULL),
	('metric: in a range', '{"kind": "metric", "metric": "bias", "evaluation": "offline", "at_least": -1e-2, "at_most": 0.01}', '[{"metrics": {"bias": -0.01}}]', NULL),
	('metric: above it', '{"kind": "metric", "metric": "bias", "evaluation": "offline", "at_least": -0.01, "at_most": 0.01}', '[{"metrics": {"bias": 0.011}}]', NULL),
	('metric: missing', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0}', '[{"metrics": {"AUC": 1}}]', NULL),
	('metric: NaN', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0}', '[{"metrics": {"auc": 1}}, {"metrics": {"auc": "NaN"}}]', NULL),
	('metric: infinite', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0}', '[{"metrics": {"auc": "Infinity"}}]', NULL),
	('metric: an evaluation without it hides none', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.5}', '[{"metrics": {"auc": 0.4}}, {"metrics": {"auc": 0.6}}, {"metrics": {"loss": 0.1}}]', NULL),
	('metric: stale', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.5, "max_age_days": 30}', '[{"metrics": {"auc": 0.6}, "at": "2020-01-01"}]', NULL),
	('metric: by the registrant', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.5}', '[{"metrics": {"auc": 0.6}, "by": "regress_gate_ann"}]', NULL),
	('metric: warns', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.5, "severity": "warn"}', '[{"metrics": {"auc": 0.4}}]', NULL),
	('gain: nothing in Production', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.4}}]', NULL),
	('gain: nothing in Production, and missing', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[]', NULL),
	('gain: exactly', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.35}}]', '[{"metrics": {"auc": 0.34}}]'),
	('gain: less', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.3499}}]', '[{"metrics": {"auc": 0.34}}]'),
	('gain: lower is better', '{"kind": "metric", "metric": "loss", "evaluation": "offline", "min_gain": 0.01, "better": "lower"}', '[{"metrics": {"loss": 0.33}}]', '[{"metrics": {"loss": 0.34}}]'),
	('gain: lower is better, and is not', '{"kind": "metric", "metric": "loss", "evaluation": "offline", "min_gain": 0.01, "better": "lower"}', '[{"metrics": {"loss": 0.35}}]', '[{"metrics": {"loss": 0.34}}]'),
	('gain: Production has none', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.9}}]', '[{"metrics": {"loss": 0.34}}]'),
	('gain: Production has NaN', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.9}}]', '[{"metrics": {"auc": "NaN"}}]'),
	('gain: NaN against Production', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": "NaN"}}]', '[{"metrics": {"auc": 0.34}}]'),
	('gain: the latest of Production', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0}', '[{"metrics": {"auc": 0.5}}]', '[{"metrics": {"auc": 0.4}}, {"metrics": {"auc": 0.6}}]'),
	('gain: and a bound', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01, "at_least": 0.8}', '[{"metrics": {"auc": 0.5}}]', '[{"metrics": {"auc": 0.4}}]'),
	('gain: missing against Production', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[]', '[{"metrics": {"auc": 0.4}}]'),
	('gain: taken out of Production first', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.3499}}]', '[{"metrics": {"auc": 0.34}, "left": true}]'),
	('gain: better than what was taken out', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.35}}]', '[{"metrics": {"auc": 0.34}, "left": true}]'),
	('gain: what was taken out has none', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0.01}', '[{"metrics": {"auc": 0.35}}]', '[{"metrics": {"loss": 0.34}, "left": true}]'),
	('evaluation: failed on one data set', '{"kind": "evaluation", "evaluation": "offline", "passed": true}', '[{"dataset": "snapshot:gate.holdout@2026-06", "passed": false}, {"dataset": "snapshot:gate.other@1", "passed": true}]', NULL),
	('evaluation: failed on none', '{"kind": "evaluation", "evaluation": "offline"}', '[{"passed": false}, {"dataset": "snapshot:gate.other@1", "passed": true}]', NULL),
	('evaluation: passed on each, the latest', '{"kind": "evaluation", "evaluation": "offline"}', '[{"dataset": "snapshot:gate.other@1", "passed": false}, {"dataset": "snapshot:gate.other@1", "passed": true}, {"passed": true}]', NULL),
	('metric: below on one data set', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "at_least": 0.5}', '[{"dataset": "snapshot:gate.holdout@2026-06", "metrics": {"auc": 0.4}}, {"dataset": "snapshot:gate.other@1", "metrics": {"auc": 0.9}}]', NULL),
	('gain: on the same data set', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0}', '[{"dataset": "snapshot:gate.other@1", "metrics": {"auc": 0.6}}]', '[{"dataset": "snapshot:gate.other@1", "metrics": {"auc": 0.5}}, {"metrics": {"auc": 0.9}}]'),
	('gain: Production has none on it', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0}', '[{"dataset": "snapshot:gate.other@1", "metrics": {"auc": 0.6}}]', '[{"metrics": {"auc": 0.5}}]'),
	('evaluation: failed on one version of it', '{"kind": "evaluation", "evaluation": "offline", "dataset": "snapshot:gate.holdout"}', '[{"dataset": "snapshot:gate.holdout@2026-05", "passed": false}, {"dataset": "snapshot:gate.holdout@2026-06", "passed": true}]', NULL),
	('gain: less on one version of it', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "dataset": "snapshot:gate.holdout", "min_gain": 0}', '[{"dataset": "snapshot:gate.holdout@2026-05", "metrics": {"auc": 0.4}}, {"dataset": "snapshot:gate.holdout@2026-06", "metrics": {"auc": 0.9}}]', '[{"dataset": "snapshot:gate.holdout@2026-05", "metrics": {"auc": 0.5}}, {"dataset": "snapshot:gate.holdout@2026-06", "metrics": {"auc": 0.5}}]'),
	('gain: Production has none on that version of it', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "dataset": "snapshot:gate.holdout", "min_gain": 0}', '[{"dataset": "snapshot:gate.holdout@2026-06", "metrics": {"auc": 0.9}}]', '[{"dataset": "snapshot:gate.holdout@2026-05", "metrics": {"auc": 0.5}}]'),
	('gain: Production evaluated by the registrant', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0}', '[{"metrics": {"auc": 0.5}}]', '[{"metrics": {"auc": 0.9}}, {"metrics": {"auc": 0.4}, "by": "regress_gate_ann"}]'),
	('fairness: below on one version of it', '{"kind": "fairness", "metric": "tpr", "dataset": "snapshot:gate.holdout", "at_least": 0.8}', '[{"kind": "fairness", "slice": "a", "dataset": "snapshot:gate.holdout@2026-05", "metrics": {"tpr": 0.7}}, {"kind": "fairness", "slice": "a", "dataset": "snapshot:gate.holdout@2026-06", "metrics": {"tpr": 0.9}}, {"kind": "fairness", "slice": "b", "dataset": "snapshot:gate.holdout@2026-06", "metrics": {"tpr": 0.9}}]', NULL),
	('calibration: failed on one data set', '{"kind": "calibration"}', '[{"kind": "calibration", "dataset": "snapshot:gate.holdout@2026-06"}, {"kind": "calibration", "passed": true}]', NULL),
	('fairness: failed on one data set', '{"kind": "fairness"}', '[{"kind": "fairness", "slice": "a", "dataset": "snapshot:gate.holdout@2026-06", "passed": false}, {"kind": "fairness", "slice": "a", "passed": true}, {"kind": "fairness", "slice": "b", "passed": true}]', NULL),
	('fairness: one slice on two data sets', '{"kind": "fairness"}', '[{"kind": "fairness", "slice": "a", "dataset": "snapshot:gate.holdout@2026-06", "passed": true}, {"kind": "fairness", "slice": "a", "passed": true}]', NULL),
	('fairness: below on one data set', '{"kind": "fairness", "metric": "tpr", "at_least": 0.8}', '[{"kind": "fairness", "slice": "a", "dataset": "snapshot:gate.holdout@2026-06", "metrics": {"tpr": 0.7}}, {"kind": "fairness", "slice": "a", "metrics": {"tpr": 0.9}}, {"kind": "fairness", "slice": "b", "metrics": {"tpr": 0.9}}]', NULL),
	('loss: exactly', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"auc": 0.49}}]', '[{"metrics": {"auc": 0.5}}]'),
	('loss: more', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"auc": 0.4899}}]', '[{"metrics": {"auc": 0.5}}]'),
	('loss: of what is negative', '{"kind": "metric", "metric": "score", "evaluation": "offline", "max_loss_percent": 10}', '[{"metrics": {"score": -110}}]', '[{"metrics": {"score": -100}}]'),
	('loss: of nothing', '{"kind": "metric", "metric": "loss", "evaluation": "offline", "max_loss_percent": 10, "better": "lower"}', '[{"metrics": {"loss": 1e-9}}]', '[{"metrics": {"loss": -0.0}}]'),
	('loss: lower is better', '{"kind": "metric", "metric": "loss", "evaluation": "offline", "max_loss_percent": 10, "better": "lower"}', '[{"metrics": {"loss": 1.1}}]', '[{"metrics": {"loss": 1}}]'),
	('loss: nothing in Production', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"auc": 0.4}}]', NULL),
	('loss: nothing in Production, and missing', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[]', NULL),
	('loss: missing against Production', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"AUC": 0.9}}]', '[{"metrics": {"auc": 0.5}}]'),
	('loss: Production has none', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"auc": 0.9}}]', '[{"metrics": {"loss": 0.34}}]'),
	('loss: NaN against Production', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"auc": 0.9}}, {"metrics": {"auc": "NaN"}}]', '[{"metrics": {"auc": 0.5}}]'),
	('loss: Production has NaN', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"auc": 0.9}}]', '[{"metrics": {"auc": "NaN"}}]'),
	('loss: what was taken out has NaN', '{"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2}', '[{"metrics": {"auc": 0.9}}]', '[{"metrics": {"auc": "NaN"}, "left": true}]'),
	('fairness: all passed', '{"kind": "fairness"}', '[{"kind": "fairness", "slice": "a", "passed": true}, {"kind": "fairness", "slice": "b", "passed": true}]', NULL),
	('fairness: one did not', '{"kind": "fairness"}', '[{"kind": "fairness", "slice": "a", "passed": true}, {"kind": "fairness", "slice": "b"}]', NULL),
	('fairness: missing', '{"kind": "fairness"}', '[{"kind": "fairness", "passed": true}]', NULL),
	('fairness: one slice', '{"kind": "fairness"}', '[{"kind": "fairness", "slice": "a", "passed": true}]', NULL),
	('fairness: one is asked and missing', '{"kind": "fairness", "slices": ["a", "c"]}', '[{"kind": "fairness", "slice": "a", "passed": true}, {"kind": "fairness", "slice": "b", "passed": true}]', NULL),
	('fairness: worst slice', '{"kind": "fairness", "metric": "tpr", "at_least": 0.8}', '[{"kind": "fairness", "slice": "a", "metrics": {"tpr": 0.9}}, {"kind": "fairness", "slice": "b", "metrics": {"tpr": 0.8}}]', NULL),
	('fairness: worst slice is worse', '{"kind": "fairness", "metric": "tpr", "at_least": 0.8}', '[{"kind": "fairness", "slice": "a", "metrics": {"tpr": 0.9}}, {"kind": "fairness", "slice": "b", "metrics": {"tpr": 0.7}}]', NULL),
	('fairness: spread', '{"kind": "fairness", "metric": "tpr", "max_spread": 0.1}', '[{"kind": "fairness", "slice": "a", "metrics": {"tpr": 0.9}}, {"kind": "fairness", "slice": "b", "metrics": {"tpr": 0.8}}, {"kind": "fairness", "slice": "c", "metrics": {"tpr": 0.85}}]', NULL),
	('fairness: too far apart', '{"kind": "fairness", "metric": "tpr", "max_spread": 0.1}', '[{"kind": "fairness", "slice": "a", "metrics": {"tpr": 0.9}}, {"kind": "fairness", "slice": "b", "metrics": {"tpr": 0.79}}]', NULL),
	('fairness: NaN', '{"kind": "fairness", "metric": "tpr", "max_spread": 0.1}', '[{"kind": "fairness", "slice": "a", "metrics": {"tpr": 0.9}}, {"kind": "fairness", "slice": "b", "metrics": {"tpr": "NaN"}}]', NULL),
	('fairness: stale', '{"kind": "fairness", "metric": "tpr", "at_least": 0.1, "max_age_days": 30}', '[{"kind": "fairness", "slice": "a", "metrics": {"tpr": 0.9}, "at": "2020-01-01"}, {"kind": "fairness", "slice": "b", "metrics": {"tpr": 0.9}}]', NULL),
	('fairness: by the registrant', '{"kind": "fairness"}', '[{"kind": "fairness", "slice": "a", "passed": true, "by": "regress_gate_ann"}, {"kind": "fairness", "slice": "b", "passed": true}]', NULL),
	('fairness: the latest of each', '{"kind": "fairness", "evaluation": "groups", "metric": "tpr", "at_least": 0.8}', '[{"kind": "groups", "slice": "a", "metrics": {"tpr": 0.1}}, {"kind": "groups", "slice": "a", "metrics": {"tpr": 0.9}}, {"kind": "groups", "slice": "b", "metrics": {"tpr": 0.9}}]', NULL),
	('fairness: warns', '{"kind": "fairness", "severity": "warn"}', '[]', NULL),
	('calibration: passed', '{"kind": "calibration"}', '[{"kind": "calibration", "passed": true}]', NULL),
	('calibration: missing', '{"kind": "calibration"}', '[]', NULL),
	('calibration: no verdict', '{"kind": "calibration"}', '[{"kind": "calibration"}]', NULL),
	('calibration: error', '{"kind": "calibration", "metric": "ece", "at_most": 0.05}', '[{"kind": "calibration", "metrics": {"ece": 0.05}}]', NULL),
	('calibration: too large', '{"kind": "calibration", "metric": "ece", "at_most": 0.05}', '[{"kind": "calibration", "metrics": {"ece": 0.06}}]', NULL),
	('calibration: NaN', '{"kind": "calibration", "metric": "ece", "at_most": 0.05}', '[{"kind": "calibration", "metrics": {"ece": "NaN"}}]', NULL),
	('calibration: stale', '{"kind": "calibration", "max_age_days": 7}', '[{"kind": "calibration", "passed": true, "at": "2020-01-01"}]', NULL),
	('calibration: warns', '{"kind": "calibration", "severity": "warn"}', '[{"kind": "calibration", "passed": false}]', NULL)
) AS c(topic, gate, evaluations, production);
SELECT topic, pg_temp.try(gate, evaluations, production) FROM cases ORDER BY no;
-- With something in Production what does not look at it says the same.
SELECT topic FROM cases WHERE production IS NULL AND NOT gate ?| '{min_gain,max_loss_percent}' AND pg_temp.try(gate, evaluations) <> pg_temp.try(gate, evaluations, '[]');
-- What was taken out of Production is compared with, by the version before it when it comes back itself; evidence says with which.
SELECT modelreg.create_policy('gate', 'gain', '{"format": 1, "transitions": [{"from": ["Experimental", "Archived"], "to": "Production", "levels": ["maintainer"], "gates": ["gain"]},
	{"from": ["Production"], "to": "Archived", "levels": ["maintainer"]}], "gates": {"gain": {"kind": "metric", "metric": "auc", "evaluation": "offline", "min_gain": 0}}}'),
	modelreg.allow_policy('gate', 'gain', 1), modelreg.create_model('gate.gain', 'gain') > 0;
SET ROLE regress_gate_ann;
SELECT modelreg.register_version('gate.gain') FROM generate_series(1, 3);
SELECT modelreg.record_evaluation('models:/gate.gain/' || v, 'offline', jsonb_build_object('auc', auc)) > 0 FROM (VALUES (1, 0.7), (2, 0.8), (3, 0.75)) e(v, auc);
SELECT modelreg.promote('gate.gain', 1, 'Production') > 0, modelreg.promote('gate.gain', 1, 'Archived', leave_none => true) > 0,
	modelreg.promote('gate.gain', 2, 'Production') > 0, modelreg.promote('gate.gain', 2, 'Archived', leave_none => true) > 0;
SELECT modelreg.promote('gate.gain', 3, 'Production');
SELECT version, verdict, observed FROM unnest('{1,2,3}'::int[]) version, modelreg.check_promotion('gate.gain', version, 'Production') WHERE gate = 'gain';
SELECT modelreg.promote('gate.gain', 2, 'Production') > 0;
SELECT n.version, d->'evidence'->>'compared' FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d WHERE n.model = 'gate.gain' AND n.to_stage = 'Production' ORDER BY n.number;
-- So is what was last in Production under the name, by a model that was retired, or has another name now: making a model anew spares its versions nothing.
RESET ROLE;
SELECT modelreg.create_policy('gate', 'heir', '{"format": 1, "transitions": [{"from": ["Experimental", "Archived"], "to": "Production", "levels": ["maintainer"], "gates": ["loss", "signature", "schema"]},
	{"from": ["Production"], "to": "Archived", "levels": ["maintainer"]}], "gates": {"loss": {"kind": "metric", "metric": "auc", "evaluation": "offline", "max_loss_percent": 2},
	"signature": {"kind": "signature", "mode": "FULL"}, "schema": {"kind": "schema_compatible"}}}'), modelreg.allow_policy('gate', 'heir', 1);
SET ROLE regress_gate_ann;
SELECT modelreg.record_snapshot('gate.seen', '1', schema => '{"age": "integer"}'), modelreg.record_snapshot('gate.seen', '2', schema => '{"age": "text"}');
-- A version of a model with this value, of data that the others have, or of other data.
CREATE FUNCTION pg_temp.add(model text, auc float8, data text DEFAULT '1') RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	v integer;
BEGIN
	v := modelreg.register_version(model, inputs => jsonb_build_object('training', 'snapshot:gate.seen@' || data),
		signature => format('{"inputs": [{"name": "age", "type": "%s"}]}', CASE data WHEN '1' THEN 'long' ELSE 'string' END)::jsonb);
	PERFORM modelreg.record_evaluation(format('models:/%s/%s', model, v), 'offline', jsonb_build_object('auc', auc));
	RETURN v;
END $$;
SELECT modelreg.create_model('gate.heir', 'heir') > 0, pg_temp.add('gate.heir', 0.8), modelreg.promote('gate.heir', 1, 'Production') > 0;
SELECT modelreg.promote('gate.heir', 1, 'Archived', leave_none => true) > 0, modelreg.retire_model('gate.heir');
SELECT modelreg.create_model('gate.heir', 'heir') > 0, pg_temp.add('gate.heir', 0.7, '2'), pg_temp.add('gate.heir', 0.79);
SELECT version, gate, verdict, observed FROM unnest('{1,2}'::int[]) version, modelreg.check_promotion('gate.heir', version, 'Production') WHERE kind <> 'quarantine' ORDER BY version, gate;
SELECT modelreg.promote('gate.heir', 1, 'Production');
-- a model that was never in Production hands on what it came after, under any name that it had
SELECT modelreg.retire_model('gate.heir');
SELECT modelreg.create_model('gate.heir', 'heir') > 0, pg_temp.add('gate.heir', 0.7), modelreg.rename_model('gate.heir', 'away');
SELECT gate, verdict, observed FROM modelreg.check_promotion('gate.away', 1, 'Production') WHERE gate = 'loss';
SELECT modelreg.rename_model('gate.away', 'heir'), pg_temp.add('gate.heir', 0.79), modelreg.promote('gate.heir', 2, 'Production') > 0;
SELECT d->'evidence'->>'compared', (d->'evidence'->>'compared_model_id')::bigint < model_id FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d WHERE n.model = 'gate.heir' AND n.version = 2;
-- with one of its own in Production it is compared with that; the model that comes after it, with what that has now
SELECT pg_temp.add('gate.heir', 0.77);
SELECT verdict, observed FROM modelreg.check_promotion('gate.heir', 3, 'Production') WHERE gate = 'loss';
SELECT modelreg.rename_model('gate.heir', 'elder');
SELECT modelreg.create_model('gate.heir', 'heir') > 0, pg_temp.add('gate.heir', 0.77);
SELECT verdict, observed FROM modelreg.check_promotion('gate.heir', 1, 'Production') WHERE gate = 'loss';
SELECT modelreg.retire_model('gate.heir');
-- what came to Production under a name of its own does not take that one afterwards, unless an admin lets it; what was there last under it does
SELECT modelreg.create_model('gate.side', 'heir') > 0, pg_temp.add('gate.side', 0.1), modelreg.promote('gate.side', 1, 'Production') > 0;
\set VERBOSITY default
SELECT modelreg.rename_model('gate.side', 'heir');
\set VERBOSITY terse
SELECT modelreg.rename_model('gate.elder', 'heir'), modelreg.rename_model('gate.heir', 'elder');
RESET ROLE;
SELECT modelreg.rename_model('gate.side', 'heir');
SELECT * FROM modelreg.verify('gate', deep => true);
-- Settings of the session change no text.
SET timezone = 'Asia/Tokyo'; SET datestyle = 'SQL, DMY'; SET extra_float_digits = -10;
SELECT pg_temp.try(gate, evaluations, production) FROM cases WHERE topic IN ('evaluation: stale', 'gain: less') ORDER BY no;
SELECT modelreg.revoke_registry_right(session_user, 'pooler');
