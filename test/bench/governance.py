"""Deciding with evidence: promote() where the policy asks for no gate and for five, and a request with two approvals; the alternative is
one prepared statement a call, by hand, that reads the same evaluations and writes the same rows, with their hashes, into tables like ours.

Neither side waits for the disk, which would be all that is seen. CLIENTS (4) each decide about a model of their own.
"""

import os

from common import durable, in_turn, psql, table, tps_of

CLIENTS = int(os.environ.get("CLIENTS", 4))
VERSIONS = 64

# Each gate of the policy "five" with what it looks at: kind of evaluation and slice.
LOOKS = (("offline", ""), ("offline", ""), ("calibration", ""), ("fairness", "men"), ("fairness", "women"))

WHO = """'{"role": "postgres", "role_oid": 10}'::jsonb"""

# The version after the one that is current, so that each call decides something.
NEXT_OURS = "SELECT 1 + version % {versions} AS v FROM modelreg.production('bench.{policy}-' || :client_id) \\gset\n"
NEXT_THEIRS = "SELECT 1 + current_version % {versions} AS v FROM bench.model WHERE name = '{policy}-' || :client_id \\gset\n"

PROMOTE = "SELECT modelreg.promote('bench.{policy}-' || :client_id, :v::integer, 'Production');\n"

APPROVE = ("SET ROLE regress_bench_asks;\nSELECT modelreg.request_promotion('bench.{policy}-' || :client_id, :v::integer, 'Production') AS request \\gset\n"
           "SET ROLE regress_bench_first;\nSELECT evidence FROM modelreg.review(:request) \\gset\nSELECT modelreg.approve(:request, :evidence);\n"
           "SET ROLE regress_bench_second;\nSELECT modelreg.approve(:request, :evidence);\n")

HEAD = "h AS MATERIALIZED (SELECT m.*, clock_timestamp() AS now FROM bench.model m WHERE name = {model} FOR UPDATE)"
MODEL = "'{policy}-' || :client_id"

# What gates saw, as one document. The digest is taken over the server's text of it, where ours is over canonical JSON.
EVIDENCE = """d AS MATERIALIZED (SELECT h.*, x.document, sha256(convert_to(x.document::text, 'UTF8')) AS digest FROM h CROSS JOIN LATERAL (SELECT jsonb_build_object(
	'model_id', h.id, 'version', :v::integer, 'policy', h.policy, 'policy_digest', encode(h.policy_digest, 'hex'), 'compared', h.current_version, 'from', 'Archived', 'to', 'Production',
	'gates', {gates}) AS document) x),
w1 AS (INSERT INTO bench.evidence SELECT team_id, digest, id, :v::integer, document, now, modelreg.row_hash('evidence', 1::smallint, team_id, digest, id, :v::integer, document, now), 1::smallint FROM d
	ON CONFLICT DO NOTHING)"""
QUARANTINE = """jsonb_build_array(jsonb_build_object('gate', 'quarantine', 'kind', 'quarantine', 'severity', 'block', 'required', 'no quarantined node upstream',
		'observed', 'none', 'verdict', 'holds', 'evaluations', '[]'::jsonb, 'nodes', '[]'::jsonb, 'earlier', 0))"""
LATEST = """(SELECT jsonb_agg(jsonb_build_object('gate', l.n, 'kind', l.kind, 'severity', 'block', 'required', 'passed', 'observed', e.passed, 'verdict', 'holds',
		'evaluations', jsonb_build_array(e.id), 'nodes', '[]'::jsonb, 'earlier', e.earlier)) FROM (VALUES {looks}) l (n, kind, slice)
		CROSS JOIN LATERAL (SELECT e.id, e.passed, count(*) OVER () AS earlier FROM modelreg.evaluation e JOIN modelreg.version v ON v.node_id = e.node_id
			WHERE v.model_id = h.id AND v.version = :v::integer AND e.kind = l.kind AND e.slice = l.slice ORDER BY e.id DESC LIMIT 1) e)"""

EVENT = """e AS MATERIALIZED (SELECT d.*, d.seq + 1 AS next, k.what, modelreg.row_hash('event', 1::smallint, 5::smallint, d.id, d.seq + 1, d.now, '{kind}'::text, d.team_id, {who}, 'pgbench'::text,
	NULL::text, NULL::text, k.what, NULL::bytea, d.head_hash) AS event_hash FROM d CROSS JOIN LATERAL (SELECT jsonb_build_object({what}, 'policy', d.policy,
	'policy_digest', encode(d.policy_digest, 'hex')) AS what) k),
w2 AS (INSERT INTO bench.event SELECT 5, id, next, now, '{kind}', team_id, {who}, 'pgbench', NULL, NULL, what, NULL, head_hash, event_hash FROM e)"""
MOVES = """'moves', jsonb_build_array(jsonb_build_object('version', :v::integer, 'from', 'Archived', 'to', 'Production'), jsonb_build_object('version', d.current_version, 'from', 'Production',
	'to', 'Archived')), 'current', :v::integer, 'replaced', d.current_version, 'previous_seq', d.seq, 'evidence', encode(d.digest, 'hex')"""
DECIDE = """w3 AS (UPDATE bench.version_stage s SET stage = (CASE s.version WHEN :v::integer THEN 'Production' ELSE 'Archived' END)::modelreg.stage, since = e.now
	FROM e WHERE s.model_id = e.id AND s.version IN (:v::integer, e.current_version)),
w4 AS (INSERT INTO bench.production SELECT id, next, team_id, now, :v::integer, seq, modelreg.row_hash('production', 1::smallint, id, next, team_id, now, :v::integer, seq) FROM e)"""
UPDATE = "UPDATE bench.model m SET seq = e.next, head_hash = e.event_hash, head_at = e.now{current} FROM e WHERE m.id = e.id RETURNING m.seq;\n"
CURRENT = """, current_version = :v::integer, current_since = e.now, (current_registered_at, current_identity, current_node_id) =
	(SELECT v.registered_at, v.identity, v.node_id FROM modelreg.version v WHERE v.model_id = e.id AND v.version = :v::integer)"""
NOTHING_SEEN = "d AS MATERIALIZED (SELECT h.*, NULL::bytea AS digest FROM h)"


def decide_theirs(policy, more=(), model=MODEL):
    """A promotion of version :v with its evidence, and what belongs to it, as one statement."""
    gates = QUARANTINE
    if policy != "open":
        gates = LATEST.format(looks=", ".join(f"({n}, '{kind}', '{slice_}')" for n, (kind, slice_) in enumerate(LOOKS)))
    parts = [HEAD, EVIDENCE.replace("{gates}", gates), EVENT.format(kind="promoted", who=WHO, what=MOVES), DECIDE, *more]
    return "WITH " + ",\n".join(parts).replace("{model}", model).replace("{policy}", policy) + "\n" + UPDATE.format(current=CURRENT)


def approve_theirs(policy):
    """A request, an approval, and another that decides: three statements, as there are three persons."""
    request = ", ".join((HEAD, NOTHING_SEEN, EVENT.format(kind="promotion_requested", who=WHO, what="'version', :v::integer, 'stage', 'Production', 'expires_at', 0"),
                         f"""w5 AS (INSERT INTO bench.approval_request SELECT nextval('bench.request'), team_id, id, next, :v::integer, 'Production', NULL, NULL, 'open', {WHO}, now,
	now + interval '30 days', NULL FROM e)"""))
    approval = f"w6 AS (INSERT INTO bench.approval SELECT r.id, e.next, e.team_id, e.digest, {WHO}, e.now FROM e, bench.approval_request r WHERE r.model_id = e.id AND r.state = 'open')"
    close = "w7 AS (UPDATE bench.approval_request r SET state = 'done', closed_seq = e.next FROM e WHERE r.model_id = e.id AND r.state = 'open')"
    gates = EVIDENCE.replace("{gates}", LATEST.format(looks=", ".join(f"({n}, '{kind}', '{slice_}')" for n, (kind, slice_) in enumerate(LOOKS))))
    first = ",\n".join((HEAD, gates, EVENT.format(kind="request_approved", who=WHO, what="'evidence', encode(d.digest, 'hex')"), approval))
    one, two = (f"WITH {text}\n".replace("{model}", MODEL).replace("{policy}", policy) + UPDATE.format(current="") for text in (request, first))
    return one + two + decide_theirs(policy, (approval, close))


MEASURES = (
    ("promote(), no gate asked (`open`)", "open", PROMOTE, decide_theirs),
    ("promote(), five gates", "five", PROMOTE, decide_theirs),
    ("request, review, two approvals, five gates", "two", APPROVE, approve_theirs),
)


def run():
    psql(file="governance_setup.sql", versions=VERSIONS, clients=CLIENTS)
    durable(False)
    rows = []
    for title, policy, ours, theirs in MEASURES:
        names = {"versions": VERSIONS, "policy": policy}
        o, t = in_turn(lambda: tps_of(NEXT_OURS.format(**names) + ours.format(**names), CLIENTS),
                       lambda: tps_of(NEXT_THEIRS.format(**names) + theirs(policy), CLIENTS), warm=False)
        rows.append((title, o, t, o / t))
    psql("DROP OWNED BY regress_bench_asks, regress_bench_first, regress_bench_second; DROP ROLE regress_bench_asks, regress_bench_first, regress_bench_second")
    return {"governance": table(("measure", "ours, a second", "by hand, a second", "ratio"), rows)}, {}
