-- A registry with something of everything that an export holds; texts that are hard to quote among it. Run by a superuser
-- in an empty database; the roles jane and joe are there.
CREATE EXTENSION modelreg;
SELECT modelreg.create_team('search'), modelreg.create_team('ads');
SELECT modelreg.grant_level('search', current_user, 'evaluator'), modelreg.grant_level('search', 'jane', 'reader'),
	modelreg.grant_level('search', 'joe', 'reviewer'), modelreg.grant_registry_right('jane', 'auditor');
SELECT modelreg.revoke_level('search', 'joe', 'reviewer'), modelreg.set_quota('search', 1000000), modelreg.set_quota('ads', 1), modelreg.set_quota('ads', NULL);
SELECT modelreg.create_model('search.reco', 'open', description => E'quotes " '' \\ , {} NULL\n\ttab é 😀 \\N');
SELECT modelreg.create_model('search.empty', 'open'), modelreg.create_model('search.old', 'open'), modelreg.create_model('ads.click', 'open');
SELECT modelreg.rename_model('search.old', 'older'), modelreg.rename_model('search.older', 'old'), modelreg.retire_model('search.old', 'why not');
SELECT modelreg.create_model('search.old', 'open');
SELECT modelreg.record_node('commit', 'search.code', 'abc', properties => '{"big": 123456789012345678901234567890.5000, "e": 1e-7, "u": "\u0001\"é"}');
BEGIN;
SELECT modelreg.record_snapshot('search.events', '2026-06-01', uri => 's3://lake/1', rows => 81230114, schema => '{"user": "int"}',
	occurred_at => '2026-06-01 00:00:00.123456+02');
SELECT modelreg.record_snapshot('search.events', '2026-06-02', supersedes => 'snapshot:search.events@2026-06-01', occurred_at => '0044-03-15 12:00:00+00 BC');
SELECT modelreg.record_run('search.train', inputs => '{"code": ["commit:search.code@abc"], "training": ["snapshot:search.events@2026-06-01", "snapshot:search.events@2026-06-02"]}');
SET LOCAL ROLE jane;
RESET ROLE;
COMMIT;
SELECT modelreg.append_upload(modelreg.begin_upload('search', size => 7), 0, 'weights');
SELECT modelreg.finish_upload(1);
SELECT modelreg.register_version('search.reco', 'run:search.train', description => 'first', occurred_at => '2020-02-29 12:00:00.000001+00',
	artifacts => '[{"name": "weights", "upload": 1, "media_type": "application/octet-stream"}, {"name": "B/prep", "uri": "s3://m/prep?x=\\,y", "size": 3, "store_version": "v\t1",
		"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}, {"name": "a", "uri": "s3://m/a", "size": 3,
		"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]',
	params => ('{"lr": 1.0e-3, "optimizer": "adam", "layers": [64, 32.0], "long": "' || repeat('é', 200) || '", "nested": {"b": 1, "a": null}}')::jsonb,
	metrics => '{"auc": 0.1, "loss": "NaN", "max": "Infinity", "min": "-Infinity", "tiny": 4.9e-324, "big": 1.7976931348623157e308, "zero": -0.0, "third": 0.3333333333333333}',
	tags => '{"family": "two-tower"}', request_id => 'v1');
SELECT modelreg.new_identity('a copy');
SELECT modelreg.declare_restore('rehearsed', document) FROM modelreg.audit_head();
SELECT modelreg.register_version('search.reco', parents => '{models:/search.reco/1}'), modelreg.register_version('ads.click');
SELECT modelreg.record_evaluation('models:/search.reco/1', 'offline', '{"auc": 0.8, "a,b": 1}', dataset => 'snapshot:search.events@2026-06-01', slice => 'new "users"');
SELECT modelreg.record_evaluation('models:/search.reco/1', 'offline', '{"auc": 0.7}', dataset => 'snapshot:search.events@2026-06-01', slice => 'new "users"', passed => false,
	properties => '{"evaluator": "jane"}');
SELECT modelreg.record_evaluation('snapshot:search.events@2026-06-01', 'data_quality', '{}', passed => true);
SELECT modelreg.set_tag('search.reco', 'family', 'ranker', 1), modelreg.set_tag('search.reco', 'owner', 'Jane Doe'), modelreg.set_tag('search.reco', 'gone', '', 2);
SELECT modelreg.remove_tag('search.reco', 'gone', 2);
SELECT modelreg.set_description('search.reco', 'second', 2);
SELECT modelreg.set_model_card('search.reco', 1, '{"intended_use": "| ranks\n# \u0001é", "limitations": ""}'), modelreg.set_model_card('search.reco', 2, '{"owner": "Jane"}'), modelreg.set_model_card('search.reco', 2, NULL);
SELECT modelreg.promote('search.reco', 1, 'Production', reason => 'first');
SELECT modelreg.promote('search.reco', 2, 'Production');
SELECT modelreg.rollback_model('search.reco', 'worse');
SELECT modelreg.promote('search.reco', 1, 'Archived', leave_none => true);
SELECT modelreg.promote('search.reco', 2, 'Production');
SELECT modelreg.set_alias('search.reco', 'champion', 1), modelreg.set_alias('search.reco', 'champion', 2), modelreg.set_alias('search.reco', 'shadow', 1);
SELECT modelreg.remove_alias('search.reco', 'shadow');
SELECT modelreg.record_node('note', 'search.odd', 'first');
SELECT modelreg.quarantine('note:search.odd@first', E'broken "\\N"'), modelreg.quarantine('models:/ads.click/1', 'odd'), modelreg.quarantine('run:search.train', 'by mistake');
SELECT modelreg.lift_quarantine('run:search.train', 'no harm');
SELECT modelreg.place_hold('search.reco', NULL, 'a lawsuit'), modelreg.place_hold('search.reco', 1, 'too'), modelreg.place_hold('ads.click', 1, 'and here');
SELECT modelreg.lift_hold('search.reco', 1, 'settled');
SELECT modelreg.append_upload(modelreg.begin_upload('ads', 4), 0, 'gone'), modelreg.finish_upload(2);
SELECT modelreg.register_version('ads.click', artifacts => '[{"name": "w", "upload": 2}]');
SELECT modelreg.purge_version('ads.click', 2, 'a customer asked');
SELECT modelreg.register_key('signer', E'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAM+zkgW7N1O0jjBZeNn6755pCLa9gPveHpRIMlkxU41U=\n-----END PUBLIC KEY-----',
	valid_from => '0044-03-15 12:00:00.000001+00 BC', valid_until => '2204-02-29 12:00:00+00'), modelreg.register_key('a key''s "name"', E'-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5Rhzl3uVQshMG3GPi8lzdHNBjByA\nc9HYNz4ergnBIaR2H6QfLDLonWCklTWM0bHaEXm77mbFdhVQ52V39W8xLA==\n-----END PUBLIC KEY-----', 'search');
SELECT modelreg.record_attestation('search.reco', 1, '{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoicHJlcCIsImRpZ2VzdCI6eyJzaGEyNTYiOiJiYTc4MTZiZjhmMDFjZmVhNDE0MTQwZGU1ZGFlMjIyM2IwMDM2MWEzOTYxNzdhOWNiNDEwZmY2MWYyMDAxNWFkIn19XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2xzYS5kZXYvcHJvdmVuYW5jZS92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"4Ls12v3Qb5aEXRPXtxQ7eWqtayJkRtAwadKdEUAKpB062pJPlsFnyI+t0qP5SWDRAJuwafbfAGgoypsNiSY8Cg=="}]}') FROM generate_series(1, 2);
SELECT modelreg.attest_head('{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoibG9nIiwiZGlnZXN0Ijp7InNoYTI1NiI6IjYzYTk3OTdjNDRmY2RmYTI1MDE4YjZlNzc0OWQwMzY2ODk2NjVmYTlkZjdhYmIwOTBiOWZiYmQxNzBkYzU4YmMifX1dLCJwcmVkaWNhdGVUeXBlIjoibW9kZWxyZWc6YXVkaXRfaGVhZC8xIiwicHJlZGljYXRlIjp7ImNoYWlucyI6W10sImZvcm1hdCI6MSwiaWRlbnRpdHkiOm51bGx9fQ==","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"","sig":"Gt6wvAOf6LEO+0/cxprSn3YKF3TuT8RKnlu6bcRTq+TcdLuP8aOW1/W+RN9v39QX2tUMRhldE7dEC4TI7lYTDw=="}]}');
SELECT modelreg.revoke_key('a key''s "name"', 'lost', 'search'), modelreg.revoke_key('a key''s "name"', 'stolen', 'search', '2020-02-29 12:00:00.000001+00');
SELECT modelreg.redact(envelope_digest, 'names a person') FROM modelreg.attestations WHERE model IS NOT NULL ORDER BY id LIMIT 1;
SELECT modelreg.redact(encode(payload, 'hex'), 'a person') FROM modelreg.tag WHERE value = 'Jane Doe';
SELECT modelreg.redact(encode(description, 'hex'), 'by mistake') FROM modelreg.version WHERE description IS NOT NULL;
SELECT modelreg.rename_team('ads', 'advertising');
SELECT modelreg.set_discoverable('advertising', true), modelreg.set_discoverable('search', true), modelreg.set_discoverable('search', false);
SELECT modelreg.create_policy('search', 'ours', jsonb_set(modelreg.policy_document(NULL, 'standard', 1), '{retention_days,Archived}', '7')), modelreg.allow_policy('search', 'ours', 1),
	modelreg.forbid_policy('search', 'high-risk'), modelreg.grant_registry_right(session_user, 'pooler'), modelreg.grant_level('search', 'joe', 'reviewer');
SELECT modelreg.create_model('search.credit', 'ours');
SELECT modelreg.register_version('search.credit'), modelreg.register_version('search.credit');
SELECT modelreg.attempt_promotion('search.credit', 2, 'Staging', reason => 'too early');
SELECT modelreg.record_evaluation('models:/search.credit/1', 'offline', '{"auc": 0.9}', passed => true);
SELECT modelreg.request_promotion('search.credit', 1, 'Production', reason => 'é'), modelreg.request_promotion('search.credit', 1, 'Production');
SELECT modelreg.withdraw_request(max(request)) FROM modelreg.promotion_requests;
SET ROLE joe;
SELECT modelreg.approve(request, evidence, 'é 😀') FROM modelreg.promotion_requests r, modelreg.review(r.request) WHERE r.state = 'open';
RESET ROLE;
SELECT modelreg.emergency_promote('search.credit', 2, 'Production', 'fire'), modelreg.request_policy('search.credit', 'standard', 1, 'stricter');
SELECT modelreg.create_model('search.served', 'open'), modelreg.register_version('search.served'), modelreg.register_version('search.served');
SELECT modelreg.promote('search.served', 2, 'Production'), modelreg.promote('search.served', 1, 'Production', archive_others => false);
SELECT modelreg.create_endpoint('search.home', 'search.served', 2, max_staleness => '1 day 00:00:00.000001', prediction_days => 7, reason => E'é "\\N"'), modelreg.create_endpoint('search.gone', follows => 'search.served', plan => 'linear over 2 hours');
SELECT modelreg.create_endpoint('search.follower', follows => 'search.served', plan => '{"steps": [{"weight": "0.0001%", "bake": "1 day"}, {"weight": "100%"}], "keep_warm": "1 hour"}');
SELECT modelreg.set_endpoint('search.follower', '1 hour', 30, reason => 'slow'), modelreg.set_endpoint('search.follower', '1 hour', NULL), modelreg.set_endpoint('search.home', NULL, 7, request_id => 'set');
SELECT modelreg.start_rollout('search.home', split => '{1: 33.3333%, 2: 66.6667%}', plan => 'shadow'), modelreg.pause_rollout('search.home', 'lunch'), modelreg.resume_rollout('search.home'), modelreg.complete_rollout('search.home');
SELECT modelreg.start_rollout('search.home', 1, plan => 'canary', request_id => 'to 1'), modelreg.abort_rollout('search.home'), modelreg.start_rollout('search.home', 1, plan => 'all at once'), modelreg.rollback('search.home', 'worse', request_id => 'back');
SELECT modelreg.start_rollout('search.follower', split => '{1: 12.5%, 2: 87.5%}', plan => 'linear over 2 hours in 7 steps'), modelreg.retire_endpoint('search.gone', 'closed'), modelreg.create_endpoint('search.gone', 'search.served');
SELECT modelreg.follow('search.home', 'all at once', 'as the model'), modelreg.unfollow('search.home', 'by hand'), modelreg.create_endpoint('search.side', 'search.served', 2), modelreg.start_rollout('search.side', 1, plan => 'all at once');
SELECT modelreg.rollback('{search.home,search.side}'::text[], 'both', request_id => 'both');
SELECT modelreg.create_endpoint('search.guarded', 'search.served', 2), modelreg.start_rollout('search.guarded', 1, plan => '{"warm_up": "1 ms", "steps": [{"weight": "5%", "bake": "1 day"}, {"weight": "100%"}],
	"guards": [{"metric": "ctr", "at_least": 0.98, "of": "baseline", "min_observations": 10}, {"metric": "errors", "at_most": 1e-3}]}');
SELECT pg_sleep(0.002);
SELECT modelreg.record_quality('search.guarded', 1, 'ctr', clock_timestamp(), total => 31, count => 1000), modelreg.record_quality('search.guarded', 2, 'ctr', clock_timestamp(), value => 0.1), modelreg.record_quality('search.guarded', 1, 'latency, "ms"', clock_timestamp(), value => 4.9e-3);
SELECT modelreg.report_serving('search.home', 'pod-1', etag, ARRAY[permanent_id]) FROM modelreg.endpoints, modelreg.versions v WHERE endpoint = 'search.home' AND v.model = 'search.served' AND version = 1;
SELECT modelreg.report_serving('search.home', 'pod-é', '1-0123456789abcdef'), modelreg.report_serving('search.follower', 'pod-2', '1-0123456789abcdef'), modelreg.report_serving('search.follower', 'pod-2', NULL);
SELECT modelreg.add_prediction_partitions(current_date + 2, current_date - 1), modelreg.add_prediction_partitions('1980-03-01', '1980-01-01', 'month');
SELECT modelreg.record_predictions('search.home', '{user-1,"user \"2\"","é 😀"}', '{2,1,2}', receipts => ARRAY[(SELECT receipt FROM modelreg.route('search.home', 'user-1')), NULL, NULL], outputs => ARRAY['{"score": 0.5000}', NULL, '"é\n\\"']::jsonb[], request_id => 'p1');
SELECT modelreg.record_predictions('search.home', '{old}', '{1}', '{1980-01-01 00:00+00}'), modelreg.record_predictions('search.follower', '{older}', '{1}', '{1980-02-01 00:00+00}');
SELECT * FROM modelreg.expire_predictions();
SELECT modelreg.drop_prediction_partitions('1980-03-01');
SELECT modelreg.quarantine('models:/search.served/1', 'looks odd'), modelreg.quarantine('models:/search.served/2', 'this too'), modelreg.lift_quarantine('models:/search.served/1', 'is not'), modelreg.lift_quarantine('models:/search.served/2', 'nor this'), modelreg.resume_rollout('search.follower', 'goes on');
SELECT modelreg.register_version('search.served', run => 'run:search.train'), modelreg.promote('search.served', 3, 'Production', reason => 'leaves 1 and 2 at the endpoints');
