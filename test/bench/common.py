"""What the parts of the bench have in common: psql, pgbench, rounds in turn, tables of Markdown.

The server is the one that PGHOST and PGUSER name, under scripts/with-server a throw-away one.
"""

import os
import re
import statistics
import subprocess
import tempfile
import time

ADMINISTRATIVE = os.environ.get("PGDATABASE", "postgres")
HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = int(os.environ.get("ROUNDS", 5))
SECONDS_EACH = float(os.environ.get("SECONDS_EACH", 3))


def say(text):
    print(f"# {text}", flush=True)


def psql(sql=None, file=None, database=None, **variables):
    """Runs statements or a file of test/bench; returns what it prints. Any error ends the bench."""
    command = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"]
    for name, value in variables.items():
        command += ["-v", f"{name}={value}"]
    if database:
        command += ["-d", database]
    if file:
        command += ["-f", os.path.join(HERE, file)]
    return subprocess.run(command, input=sql, stdout=subprocess.PIPE, text=True, check=True).stdout


def fresh(name):
    """An empty database bench_NAME with the extension, into which everything goes from now on."""
    drop(name)
    psql(f"CREATE DATABASE bench_{name}", database=ADMINISTRATIVE)
    os.environ["PGDATABASE"] = f"bench_{name}"
    psql("CREATE EXTENSION modelreg")


def drop(name):
    psql(f"DROP DATABASE IF EXISTS bench_{name} WITH (FORCE)", database=ADMINISTRATIVE)
    os.environ["PGDATABASE"] = ADMINISTRATIVE


def durable(yes):
    """A measure waits for the disk as in production; forging data does not."""
    value = "on" if yes else "off"
    psql(f"ALTER SYSTEM SET fsync = {value}")
    psql(f"ALTER SYSTEM SET full_page_writes = {value}")
    psql("SELECT pg_reload_conf()")
    time.sleep(0.5)
    psql("CHECKPOINT")


def configure():
    """A server has more memory than the default takes, and time for its checkpoints. Needs a restart, by whom it runs as."""
    psql("ALTER SYSTEM SET shared_buffers = '1GB'")
    psql("ALTER SYSTEM SET max_wal_size = '8GB'")
    data = psql("SHOW data_directory").strip()
    subprocess.run(["pg_ctl", "-D", data, "-m", "fast", "-w", "-l", os.path.join(data, "bench.log"), "restart"],
                   stdout=subprocess.DEVNULL, check=True)


class Session:
    """A psql that stays connected; each statement's time is psql's own, which has the way to the server and back in it."""

    def __init__(self, user=None, settings=(), port=None):
        command = ["psql", "-X", "-q", "-At"] + (["-U", user] if user else []) + (["-p", port] if port else [])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        for setting in settings:
            self.run(f"SET {setting}")
        self.process.stdin.write("\\timing on\n")

    def send(self, sql):
        self.process.stdin.write(f"{sql};\n\\echo ==end==\n")
        self.process.stdin.flush()

    def answer(self):
        """Lines of what was sent, its rows or its error."""
        rows = []
        for line in self.process.stdout:
            if line == "==end==\n":
                break
            rows.append(line[:-1])
        times = [row for row in rows if row.startswith("Time: ")]
        self.ms = float(re.match(r"Time: ([\d.]+) ms", times[-1])[1]) if times else None
        return [row for row in rows if not row.startswith("Time: ")]

    def run(self, sql):
        """The rows of a statement, as lines."""
        self.send(sql)
        rows = self.answer()
        if any(row.startswith("ERROR:") for row in rows):
            raise SystemExit("\n".join(rows) + f"\n{sql}")
        return rows

    def time(self, sql):
        self.rows = self.run(sql)
        return self.ms

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(function):
    """Milliseconds that a call takes."""
    began = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - began)


def in_turn(*measures, warm=True):
    """Calls each measure in turn, as many rounds; the medians of what they return, which is a time or a rate.

    A first call of each, which does not count, fills caches.
    """
    results = [[] for _ in measures]
    for n in range(-1 if warm else 0, ROUNDS):
        for measure, figures in zip(measures, results):
            figure = measure()
            if n >= 0:
                figures.append(figure)
    return [statistics.median(figures) for figures in results]


def tps(script, clients, user=None, models=1):
    """Transactions a second of a script of pgbench's, in which :m is a random model of the first so many."""
    return tps_of(script_of(script, models), clients, user)


def script_of(script, models=1):
    with open(os.path.join(HERE, script)) as file:
        return f"\\set m random(1, {models})\n" + file.read()


def tps_of(text, clients, user=None):
    """How often a second pgbench's clients get through a script."""
    return pgbench(text, clients, user)[1]


def pgbench(text, clients, user=None):
    """How often its clients got through a script, and how often a second. Each has a variable :turn, 0 at first, for the script to set."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as copy:
        copy.write(text)
        copy.flush()
        command = ["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(max(1, round(SECONDS_EACH))),
                   "-D", "turn=0", "-f", copy.name] + (["-U", user] if user else [])
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r"^number of transactions actually processed: (\d+).*^tps = ([\d.]+)", done.stdout, re.M | re.S)
    if done.returncode != 0 or not found:
        raise SystemExit(done.stdout)
    return int(found[1]), float(found[2])


def number(value):
    """Few digits, as many as mean something."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    for limit, digits in ((100, 0), (10, 1), (1, 2)):
        if abs(value) >= limit:
            return f"{value:,.{digits}f}"
    return f"{value:.3f}"


def size(n):
    """10k, 1M."""
    for unit, name in ((1000000, "M"), (1000, "k")):
        if n >= unit:
            return f"{n / unit:g}{name}"
    return str(n)


def table(heading, rows):
    """A table of Markdown, shown as soon as it is there."""
    lines = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    lines += ["| " + " | ".join(number(cell) for cell in row) + " |" for row in rows]
    text = "\n".join(lines) + "\n"
    print(text, flush=True)
    return text
