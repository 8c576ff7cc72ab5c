"""record_predictions() in batches of some sizes (BATCHES, 1000 10000 100000), into a day's partition with the log's index; INSERT ... SELECT of the same
arrays into a table of the same form as the alternative. And trace_prediction() and impact_serving() on what is there then."""

import os

from common import Session, durable, in_turn, psql, size, table

BATCHES = [int(n) for n in os.environ.get("BATCHES", "1000 10000 100000").split()]
WRITER = "regress_bench_writer"

SETUP = f"""SELECT modelreg.create_team('bench'), modelreg.create_model('bench.reco', 'open');
SELECT modelreg.record_run('bench.train', inputs => jsonb_build_object('code', modelreg.record_node('commit', 'bench.code', 'abc')));
SELECT modelreg.register_version('bench.reco', 'run:bench.train') FROM generate_series(1, 3);
SELECT modelreg.promote('bench.reco', 1, 'Production'), modelreg.create_endpoint('bench.home', 'bench.reco');
CREATE ROLE {WRITER} LOGIN;
SELECT modelreg.grant_level('bench', '{WRITER}', 'contributor');
SELECT modelreg.add_prediction_partitions('2026-06-04', '2026-06-01');
CREATE TABLE bare (LIKE modelreg.prediction) PARTITION BY RANGE (at);
CREATE TABLE bare_1 PARTITION OF bare FOR VALUES FROM ('2026-06-01 00:00+00') TO ('2026-06-02 00:00+00');
CREATE TABLE bare_2 PARTITION OF bare FOR VALUES FROM ('2026-06-02 00:00+00') TO ('2026-06-03 00:00+00');
CREATE INDEX ON bare_1 (endpoint_id, request_key, at);
CREATE INDEX ON bare_2 (endpoint_id, request_key, at);
CREATE TABLE batch (n integer, keys text[], versions integer[], at timestamptz[], receipts text[], outputs jsonb[]);
GRANT ALL ON bare, batch TO {WRITER};"""
BATCH = """INSERT INTO batch SELECT {n}, array_agg('user-' || hashint4(i)), array_agg(i % 3 + 1), array_agg('2026-06-01 12:00+00'::timestamptz + i * interval '100 ms'),
    array_agg('1.0'::text), array_agg(jsonb_build_object('score', i / 1e6, 'items', jsonb_build_array(i, i + 1, i + 2))) FROM generate_series(1, {n}) AS i"""
OURS = "SELECT modelreg.record_predictions('bench.home', keys, versions, at, receipts, outputs) FROM batch WHERE n = {n}"
THEIRS = """INSERT INTO bare SELECT 1, 1, u.at, now(), 1, split_part(u.receipt, '.', 1)::bigint, u.version, split_part(u.receipt, '.', 2)::integer, u.key, u.output
    FROM batch, unnest(keys, versions, batch.at, receipts, outputs) AS u(key, version, at, receipt, output) WHERE n = {n}"""


def run():
    psql(SETUP)
    durable(True)
    session = Session(WRITER)
    rows = []
    for n in BATCHES:
        psql(BATCH.format(n=n))
        ours, theirs = in_turn(lambda: session.time(OURS.format(n=n)), lambda: session.time(THEIRS.format(n=n)))
        rows.append((size(n), 1000 * n / ours, 1000 * n / theirs, theirs / ours, 0.8))
    psql("VACUUM ANALYZE")
    key = psql("SELECT request_key FROM modelreg.prediction LIMIT 1").strip()
    lookups = []
    for title, call in (("trace_prediction(), logged", f"SELECT count(*) FROM modelreg.trace_prediction('bench.home', '{key}', now())"),
                        ("trace_prediction(), by receipt, of a key that was not logged", "SELECT count(*) FROM modelreg.trace_prediction('bench.home', 'nobody', receipt => '1.0')"),
                        ("impact_serving(current_only)", "SELECT count(*) FROM modelreg.impact_serving('commit:bench.code@abc', true)")):
        lookups.append((title, in_turn(lambda call=call: session.time(call))[0]))
    session.close()
    psql(f"DROP OWNED BY {WRITER}; DROP ROLE {WRITER}")
    return {"predictions": table(("batch", "record_predictions(), rows/s", "INSERT ... SELECT, rows/s", "ratio", "aim"), rows),
            "tracing": table(("what", "ms"), lookups)}, {}
