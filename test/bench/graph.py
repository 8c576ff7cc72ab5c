"""Forges a lineage graph as a superuser: quicker than recording a million nodes, with the same rows.

Four graphs of about a quarter of the edges each, one behind the other in the order of ids:
    hub     each node derives from one snapshot and from a recent node
    deep    a history: each node derives from the one before, every third from another recent one too
    sparse  each node derives from two of any age, so that what a node derives from is scattered widely
    dense   each node derives from 20 of the 400 before it
"""

import random
import subprocess

from common import psql

HUB_ADDRESS = "snapshot:bench.n1"
COPY_EDGES = "COPY modelreg.edge (child, parent, parent_low, child_team, parent_team, parent_level, role, child_kind, parent_kind) FROM STDIN"


class Copy:
    """COPY of a table through a psql of its own, so that two of them load at a time."""

    def __init__(self, command):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", "SET synchronous_commit = off",
                                      "-c", command], stdin=subprocess.PIPE, text=True)
        self.lines = []

    def add(self, line):
        self.lines.append(line)
        if len(self.lines) == 20000:
            self.flush()

    def flush(self):
        self.psql.stdin.write("".join(self.lines))
        self.lines.clear()

    def close(self):
        self.flush()
        self.psql.stdin.close()
        if self.psql.wait() != 0:
            raise SystemExit("COPY failed")


class Graph:
    """Adds nodes with their parents, in the order of ids, and keeps what an edge says of its parent."""

    def __init__(self, teams):
        self.teams = teams
        self.level, self.low = [0], [0]
        self.nodes = Copy("COPY forged FROM STDIN")
        self.edges = Copy(COPY_EDGES)

    def team(self, node):
        return self.teams[node % len(self.teams)]

    def add(self, parents):
        child = len(self.level)
        level, low = 0, child
        for parent, role in parents:
            parent_level, parent_low = self.level[parent], self.low[parent]
            self.edges.add(f"{child}\t{parent}\t{parent_low}\t{self.team(child)}\t{self.team(parent)}\t{parent_level}\t{role}\trun\t"
                           f"{'snapshot' if parent == 1 else 'run'}\n")
            level, low = max(level, parent_level + 1), min(low, parent_low)
        self.level.append(level)
        self.low.append(low)
        self.nodes.add(f"{child}\t{level}\t{low}\n")
        return child

    def close(self):
        self.nodes.close()
        self.edges.close()


def forge(edges, teams=("bench",)):
    """First and last node of each graph, by its name. Nodes belong to the teams in turn."""
    psql("CREATE UNLOGGED TABLE forged (id bigint, level integer, low bigint)")
    graph = Graph([psql(f"SELECT id FROM modelreg.team WHERE name = '{team}'").strip() for team in teams])
    rnd = random.Random(42).random
    quarter = edges // 4
    ranges = {}

    first = graph.add(())
    for _ in range(quarter // 2):
        last = graph.add({(1, "training"), (max(1, len(graph.level) - 1 - int(rnd() * 200)), "features")})
    ranges["hub"] = first, last

    first = last = graph.add(())
    for n in range(int(quarter / 1.33)):
        other = {(max(first, last - 1 - int(rnd() * 50)), "features")} if n % 3 == 2 else set()
        last = graph.add({(last, "base")} | other)
    ranges["deep"] = first, last

    first = graph.add(())
    for n in range(1, quarter // 2):
        last = graph.add({(first + int(rnd() * n), "code"), (first + int(rnd() * n), "features")})
    ranges["sparse"] = first, last

    first = graph.add(())
    for n in range(1, quarter // 20):
        last = graph.add({(max(first, first + n - 1 - int(rnd() * 400)), "features") for _ in range(20)})
    ranges["dense"] = first, last
    graph.close()
    psql(file="graph_nodes.sql", teams="{" + ",".join(graph.teams) + "}", nodes=len(graph.level))
    return ranges
