"""Registering, asking, promoting: pgbench, tables with the registry's own columns, indexes and CHECKs as the alternative."""

from common import durable, in_turn, pgbench, psql, script_of, table, tps
from governance import decide_theirs

READER = "regress_bench_reader"

# Title, script of each side, clients, models, user, what was promised.
MEASURES = (
    ("register_version, 1 client", "register", 1, 1000, None, 0.9),
    ("register_version, 8 clients on 1000 models", "register", 8, 1000, None, 0.85),
    ("register_version, 8 clients on one model", "register", 8, 1, None, 0.95),
    ("production() as a reader, 8 clients", "production", 8, 1000, READER, 0.9),
    ("get_by_alias() as a reader, 8 clients", "alias", 8, 1000, READER, 0.8),
)
# Each client goes back and forth between two versions of its own, and a round begins with one of nobody's in Production: so none promotes what is
# current, which would decide nothing.
DECIDING = 8
NOBODYS = 2 * DECIDING + 1
BY_HAND = "\\set turn 1 - :turn\n\\set v 2 * :client_id + 1 + :turn\n" + decide_theirs("open", model="'model-1'")


def decisions(text, schema):
    """A second, of clients on one model; an error if the log has not as many."""
    count = f"SELECT count(*) FROM {schema}.event WHERE kind = 'promoted'"
    psql(f"SELECT modelreg.promote('bench.model-1', {NOBODYS}, 'Production')")
    before = int(psql(count))
    calls, rate = pgbench(text, DECIDING)
    made = int(psql(count)) - before
    if made != calls:
        raise SystemExit(f"{calls} calls made {made} decisions")
    return rate


def promotions():
    """Ours, the same rows by hand, and an UPDATE that leaves nothing behind, each with what it is held against."""
    ours, by_hand, update = in_turn(lambda: decisions(script_of("promote_ours.sql"), "modelreg"), lambda: decisions(BY_HAND, "bench"),
                                    lambda: tps("promote_theirs.sql", DECIDING), warm=False)
    title = f"promote(), {DECIDING} clients on one model"
    return [(f"{title}: an UPDATE of one row", ours, update, ours / update, 0.5), (f"{title}: the same rows by hand", ours, by_hand, ours / by_hand, None)]


def run():
    psql(file="calls_setup.sql")
    durable(True)
    rows = []
    for title, script, clients, models, user, reach in MEASURES:
        o, t = in_turn(lambda: tps(f"{script}_ours.sql", clients, user, models),
                       lambda: tps(f"{script}_theirs.sql", clients, user, models), warm=False)
        rows.append((title, o, t, o / t, reach))
    rows += promotions()
    psql(f"DROP OWNED BY {READER}; DROP ROLE {READER}")
    return {"calls": table(("measure", "ours, tps", "alternative, tps", "ratio", "aim"), rows)}, {}
