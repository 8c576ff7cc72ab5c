#!/usr/bin/env bash
# demo.sh: the story of reco-model, from the first team to an attempt to forge its history. `make demo` runs it on a
# throw-away server, whose superuser PG* name; each step is checked, and the first that is off ends it with an error.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

model=search.reco-model home=search.homepage letter=search.newsletter credit=credit.score
version_1=models:/$credit/1
# of the three bytes abc
abc=sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
weights=$files/weights.safetensors preprocessing=$files/preprocessing.pkl
export PGAPPNAME=demo PGOPTIONS='-c client_min_messages=warning'

registry() {
	chapter 'A registry in a database' 'One extension, one team, two models. Whoever creates the team is its first maintainer.'
	run <<-SQL
		CREATE EXTENSION modelreg;
		SELECT modelreg.create_team('search');
		SELECT modelreg.create_model('$model', policy => 'open', description => 'Ranks the items of the home page');
		SELECT modelreg.create_model('search.query-model', policy => 'open', description => 'Understands queries')
	SQL
	show <<<'SELECT model, policy, last_version, description FROM modelreg.models'
}

past() {
	local version
	chapter 'The past' 'Twelve versions come over from an older tracker, with the times at which they were made; then 13 is trained, and serves.'
	for version in $(seq 12); do
		run <<-SQL
			SELECT modelreg.register_version('$model', metrics => '{"ndcg@10": 0.$((27 + version))}',
				request_id => 'import-$version', description => 'imported',
				occurred_at => timestamptz '2025-06-01 12:00+00' + interval '1 month' * ($version - 1))
		SQL
	done
	run <<-SQL
		SELECT modelreg.promote('$model', 12, 'Production', reason => 'what served when we moved here');
		SELECT modelreg.record_snapshot('search.events', '2026-05-01', uri => 's3://lake/events/2026-05-01', rows => 78114902,
			schema => '{"user_age": "integer", "item": "bigint", "clicked": "boolean"}');
		SELECT modelreg.record_node('transform', 'search.user_features', 'v6');
		SELECT modelreg.record_node('commit', 'search.reco', '9f8e7d6');
		SELECT modelreg.record_run('search.train-8790', inputs => '{"training": ["snapshot:search.events@2026-05-01"],
			"features": ["transform:search.user_features@v6"], "code": ["commit:search.reco@9f8e7d6"]}');
		SELECT modelreg.register_version('$model', run => 'run:search.train-8790', metrics => '{"ndcg@10": 0.40}',
			request_id => 'train-8790')
	SQL
	run <<-SQL
		SELECT modelreg.promote('$model', 13, 'Staging', reason => 'offline evaluation passed');
		SELECT modelreg.promote('$model', 13, 'Production', reason => 'A/B test won');
		SELECT modelreg.create_endpoint('$home', '$model'), modelreg.create_endpoint('$letter', '$model')
	SQL
	show <<-SQL
		SELECT version, stage, current, round(t.value::numeric, 2) AS "ndcg@10",
		  COALESCE(v.occurred_at, v.registered_at)::date AS made
		FROM modelreg.versions v JOIN modelreg.metric_trend t USING (model_id, version)
		WHERE v.model = '$model' AND version > 10 ORDER BY version
	SQL
	expect 'version 13 is current in Production' 13 <<<"SELECT version FROM modelreg.production('$model')"
}

inputs() {
	chapter 'What version 14 is made from' 'A pipeline records a data snapshot, a feature transform, a commit, and the run that read them.'
	run <<-SQL
		SELECT modelreg.record_snapshot('search.events', '2026-06-01', uri => 's3://lake/events/2026-06-01', rows => 81230114,
			schema => '{"user_age": "text", "item": "bigint", "clicked": "boolean"}');
		SELECT modelreg.record_node('transform', 'search.user_features', 'v7');
		SELECT modelreg.record_node('commit', 'search.reco', 'abc123')
	SQL
	show <<-SQL
		SELECT modelreg.record_run('search.train-8841', inputs => '{
		  "training": ["snapshot:search.events@2026-06-01"],
		  "features": ["transform:search.user_features@v7"],
		  "code":     ["commit:search.reco@abc123"]}') AS recorded
	SQL
}

# Sends the weights until the client is killed, and then the rest of them.
interrupted_upload() {
	local status=0 received
	python3 "$here/upload.py" "$weights" "$upload" 116 || status=$?
	[ "$status" = 137 ] || fail "the client was to be killed, but ended with $status"
	say 'killed (SIGKILL) with a chunk on its way. The request id finds the upload again; the server knows how far it came:'
	expect 'the repeated begin_upload() returns the same upload' "$upload" <<<"$begin"
	show <<<'SELECT upload, state, received / 1048576 AS mib, round(percent) AS percent FROM modelreg.uploads'
	keep received <<<"SELECT received FROM modelreg.uploads WHERE upload = $upload"
	if [ "$received" -lt $((112 << 20)) ] || [ "$received" -ge "$size" ]; then fail "the server stands at $received"; fi
	python3 "$here/upload.py" "$weights" "$upload" || fail 'the upload did not end'
	blank=
}

bytes() {
	chapter 'Its bytes' 'The weights go up in chunks of 4 MiB. The client is killed on the way; a new one goes on where the server stands.'
	python3 "$here/files.py" "$files"
	digest=$(sha256sum "$weights" | cut -d' ' -f1)
	size=$(stat -c %s "$weights")
	begin="SELECT modelreg.begin_upload('search', size => $size, request_id => 'train-8841/weights',
  digest => 'sha256:$digest')"
	statement "$begin"
	keep upload <<<"$begin"
	say "upload $upload"
	interrupted_upload
	show <<<"SELECT modelreg.finish_upload($upload)"
	expect 'the server hashed the same bytes as sha256sum' "sha256:$digest" \
		<<<"SELECT digest FROM modelreg.uploads WHERE upload = $upload"
	keep pickle <<<"SELECT modelreg.begin_upload('search', size => $(stat -c %s "$preprocessing"), request_id => 'train-8841/pickle')"
	run <<-SQL
		SELECT modelreg.append_upload($pickle, 0, decode('$(base64 -w 0 "$preprocessing")', 'base64'));
		SELECT modelreg.finish_upload($pickle)
	SQL
	ok 'a pickle with statistics of the features, which the serving side needs too, is uploaded'
}

read_back() {
	local read=$files/read.pkl facts
	value "SELECT encode(modelreg.read_artifact('$model', 14, 'preprocessing'), 'base64')" | base64 -d >"$read"
	cmp -s "$read" "$preprocessing" || fail 'the pickle came back as something else'
	facts=$(python3 -c 'import pickle, sys
p = pickle.load(open(sys.argv[1], "rb"))
print("{events} events, user_age {user_age[mean]:.1f} ± {user_age[std]:.1f}, countries".format(**p), *p["country_index"])' \
		"$read") || fail 'the pickle cannot be read'
	ok "read back and unpickled: $facts"
	expect 'the weights in the database have their digest' ok <<<"SELECT modelreg.verify_artifact('$model', 14, 'weights')"
}

version_14() {
	local register
	chapter 'Version 14' 'One call registers bytes, metrics, signature, params and lineage; repeated, it returns the same number.'
	register="SELECT modelreg.register_version('$model', run => 'run:search.train-8841', request_id => 'train-8841',
  artifacts => '[{\"name\": \"weights\", \"upload\": $upload, \"media_type\": \"application/x-safetensors\"},
                 {\"name\": \"preprocessing\", \"upload\": $pickle, \"media_type\": \"application/x-pickle\"}]',
  signature => '{\"inputs\": [{\"name\": \"user_age\", \"type\": \"double\"}, {\"name\": \"country\", \"type\": \"string\"}],
                 \"outputs\": [{\"name\": \"score\", \"type\": \"float\"}]}',
  params => '{\"learning_rate\": 0.001, \"epochs\": 12}', metrics => '{\"ndcg@10\": 0.42}') AS version"
	show <<<"$register"
	expect 'the repeated call returns 14 again' 14 <<<"$register"
	expect 'and there are fourteen versions, 1 to 14' '14|1|14' \
		<<<"SELECT count(*), min(version), max(version) FROM modelreg.versions WHERE model = '$model'"
	show <<<"SELECT name, size, media_type, digest FROM modelreg.artifacts WHERE model = '$model' AND version = 14"
	read_back
	show <<<"SELECT modelreg.promote('$model', 14, 'Staging', reason => 'offline: +0.02 NDCG@10')"
	show <<<"SELECT modelreg.promote('$model', 14, 'Production', reason => 'A/B test won')"
	run <<-SQL
		SELECT modelreg.record_run('search.train-q7', inputs => '{"training": ["snapshot:search.events@2026-06-01"]}');
		SELECT modelreg.register_version('search.query-model', run => 'run:search.train-q7', metrics => '{"accuracy": 0.91}')
	SQL
	run <<<"SELECT modelreg.promote('search.query-model', 1, 'Staging')"
}

questions() {
	chapter 'Three questions' 'What is in Production, what is it made from, and what would we go back to?'
	show <<<"SELECT version, since::time(0), uri FROM modelreg.production('$model')"
	show <<<"SELECT depth, role, address FROM modelreg.upstream('models:/$model/14') ORDER BY depth, role"
	show <<<"SELECT version, uri FROM modelreg.previous('$model')"
	expect 'version 14 is current' 14 <<<"SELECT version FROM modelreg.production('$model')"
	expect 'it comes from commit abc123 and snapshot 2026-06-01' \
		'commit:search.reco@abc123,snapshot:search.events@2026-06-01' <<-SQL
		SELECT string_agg(address, ',' ORDER BY address)
		FROM modelreg.upstream('models:/$model/14', kinds => '{commit,snapshot}')
	SQL
	expect 'before it was 13' 13 <<<"SELECT version FROM modelreg.previous('$model')"
}

drawing() {
	local drawing
	chapter 'The same as a drawing' 'Text for Mermaid, which Markdown pages draw; lineage_dot() returns it for Graphviz.'
	drawing="SELECT modelreg.lineage_mermaid('models:/$model/14', downstream_depth => 0)"
	statement "$drawing"
	text "$(value "$drawing" | expand -t 2 | sed '/^$/d; s/^/   /')"
	expect 'the run and its three inputs are drawn, each with its role' 4 \
		<<<"SELECT count(*) FROM regexp_matches(modelreg.lineage_dot('models:/$model/14', downstream_depth => 0), ' -> ', 'g')"
}

rollout() {
	chapter 'From 13 to 14 in two hours' 'A stage permits, an endpoint serves. Its schedule says what, at every instant: nothing has to wake up, nobody has to wait.'
	show <<-SQL
		SELECT modelreg.start_rollout('$home', version => 14, plan => 'linear over 2 hours',
		  reason => '+0.02 NDCG@10') AS event
	SQL
	show <<-SQL
		SELECT minutes, round(sum(share) FILTER (WHERE version = 13) / 10000.0, 4) AS "13, %",
		  round(sum(share) FILTER (WHERE version = 14) / 10000.0, 4) AS "14, %", sum(share) AS millionths
		FROM unnest('{0,5,10,30,60,90,120}'::integer[]) AS minutes,
		  modelreg.serving('$home', now() + minutes * interval '1 minute') GROUP BY minutes ORDER BY minutes
	SQL
	expect 'half of the time, half of the way' '13 500000,14 500000' <<-SQL
		SELECT string_agg(version || ' ' || share, ',' ORDER BY version) FROM modelreg.serving('$home', now() + interval '1 hour')
	SQL
	expect 'at each of 7,201 seconds the shares add up to a million' '7201|1000000|1000000' <<-SQL
		SELECT count(*), min(millionths), max(millionths) FROM (SELECT sum(share) AS millionths FROM generate_series(0, 7200) AS s,
			modelreg.serving('$home', now() + s * interval '1 second') GROUP BY s) AS seconds
	SQL
	say 'Whom does it meet? A key keeps its version until the share of the next one reaches it:'
	show <<-SQL
		SELECT request_key, string_agg(version::text, ' ' ORDER BY minutes) AS "after 0, 20, 40, 60, 80, 100 and 120 minutes"
		FROM unnest('{0,20,40,60,80,100,120}'::integer[]) AS minutes, modelreg.route_batch('$home',
		  '{user-991,user-992,user-993,user-994,user-995}', now() + minutes * interval '1 minute') GROUP BY 1 ORDER BY 1
	SQL
	expect 'of 10,000 users each moves once, and none moves back' '10000|10000' <<-SQL
		SELECT count(*), count(*) FILTER (WHERE way ~ '^13( 13)*( 14)+$') FROM (
			SELECT string_agg(version::text, ' ' ORDER BY minutes) AS way FROM generate_series(0, 120, 5) AS minutes, modelreg.route_batch('$home',
				ARRAY(SELECT 'user-' || n FROM generate_series(1, 10000) n), now() + minutes * interval '1 minute') GROUP BY request_key) AS users
	SQL
}

answer() {
	local receipt
	chapter 'Who answered user-991?' 'The rest of the two hours is cut short. The server keeps the receipt of each answer; who asks later needs no more.'
	run <<<"SELECT modelreg.complete_rollout('$home', 'the dashboard is green')"
	show <<<"SELECT version, share, receipt FROM modelreg.route('$home', 'user-991')"
	keep receipt <<<"SELECT receipt FROM modelreg.route('$home', 'user-991')"
	run <<<"SELECT modelreg.add_prediction_partitions(until => current_date + 7)"
	show <<-SQL
		SELECT modelreg.record_predictions('$home', request_keys => '{user-991}', versions => '{14}',
		  receipts => '{$receipt}', outputs => '{"{\"score\": 0.87}"}') AS recorded
	SQL
	show <<-SQL
		SELECT part, kind, address, role, basis FROM modelreg.trace_prediction('$home', 'user-991', receipt => '$receipt')
	SQL
	expect 'version 14 said 0.87, from commit abc123 and snapshot 2026-06-01' \
		'14|0.87|commit:search.reco@abc123,snapshot:search.events@2026-06-01' <<-SQL
		SELECT min(number) FILTER (WHERE part = 'version'), min(detail->'output'->>'score'),
			string_agg(address, ',' ORDER BY address) FILTER (WHERE kind IN ('commit', 'snapshot'))
		FROM modelreg.trace_prediction('$home', 'user-991', receipt => '$receipt')
	SQL
}

# Statements of another role.
as() { printf 'SET ROLE %s; ' "$1"; cat; }

guard() {
	local plan
	chapter 'The newsletter takes more care' 'A canary with a guard: what is observed opens the next step, or takes the traffic back. Silence does neither.'
	plan='{"steps": [{"weight": "5%", "bake": "30 minutes"}, {"weight": "100%"}],
  "guards": [{"metric": "ctr", "at_least": 0.98, "of": "baseline", "min_observations": 10000}]}'
	show <<<"SELECT modelreg.start_rollout('$letter', version => 14, plan => '$plan') AS event"
	show <<<"SELECT split, next_split, waits_for FROM modelreg.rollout_status('$letter')"
	expect 'in ten years it is still 5%, if nobody says anything' 50000 \
		<<<"SELECT share FROM modelreg.serving('$letter', now() + interval '10 years') WHERE version = 14"
	run <<<"CREATE ROLE monitor; SELECT modelreg.grant_level('search', 'monitor', 'evaluator')"
	as monitor <<<"SELECT modelreg.record_quality('$letter', 13, 'ctr', clock_timestamp(), total => 5510, count => 190000)" | run
	as monitor <<-SQL | show
		SELECT modelreg.record_quality('$letter', 14, 'ctr', window_start => clock_timestamp(),
		  total => 131, count => 10000) AS observation
	SQL
	show <<<"SELECT number, kind, split FROM modelreg.rollout_status('$letter')"
	expect 'the transaction that recorded 131 clicks took the 5% back' '13|1000000' <<<"SELECT version, share FROM modelreg.serving('$letter')"
}

bad_snapshot() {
	local before
	chapter 'A bad snapshot' 'Something is wrong with 14. What is other than in 13, what else was trained on it, and what of that is current?'
	show <<-SQL
		SELECT aspect, kind, item, part, change, old_value, new_value
		FROM modelreg.lineage_diff('models:/$model/13', 'models:/$model/14') WHERE aspect IN ('upstream', 'schema')
	SQL
	expect 'the type of user_age changed unnoticed' 'user_age|integer|text' <<-SQL
		SELECT part, old_value, new_value
		FROM modelreg.lineage_diff('models:/$model/13', 'models:/$model/14') WHERE aspect = 'schema'
	SQL
	show <<-SQL
		SELECT model, version, stage, is_current
		FROM modelreg.impact('snapshot:search.events@2026-06-01') ORDER BY model
	SQL
	expect 'of what is affected, reco-model 14 is current in Production' "$model|14" \
		<<<"SELECT model, version FROM modelreg.impact('snapshot:search.events@2026-06-01', current_only => true)"
	show <<-SQL
		SELECT endpoint, version, role, share FROM modelreg.impact_serving('snapshot:search.events@2026-06-01') ORDER BY endpoint
	SQL
	expect 'the home page has all of its answers from 14' "$home|14|1000000" <<-SQL
		SELECT endpoint, version, share FROM modelreg.impact_serving('snapshot:search.events@2026-06-01', current_only => true)
	SQL
	keep before <<<'SELECT clock_timestamp()'
	show <<-SQL
		SELECT r->>'split' AS serves_now, r->>'skipped' AS skipped
		FROM modelreg.rollback('$home', reason => 'events@2026-06-01: user_age corrupted') AS r
	SQL
	expect 'all of the home page is from 13 again' '13|1000000' <<<"SELECT version, share FROM modelreg.serving('$home')"
	expect 'and what it was from before is still known' '14|1000000' <<<"SELECT version, share FROM modelreg.serving('$home', '$before')"
	show <<-SQL
		SELECT modelreg.rollback_model('$model', reason => 'events@2026-06-01: user_age corrupted',
		  expected_current => 14) AS back_to
	SQL
	show <<-SQL
		SELECT version, from_stage, to_stage, kind, reason FROM modelreg.transitions
		WHERE model = '$model' AND number >= 4 ORDER BY number, version DESC
	SQL
	expect 'version 13 is current again' 13 <<<"SELECT version FROM modelreg.production('$model')"
	expect 'and going back once more would lead to 12' 12 <<<"SELECT version FROM modelreg.previous('$model')"
}

credit() {
	local level
	chapter 'Another team, with more to lose' 'Credit scoring is under the policy high-risk: gates, an evaluator who is somebody else, and two approvals.'
	run <<-SQL
		CREATE ROLE lena; CREATE ROLE rudi; CREATE ROLE eva; CREATE ROLE rita; CREATE ROLE rolf; CREATE ROLE audrey;
		SELECT modelreg.create_team('credit'), modelreg.grant_registry_right('audrey', 'auditor'),
			modelreg.grant_registry_right(session_user, 'pooler')
	SQL
	for level in lena:maintainer rudi:contributor eva:evaluator rita:reviewer rolf:reviewer; do
		run <<<"SELECT modelreg.grant_level('credit', '${level%:*}', '${level#*:}')"
	done
	as lena <<<"SELECT modelreg.create_model('$credit', 'high-risk', description => 'Scores loans')" | run
	as rudi <<-SQL | run
		SELECT modelreg.record_snapshot('credit.loans', '2026', schema => '{"age": "integer", "income": "double"}');
		SELECT modelreg.record_node('transform', 'credit.features', 'v1'), modelreg.record_node('commit', 'credit.code', 'c0ffee');
		SELECT modelreg.record_run('credit.train-1', inputs => '{"training": ["snapshot:credit.loans@2026"],
			"features": ["transform:credit.features@v1"], "code": ["commit:credit.code@c0ffee"]}');
		SELECT modelreg.register_version('$credit', run => 'run:credit.train-1',
			signature => '{"inputs": [{"name": "age", "type": "integer"}], "outputs": [{"name": "score", "type": "double"}]}',
			artifacts => '[{"name": "weights", "uri": "s3://models/credit/1", "size": 3, "digest": "$abc"}]');
		SELECT modelreg.record_artifact_check('$credit', 1, 'weights', '$abc', 3);
		SELECT modelreg.set_model_card('$credit', 1, '{"intended_use": "consumer loans", "limitations": "not for companies"}')
	SQL
	as eva <<-SQL | run
		SELECT modelreg.record_evaluation('snapshot:credit.loans@2026', 'data_quality', '{"nulls": 0}', passed => true);
		SELECT modelreg.record_evaluation('$version_1', 'offline', '{"auc": 0.81}', passed => true),
			modelreg.record_evaluation('$version_1', 'calibration', '{"ece": 0.02}', passed => true),
			modelreg.record_evaluation('$version_1', 'fairness', '{"approval_rate": 0.61}', slice => 'men', passed => true),
			modelreg.record_evaluation('$version_1', 'fairness', '{"approval_rate": 0.44}', slice => 'women', passed => false)
	SQL
	as rudi <<<"SELECT modelreg.promote('$credit', 1, 'Staging')" | run
	refused 55000 'a promotion without approval' <<<"SET ROLE rudi; SELECT modelreg.promote('$credit', 1, 'Production')"
	show <<<"SELECT gate, severity, verdict, observed FROM modelreg.check_promotion('$credit', 1, 'Production')"
	expect 'only the gate on fairness fails' fairness <<-SQL
		SELECT string_agg(gate, ',') FROM modelreg.check_promotion('$credit', 1, 'Production')
		WHERE verdict <> 'holds' AND severity = 'block'
	SQL
}

approvals() {
	local evidence request old new
	chapter 'Refused, mended, approved by two' 'Nobody approves what fails; a second evaluation does not. Each approval names the evidence that it is about.'
	keep request <<<"SET ROLE rudi; SELECT modelreg.request_promotion('$credit', 1, 'Production', reason => 'better than the score card')"
	evidence="SET ROLE rita; SELECT evidence FROM modelreg.review($request)"
	keep old <<<"$evidence"
	refused 55000 'an approval of what fails' <<<"SET ROLE rita; SELECT modelreg.approve($request, '$old')"
	as eva <<-SQL | run
		SELECT modelreg.record_evaluation('$version_1', 'fairness', '{"approval_rate": 0.60}', slice => 'women', passed => true)
	SQL
	refused 55000 'an approval of evidence that is no more' <<<"SET ROLE rita; SELECT modelreg.approve($request, '$old')"
	keep new <<<"$evidence"
	refused 42501 'an approval by who evaluated it' <<<"SET ROLE eva; SELECT modelreg.approve($request, '$new')"
	as rita <<<"SELECT modelreg.approve($request, '$new', 'fairness within bounds')" | show
	as rolf <<<"SELECT modelreg.approve($request, '$new', 'seen, agreed')" | show
	expect 'the second approval put version 1 into Production' 1 <<<"SELECT version FROM modelreg.production('$credit')"
}

auditor() {
	chapter 'Why was it let in?' 'Years later an auditor asks: one call has the policy, what every gate said, and who approved.'
	as audrey <<-SQL | show
		SELECT d->'policy'->>'policy' AS policy, d->'policy'->>'revision' AS revision, d->'request'->>'role' AS asked_by,
		  (SELECT string_agg(a->>'role' || ': ' || (a->>'comment'), '; ') FROM jsonb_array_elements(d->'approvals') a) AS approvals
		FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d
		WHERE n.model = '$credit' AND n.to_stage = 'Production'
	SQL
	as audrey <<-SQL | show
		SELECT g->>'gate' AS gate, g->>'verdict' AS verdict, g->>'observed' AS observed, g->>'earlier' AS earlier
		FROM modelreg.transitions n, modelreg.explain_decision(n.model, n.number) d,
		  jsonb_array_elements(d->'evidence'->'gates') g
		WHERE n.model = '$credit' AND n.to_stage = 'Production'
	SQL
	as eva <<<"SELECT modelreg.quarantine('snapshot:credit.loans@2026', 'incomes of 2025 are in it twice')" | run
	as rudi <<<"SELECT modelreg.register_version('$credit', run => 'run:credit.train-1')" | run
	as eva <<<"SELECT modelreg.record_evaluation('models:/$credit/2', 'offline', '{\"auc\": 0.82}', passed => true)" | run
	refused 55000 'what was trained on it' <<<"SET ROLE rudi; SELECT modelreg.promote('$credit', 2, 'Staging')"
}

race() {
	local start version session sessions=()
	chapter 'Eight promotions at once' 'Eight sessions promote eight versions to Production at the same moment. Who is there afterwards?'
	keep start <<<"SELECT clock_timestamp() + interval '1 second'"
	for version in 1 2 3 4 5 6 7 8; do
		value "SELECT pg_sleep(extract(epoch FROM '$start' - clock_timestamp()));
			SELECT modelreg.promote('$model', $version, 'Production', reason => 'session $version')" \
			>"$files/session$version" 2>&1 &
		sessions+=($!)
	done
	for session in "${sessions[@]}"; do wait "$session" || fail "a session ended with: $(cat "$files"/session?)"; done
	ok 'all eight returned without an error'
	show <<-SQL
		SELECT number, version, until - since AS was_current FROM modelreg.production_history
		WHERE model = '$model' ORDER BY number DESC LIMIT 8
	SQL
	expect '13, which serves, is still in stage Production, but leaving' 13 \
		<<<"SELECT version FROM modelreg.leaving_versions WHERE model = '$model'"
	expect 'beside it there is exactly one version, the current one' t <<-SQL
		SELECT p.version = v.version FROM modelreg.production('$model') p, modelreg.versions v
		WHERE v.model = '$model' AND v.stage = 'Production' AND v.version <> 13
	SQL
	expect 'eight decisions are on record, each with its number' 8 <<-SQL
		SELECT count(DISTINCT number) FROM modelreg.transitions
		WHERE model = '$model' AND reason LIKE 'session %' AND to_stage = 'Production'
	SQL
}

tampering() {
	local head
	chapter 'Five ways to tamper' 'A superuser tries to rewrite history.'
	keep head <<<'SELECT digest FROM modelreg.audit_head()'
	refused 55000 'an UPDATE' <<<'UPDATE modelreg.version SET registered_at = now()'
	refused 55000 'a DELETE under replica role' \
		<<<'SET session_replication_role = replica; DELETE FROM modelreg.event WHERE chain = 5'
	refused 55000 'a TRUNCATE' <<<'TRUNCATE modelreg.event'
	refused 55000 'disabling the triggers' <<<'ALTER TABLE modelreg.event DISABLE TRIGGER ALL'
	refused 55000 'dropping everything' <<<'DROP EXTENSION modelreg CASCADE'
	gap
	expect 'audit_head(), a digest over the heads of all chains, is what it was' "$head" \
		<<<'SELECT digest FROM modelreg.audit_head()'
}

forgery() {
	local object
	chapter 'What only verify() finds' 'What cannot be refused to a superuser: a forged row, its hash well made, and a byte changed in the weights.'
	found 'the forged row' 'production 1/99' 'SELECT * FROM modelreg.verify()' <<-SQL
		INSERT INTO modelreg.production (model_id, seq, team_id, at, version, hash) VALUES (1, 99, 1, now(), 9,
		  modelreg.row_hash('production', 1::smallint, 1::bigint, 99::bigint, 1::bigint, now(), 9, NULL::bigint))
	SQL
	keep object <<<"SELECT object FROM modelreg.blob WHERE digest::text = 'sha256:$digest'"
	found 'the changed byte' 'artifact 1/14/weights' 'SELECT * FROM modelreg.verify(deep => true)' \
		<<<"SELECT lo_put($object, 1000000, '\\x2a')"
}

end() {
	chapter 'As it was' 'Both were rolled back. Every hash, link, state and byte is recomputed once more.'
	statement 'SELECT * FROM modelreg.verify(deep => true)'
	expect 'no finding' 0 <<<'SELECT count(*) FROM modelreg.verify(deep => true)'
	show <<<'SELECT digest AS "to be kept outside of the database" FROM modelreg.audit_head()'
}

printf '%sThe story of reco-model%s, on PostgreSQL %s\n' "$bold" "$plain" "$(value 'SHOW server_version')"
for part in registry past inputs bytes version_14 questions drawing rollout answer guard bad_snapshot credit approvals auditor race tampering forgery end; do "$part"; done
printf '%sAll %d chapters are as they should be%s (%d seconds).\n' "$bold" "$chapters" "$plain" "$SECONDS"
