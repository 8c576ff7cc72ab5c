"""Walks of who may read two of ten teams, beside the same of who may read all. RIGHTS_EDGES: the size of the graph (1000000)."""

import os

from common import Session, durable, fresh, in_turn, psql, size, table
from graph import forge
from lineage import SETTINGS, walks

EDGES = int(os.environ.get("RIGHTS_EDGES", 1000000))
TEAMS = [f"bench{n}" for n in range(10)]
READABLE = 2


def prepare():
    fresh("rights")
    psql("".join(f"SELECT modelreg.create_team('{team}');" for team in TEAMS))
    ranges = forge(EDGES, TEAMS)
    psql("DROP ROLE IF EXISTS bench_reader; CREATE ROLE bench_reader LOGIN;"
         + "".join(f"SELECT modelreg.grant_level('{team}', 'bench_reader', 'reader');" for team in TEAMS[1:1 + READABLE]))
    return ranges


def run():
    durable(False)
    ranges = prepare()
    durable(True)
    everything, reader = Session(settings=SETTINGS), Session("bench_reader", SETTINGS)
    rows = []
    for title, node, up in walks(ranges):
        node -= (node - 1) % len(TEAMS)        # of a team that the reader may read
        address = f"{'snapshot' if node == 1 else 'run'}:{TEAMS[node % len(TEAMS)]}.n{node}"
        call = f"SELECT count(*) FROM modelreg.{'upstream' if up else 'downstream'}('{address}')"
        ours, theirs = in_turn(lambda: reader.time(call), lambda: everything.time(call))
        rows.append((title, int(reader.run(call)[0]), ours, theirs, ours / theirs, 1.3))
    everything.close()
    reader.close()
    psql("REVOKE ALL ON SCHEMA public FROM bench_reader; DROP ROLE bench_reader")
    return {"rights": table((f"graph, {size(EDGES)} edges", "rows", "two of ten teams, ms", "all teams, ms", "ratio", "at most"), rows)}, {}
