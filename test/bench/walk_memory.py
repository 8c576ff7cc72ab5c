"""What a backend's memory grows by for a walk, beside what docs/architecture.md promises, which is an error to exceed, and beside WITH RECURSIVE over the
same nodes. MEMORY_EDGES: the size of the graph (1000000), beside which there is a chain."""

import os
import re

from common import Session, durable, psql, size, table
from graph import forge
from lineage import address, make_current, recursive, walks

EDGES = int(os.environ.get("MEMORY_EDGES", 1000000))
CHAIN = EDGES // 10
# Rows go to a file as soon as they can, on either side, so that what is left is the walk.
SETTINGS = ("jit = off", "work_mem = '64kB'")
# As docs/architecture.md says: bytes for each id that was given out and for each node visited; besides for each step of a path; and for each node
# and each edge that impact(current_only => true) keeps.
PER_ID, PER_NODE = 13, 16
PER_STEP = 200
PER_KEPT_NODE, PER_KEPT_EDGE = 80, 48
# The allocator takes and keeps some of its own.
SLACK = 1.0


def record_chain(first):
    """Each node derives from the one before and nothing else: as many steps as nodes."""
    psql(f"""SELECT modelreg.record_run('bench.n{first}');
        SELECT modelreg.record_nodes(array_agg('run:bench.n' || i ORDER BY i), array_agg(jsonb_build_object('base', 'run:bench.n' || i - 1) ORDER BY i))
            FROM generate_series({first + 1}, {first + CHAIN}) AS i;""")
    return first, first + CHAIN


def world():
    """First and last node of each graph, and how many ids were given out."""
    psql("SELECT modelreg.create_team('bench')")
    ranges = forge(EDGES)
    last_id = "SELECT last_value FROM modelreg.node_id_seq"
    ranges["chain"] = record_chain(int(psql(last_id)) + 1)
    make_current(ranges)
    for graph in "deep", "dense", "chain":
        psql(f"""SELECT modelreg.create_model('bench.{graph}', 'open'), modelreg.register_version('bench.{graph}', run => '{address(ranges[graph][1])}'),
            modelreg.promote('bench.{graph}', 1, 'Production');""")
    return ranges, int(psql(last_id))


def status(pid, name):
    """Kilobytes. Of the address space, as pages of shared buffers that were touched count in what is resident."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(rf"^{name}:\s+(\d+) kB", file.read(), re.M)[1])


def peak(sql):
    """The number that a statement returns, and the most MB that it took, in a session that knows the tables."""
    session = Session(settings=SETTINGS)
    session.run(f"SELECT (SELECT count(*) FROM modelreg.upstream('{address(1)}')), ({recursive(1, True)}SELECT count(*) FROM w)")
    pid = session.run("SELECT pg_backend_pid()")[0]
    before = status(pid, "VmSize")
    rows = session.run(sql)
    after = status(pid, "VmPeak")
    session.close()
    return int(rows[0]), (after - before) * 1024 / 1e6


def calls(ranges):
    """Title, what is called, the nodes from which it walks, upstream?"""
    for graph, node, up in (*walks(ranges), ("chain", ranges["chain"][1], True)):
        name, graph = "upstream" if up else "downstream", graph.split(",")[0]
        yield f"{name}_ids(), {graph}", f"{name}_ids('{address(node)}') AS ids, unnest(ids)", (node,), up
        yield f"{name}(), {graph}", f"{name}('{address(node)}')", (node,), up
    for graph in "deep", "chain":
        first, last = ranges[graph]
        middle = (first + last) // 2
        ends = f"'{address(last)}', '{address(first)}'"
        for name in "is_derived_from", "path", "path_nodes":
            yield f"{name}(), {graph}", f"{name}({ends})", (last,), True
        yield f"common_upstream(), {graph}", f"common_upstream('{address(last)}', '{address(middle)}')", (last, middle), True
    yield "impact(), hub", f"impact('{address(1)}')", (1,), False
    for graph in "deep", "dense", "chain":
        first, last = ranges[graph]
        yield f"impact(current_only), {graph}", f"impact('{address(first)}', current_only => true)", (last,), True


def promised(ids, title, nodes, visited, rows):
    total = len(nodes) * PER_ID * ids + PER_NODE * visited
    if title.startswith("path()"):
        total += PER_STEP * rows
    if title.startswith("impact(current_only)"):
        edges = int(psql(f"{recursive(nodes[0], True)}SELECT count(*) FROM w JOIN modelreg.edge e ON e.child = w.id"))
        total += PER_KEPT_NODE * visited + PER_KEPT_EDGE * edges
    return total / 1e6


def row(ids, title, call, nodes, up):
    theirs = "+".join(f"({recursive(node, up)}SELECT count(*) FROM w)" for node in nodes)
    rows, ours_mb = peak(f"SELECT count(*) FROM modelreg.{call}")
    visited, theirs_mb = peak(f"SELECT {theirs}")
    most = promised(ids, title, nodes, visited, rows)
    if ours_mb > most + SLACK:
        raise SystemExit(f"{title} takes {ours_mb} MB, and {most} are promised")
    return title, visited, rows, ours_mb, ours_mb * 1e6 / visited, most, theirs_mb, theirs_mb * 1e6 / visited, theirs_mb / ours_mb


def run():
    durable(False)
    ranges, ids = world()
    rows = [row(ids, *call) for call in calls(ranges)]
    return {"walk_memory": table((f"walk, {ids:,} ids", "nodes visited", "rows", "MB", "bytes a node", "promised, MB", "WITH RECURSIVE, MB", "bytes a node", "ratio"),
                                 rows)}, {}
