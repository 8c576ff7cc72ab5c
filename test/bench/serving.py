"""What serving processes ask, beside a SELECT by primary key of a plain table that has the answer ready: pgbench, prepared, as a reader."""

from common import durable, in_turn, psql, table, tps_of

READER = "regress_bench_reader"
CLIENTS = 8

# Title, ours, the alternative, what was promised. A client of the fetch polls one endpoint, whose etag it has.
MEASURES = (
    ("route()", "\\set m random(1, 100)\nSELECT model_id, version, permanent_id, share, receipt FROM modelreg.route('bench.endpoint-' || :m, 'user-' || :m);\n",
     "\\set m random(1, 100)\nSELECT model_id, version, permanent_id, share, receipt FROM bench.routed WHERE name = 'bench.endpoint-' || :m;\n", 0.8),
    ("serving_config() that is unchanged", "SELECT etag, valid_until, document FROM modelreg.serving_config('bench.endpoint-1', '{etag}');\n",
     "SELECT etag, valid_until, NULL FROM bench.config WHERE name = 'bench.endpoint-1';\n", 0.8),
    ("serving_config() as a whole", "SELECT etag, valid_until, document FROM modelreg.serving_config('bench.endpoint-1');\n",
     "SELECT etag, valid_until, document FROM bench.config WHERE name = 'bench.endpoint-1';\n", None),
)


def run():
    psql(file="serving_setup.sql")
    durable(True)
    etag = psql("SELECT etag FROM bench.config WHERE name = 'bench.endpoint-1'").strip()
    rows = []
    for title, ours, theirs, reach in MEASURES:
        o, t = in_turn(lambda: tps_of(ours.replace("{etag}", etag), CLIENTS, READER), lambda: tps_of(theirs, CLIENTS, READER), warm=False)
        rows.append((f"{title}, {CLIENTS} clients", o, t, o / t, reach))
    psql(f"DROP OWNED BY {READER}; DROP ROLE {READER}")
    return {"serving": table(("measure", "ours, tps", "SELECT, tps", "ratio", "aim"), rows)}, {}
