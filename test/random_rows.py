#!/usr/bin/env python3
"""Writes random rows in COPY's text format, with the canonical JSON and the row hash that test/verifier.py has for each.

Usage: random_rows.py SEED COUNT

Columns: j jsonb, s text, f double precision, at timestamptz, a text[], n bigint, canonical text, hash text; the hash is that of
table "t", format 1, over the first six.
"""

import datetime
import json
import random
import struct
import sys

import verifier

ALPHABETS = ['abc"\\/{}[],:', "\b\f\n\r\t\x01\x1f\x7f ", "äéß", "\u2028\uffff\ufeff", "😀𝒳", "NULL"]


def text(r):
    return "".join(r.choice(r.choice(ALPHABETS)) for _ in range(r.choice((0, 1, 2, 3, 8, 40))))


def number(r):
    """A number as JSON writes it."""
    digits = str(r.choice((0, r.randrange(10), r.randrange(10**6), r.randrange(10**40))))
    if r.random() < 0.5:
        digits += "." + "".join(r.choice("0012345") for _ in range(r.choice((1, 2, 25)))) + r.choice(("", "0", "000"))
    if r.random() < 0.3:
        digits += r.choice("eE") + r.choice(("", "+", "-")) + str(r.randrange(40))
    return r.choice(("", "-")) + digits


def document(r, depth=0):
    """The text of a JSON value, spaced and escaped in one of many ways."""
    kind = r.randrange(7 if depth < 4 else 5)
    space = r.choice(("", " ", "\n\t"))
    if kind < 2:
        return number(r)
    if kind < 4:
        return json.dumps(text(r), ensure_ascii=r.random() < 0.5)
    if kind == 4:
        return r.choice(("true", "false", "null"))
    parts = [document(r, depth + 1) for _ in range(r.choice((0, 1, 3, 10)))]
    if kind == 5:
        return "[" + space + (space + "," + space).join(parts) + space + "]"
    names = [json.dumps(text(r), ensure_ascii=r.random() < 0.5) for _ in parts]
    return "{" + space + ("," + space).join(n + space + ":" + p for n, p in zip(names, parts)) + space + "}"


def double(r):
    if r.random() < 0.2:
        return r.choice((0.0, -0.0, float("nan"), float("inf"), -float("inf"), 5e-324, 1.7976931348623157e308))
    value = struct.unpack(">d", r.randbytes(8))[0]
    return value if value == value else 0.5


def time(r):
    at = datetime.datetime(1, 1, 1) + datetime.timedelta(microseconds=r.randrange(9998 * 365 * 86400 * 10**6))
    return r.choice(("infinity", "-infinity") + 18 * (at.isoformat(" ") + "+00",))


def array(items):
    quoted = ("NULL" if i is None else '"' + i.replace("\\", "\\\\").replace('"', '\\"') + '"' for i in items)
    return "{" + ",".join(quoted) + "}"


def copy_field(value):
    for raw, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(raw, escaped)
    return value


def row(r):
    j, s, f, at, n = document(r), text(r), double(r), time(r), r.randrange(-2**63, 2**63)
    a = [r.choice((None, text(r))) for _ in range(r.choice((0, 1, 4)))]
    value = verifier.parse_json(j)
    fields = [("jsonb", value), ("text", s), ("double", f), ("timestamptz", verifier.parse_time(at)), ("text[]", a), ("bigint", n)]
    return [j, s, repr(f), at, array(a), str(n), verifier.canonical(value), verifier.row_hash("t", fields).hex()]


def main(seed, count):
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    r = random.Random(int(seed))
    for _ in range(int(count)):
        print("\t".join(copy_field(field) for field in row(r)))


if __name__ == "__main__":
    main(*sys.argv[1:])
