#!/usr/bin/env python3
"""Routes requests by the section "Routing" of docs/serving.md, and by nothing else.

Usage: router.py vectors PAGE     compares the page's own test vectors with what comes out here
       router.py route DOCUMENT   for each line of its input, a time, a tab and a key as JSON, what answers by a document of
                                  serving_config(): permanent id, share, position, receipt, shadow, with tabs between

Exits with 1 when a vector differs.
"""

import hashlib
import json
import re
import sys
from datetime import datetime


def position(salt, key):
    first = hashlib.sha256(salt + b"\0" + key).digest()[:8]
    return first.hex(), int.from_bytes(first, "big") * 1000000 // 2**64


def taker(segments, at):
    for version, width in segments:
        if at < width:
            return version
        at -= width
    raise ValueError("the widths do not add up")


def vectors(page):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    salt = bytes.fromhex(re.search(r"with the salt `([0-9a-f]{32})`", text)[1])
    segments = [(version, int(width.replace(",", "")))
                for version, width in re.findall(r"\b([A-Z]) ([\d,]+\d)", re.search(r"and the segments (.*?):\n", text)[1])]
    table = re.search(r"<!-- vectors: position -->\n(.*?)<!-- end -->", text, re.S)[1]
    rows = re.findall(r"^\|.*\| `([0-9a-f]*)`(?: (\d+) times)? \| `(\w+)` \| (\d+) \| (\w) \|$", table, re.M)
    wrong = 0
    for octets, times, first, at, version in rows:
        key = bytes.fromhex(octets) * int(times or 1)
        found = position(salt, key)
        if found != (first, int(at)) or taker(segments, found[1]) != version:
            wrong += 1
            print(f"{octets[:40]}: {found}, not {(first, at, version)}")
    print(f"{len(rows)} vectors, {wrong} wrong")
    return 1 if wrong or sum(width for _, width in segments) != 1000000 else 0


def route(document, time, key):
    opened = [step for step in document["steps"] if datetime.fromisoformat(step["opens"]) <= time]
    step = opened[-1] if opened else document["steps"][0]
    _, at = position(bytes.fromhex(document["salt"]), key.encode("utf-8"))
    version = taker(step["segments"], at)
    share = sum(width for of, width in step["segments"] if of == version)
    ids = [version["permanent_id"] for version in document["versions"]]
    return ids[version], share, at, f"{document['event']}.{step['step']}", ",".join(ids[of] for of in step["shadow"])


def main(what, name):
    if what == "vectors":
        return vectors(name)
    with open(name, encoding="utf-8") as file:
        document = json.load(file)
    for line in sys.stdin:
        time, key = line.rstrip("\n").split("\t")
        print(*route(document, datetime.fromisoformat(time), json.loads(key)), sep="\t")
    return 0


sys.exit(main(*sys.argv[1:]))
