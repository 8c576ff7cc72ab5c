"""verify() without deep, over a history of EVENTS (1000000) events; openssl over as many bytes as its hashes cover as the alternative."""

import os
import subprocess
import tempfile

from common import Session, durable, in_turn, psql, say, table, timed

EVENTS = int(os.environ.get("EVENTS", 1000000))
MODELS = 1000

SETUP = f"""SELECT modelreg.create_team('bench');
SELECT count(modelreg.create_model('bench.model-' || i, 'open')) FROM generate_series(1, {MODELS}) AS i;
SELECT count(modelreg.register_version('bench.model-' || i)) FROM generate_series(1, {MODELS}) AS i, generate_series(1, 2);"""
# Every table whose rows have a hash.
HASHED = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'modelreg'::regnamespace AND c.relkind = 'r' AND a.attname = 'hash'"""


def make_history():
    """By two sessions, each with half of the models."""
    half = MODELS // 2
    arguments = ["psql", "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-v", f"events={EVENTS // 2}"]
    script = os.path.join(os.path.dirname(__file__), "verify_history.sql")
    both = [subprocess.Popen(arguments + ["-v", f"first={first}", "-v", f"last={first + half - 1}", "-f", script]) for first in (1, half + 1)]
    if any([process.wait() for process in both]):
        raise SystemExit("the history could not be made")


def dump(directory):
    """The rows that have hashes, in a file."""
    path = os.path.join(directory, "rows")
    with open(path, "wb") as file:
        for name in psql(HASHED).split():
            subprocess.run(["psql", "-X", "-q", "-c", f"COPY modelreg.{name} TO STDOUT (FORMAT binary)"], stdout=file, check=True)
    return path


def run():
    durable(False)
    psql(SETUP)
    make_history()
    psql("VACUUM ANALYZE")
    durable(True)
    events = int(psql("SELECT count(*) FROM modelreg.event"))
    say(f"{events} events are there")
    session = Session()
    if session.run("SELECT count(*) FROM modelreg.verify()") != ["0"]:
        raise SystemExit("verify() finds something")
    with tempfile.TemporaryDirectory() as directory:
        path = dump(directory)
        megabytes = os.path.getsize(path) / 1e6
        ours, openssl = in_turn(lambda: session.time("SELECT count(*) FROM modelreg.verify()"),
                                lambda: timed(lambda: subprocess.run(["openssl", "dgst", "-sha256", path], check=True, stdout=subprocess.PIPE)))
    session.close()
    return {"verify": table(("events", "hashed rows, MB", "verify(), ms", "openssl, ms", "ratio", "aim"),
                            [(events, megabytes, ours, openssl, openssl / ours, 0.15)])}, {}
