#!/usr/bin/env python3
"""Reads what psql printed, verbose errors included, and sums it up; fails if there is anything that must not be.

Usage: psql -v VERBOSITY=verbose -f FILE 2>&1 | sqlsmith.py FILE TITLE
"""

import collections
import re
import sys

ERROR = re.compile(rb"^psql:.*?:(\d+): (?:ERROR|FATAL|PANIC):  (\w{5}): (.*)")
CANARY = b"canary7f3a"
MEANS_CRASH = (b"server closed the connection", b"connection to server was lost", b"SSL SYSCALL error")


def statement(path, line):
    """The statement that ends in a line of a file."""
    lines = open(path, encoding="utf-8").read().split("\n")
    begin = line - 1
    while begin > 0 and not lines[begin - 1].rstrip().endswith(";"):
        begin -= 1
    return "\n".join(lines[begin:line])


def main(path, title):
    codes = collections.Counter()
    bad = []
    for line in sys.stdin.buffer:
        error = ERROR.match(line)
        if error:
            codes[error[2].decode()] += 1
            # An internal error, or what a parallel worker may not do.
            if error[2].startswith(b"XX") or b"parallel operation" in error[3] or b"parallel worker" in error[3]:
                bad.append((int(error[1]), line))
        if any(words in line for words in MEANS_CRASH):
            bad.append((0, line))
        if CANARY in line and not title.startswith("smith_super"):
            bad.append((0, b"shown to whom it is hidden from: " + line))
    total = sum(1 for line in open(path, encoding="utf-8") if line.rstrip().endswith(";"))
    shown = ", ".join(f"{code} {n}" for code, n in codes.most_common(12))
    print(f"{title}: {total} queries, {total - sum(codes.values())} without an error; {shown}", flush=True)
    for number, line in bad[:10]:
        print(line[:2000].decode(errors="replace"), statement(path, number)[:4000] if number else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
