"""record_nodes() of runs with three inputs each, in calls of some sizes (BATCHES, 1000 10000 100000); beside it the bare INSERT of the same rows, of
which all is known beforehand, hashes too, into tables with the same columns, indexes and CHECKs."""

import itertools
import os

from common import Session, durable, in_turn, psql, size, table

BATCHES = [int(n) for n in os.environ.get("BATCHES", "1000 10000 100000").split()]

SETUP = """SELECT modelreg.create_team('bench');
SELECT count(modelreg.record_snapshot('bench.events', i::text)), count(modelreg.record_node('commit', 'bench.code', i::text)) FROM generate_series(0, 999) AS i;
CREATE TABLE call (nodes text[], inputs jsonb[]);
CREATE TABLE bare_node (LIKE modelreg.node INCLUDING ALL);
CREATE TABLE bare_edge (LIKE modelreg.edge INCLUDING ALL);
CREATE UNLOGGED TABLE next_node AS SELECT * FROM modelreg.node;
CREATE UNLOGGED TABLE next_edge AS SELECT * FROM modelreg.edge;"""
# A run has a snapshot, a commit, and a run shortly before it.
CALL = """TRUNCATE call;
INSERT INTO call SELECT array_agg(format('run:bench.train-%s-%s', {call}, i) ORDER BY i), array_agg(jsonb_build_object('training', 'snapshot:bench.events@' || i % 1000,
    'code', 'commit:bench.code@' || i / 7 % 1000, 'base', CASE WHEN i < 13 THEN 'commit:bench.code@' || i ELSE format('run:bench.train-%s-%s', {call}, i - 1 - i % 13) END) ORDER BY i)
    FROM generate_series(1, {n}) AS i;"""
NEXT = """TRUNCATE next_node, next_edge;
INSERT INTO next_node SELECT * FROM modelreg.node WHERE id > (SELECT coalesce(max(id), 0) FROM bare_node);
INSERT INTO next_edge SELECT e.* FROM modelreg.edge e JOIN next_node n ON n.id = e.child ORDER BY e.child, e.parent;"""
OURS = "SELECT modelreg.record_nodes(nodes, inputs) FROM call"
THEIRS = "WITH n AS (INSERT INTO bare_node SELECT * FROM next_node) INSERT INTO bare_edge SELECT * FROM next_edge"


def run():
    psql(SETUP)
    durable(True)
    session = Session()
    calls = itertools.count()
    rows = []

    def ours(n):
        psql(CALL.format(call=next(calls), n=n))
        return session.time(OURS)

    def theirs():
        psql(NEXT)
        return session.time(THEIRS)

    for n in BATCHES:
        mine, bare = in_turn(lambda n=n: ours(n), theirs)
        rows.append((size(n), 1000 * n / mine, 1000 * n / bare, bare / mine, 20000))
    session.close()
    return {"recording": table(("nodes a call, three edges each", "record_nodes(), nodes/s", "INSERT of the same rows, nodes/s", "ratio", "aim, nodes/s"), rows)}, {}
