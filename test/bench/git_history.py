"""A git history, recorded commit by commit: git, with its commit-graph, as the alternative.

GIT_HISTORY is a repository; without it one of COMMITS (200000) commits on several branches is made with git fast-import.
"""

import os
import random
import subprocess
import tempfile

from common import Session, durable, in_turn, number, psql, say, table, timed

COMMITS = int(os.environ.get("COMMITS", 200000))
BRANCHES = 8
BATCH = 10000


def git(repository, *arguments):
    return subprocess.run(["git", "-C", repository, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def make_history(repository):
    """Branches that go on side by side; every fourth commit merges another branch."""
    subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    rnd = random.Random(42).random
    heads = [0] * BRANCHES
    lines = []
    for mark in range(1, COMMITS + 1):
        branch = 0 if mark == COMMITS else int(rnd() * BRANCHES)
        parent = heads[branch] or heads[0]
        other = heads[int(rnd() * BRANCHES)] if mark % 4 == 0 else 0
        lines.append(f"commit refs/heads/b{branch}\nmark :{mark}\ncommitter bench <bench@example.org> {1500000000 + mark * 60} +0000\n"
                     f"data {len(str(mark))}\n{mark}\n")
        lines.append(f"from :{parent}\n" if parent else "")
        lines.append(f"merge :{other}\n" if other not in (0, parent) else "")
        heads[branch] = mark
    subprocess.run(["git", "-C", repository, "fast-import", "--quiet"], input="".join(lines), text=True, check=True)
    git(repository, "symbolic-ref", "HEAD", "refs/heads/b0")


def record(repository):
    """Records HEAD's history, oldest first; the seconds that it took."""
    lines = git(repository, "rev-list", "--topo-order", "--reverse", "--parents", "HEAD")
    psql("CREATE UNLOGGED TABLE history (n serial, line text)")
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", "COPY history (line) FROM STDIN"], input=lines, text=True, check=True)
    return timed(lambda: psql(file="git_history.sql", batch=BATCH)) / 1000


def run():
    with tempfile.TemporaryDirectory() as directory:
        repository = os.environ.get("GIT_HISTORY") or os.path.join(directory, "history.git")
        durable(False)
        if not os.environ.get("GIT_HISTORY"):
            make_history(repository)
        git(repository, "commit-graph", "write", "--reachable")
        psql("SELECT modelreg.create_team('bench')")
        took = record(repository)
        durable(True)
        return {"git_history": measure(repository, took)}, {}


def is_ancestor(session, repository, node, ancestor):
    ours = f"SELECT modelreg.is_derived_from('commit:bench.history@{node}', 'commit:bench.history@{ancestor}')"
    command = ["git", "-C", repository, "merge-base", "--is-ancestor", ancestor, node]
    if session.run(ours)[0] != ("f" if subprocess.run(command).returncode else "t"):
        raise SystemExit("is_derived_from() has another answer than git")
    return in_turn(lambda: session.time(ours), lambda: timed(lambda: subprocess.run(command)))


def measure(repository, took):
    commits = git(repository, "rev-list", "--topo-order", "HEAD").split()
    head, first, count = commits[0], commits[-1], len(commits)
    session = Session()
    ids, rows_of = (f"modelreg.{function}('commit:bench.history@{head}')" for function in ("upstream_ids", "upstream"))
    if sorted(session.run(f"SELECT DISTINCT version FROM {rows_of}")) != sorted(commits[1:]) or \
            session.run(f"SELECT cardinality({ids})") != [str(count - 1)]:
        raise SystemExit("upstream() has other commits than git")
    say(f"{count} commits recorded in {took:.1f} s")

    def list_all():
        return timed(lambda: git(repository, "rev-list", "HEAD"))

    rows = [(f"history of HEAD, {count:,} commits: how many",
             *in_turn(lambda: session.time(f"SELECT cardinality({ids})"), lambda: timed(lambda: git(repository, "rev-list", "--count", "HEAD")))),
            ("the same: each node's id, beside each commit's hash", *in_turn(lambda: session.time(f"COPY (SELECT unnest({ids})) TO STDOUT"), list_all)),
            ("the same: each commit's hash", *in_turn(lambda: session.time(f"SELECT version FROM {rows_of}"), list_all))]
    rows += [(f"is {what}", *is_ancestor(session, repository, node, ancestor)) for what, node, ancestor in (
        ("HEAD derived from the first commit", head, first), ("the first commit derived from HEAD", first, head),
        ("HEAD derived from one in the middle", head, commits[count // 2]))]
    session.close()
    return table(("measure", "ours, ms", "git, ms", "ratio"), [(*row, row[2] / row[1]) for row in rows]) + \
        f"\nRecording them with `record_nodes()`: {number(took)} s, {number(count / took)} commits a second.\n"
