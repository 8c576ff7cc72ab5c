"""record_quality from 50 clients, beside what one would write: the bare INSERT of such a row into a table with the same columns and
indexes, and, where guards need sums over all of them, an UPDATE of a row of sums in the same statement."""

from common import durable, in_turn, psql, table, tps

CLIENTS = 50

# Title, script of each side.
MEASURES = (
    ("an endpoint without a rollout, INSERT", "quality_plain.sql", "quality_insert.sql"),
    ("a rollout that guards another metric, INSERT", "quality_other.sql", "quality_insert.sql"),
    ("a rollout that guards the metric, INSERT and UPDATE", "quality_guarded.sql", "quality_sum.sql"),
    ("ten such endpoints, INSERT and UPDATE", "quality_ten.sql", "quality_ten_sums.sql"),
)


def run():
    psql(file="quality_setup.sql")
    durable(True)
    rows = []
    for title, ours, theirs in MEASURES:
        o, t = in_turn(lambda: tps(ours, CLIENTS), lambda: tps(theirs, CLIENTS), warm=False)
        rows.append((title, o, t, o / t))
    return {"quality": table((f"record_quality, {CLIENTS} clients", "ours, tps", "alternative, tps", "ratio"), rows)}, {}
