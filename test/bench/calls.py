"""Registering, asking, promoting: pgbench, tables with the registry's own columns, indexes and CHECKs as the alternative."""

from common import durable, in_turn, psql, table, tps

READER = "regress_bench_reader"

# Title, script of each side, clients, models, user, what was promised.
MEASURES = (
    ("register_version, 1 client", "register", "register", 1, 1000, None, 0.9),
    ("register_version, 8 clients on 1000 models", "register", "register", 8, 1000, None, 0.85),
    ("register_version, 8 clients on one model", "register", "register", 8, 1, None, 0.95),
    ("production() as a reader, 8 clients", "production", "production", 8, 1000, READER, 0.9),
    ("get_by_alias() as a reader, 8 clients", "alias", "alias", 8, 1000, READER, 0.8),
    ("promote(), 8 clients on one model", "promote", "promote", 8, 1, None, 0.5),
)


def run():
    psql(file="calls_setup.sql")
    durable(True)
    rows = []
    for title, ours, theirs, clients, models, user, reach in MEASURES:
        o, t = in_turn(lambda: tps(f"{ours}_ours.sql", clients, user, models),
                       lambda: tps(f"{theirs}_theirs.sql", clients, user, models), warm=False, enough=3600)
        rows.append((title, o, t, o / t, reach))
    psql(f"DROP OWNED BY {READER}; DROP ROLE {READER}")
    return {"calls": table(("measure", "ours, tps", "alternative, tps", "ratio", "aim"), rows)}, {}
