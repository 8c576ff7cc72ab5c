"""What served at a time, over EVENTS (1000000) events of one endpoint, beside replaying them; and how long a rollback takes while a
registration of the same model is held open, ROLLBACKS (500) of them."""

import os
import statistics

from common import Session, durable, in_turn, psql, say, table

EVENTS = int(os.environ.get("EVENTS", 1000000))
ROLLBACKS = int(os.environ.get("ROLLBACKS", 500))

SETUP = """SELECT modelreg.create_team('bench');
SELECT modelreg.create_model('bench.reco', 'open');
SELECT count(modelreg.register_version('bench.reco')) FROM generate_series(1, 2);
SELECT modelreg.promote('bench.reco', v, 'Production', archive_others => false) FROM generate_series(1, 2) v;
SELECT modelreg.create_endpoint('bench.long', 'bench.reco', 1), modelreg.create_endpoint('bench.home', 'bench.reco', 1);"""

# As if the endpoint had got another schedule each microsecond, with the hashes that its rows have to have.
FORGE = f"""CREATE TEMP TABLE forged AS SELECT e.id AS endpoint_id, s.seq + i AS seq, s.team_id, s.at + i * interval '1 us' AS at, s.salt,
	jsonb_set(s.doc, '{{steps,0,opens}}', to_jsonb((s.doc #>> '{{steps,0,opens}}')::bigint + i)) AS doc, v.who, v.what, v.prev
FROM modelreg.endpoint e JOIN modelreg.traffic_schedule s ON s.endpoint_id = e.id AND s.seq = e.schedule_seq
	JOIN modelreg.event v ON v.chain = 6 AND v.chain_id = e.id AND v.seq = s.seq, generate_series(1, {EVENTS}) AS i WHERE e.name = 'long';
INSERT INTO modelreg.traffic_schedule SELECT endpoint_id, seq, team_id, at, 'rollout_completed', NULL, NULL, salt, doc,
	modelreg.row_hash('traffic_schedule', 1::smallint, endpoint_id, seq, team_id, at, 'rollout_completed'::text COLLATE "C", NULL::bigint, NULL::bigint, salt, doc), 1 FROM forged;
INSERT INTO modelreg.event SELECT 6, endpoint_id, seq, at, 'rollout_completed', team_id, who, NULL, NULL, NULL, what, NULL, prev,
	modelreg.row_hash('event', 1::smallint, 6::smallint, endpoint_id, seq, at, 'rollout_completed'::text COLLATE "C", team_id, who, NULL::text, NULL::text, NULL::text, what, NULL::bytea, prev), 1
FROM forged;
VACUUM ANALYZE modelreg.traffic_schedule;
VACUUM ANALYZE modelreg.event;"""

AT = f"(SELECT created_at + {EVENTS - 1000} * interval '1 us' FROM modelreg.endpoint WHERE name = 'long')"
REPLAY = f"""SELECT (array_agg(e.what ORDER BY e.seq DESC))[1] FROM modelreg.event e
    WHERE e.chain = 6 AND e.chain_id = (SELECT id FROM modelreg.endpoint WHERE name = 'long') AND e.at <= {AT}"""


def as_of():
    durable(False)
    psql(SETUP)
    psql(FORGE)
    durable(True)
    say(f"{EVENTS} events are there")
    session = Session()
    calls = 1000
    ours, replay = in_turn(lambda: session.time(f"SELECT count(s.version) FROM {AT} AS a(at), generate_series(1, {calls}) AS i, LATERAL modelreg.serving('bench.long', a.at - i * interval '1 us') s") / calls,
                           lambda: session.time(REPLAY))
    session.close()
    return ours, replay


def rollbacks():
    """Milliseconds of each, from the client's call to its answer."""
    pipeline, operator = Session(), Session()
    pipeline.run("BEGIN")
    pipeline.run("SELECT modelreg.register_version('bench.reco')")
    times = []
    for _ in range(ROLLBACKS):
        operator.run("SELECT modelreg.start_rollout('bench.home', 2, plan => 'all at once')")
        times.append(operator.time("SELECT modelreg.rollback('bench.home', 'worse')"))
    pipeline.run("COMMIT")
    pipeline.close()
    operator.close()
    return sorted(times)


def run():
    ours, replay = as_of()
    times = rollbacks()
    return {"as_of": table(("events", "serving(endpoint, at), ms", "replaying, ms", "ratio", "aim"), [(EVENTS, ours, replay, replay / ours, 1000)]),
            "rollback": table(("rollbacks, a registration open", "median, ms", "p99, ms", "aim, ms"),
                              [(len(times), statistics.median(times), times[len(times) * 99 // 100], 10)])}, {}
