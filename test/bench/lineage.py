"""Walks, beside WITH RECURSIVE on the same covering indexes. EDGES: the sizes of the graph (10000 100000 1000000 10000000)."""

import os

from chart import chart
from common import Session, durable, fresh, in_turn, number, psql, say, size, table
from graph import HUB_ADDRESS, forge

SIZES = [int(n) for n in os.environ.get("EDGES", "10000 100000 1000000 10000000").split()]
# Models with a current version, half of which derive from the hub.
MODELS = 200
# Closures that are compared by their number of nodes; larger ones would only take long.
CHECKED = 100000
# From so many edges on the aim of 12 is looked at: in smaller graphs the call is what counts.
LARGE = 100000
# As much as helps the alternative.
SETTINGS = ("jit = off", "work_mem = '256MB'")


def recursive(node, up):
    to, at = ("parent", "child") if up else ("child", "parent")
    return (f"WITH RECURSIVE w (id) AS (SELECT {node}::bigint UNION SELECT e.{to} FROM w JOIN modelreg.edge e ON e.{at} = w.id) ")


def walks(ranges):
    """Title, node to start from, upstream?"""
    sparse_first, sparse_last = ranges["sparse"]
    return (("hub", 1, False), ("deep", ranges["deep"][1], True), ("sparse, upstream", sparse_last, True),
            ("sparse, downstream", sparse_first + 10, False), ("dense", ranges["dense"][1], True))


def address(node):
    return HUB_ADDRESS if node == 1 else f"run:bench.n{node}"


def same_nodes(session, node, up, function):
    """How many nodes WITH RECURSIVE finds, where ours finds the same."""
    nodes = int(session.run(f"{recursive(node, up)}SELECT count(id) - 1 FROM w")[0])
    same = f"SELECT cardinality(modelreg.{function}_ids('{address(node)}')) = {nodes}"
    if nodes < CHECKED:
        same += f""" AND modelreg.{function}_ids('{address(node)}') = (SELECT array_agg(DISTINCT node_id ORDER BY node_id) FROM modelreg.{function}('{address(node)}'))
            AND modelreg.{function}_ids('{address(node)}') = ({recursive(node, up)}SELECT array_agg(id ORDER BY id) FROM w WHERE id <> {node})"""
    if session.run(same) != ["t"]:
        raise SystemExit(f"{function}() of node {node} has other nodes than WITH RECURSIVE")
    return nodes


def closure(session, node, up):
    """How many nodes there are, their ids as rows, and SQL's ids; then all columns of all nodes, and SQL's."""
    function = "upstream" if up else "downstream"
    ids, rows = f"modelreg.{function}_ids('{address(node)}')", f"modelreg.{function}('{address(node)}')"
    ids_sql, rows_sql = f"{recursive(node, up)}SELECT count(id) - 1 FROM w", \
        f"{recursive(node, up)}SELECT count(n.name || n.version) - 1 FROM w JOIN modelreg.node n USING (id)"
    nodes = same_nodes(session, node, up, function)
    return nodes, *in_turn(lambda: session.time(f"SELECT cardinality({ids})"),
                           lambda: session.time(f"SELECT count(id) FROM (SELECT unnest({ids}) AS id) AS ids"),
                           lambda: session.time(ids_sql)), \
        *in_turn(lambda: session.time(f"SELECT count(*) FROM {rows}"), lambda: session.time(rows_sql))


def pairs(ranges):
    """Title, node, what it may derive from; yes over a long way, no within a graph, and no from another one."""
    return [(name, last, first) for name, (first, last) in ranges.items() if name != "sparse"] + \
        [("sparse", ranges["sparse"][1], ranges["sparse"][0] + 10), ("deep, no", ranges["deep"][0] + 9, ranges["deep"][0] + 10),
         ("dense, no", ranges["dense"][1], ranges["sparse"][1])]


def derived(session, title, node, ancestor):
    ours = f"SELECT modelreg.is_derived_from('{address(node)}', '{address(ancestor)}')"
    theirs = f"{recursive(node, True)}SELECT EXISTS (SELECT FROM w WHERE id = {ancestor})"
    if session.run(ours) != session.run(theirs):
        raise SystemExit(f"{title}: is_derived_from() has another answer than WITH RECURSIVE")
    answer = {"t": "yes", "f": "no"}[session.run(ours)[0]]
    return (title, answer, *in_turn(lambda: session.time(ours), lambda: session.time(theirs)))


def make_current(ranges):
    """Models whose current versions come from all over the graph, half of them from the hub."""
    hub, other = ranges["hub"], ranges["sparse"]
    psql(f"""SELECT count(modelreg.create_model('bench.model-' || i, 'open')) FROM generate_series(1, {MODELS}) AS i;
        SELECT count(modelreg.register_version('bench.model-' || i, run => 'run:bench.n' || CASE WHEN i % 2 = 0
            THEN {hub[0]} + 1 + i * ({hub[1]} - {hub[0]} - 1) / {MODELS} ELSE {other[0]} + i * ({other[1]} - {other[0]}) / {MODELS} END))
            FROM generate_series(1, {MODELS}) AS i;
        SELECT count(modelreg.promote('bench.model-' || i, 1, 'Production')) FROM generate_series(1, {MODELS}) AS i;
        VACUUM ANALYZE;""")


def impact(session):
    ours = f"SELECT count(DISTINCT node_id) FROM modelreg.impact('{HUB_ADDRESS}', current_only => true)"
    theirs = f"{recursive(1, False)}SELECT count(*) FROM w JOIN modelreg.model m ON m.current_node_id = w.id"
    if session.run(ours) != session.run(theirs):
        raise SystemExit("impact() has other versions than the query")
    return in_turn(lambda: session.time(ours), lambda: session.time(theirs))


def one_size(edges):
    durable(False)
    fresh("lineage")
    psql("SELECT modelreg.create_team('bench')")
    ranges = forge(edges)
    make_current(ranges)
    durable(True)
    say(f"{size(edges)} edges are there")
    session = Session(settings=SETTINGS)
    results = [(title, *closure(session, node, up)) for title, node, up in walks(ranges)]
    answers = [derived(session, *pair) for pair in pairs(ranges)]
    current = impact(session)
    session.close()
    return results, answers, current


def closure_rows(edges, results):
    return [(size(edges), title, nodes, count, ids, sql, sql / count, sql / ids, rows, rows_sql, rows_sql / rows)
            for title, nodes, count, ids, sql, rows, rows_sql in results]


def summary(measured):
    """What was aimed at: 12 for hub and deep, and 1.1 everywhere."""
    ratios = [(edges, title, sql / count, sql / ids) for edges, results, *_ in measured for title, _, count, ids, sql, *_ in results]
    aimed = [of_number for edges, title, of_number, _ in ratios if title in ("hub", "deep") and edges >= LARGE]
    least = [number(min(of_kind)) for of_kind in list(zip(*ratios))[2:]]
    text = f"Ratio of the number: {least[0]} at least, and of the ids {least[1]} (aim: 1.1)"
    if aimed:
        text += f"; of *hub* and *deep* from {size(LARGE)} edges on that of the number is {number(min(aimed))} to {number(max(aimed))} (aim: 12)"
    return f"\n{text}.\n"


def curves(measured):
    """Cost of each walk against the size of the graph, ours and SQL's."""
    titles = [title for title, *_ in measured[0][1]]
    series = []
    for i, title in enumerate(titles):
        for name, column, dashed in ((title, 2, False), (f"{title}, SQL", 4, True)):
            series.append((name, [(edges, results[i][column]) for edges, results, *_ in measured], i, dashed))
    i = len(titles)
    series.append(("current impact", [(edges, current[0]) for edges, *_, current in measured], i, False))
    series.append(("current impact, SQL", [(edges, current[1]) for edges, *_, current in measured], i, True))
    return chart("Lineage: how many nodes, and WITH RECURSIVE", "edges in the graph", "ms", series)


def run():
    measured = [(edges, *one_size(edges)) for edges in SIZES]
    closures = [row for edges, results, *_ in measured for row in closure_rows(edges, results)]
    answers = [(size(edges), *row, row[3] / row[2]) for edges, _, answers, _ in measured for row in answers]
    impacts = [(size(edges), ours, theirs, theirs / ours) for edges, *_, (ours, theirs) in measured]
    return {
        "lineage": table(("edges", "graph", "nodes", "their number, ms", "their ids, ms", "SQL, ms", "ratio of the number", "of the ids",
                          "all columns, ms", "SQL, ms", "ratio"), closures) + summary(measured),
        "is_derived_from": table(("edges", "graph", "derived", "is_derived_from(), ms", "SQL, ms", "ratio"), answers),
        "impact": table(("edges", "impact(current_only), ms", "SQL, ms", "ratio"), impacts),
    }, {"performance-lineage.svg": curves(measured)}
