"""How soon walks end by pg_cancel_backend(), by statement_timeout and by a recovery conflict on a standby, beside WITH RECURSIVE over the same
edges, and pg_sleep(), which has nothing to end. INTERRUPT_EDGES: the size of the graph (1000000); TRIES (30) of each."""

import os
import random
import statistics
import subprocess
import tempfile
import time

from common import Session, durable, psql, say, size, table
from graph import HUB_ADDRESS, forge
from lineage import SETTINGS, address, make_current, recursive

EDGES = int(os.environ.get("INTERRUPT_EDGES", 1000000))
TRIES = int(os.environ.get("TRIES", 30))
# Milliseconds after the beginning, at random up to so many; a statement goes on for long, so that each moment is in its midst.
LATEST = 300
# Looks, a millisecond apart, for a statement to begin.
PATIENCE = 10000
STANDBY_PORT = "5433"


def again_and_again(expression):
    """In the select list generate_series() gives one row after the other; in FROM all would be made first. again makes each call one of its own."""
    return f"SELECT count({expression}) FROM (SELECT left(generate_series(1, 1000000000)::text, 0) AS again) AS a"


def statements(ranges):
    """By title. The deep graph is long, so that what goes over all of it is as long as can be."""
    first, last = (f"'{address(node)}'" for node in ranges["deep"])
    middle = f"'{address(sum(ranges['deep']) // 2)}'"
    hub = f"'{HUB_ADDRESS}'"
    rows = {
        "downstream()": f"downstream({hub} || again)",
        "upstream()": f"upstream({last} || again)",
        "lineage()": f"lineage({middle} || again)", "path()": f"path({last} || again, {first})", "path_nodes()": f"path_nodes({last} || again, {first})",
        "common_upstream()": f"common_upstream({last} || again, {middle})", "impact()": f"impact({hub} || again)",
        "impact(current_only)": f"impact({hub} || again, current_only => true)",
    }
    walks = {title: f"(SELECT count(*) FROM modelreg.{call})" for title, call in rows.items()}
    walks["downstream_ids()"] = f"cardinality(modelreg.downstream_ids({hub} || again))"
    walks["upstream_ids()"] = f"cardinality(modelreg.upstream_ids({last} || again))"
    walks["is_derived_from()"] = f"modelreg.is_derived_from({last} || again, {first})"
    for title, node, up in (("downstream", 1, False), ("upstream", ranges["deep"][1], True)):
        walks[f"WITH RECURSIVE, {title}"] = f"({recursive(f'({node} + length(again))', up)}SELECT count(*) FROM w)"
    return {"pg_sleep()": "SELECT pg_sleep(1000)", **{title: again_and_again(walk) for title, walk in walks.items()}}


class Victim:
    """A session whose statement is ended, and one beside it on the same server."""

    def __init__(self, port=None):
        self.session, self.beside = Session(settings=(*SETTINGS, "statement_timeout = '60s'"), port=port), Session(port=port)
        self.pid = self.session.run("SELECT pg_backend_pid()")[0]

    def begin(self, statement):
        """Returns at a random moment within it."""
        self.session.send(statement)
        for _ in range(PATIENCE):
            if self.beside.run(f"SELECT state FROM pg_stat_activity WHERE pid = {self.pid}") == ["active"]:
                break
            time.sleep(0.001)
        else:
            raise SystemExit(f"it does not run: {statement}")
        time.sleep(random.uniform(0, LATEST) / 1000)

    def ended(self, error):
        """Takes the answer, which has to be that error."""
        answer = "\n".join(self.session.answer())
        if error not in answer:
            raise SystemExit(f"{error} was expected, not: {answer}")

    def close(self):
        self.session.close()
        self.beside.close()


def strike(victim, striker, blow, error):
    """Milliseconds from a statement of the striker's to the victim's error."""
    began = time.perf_counter()
    striker.send(blow)
    victim.ended(error)
    took = 1000 * (time.perf_counter() - began)
    striker.answer()
    return took


def cancel(statement):
    victim = Victim()
    victim.begin(statement)
    took = strike(victim, victim.beside, f"SELECT pg_cancel_backend({victim.pid})", "canceling statement due to user request")
    victim.close()
    return took


def time_out(statement):
    """Milliseconds after statement_timeout."""
    victim = Victim()
    timeout = random.randint(1, LATEST)
    victim.session.run(f"SET statement_timeout = {timeout}")
    victim.session.send(statement)
    victim.ended("canceling statement due to statement timeout")
    took = victim.session.ms - timeout
    victim.close()
    return took


def conflict(statement):
    """From the commit that brings what VACUUM wrote to the standby, where it takes a row that the statement's snapshot may still see."""
    primary = Session()
    victim = Victim(STANDBY_PORT)
    victim.begin(statement)
    primary.run("UPDATE churn SET n = n + 1")
    primary.run("VACUUM churn")
    took = strike(victim, primary, "SELECT pg_logical_emit_message(true, 'bench', '')", "due to conflict with recovery")
    victim.close()
    primary.close()
    return took


def start_standby(data):
    subprocess.run(["pg_basebackup", "-D", data, "-R", "-X", "stream", "-c", "fast"], check=True)
    with open(os.path.join(data, "postgresql.auto.conf"), "a") as file:
        file.write(f"port = {STANDBY_PORT}\nmax_standby_streaming_delay = 0\n")
    subprocess.run(["pg_ctl", "-D", data, "-w", "-l", os.path.join(data, "bench.log"), "start"], stdout=subprocess.DEVNULL, check=True)
    say("the standby is there")


def measure(by_title):
    """For each statement the milliseconds of each way, all of them in turn."""
    ways = (cancel, time_out, conflict)
    results = {title: [[] for _ in ways] for title in by_title}
    for _ in range(TRIES):
        for title, statement in by_title.items():
            for way, times in zip(ways, results[title]):
                times.append(way(statement))
    return results


def run():
    durable(False)
    psql("SELECT modelreg.create_team('bench')")
    ranges = forge(EDGES)
    make_current(ranges)
    psql("CREATE TABLE churn AS SELECT 1 AS n")
    # What autovacuum removes would be a conflict of its own.
    psql("ALTER SYSTEM SET autovacuum = off")
    psql("SELECT pg_reload_conf()")
    with tempfile.TemporaryDirectory() as directory:
        data = os.path.join(directory, "standby")
        try:
            start_standby(data)
            results = measure(statements(ranges))
        finally:
            subprocess.run(["pg_ctl", "-D", data, "-m", "immediate", "stop"], stdout=subprocess.DEVNULL)
            psql("ALTER SYSTEM RESET autovacuum")
    rows = [(title, *(figure for times in ways for figure in (statistics.median(times), max(times)))) for title, ways in results.items()]
    return {"interrupts": table((f"statement, {size(EDGES)} edges, {TRIES} times each", "pg_cancel_backend(), ms", "at most", "statement_timeout, ms", "at most",
                                 "conflict on a standby, ms", "at most"), rows)}, {}
