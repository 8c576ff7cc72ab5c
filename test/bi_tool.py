"""What a BI tool does, through psycopg 3: bi_tool.py CONNINFO [VIEW-THAT-MAY-BE-EMPTY...]

Parameters are varchar, as JDBC types them, prepared on the server; results come in binary. Every column of every view is filtered by
one of its own values, sorted by, grouped by and compared; what comes of it is held against the same rows counted here. Prints what is
wrong, and at the end how many queries ran.
"""

import datetime
import sys
from collections import Counter

import psycopg
from psycopg.types.string import StrDumper

WANTED = {"text": str, "bigint": int, "integer": int, "double precision": float, "boolean": bool,
          "timestamp with time zone": datetime.datetime, "jsonb": (dict, list, str, int, float, bool)}
# These count up to the present while something serves: no value of theirs is found again.
GROWING = ("served_seconds", "share_seconds")
queries = 0


class VarcharDumper(StrDumper):
    oid = 1043


def wrong(where, what):
    print(f"{where}: {what}")


def ask(connection, sql, *params):
    """Six times, so that the server tries a generic plan too."""
    global queries
    queries += 1
    answers = []
    for _ in range(6):
        with connection.cursor(binary=True) as cursor:
            answers.append(cursor.execute(sql, params, prepare=True).fetchall())
    if any(answer != answers[0] for answer in answers):
        wrong(sql, "another answer the next time")
    return answers[0]


def count(connection, view, condition, *params):
    return ask(connection, f"SELECT count(*) FROM modelreg.{view} WHERE {condition}", *params)[0][0]


def check_type(view, column, kind, values):
    if any(not isinstance(value, WANTED[kind]) for value in values):
        wrong(f"{view}.{column}", f"{kind} arrives as {Counter(type(v).__name__ for v in values)}")


def check_growing(connection, view, column, kind):
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(f'SELECT "{column}" FROM modelreg.{view} WHERE "{column}" IS NOT NULL ORDER BY 1', prepare=True).fetchall()
    check_type(view, column, kind, [row[0] for row in rows])


def check_column(connection, view, column, kind, rows):
    values = [row[column] for row in rows if row[column] is not None]
    quoted = f'"{column}"'
    check_type(view, column, kind, values)
    comparable = kind != "jsonb"
    ask(connection, f"SELECT {quoted}, count(*) FROM modelreg.{view} GROUP BY 1 ORDER BY 1 NULLS LAST LIMIT 5")
    if values and comparable:
        value, expected = Counter(values).most_common(1)[0]
        checks = [(f"{quoted} = %s", value), (f"{quoted} = ANY (%s)", [value]), (f"{quoted} IN (%s)", value),
                  (f"{quoted} BETWEEN %s AND %s", value, value), (f"NOT ({quoted} <> %s)", value)]
        if kind in ("bigint", "integer", "double precision"):
            checks.append((f"{quoted} = %s::numeric", value))
            checks.append((f"{quoted} = %s::float8", str(value)))
        if kind == "timestamp with time zone":
            checks.append((f"{quoted} = %s::timestamptz", value.isoformat()))
        if kind == "text":
            pattern = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            checks += [(f"{quoted} LIKE %s", pattern), (f"lower({quoted}) = lower(%s) AND {quoted} = %s", value, value)]
        for condition, *params in checks:
            found = count(connection, view, condition, *params)
            if found != expected:
                wrong(f"{view}.{column}", f"{condition} finds {found} rows, not {expected}")


def check_view(connection, view, all_columns):
    columns = [column for column in all_columns if column[0] not in GROWING]
    for name, kind in all_columns:
        if name in GROWING:
            check_growing(connection, view, name, kind)
    names = ", ".join(f'"{name}"' for name, _ in columns)
    rows = [dict(zip([name for name, _ in columns], row)) for row in ask(connection, f"SELECT {names} FROM modelreg.{view}")]
    if "zebra" in repr(rows):
        wrong(view, "rows of a team that may not be read")
    for name, kind in columns:
        check_column(connection, view, name, kind, rows)
    texts = [f'"{name}"' for name, kind in columns if kind == "text"]
    if texts:
        # Collations of columns that disagree show where two of them meet, or a parameter.
        both = " || ".join(f"COALESCE({text}, %s)" for text in texts)
        ask(connection, f"SELECT DISTINCT {both} AS t FROM modelreg.{view} ORDER BY t LIMIT 3", *["-"] * len(texts))
        ask(connection, " UNION ".join(f"SELECT {text} FROM modelreg.{view}" for text in texts) + " ORDER BY 1")
        ask(connection, f"SELECT CASE WHEN {texts[0]} = %s THEN %s ELSE {texts[-1]} END AS c FROM modelreg.{view} ORDER BY c", "a", "b")
    return len(rows)


def main(conninfo):
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.adapters.register_dumper(str, VarcharDumper)
        kind = connection.execute("SELECT pg_typeof(%s)::text", ("x",)).fetchone()[0]
        if kind != "character varying":
            wrong("parameters", f"are {kind}")
        views = {}
        for view, column, kind in connection.execute(
                "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
                "WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind = 'v' AND a.attnum > 0 ORDER BY c.relname, a.attnum"):
            views.setdefault(view, []).append((column, kind))
        for view, columns in views.items():
            try:
                seen = check_view(connection, view, columns)
            except psycopg.Error as error:
                wrong(view, f"{error.diag.sqlstate} {error}")
                seen = 1
            if seen == 0 and view not in sys.argv[2:]:
                wrong(view, "has no row to try")
    print(f"{queries} queries of {len(views)} views")


main(sys.argv[1])
