"""Searching, and asking, in registries of different sizes: the usual SQL over the same tables, with LIKE, joins and OFFSET.

VERSIONS: the sizes (1000 10000 100000 1000000). A page has 50 rows.
"""

import os

from chart import chart
from common import Session, durable, fresh, in_turn, psql, say, size, table

SIZES = [int(n) for n in os.environ.get("VERSIONS", "1000 10000 100000 1000000").split()]
READER = "regress_bench_reader"
PAGE = 50
PAGES = 50

USUAL = """SELECT m.name, v.version, s.stage::text, v.registered_at, p.body FROM modelreg.version v
    JOIN modelreg.model m ON m.id = v.model_id JOIN modelreg.version_stage s ON s.model_id = v.model_id AND s.version = v.version
    LEFT JOIN modelreg.description d ON d.model_id = v.model_id AND d.version = v.version LEFT JOIN modelreg.payload p ON p.digest = d.payload {0}
    WHERE m.team_id = (SELECT id FROM modelreg.team WHERE name = 'find') AND m.retired_at IS NULL AND {1}
    ORDER BY {2} v.registered_at DESC, v.model_id, v.version LIMIT 50 OFFSET {3}"""
TAG = "JOIN modelreg.tag t ON t.model_id = v.model_id AND t.version = v.version AND t.key = 'family'"
METRIC = "JOIN modelreg.metric x ON x.model_id = v.model_id AND x.version = v.version AND x.metric = 'ndcg'"
PARAM = "JOIN modelreg.param a ON a.model_id = v.model_id AND a.version = v.version AND a.key = 'optimizer'"

# Title, arguments of search_versions(), and of the usual query: joins, condition, order.
SEARCHES = (
    ("the newest of a team", "team => 'find'", "", "true", ""),
    ("a pattern of names", "team => 'find', name_pattern => 'model-00*'", "", "m.name LIKE 'model-00%'", "m.name,"),
    ("a stage", "team => 'find', stage => 'Staging'", "", "s.stage OPERATOR(modelreg.=) 'Staging'", ""),
    ("a tag", "team => 'find', tag_key => 'family', tag_value => 'f3'", TAG, "t.value = 'f3'", ""),
    ("a tag and a pattern", "team => 'find', tag_key => 'family', tag_value => 'f3', name_pattern => 'model-0*'", TAG,
     "t.value = 'f3' AND m.name LIKE 'model-0%'", ""),
    ("a param and a stage", "team => 'find', param_key => 'optimizer', param_value => 'adam', stage => 'Experimental'", PARAM,
     "a.value = 'adam' AND s.stage OPERATOR(modelreg.=) 'Experimental'", ""),
    ("a range of a metric", "team => 'find', metric => 'ndcg', metric_min => 0.6, metric_max => 0.8", METRIC,
     "x.value BETWEEN 0.6 AND 0.8", "x.value DESC,"),
    ("words of the description", "team => 'find', words => 'common rare'", "",
     "p.body LIKE '%common%' AND p.body LIKE '%rare%'", ""),
    ("versions of one model", "model => 'find.model-0001'", "", "m.name = 'model-0001'", ""),
)


def page(session, arguments, key=None):
    after = f", after => '{key}'" if key else ""
    return session.run(f"SELECT * FROM modelreg.search_versions({arguments}{after})")


def last_key(session, arguments):
    """The key behind which the 50th page begins; None when there are fewer."""
    key = None
    for _ in range(PAGES - 1):
        rows = page(session, arguments, key)
        if len(rows) < PAGE:
            return None
        key = rows[-1].split("|")[-1]
    return key


def one_search(reader, owner, title, arguments, joins, condition, order):
    key = last_key(reader, arguments)
    usual = [USUAL.format(joins, condition, order, offset) for offset in (0, PAGE * (PAGES - 1))]

    def ours(after):
        return lambda: reader.time(f"SELECT * FROM modelreg.search_versions({arguments}{after})")

    first = in_turn(ours(""), lambda: owner.time(usual[0]))
    last = in_turn(ours(f", after => '{key}'"), lambda: owner.time(usual[1])) if key else (None, None)
    return (title, *first, first[1] / first[0], *last, last[1] / last[0] if key else None)


def asking(reader):
    """One call each, in microseconds, in one statement: what grows with the registry would show."""
    calls = 2000
    statements = [f"SELECT count({call}) FROM generate_series(1, {calls}) AS i" for call in (
        "modelreg.production('find.model-' || lpad((1 + i % 500)::text, 4, '0'))",
        "modelreg.resolve('models:/find.model-0001/' || 1 + i % 100)")]
    return [1000 * ms / calls for ms in in_turn(*[lambda s=s: reader.time(s) for s in statements])]


def one_size(versions):
    durable(False)
    fresh("search")
    psql(file="search_setup.sql", versions=versions)
    durable(True)
    say(f"{size(versions)} versions are there")
    reader, owner = Session(user=READER), Session(settings=("jit = off",))
    results = [one_search(reader, owner, *search) for search in SEARCHES]
    calls = asking(reader)
    reader.close()
    owner.close()
    psql(f"DROP OWNED BY {READER}; DROP ROLE {READER}")
    return results, calls


def curves(measured):
    series = []
    for i, title in enumerate(title for title, *_ in SEARCHES):
        if title in ("the newest of a team", "a tag and a pattern", "a range of a metric"):
            for name, column, dashed in ((title, 1, False), (f"{title}, SQL", 2, True)):
                series.append((name, [(versions, results[i][column]) for versions, results, _ in measured], i % 5, dashed))
    series.append(("production()", [(versions, calls[0] / 1000) for versions, _, calls in measured], 5, False))
    return chart("Registry: a first page, and production()", "versions in the registry", "ms", series)


def run():
    measured = [(versions, *one_size(versions)) for versions in SIZES]
    rows = [(size(versions), *row) for versions, results, _ in measured for row in results]
    calls = [(size(versions), *calls) for versions, _, calls in measured]
    return {
        "search": table(("versions", "search for", "1st page, ms", "SQL, ms", "ratio", "50th page, ms", "SQL, ms", "ratio"), rows),
        "asking": table(("versions", "production(), µs", "resolve(), µs"), calls),
    }, {"performance-registry.svg": curves(measured)}
