#!/usr/bin/env python3
"""Verifies an export of a registry by docs/audit-format.md, and by nothing else.

Usage: verifier.py DIRECTORY [HEAD.json]

DIRECTORY holds one TABLE.tsv per table, as the page says; HEAD.json, if it is given, a document of audit_head() that was kept, whose
chains have to be found again. Prints what is wrong, a line each (check, object, detail, with tabs between), or "clean", and exits
with 0 for clean, 1 for findings, 2 for an export that it cannot read.
"""

import base64
import hashlib
import json
import os
import re
import struct
import sys
from collections import Counter, defaultdict
from decimal import Decimal

ZERO = bytes(32)
IDENTITIES = ("registry_created", "restore_declared", "identity_begun")
CHAINS = {1: "registry", 2: "team", 3: "facts", 4: "registrations", 5: "decisions", 6: "endpoint"}

TYPES = {  # of every column, hashed or not
    "registry": "id bigint, seq bigint, head_hash bytea, head_at timestamptz, identity text",
    "team": "id bigint, seq bigint, head_hash bytea, head_at timestamptz, name text, byte_quota bigint, retired_at timestamptz, discoverable boolean",
    "team_name": "name text, team_id bigint, since timestamptz, until timestamptz",
    "membership": "team_id bigint, role_name text, role_oid bigint, level text",
    "fact_head": "id bigint, seq bigint, head_hash bytea, head_at timestamptz",
    "registration_head": "id bigint, seq bigint, head_hash bytea, head_at timestamptz, team_id bigint, last_version integer",
    "model": "id bigint, seq bigint, head_hash bytea, head_at timestamptz, team_id bigint, name text, policy text, "
             "policy_digest bytea, created_at timestamptz, retired_at timestamptz, current_version integer, "
             "current_since timestamptz, current_registered_at timestamptz, current_identity text, current_node_id bigint",
    "model_name": "team_id bigint, name text, model_id bigint, since timestamptz, until timestamptz",
    "event": "chain smallint, chain_id bigint, seq bigint, at timestamptz, kind text, team_id bigint, who jsonb, "
             "application_name text, client_addr text, request_id text, what jsonb, prose bytea, prev bytea, hash bytea, format smallint",
    "payload": "digest bytea, team_id bigint, salt bytea, body text",
    "node": "id bigint, team_id bigint, batch bigint, kind text, name text, version text, supersedes bigint, level integer, "
            "low bigint, input_roles text[], input_ids bigint[], uri text, digest text, rows bigint, properties bytea, who jsonb, "
            "recorded_at timestamptz, occurred_at timestamptz, hash bytea, format smallint",
    "edge": "child bigint, parent bigint, parent_low bigint, child_team bigint, parent_team bigint, parent_level integer, "
            "role text, child_kind text, parent_kind text",
    "version": "model_id bigint, version integer, team_id bigint, node_id bigint, identity uuid, run_id bigint, "
               "registered_at timestamptz, occurred_at timestamptz, who jsonb, request_id text, description bytea, signature bytea, "
               "params bytea, node_hash bytea, training_hash bytea, artifacts_hash bytea, hash bytea, format smallint",
    "artifact": "model_id bigint, version integer, name text, team_id bigint, digest digest, size bigint, media_type text, uri text, "
                "store_version text, hash bytea, format smallint",
    "production": "model_id bigint, seq bigint, team_id bigint, at timestamptz, version integer, previous_seq bigint, hash bytea, "
                  "format smallint",
    "evaluation": "id bigint, team_id bigint, batch bigint, node_id bigint, kind text, dataset_id bigint, slice text, "
                  "metric_names text[], metric_values double[], passed boolean, properties bytea, who jsonb, "
                  "recorded_at timestamptz, occurred_at timestamptz, hash bytea, format smallint",
    "note": "id bigint, team_id bigint, batch bigint, kind text, model_id bigint, version integer, key text, value bytea, who jsonb, "
            "recorded_at timestamptz, hash bytea, format smallint",
    "attestation": "id bigint, team_id bigint, batch bigint, model_id bigint, version integer, subject text, digest text, "
                   "predicate_type text, keys bigint[], envelope bytea, who jsonb, recorded_at timestamptz, hash bytea, format smallint",
    "signing_key": "id bigint, team_id bigint, name text, keyid text, algorithm text, public_key bytea, registered_at timestamptz, "
                   "valid_from timestamptz, valid_until timestamptz, revoked_at timestamptz, compromised_since timestamptz",
    "version_stage": "model_id bigint, version integer, team_id bigint, stage text, since timestamptz",
    "leaving": "model_id bigint, version integer, team_id bigint, since timestamptz, seq bigint",
    "alias": "model_id bigint, alias text, team_id bigint, version integer, since timestamptz",
    "tag": "model_id bigint, version integer, key text, team_id bigint, value text, payload bytea",
    "metric": "model_id bigint, version integer, kind text, dataset_id bigint, slice text, metric text, team_id bigint, "
              "value double, evaluation_id bigint",
    "param": "model_id bigint, version integer, key text, team_id bigint, value text",
    "description": "model_id bigint, version integer, team_id bigint, payload bytea",
    "policy": "team_id bigint, name text, revision integer, digest bytea, document jsonb, built_in boolean, who jsonb, "
              "recorded_at timestamptz, hash bytea, format smallint",
    "team_policy": "team_id bigint, name text, revision integer, since timestamptz",
    "evidence": "team_id bigint, digest bytea, model_id bigint, version integer, document jsonb, recorded_at timestamptz, hash bytea, "
                "format smallint",
    "approval_request": "id bigint, team_id bigint, model_id bigint, seq bigint, version integer, stage text, policy text, "
                        "policy_digest bytea, state text, who jsonb, requested_at timestamptz, expires_at timestamptz, closed_seq bigint",
    "approval": "request_id bigint, seq bigint, team_id bigint, evidence bytea, who jsonb, at timestamptz",
    "purged_version": "model_id bigint, version integer, team_id bigint, at timestamptz, seq bigint",
    "legal_hold": "model_id bigint, version integer, team_id bigint, since timestamptz, seq bigint",
    "endpoint": "id bigint, seq bigint, head_hash bytea, head_at timestamptz, team_id bigint, name text, created_at timestamptz, "
                "retired_at timestamptz, model_id bigint, follows boolean, plan jsonb, max_staleness interval, prediction_days integer, "
                "schedule_seq bigint, schedule_hash bytea",
    "endpoint_name": "team_id bigint, name text, endpoint_id bigint, since timestamptz, until timestamptz",
    "traffic_schedule": "endpoint_id bigint, seq bigint, team_id bigint, at timestamptz, kind text, rollout bigint, restored bigint, "
                        "salt bytea, doc jsonb, hash bytea, format smallint",
    "traffic_arm": "endpoint_id bigint, seq bigint, step integer, model_id bigint, version integer, share integer, team_id bigint, "
                   "opens timestamptz",
    "quarantine": "node_id bigint, team_id bigint, since timestamptz, seq bigint",
}

KEYS = {
    "event": lambda r: f"{CHAINS.get(r['chain'], r['chain'])}/{r['chain_id']}/{r['seq']}",
    "node": lambda r: f"{r['id']}",
    "version": lambda r: f"{r['model_id']}/{r['version']}",
    "artifact": lambda r: f"{r['model_id']}/{r['version']}/{r['name']}",
    "production": lambda r: f"{r['model_id']}/{r['seq']}",
    "evaluation": lambda r: f"{r['id']}",
    "note": lambda r: f"{r['id']}",
    "attestation": lambda r: f"{r['id']}",
    "traffic_schedule": lambda r: f"{r['endpoint_id']}/{r['seq']}",
    "policy": lambda r: f"{r['team_id']}/{r['name']}/{r['revision']}",
    "evidence": lambda r: f"{r['team_id']}/{r['digest'].hex()}",
}


# Reading the export

ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescape(text):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), text, flags=re.S)


def parse_time(text):
    """Microseconds since 2000-01-01 UTC."""
    if text in ("infinity", "-infinity"):
        return 2**63 - 1 if text == "infinity" else -2**63
    m = re.fullmatch(r"(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00( BC)?", text)
    if m is None:
        raise ValueError(f"not a time in UTC: {text!r}")
    year, month, day, hour, minute, second = (int(m[i]) for i in range(1, 7))
    if m[8]:
        year = 1 - year
    # the number of a day of the Gregorian calendar, from years that begin in March
    y = year - (month <= 2)
    era = y // 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    of_era = (y - era * 400) * 365 + (y - era * 400) // 4 - (y - era * 400) // 100 + of_year
    days = era * 146097 + of_era - 730425
    return ((days * 24 + hour) * 60 + minute) * 60000000 + second * 1000000 + int((m[7] or "").ljust(6, "0"))


def parse_array(text, parse):
    """An array of one dimension; None when it is none."""
    if not text.startswith("{") or text.startswith("{{"):
        return None
    items = []
    for m in re.finditer(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', text[1:-1], flags=re.S):
        if m[1] is not None:
            items.append(parse(re.sub(r"\\(.)", r"\1", m[1], flags=re.S)))
        else:
            items.append(None if m[2] == "NULL" else parse(m[2]))
    return items


JSON_NULL = object()  # a column that holds JSON's null, which is not NULL


def parse_json(text):
    value = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return JSON_NULL if value is None else value


def parse_interval(text):
    """Microseconds; what has days or months is none of ours, and stays a text."""
    m = re.fullmatch(r"(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?", text)
    if m is None:
        return text
    return ((int(m[1]) * 60 + int(m[2])) * 60 + int(m[3])) * 1000000 + int((m[4] or "").ljust(6, "0"))


PARSE = {
    "text": str,
    "uuid": str,
    "digest": str,
    "smallint": int,
    "integer": int,
    "bigint": int,
    "double": float,
    "boolean": lambda t: t == "t",
    "bytea": lambda t: bytes.fromhex(t[2:]),
    "timestamptz": parse_time,
    "interval": parse_interval,
    "jsonb": parse_json,
    "text[]": lambda t: parse_array(t, str),
    "bigint[]": lambda t: parse_array(t, int),
    "double[]": lambda t: parse_array(t, float),
}


def columns_of(table):
    return [tuple(c.split(" ")) for c in TYPES[table].split(", ")]


def read_table(directory, table):
    types = dict(columns_of(table))
    rows = []
    with open(os.path.join(directory, table + ".tsv"), encoding="utf-8", newline="\n") as f:
        names = f.readline().rstrip("\n").split("\t")
        if missing := [c for c in types if c not in names]:
            raise ValueError(f"{table} has no column {missing[0]}")
        for line in f:
            row = {}
            for name, text in zip(names, line.rstrip("\n").split("\t")):
                if name in types:
                    row[name] = None if text == "\\N" else PARSE[types[name]](unescape(text))
            rows.append(row)
    return rows


# Encoding

def canonical_number(number):
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def canonical_string(text):
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def canonical(value):
    if value is None or value is JSON_NULL:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return canonical_number(Decimal(value))
    if isinstance(value, str):
        return canonical_string(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    return "{" + ",".join(canonical_string(k) + ":" + canonical(value[k])
                          for k in sorted(value, key=lambda k: k.encode())) + "}"


def encode_double(value):
    return bytes.fromhex("7ff8000000000000") if value != value else struct.pack(">d", value)


def encode_digest(text):
    algorithm, _, digits = text.partition(":")
    if algorithm != "sha256":
        raise ValueError(f"unknown algorithm {algorithm}")
    return b"\x01" + bytes.fromhex(digits)


ENCODE = {
    "text": str.encode,
    "uuid": lambda v: bytes.fromhex(v.replace("-", "")),
    "digest": encode_digest,
    "smallint": lambda v: struct.pack(">h", v),
    "integer": lambda v: struct.pack(">i", v),
    "bigint": lambda v: struct.pack(">q", v),
    "double": encode_double,
    "boolean": lambda v: b"\x01" if v else b"\x00",
    "bytea": bytes,
    "timestamptz": lambda v: struct.pack(">q", v),
    "jsonb": lambda v: canonical(v).encode(),
}


def field(type_, value):
    if value is None:
        return b"\x00"
    if type_.endswith("[]"):
        data = b"".join(field(type_[:-2], v) for v in value)
    else:
        data = ENCODE[type_](value)
    return b"\x01" + struct.pack(">I", len(data)) + data


def row_hash(table, fields, format_=1):
    data = field("text", "modelreg") + field("text", table) + field("smallint", format_)
    return hashlib.sha256(data + b"".join(field(t, v) for t, v in fields)).digest()


# Out of JSON, which may hold anything

def member(value, *names):
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_of(value, *names):
    """A member as text, as SQL's ->> has it."""
    value = member(value, *names)
    return value if value is None or isinstance(value, str) else canonical(value)


def whole(value, *names):
    text = text_of(value, *names)
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None


def items(value, *names):
    value = member(value, *names)
    return value if isinstance(value, list) else []


# Schedules of endpoints

WHOLE = 1000000
STATES_OF = {"created": {"ended"}, "rollout_started": {"running"}, "rollout_paused": {"paused"}, "rollout_resumed": {"running"},
             "rollout_held": {"held", "ended"}, "rollout_step_opened": {"running"}, "rollout_completed": {"ended"},
             "rollout_aborted": {"ended"}, "rolled_back": {"ended"}}


class Unreadable(Exception):
    pass


def numbers(value, at_least=0):
    if not isinstance(value, Decimal) or value != int(value) or value < at_least:
        raise Unreadable("a number is none")
    return int(value)


def arms_in(value, name, length, needed=False):
    """Arrays of model, version and, if they have three elements, a number of 1 or more."""
    found = value.get(name, [])
    if not isinstance(found, list) or (needed or name in value) and not found:
        raise Unreadable(f"{name} is no list, or empty")
    if any(not isinstance(arm, list) or len(arm) != length for arm in found):
        raise Unreadable(f"{name} has what is no arm")
    arms = [tuple(numbers(n, min(i, 1)) for i, n in enumerate(arm)) for arm in found]
    if length == 3 and found and sum(arm[2] for arm in arms) != WHOLE:
        raise Unreadable(f"{name} does not add up")
    return arms


def ascends(arms):
    return all(a[:2] < b[:2] for a, b in zip(arms, arms[1:]))


def read_step(step, members):
    """Segments, and the arms that have no share."""
    if not isinstance(step, dict) or not members <= step.keys() <= members | {"segments", "shadow", "warm"}:
        raise Unreadable("a step has other members")
    for name in members:
        numbers(step[name], -2**63 if name == "opens" else 0)
    segments = arms_in(step, "segments", 3, needed=True)
    if any(a[:2] == b[:2] for a, b in zip(segments, segments[1:])):
        raise Unreadable("neighbours are of the same version")
    for name in ("shadow", "warm"):
        arms = arms_in(step, name, 2)
        if not ascends(arms) or {a[:2] for a in segments} & set(arms):
            raise Unreadable(f"{name} is not in order, or has a share")


def read_schedule(s):
    """What a schedule has to be by itself."""
    doc, state = s["doc"], member(s["doc"], "state")
    rollout = {"plan", "from", "target"}
    if state not in STATES_OF.get(s["kind"], ()) or len(s["salt"]) != 16:
        raise Unreadable("kind, state or salt is none")
    running = state != "ended"
    if doc.keys() - {"waiting"} != {"steps", "state"} | (rollout if running else set()) or (s["rollout"] is not None) != running:
        raise Unreadable("it is of a rollout by half, or has other members")
    steps, waiting = items(doc, "steps"), items(doc, "waiting")
    if not steps or ("waiting" in doc) != bool(waiting) or waiting and not running or state in ("paused", "held") and len(steps) > 1:
        raise Unreadable("its steps are not those of its state")
    for i, step in enumerate(steps):
        read_step(step, {"opens", "bake"} if waiting and i == len(steps) - 1 else {"opens"})
    for i, step in enumerate(waiting):
        read_step(step, {"bake"} if i < len(waiting) - 1 else set())
    opens = [step["opens"] for step in steps]
    if opens[0] != s["at"] or opens != sorted(opens):
        raise Unreadable("the first step opens at another time, or steps are not in order")
    if running and not (isinstance(doc["plan"], dict) and all(ascends(arms_in(doc, name, 3, needed=True)) for name in ("from", "target"))):
        raise Unreadable("plan, from or target is none")


def runs(doc, at):
    """Whether a rollout runs at the time of an event."""
    steps, state = items(doc, "steps"), member(doc, "state")
    if state != "running" or "waiting" in doc:
        return state != "ended"
    left = [step for i, step in enumerate(steps) if i == len(steps) - 1 or steps[i + 1]["opens"] >= at]
    return any("shadow" in step or canonical(step["segments"]) != canonical(left[0]["segments"]) for step in left)


def go_on(s, before):
    """What it has to be after the one before it, None for the first."""
    starts = s["kind"] == "rollout_started"
    if (s["kind"] == "created") != (before is None) or before is None and s["seq"] != 1:
        raise Unreadable("the first event creates the endpoint, and no other")
    if before is not None:
        running = member(s["doc"], "state") != "ended"
        if s["rollout"] != (s["seq"] if starts else before["rollout"] if running else None):
            raise Unreadable("it is of another rollout than before it")
        if s["kind"] not in ("rollout_started", "rolled_back") and not runs(before["doc"], s["at"]):
            raise Unreadable("it is about a rollout, but none runs")
        if s["salt"] != before["salt"] and not (starts and len(items(s["doc"], "from")) == 1):
            raise Unreadable("its salt is another than before it")
        if running and not starts and any(canonical(member(s["doc"], name)) != canonical(member(before["doc"], name)) for name in ("plan", "from", "target")):
            raise Unreadable("plan, from or target are others than before it")


class Verifier:
    def __init__(self, directory):
        self.t = {table: read_table(directory, table) for table in TYPES}
        self.findings = []
        self.body = {p["digest"]: p["body"] for p in self.t["payload"]}
        self.events = defaultdict(list)  # by chain
        for e in sorted(self.t["event"], key=lambda e: (e["chain"], e["chain_id"], e["seq"])):
            self.events[e["chain"], e["chain_id"]].append(e)
        self.nodes = {n["id"]: n for n in self.t["node"]}
        self.models = {m["id"]: m for m in self.t["model"]}
        self.versions = {(v["model_id"], v["version"]): v for v in self.t["version"]}
        self.training = {(x["node_id"], x["hash"]) for x in self.t["evaluation"] if x["batch"] is None}
        self.identities = [text_of(e["what"], "identity") for e in self.of(1, *IDENTITIES)]

    def report(self, check, object_, detail):
        self.findings.append((check, object_, detail))

    def of(self, chain, *kinds):
        """The events of one number of chain, of these kinds, chain by chain and in order."""
        for (c, _), events in self.events.items():
            if c == chain:
                yield from (e for e in events if not kinds or e["kind"] in kinds)

    def compare(self, table, found, expected):
        """Rows of state by key, against what the events tell."""
        for key in found.keys() | expected.keys():
            name = f"{table} " + "/".join("" if k is None else str(k) for k in (key if isinstance(key, tuple) else (key,)))
            if key not in found:
                self.report("fold", name, "the row that the events tell of is missing")
            elif key not in expected:
                self.report("fold", name, "no event tells of this row")
            elif found[key] != expected[key]:
                self.report("fold", name, f"it is {found[key]}, by the events it is {expected[key]}")

    # Rows

    def check_rows(self):
        for table, key in KEYS.items():
            columns = columns_of(table)[:-2]
            for r in self.t[table]:
                if r["format"] != 1:
                    self.report("row", f"{table} {key(r)}", "unknown format")
                elif row_hash(table, [(t, r[c]) for c, t in columns]) != r["hash"]:
                    self.report("row", f"{table} {key(r)}", "it is not the row that its hash was computed over")
        for p in self.t["payload"]:
            if (p["salt"], p["body"]) != (None, None) and \
                    row_hash("payload", [("bytea", p["salt"]), ("text", p["body"])]) != p["digest"]:
                self.report("row", f"payload {p['digest'].hex()}", "it is not the text that its digest was computed over")

    # Chains

    def heads(self):
        for chain, table in ((1, "registry"), (2, "team"), (3, "fact_head"), (4, "registration_head"), (5, "model"), (6, "endpoint")):
            for h in self.t[table]:
                yield chain, table, h, 0 if chain == 1 else h["id"] if chain < 4 else h["team_id"]

    def check_chains(self):
        for (chain, id_), events in self.events.items():
            last, prev, at = 0, ZERO, None
            for e in events:
                name = f"{CHAINS.get(chain, chain)}/{id_}"
                if e["seq"] != last + 1:
                    self.report("chain", f"chain {name}", f"after event {last} comes {e['seq']}")
                elif e["prev"] != prev:
                    self.report("chain", f"event {name}/{e['seq']}", "prev is not the hash of the event before")
                if at is not None and e["at"] <= at:
                    self.report("chain", f"event {name}/{e['seq']}", "it is not later than the event before")
                last, prev, at = e["seq"], e["hash"], e["at"]

    def check_heads(self):
        known = set()
        for chain, _, h, team in self.heads():
            known.add((chain, h["id"]))
            events = self.events.get((chain, h["id"]), [])
            last = events[-1] if events else {"seq": 0, "hash": ZERO, "at": -2**63}
            if (h["seq"], h["head_hash"], h["head_at"]) != (last["seq"], last["hash"], last["at"]):
                self.report("head", f"head {CHAINS[chain]}/{h['id']}", f"it is not where the last event is ({last['seq']})")
            for e in events:
                if e["team_id"] != team:
                    self.report("event", f"event {KEYS['event'](e)}", f"it is shown to team {e['team_id']} instead of {team}")
        for chain, id_ in self.events.keys() - known:
            self.report("head", f"chain {CHAINS.get(chain, chain)}/{id_}", "it has events and no head")

    def check_births(self):
        births = Counter()
        for e in self.of(1, "team_created"):
            births["team", whole(e["what"], "team_id"), whole(e["what"], "team_id")] += 1
        for e in self.of(2, "model_created"):
            births["model", whole(e["what"], "model_id"), e["chain_id"]] += 1
        for e in self.of(2, "endpoint_created"):
            births["endpoint", whole(e["what"], "endpoint_id"), e["chain_id"]] += 1
        heads = {(table, h["id"], team) for chain, table, h, team in self.heads() if chain > 1}
        sort = {"team": "team", "fact_head": "team", "registration_head": "model", "model": "model", "endpoint": "endpoint"}
        for table, id_, team in heads:
            if (sort[table], id_, team) not in births:
                self.report("birth", f"{table} {id_}", "no event tells of its birth")
        ids = Counter()
        for (what, id_, team), n in births.items():
            ids[what, id_] += n
            for table in (t for t in sort if sort[t] == what):
                if id_ is not None and (table, id_, team) not in heads:
                    self.report("birth", f"{table} {id_}", "the events tell of its birth, but the row is missing")
        for (what, id_), n in ids.items():
            if n > 1 or id_ is None:
                self.report("birth", f"{what} {'?' if id_ is None else id_}", "it was born more than once")

    def check_head(self, path):
        """A document of audit_head() that was kept: its chains still have those events."""
        with open(path, encoding="utf-8") as f:
            document = parse_json(f.read())
        number = {name: chain for chain, name in CHAINS.items()}
        heads = {(chain, h["id"]): h["seq"] for chain, _, h, _ in self.heads()}
        for c in document["chains"]:
            key, seq = (number[c["chain"]], int(c["id"])), int(c["seq"])
            found = [e["hash"].hex() for e in self.events.get(key, []) if e["seq"] == seq] or ([ZERO.hex()] if seq == 0 and key in heads else [])
            if found != [c["hash"]]:
                self.report("published", f"chain {c['chain']}/{c['id']}", f"event {seq} differs" if found
                            else "it is missing" if key not in heads else f"it is behind event {seq}" if heads[key] < seq else f"event {seq} differs")
        if document["identity"] is not None and [document["identity"]] != [r["identity"] for r in self.t["registry"]]:
            self.report("published", "registry", "the identity is another one")

    # Facts

    def check_facts(self):
        batches = defaultdict(list)
        for table in ("attestation", "evaluation", "node", "note"):
            for r in sorted(self.t[table], key=lambda r: r["id"]):
                if r["batch"] is not None:
                    batches[r["team_id"], r["batch"]].append((table, r["id"], r["hash"]))
        told = defaultdict(list)
        for e in self.of(3, "facts_recorded"):
            told[e["chain_id"], whole(e["what"], "batch")].append(e)
        for (team, batch), events in told.items():
            name = f"event facts/{team}/{events[0]['seq']}"
            if batch is None or len(events) > 1:
                self.report("facts", name, "it names no batch of its own")
            if batch is None:
                continue
            rows, running = batches.get((team, batch), []), ZERO
            for table, id_, hash_ in rows:
                running = row_hash("facts", [("bytea", running), ("text", table), ("bigint", id_), ("bytea", hash_)])
            counts = canonical(dict(Counter(table for table, _, _ in rows)))
            if canonical(member(events[0]["what"], "rows")) != counts:
                self.report("facts", name, f"it tells of other rows than {counts}")
            elif text_of(events[0]["what"], "digest") != running.hex():
                self.report("facts", name, "its digest is not that of its rows")
        for key in batches.keys() - told.keys():
            for table, id_, _ in batches[key]:
                self.report("facts", f"{table} {id_}", "no event covers its batch")

    # Registrations

    def check_registrations(self):
        told = {(e["chain_id"], text_of(e["what"], "version")): text_of(e["what"], "hash") for e in self.of(4, "version_registered")}
        versions = {(model, str(version)): v for (model, version), v in self.versions.items()}
        artifacts = defaultdict(list)
        for a in self.t["artifact"]:
            artifacts[a["model_id"], a["version"]].append(a)
        for key in told.keys() | versions.keys():
            name, v = f"version {key[0]}/{key[1] or ''}", versions.get(key)
            if v is None:
                self.report("registration", name, "its event is there, its row is missing")
                continue
            if key not in told:
                self.report("registration", name, "no event tells of its registration")
            elif told[key] != v["hash"].hex():
                self.report("registration", name, "its hash is not the one that its event tells")
            hashes = [("bytea", a["hash"]) for a in sorted(artifacts.get((key[0], v["version"]), []), key=lambda a: a["name"].encode())]
            if row_hash("artifacts", hashes) != v["artifacts_hash"]:
                self.report("registration", name, "its artifacts are not those that it was registered with")
            self.check_version(name, v)
        numbers_of = defaultdict(list)
        for model, version in self.versions:
            numbers_of[model].append(version)
        for h in self.t["registration_head"]:
            numbers = numbers_of[h["id"]]
            if not h["last_version"] == len(numbers) == max(numbers, default=0):
                self.report("registration", f"registration_head {h['id']}", "last_version is not that of its versions")
        for key, rows in artifacts.items():
            for a in rows:
                if key not in self.versions or self.versions[key]["team_id"] != a["team_id"]:
                    self.report("reference", f"artifact {KEYS['artifact'](a)}", "no version covers it")

    def check_version(self, name, v):
        model, node = self.models.get(v["model_id"]), self.nodes.get(v["node_id"])
        if model is None or model["team_id"] != v["team_id"]:
            self.report("reference", name, "its model is missing or of another team")
        if node is None or node["hash"] != v["node_hash"] or \
                (node["kind"], node["name"], node["version"], node["team_id"], node["batch"]) != \
                ("version", str(v["model_id"]), str(v["version"]), v["team_id"], None):
            self.report("reference", name, "its node is missing or another one")
        if v["run_id"] is not None and (v["run_id"] not in self.nodes or
                                        (node is not None and v["run_id"] not in (node["input_ids"] or []))):
            self.report("reference", name, "its run is missing or no input of its node")
        if v["training_hash"] is not None and (v["node_id"], v["training_hash"]) not in self.training:
            self.report("reference", name, "its training metrics are missing")
        if v["identity"] not in self.identities:
            self.report("reference", name, "the registry never had its identity")

    def check_covered(self):
        of_versions = {v["node_id"]: v for v in self.versions.values()}
        for n in self.t["node"]:
            if n["batch"] is None and n["id"] not in of_versions:
                self.report("reference", f"node {n['id']}", "neither a batch nor a version covers it")
        for x in self.t["evaluation"]:
            v, node = of_versions.get(x["node_id"]), self.nodes.get(x["node_id"])
            if x["batch"] is None and (v is None or v["training_hash"] != x["hash"]):
                self.report("reference", f"evaluation {x['id']}", "neither a batch nor a version covers it")
            if node is None or node["team_id"] != x["team_id"] or \
                    (x["dataset_id"] is not None and x["dataset_id"] not in self.nodes):
                self.report("reference", f"evaluation {x['id']}", "its node or its dataset is missing")
        for n in self.t["note"]:
            model = self.models.get(n["model_id"])
            if n["batch"] is None:
                self.report("reference", f"note {n['id']}", "no batch covers it")
            if model is None or model["team_id"] != n["team_id"] or \
                    (n["version"] != 0 and (n["model_id"], n["version"]) not in self.versions):
                self.report("reference", f"note {n['id']}", "its model or version is missing")

    # Attestations

    def check_keys(self):
        time = lambda what, name: None if member(what, name) is None else parse_time(re.sub(r"\+00:00", "+00", text_of(what, name).replace("T", " ")))
        told = {}
        for chain in (1, 2):
            for e in self.of(chain, "key_registered", "key_revoked"):
                key, what = whole(e["what"], "key_id"), e["what"]
                if e["kind"] == "key_registered":
                    told[key] = [e["team_id"]] + [text_of(what, c) for c in ("name", "keyid", "algorithm", "public_key")] + \
                        [e["at"], time(what, "valid_from"), time(what, "valid_until"), None, None]
                elif key in told:
                    told[key][8] = e["at"] if told[key][8] is None else told[key][8]
                    told[key][9] = min((t for t in (told[key][9], time(what, "compromised_since")) if t is not None), default=None)
        self.compare("signing_key", {k["id"]: [k["team_id"], k["name"], hashlib.sha256(k["public_key"]).hexdigest(), k["algorithm"], k["public_key"].hex(),
                                               k["registered_at"], k["valid_from"], k["valid_until"], k["revoked_at"], k["compromised_since"]]
                                     for k in self.t["signing_key"] if k["keyid"] == hashlib.sha256(k["public_key"]).hexdigest()}, told)

    def digests_of(self, a, statement):
        """By subject, what the digest of an attestation may be."""
        version = self.versions.get((a["model_id"], a["version"]))
        of_version = [r for r in self.t["artifact"] if (r["model_id"], r["version"]) == (a["model_id"], a["version"])]
        in_order = sorted(of_version, key=lambda r: [part.encode() for part in r["name"].split("/")])
        return {
            "version": [version["hash"].hex()] if version else [],
            "artifact": [r["digest"].partition(":")[2] for r in of_version],
            "artifacts": [hashlib.sha256(b"".join(encode_digest(r["digest"])[1:] for r in in_order)).hexdigest()],
            "head": [a["digest"] if statement is None else hashlib.sha256(canonical(member(statement, "predicate")).encode()).hexdigest()],
        }.get(a["subject"], [])

    def check_attestations(self):
        keys = {k["id"]: k for k in self.t["signing_key"]}
        heads = {(whole(e["what"], "attestation_id"), text_of(e["what"], "hash")) for e in self.of(1, "head_attested")}
        for a in self.t["attestation"]:
            name, body, statement = f"attestation {a['id']}", self.body.get(a["envelope"]), None
            version = self.versions.get((a["model_id"], a["version"]))
            if body is not None:
                envelope = parse_json(body)
                statement = parse_json(base64.b64decode(envelope["payload"], validate=True).decode())
                if text_of(statement, "predicateType") != a["predicate_type"] or len(envelope["signatures"]) != len(a["keys"]) or \
                        a["digest"] not in [text_of(s, "digest", "sha256") for s in items(statement, "subject")]:
                    self.report("reference", name, "its statement is another one")
            if (a["subject"] == "head") != (a["team_id"] == 0) or a["digest"] not in self.digests_of(a, statement):
                self.report("reference", name, "its digest is not that of its subject")
            if a["team_id"] == 0 and (a["id"], a["hash"].hex()) not in heads:
                self.report("reference", name, "no event tells of it")
            if a["team_id"] != 0 and (a["batch"] is None or version is None or version["team_id"] != a["team_id"]):
                self.report("reference", name, "no batch covers it, or its version is missing")
            for k in (keys.get(id_) for id_ in a["keys"]):
                if k is None or k["team_id"] not in (0, a["team_id"]) or \
                        not max(k["registered_at"], k["valid_from"] or k["registered_at"]) <= a["recorded_at"] <= min(
                            k["valid_until"] or a["recorded_at"], k["revoked_at"] or a["recorded_at"]):
                    self.report("reference", name, "a key of it is missing, or was not valid when it was recorded")
        for id_, _ in heads:
            if id_ not in {a["id"] for a in self.t["attestation"]}:
                self.report("reference", f"attestation {'' if id_ is None else id_}", "an event tells of it, but the row is missing")

    # Payloads

    def check_payloads(self):
        payloads, named = {p["digest"]: p for p in self.t["payload"]}, set()
        for table, columns in (("event", ("prose",)), ("node", ("properties",)), ("version", ("description", "signature", "params")),
                               ("evaluation", ("properties",)), ("note", ("value",)), ("attestation", ("envelope",))):
            for r in self.t[table]:
                for digest in (r[c] for c in columns if r[c] is not None):
                    named.add(digest)
                    if digest not in payloads:
                        self.report("reference", f"{table} {KEYS[table](r)}", f"its text {digest.hex()} is missing")
                    elif payloads[digest]["team_id"] != r["team_id"]:
                        self.report("reference", f"{table} {KEYS[table](r)}", "its text is another team's")
        for digest in payloads.keys() - named:
            self.report("reference", f"payload {digest.hex()}", "no row names it")
        gone = {p["digest"].hex() for p in self.t["payload"] if p["salt"] is None and p["body"] is None}
        for digest in gone ^ {text_of(e["what"], "payload") for e in self.of(1, "payload_redacted")}:
            self.report("redaction", f"payload {digest}", "its redaction and its text do not fit together")

    # Lineage

    def check_lineage(self):
        edges = {(e["child"], e["parent"], e["role"]): e for e in self.t["edge"]}
        named = {(n["id"], parent, role) for n in self.t["node"] for parent, role in zip(n["input_ids"] or [], n["input_roles"] or [])}
        for key in edges.keys() | named:
            e, child, parent = edges.get(key), self.nodes.get(key[0]), self.nodes.get(key[1])
            if e is None or key not in named or child is None or parent is None or \
                    (e["child_team"], e["child_kind"], e["parent_team"], e["parent_kind"], e["parent_low"], e["parent_level"]) != \
                    (child["team_id"], child["kind"], parent["team_id"], parent["kind"], parent["low"], parent["level"]):
                self.report("lineage", "edge " + "/".join(map(str, key)), "it is not what its nodes tell")
        for n in self.t["node"]:
            inputs = [self.nodes[i] for i in n["input_ids"] or [] if i in self.nodes]
            old = self.nodes.get(n["supersedes"])
            if n["level"] != max((p["level"] + 1 for p in inputs), default=0) or \
                    n["low"] != min([p["low"] for p in inputs] + [n["id"]]):
                self.report("lineage", f"node {n['id']}", "level or low is not that of its inputs")
            elif n["supersedes"] is not None and (old is None or old["id"] >= n["id"] or
                                                  (old["kind"], old["team_id"]) != (n["kind"], n["team_id"])):
                self.report("lineage", f"node {n['id']}", "it supersedes nothing of its kind and team")

    # Folds

    def check_teams(self):
        names = defaultdict(list)
        for e in self.of(1, "team_created", "team_renamed"):
            names[text_of(e["what"], "team_id")].append((text_of(e["what"], "name"), e["at"]))
        self.compare("team_name", {r["name"]: (str(r["team_id"]), r["since"], r["until"]) for r in self.t["team_name"]},
                     {name: (team, at, until) for team, list_ in names.items()
                      for (name, at), until in zip(list_, [at for _, at in list_[1:]] + [None])})
        for r in self.t["registry"]:
            if self.identities[-1:] != [r["identity"]]:
                self.report("fold", f"registry {r['id']}", "it has another identity than by the events")
        for n, e in enumerate(self.of(1, *IDENTITIES)):
            before = self.identities[n - 1] if n > 0 else None
            if text_of(e["what"], "replaced") != before or self.identities[n] in self.identities[:n]:
                self.report("fold", f"event {KEYS['event'](e)}", "it replaced another identity, or began one that was there before")
        for t in self.t["team"]:
            told = names.get(str(t["id"]), [(None, None)])[-1][0]
            retired = min((e["at"] for e in self.events.get((2, t["id"]), []) if e["kind"] == "team_retired"), default=None)
            quotas = [text_of(e["what"], "bytes") for e in self.events.get((2, t["id"]), []) if e["kind"] == "quota_set"]
            quota = None if t["byte_quota"] is None else str(t["byte_quota"])
            shown = [text_of(e["what"], "discoverable") for e in self.events.get((2, t["id"]), []) if e["kind"] == "discoverable_set"]
            for column, found, expected in (("name", t["name"], told), ("retired_at", t["retired_at"], retired),
                                            ("discoverable", "true" if t["discoverable"] else "false", shown[-1] if shown else "false"),
                                            ("byte_quota", quota, quotas[-1] if quotas else None)):
                if found != expected:
                    self.report("fold", f"team {t['id']}", f"{column} is {found}, by the events it is {expected}")

    def check_memberships(self):
        granted, bound = {}, set()
        for e in self.of(1):
            if e["kind"] == "team_created":
                m = member(e["what"], "maintainer")
                granted[text_of(e["what"], "team_id"), text_of(m, "role"), text_of(m, "level")] = text_of(m, "role_oid")
            for b in items(e["what"], "bound") if e["kind"] == "roles_rebound" else []:
                bound.add(tuple(text_of(b, c) for c in ("team_id", "role", "level", "role_oid")))
        for chain in (1, 2):
            for e in self.of(chain, "level_granted", "level_revoked"):
                key = ("0" if chain == 1 else str(e["chain_id"]), text_of(e["what"], "role"), text_of(e["what"], "level"))
                granted.pop(key, None)
                if e["kind"] == "level_granted":
                    granted[key] = text_of(e["what"], "role_oid")
        found = {(str(m["team_id"]), m["role_name"], m["level"]): str(m["role_oid"]) for m in self.t["membership"]}
        self.compare("membership", {k: granted.get(k) if (*k, v) in bound else v for k, v in found.items()}, granted)

    def check_quarantines(self):
        told = {}
        for e in self.of(2, "quarantined", "quarantine_lifted"):
            told.pop((e["chain_id"], text_of(e["what"], "node_id")), None)
            if e["kind"] == "quarantined":
                told[e["chain_id"], text_of(e["what"], "node_id")] = (e["at"], e["seq"])
        self.compare("quarantine", {(q["team_id"], str(q["node_id"])): (q["since"], q["seq"]) for q in self.t["quarantine"]}, told)
        for q in self.t["quarantine"]:
            if q["node_id"] not in self.nodes or self.nodes[q["node_id"]]["team_id"] != q["team_id"]:
                self.report("fold", f"quarantine {q['team_id']}/{q['node_id']}", "its node is missing or of another team")

    def check_retention(self):
        told = {"legal_hold": {}, "purged_version": {}}
        for e in self.of(2, "hold_placed", "hold_lifted", "version_purged"):
            table = "purged_version" if e["kind"] == "version_purged" else "legal_hold"
            key = (text_of(e["what"], "model_id"), text_of(e["what"], "version") or "0")
            told[table].pop(key, None)
            if e["kind"] != "hold_lifted":
                told[table][key] = (e["at"], e["seq"], e["chain_id"])
        for table, at in (("legal_hold", "since"), ("purged_version", "at")):
            self.compare(table, {(str(r["model_id"]), str(r["version"])): (r[at], r["seq"], r["team_id"]) for r in self.t[table]}, told[table])
            for r in self.t[table]:
                model = self.models.get(r["model_id"])
                if model is None or model["team_id"] != r["team_id"] or \
                        (r["version"] != 0 and (r["model_id"], r["version"]) not in self.versions):
                    self.report("fold", f"{table} {r['model_id']}/{r['version']}", "its model or version is missing")

    def check_models(self):
        told, names = {}, {}
        for e in self.of(2, "model_created", "model_renamed", "model_retired"):
            id_, name = whole(e["what"], "model_id"), text_of(e["what"], "name")
            m = told.setdefault(id_, {"retired_at": None, "name": None, "open": None})
            if m["open"] is not None:
                names[m["open"]] = e["at"]
                m["open"] = None
            if e["kind"] == "model_retired":
                m["retired_at"] = m["retired_at"] if m["retired_at"] is not None else e["at"]
                continue
            m["name"], m["open"] = name, (e["chain_id"], name, id_, e["at"])
            names[m["open"]] = None
            if e["kind"] == "model_created":
                m.update(team_id=e["chain_id"], policy=text_of(e["what"], "policy"),
                         policy_digest=text_of(e["what"], "policy_digest"), created_at=e["at"])
        for e in self.of(5, "policy_changed"):
            if e["chain_id"] in told:
                told[e["chain_id"]].update(policy=text_of(e["what"], "policy"), policy_digest=text_of(e["what"], "policy_digest"))
        found = {(r["team_id"], r["name"], r["model_id"], r["since"]): r["until"] for r in self.t["model_name"]}
        for key in found.keys() | names.keys():
            if key not in found or key not in names or found[key] != names[key]:
                self.report("fold", f"model_name {key[1] or ''}", "it is not as the events tell")
        last = {}
        for p in sorted(self.t["production"], key=lambda p: p["seq"]):
            last[p["model_id"]] = p
        for m in self.t["model"]:
            p = last.get(m["id"], {"version": None, "at": None})
            v = self.versions.get((m["id"], p["version"]), {"registered_at": None, "identity": None, "node_id": None})
            expected = dict(told.get(m["id"], {}), current_version=p["version"],
                            current_since=p["at"] if p["version"] is not None else None,
                            current_registered_at=v["registered_at"], current_identity=v["identity"], current_node_id=v["node_id"])
            m = dict(m, policy_digest=m["policy_digest"].hex())
            for column in ("team_id", "name", "policy", "policy_digest", "created_at", "retired_at", "current_version",
                           "current_since", "current_registered_at", "current_identity", "current_node_id"):
                if m[column] != expected.get(column):
                    self.report("fold", f"model {m['id']}", f"{column} is {m[column]}, by the events it is {expected.get(column)}")

    def check_endpoints(self):
        told, names, schedules = {}, {}, {}
        for e in self.of(2, "endpoint_created", "endpoint_retired"):
            id_ = whole(e["what"], "endpoint_id")
            if e["kind"] == "endpoint_created":
                told[id_] = {"team_id": e["chain_id"], "name": text_of(e["what"], "name"), "model_id": whole(e["what"], "model_id"),
                             "created_at": e["at"], "retired_at": None}
                names[e["chain_id"], text_of(e["what"], "name"), id_, e["at"]] = None
            elif id_ in told and told[id_]["retired_at"] is None:
                told[id_]["retired_at"] = e["at"]
                names[told[id_]["team_id"], told[id_]["name"], id_, told[id_]["created_at"]] = e["at"]
        for (chain, id_), events in self.events.items():
            for e in events if chain == 6 else []:
                state = told.setdefault(id_, {})
                for name in ("follows", "plan", "max_staleness", "prediction_days"):
                    if isinstance(e["what"], dict) and name in e["what"]:
                        state[name] = member(e["what"], name) if name == "plan" else text_of(e["what"], name)
                if text_of(e["what"], "schedule") is not None:
                    state.update(schedule_seq=e["seq"], schedule_hash=text_of(e["what"], "schedule"))
                    schedules[id_, e["seq"]] = (e["team_id"], e["at"], e["kind"], text_of(e["what"], "schedule"))
        for h in self.t["endpoint"]:
            found = dict(h, schedule_hash=h["schedule_hash"].hex(), follows="true" if h["follows"] else "false", plan=canonical(h["plan"]),
                         **{name: None if h[name] is None else str(h[name]) for name in ("max_staleness", "prediction_days")})
            expected = told.get(h["id"], {})
            if "team_id" not in expected:
                continue
            expected["plan"] = canonical(expected.get("plan"))
            for column in ("team_id", "name", "model_id", "created_at", "retired_at", "follows", "plan", "max_staleness", "prediction_days",
                           "schedule_seq", "schedule_hash"):
                if found[column] != expected.get(column):
                    self.report("fold", f"endpoint {h['id']}", f"{column} is {found[column]}, by the events it is {expected.get(column)}")
        found = {(r["team_id"], r["name"], r["endpoint_id"], r["since"]): r["until"] for r in self.t["endpoint_name"]}
        for key in found.keys() | names.keys():
            if key not in found or key not in names or found[key] != names[key]:
                self.report("fold", f"endpoint_name {key[1]}", "it is not as the events tell")
        self.compare("traffic_schedule", {(s["endpoint_id"], s["seq"]): (s["team_id"], s["at"], s["kind"], s["hash"].hex())
                                          for s in self.t["traffic_schedule"]}, schedules)

    def check_traffic(self):
        told = defaultdict(int)
        facts = {}
        for s in self.t["traffic_schedule"]:
            for n, step in enumerate(items(s["doc"], "steps")):
                for arm in [(a, b, c) for a, b, c in items(step, "segments")] + [(a, b, 0) for a, b in items(step, "shadow")]:
                    key = (s["endpoint_id"], s["seq"], n, int(arm[0]), int(arm[1]))
                    told[key] += int(arm[2])
                    facts[key] = (s["team_id"], whole(step, "opens"))
        self.compare("traffic_arm", {(r["endpoint_id"], r["seq"], r["step"], r["model_id"], r["version"]): (r["share"], r["team_id"], r["opens"])
                                     for r in self.t["traffic_arm"]}, {key: (share, *facts[key]) for key, share in told.items()})
        sums = Counter()
        for r in self.t["traffic_arm"]:
            sums[r["endpoint_id"], r["seq"], r["step"]] += r["share"]
            v = self.versions.get((r["model_id"], r["version"]))
            if v is None or v["team_id"] != r["team_id"]:
                self.report("reference", f"traffic_schedule {r['endpoint_id']}/{r['seq']}", "a version that serves is missing or of another team")
        for (endpoint, seq, step), share in sums.items():
            if share != 1000000:
                self.report("traffic", f"traffic_schedule {endpoint}/{seq}", f"the shares of step {step} add up to {share}")

    def check_schedules(self):
        endpoint = earlier = before = sound = None
        for s in sorted(self.t["traffic_schedule"], key=lambda s: (s["endpoint_id"], s["seq"])):
            name = f"traffic_schedule {s['endpoint_id']}/{s['seq']}"
            if endpoint != s["endpoint_id"]:
                endpoint, earlier, before, sound = s["endpoint_id"], set(), None, True
            after, sound = sound, False
            try:
                read_schedule(s)
                sound = True
                if after:
                    go_on(s, before)
                if s["restored"] is not None and (s["kind"] not in ("rolled_back", "rollout_aborted") or s["restored"] not in earlier):
                    raise Unreadable("it restores what is no earlier schedule")
            except Unreadable as flaw:
                self.report("traffic", name, str(flaw))
            earlier.add(s["seq"])
            before = s
            steps, waiting = items(s["doc"], "steps"), items(s["doc"], "waiting")
            for arms in [items(step, "warm") for step in steps] + [items(step, part) for step in waiting for part in ("segments", "shadow", "warm")] + \
                    [items(s["doc"], part) for part in ("from", "target")]:
                for arm in arms:
                    v = self.versions.get((int(arm[0]), int(arm[1])))
                    if v is None or v["team_id"] != s["team_id"]:
                        self.report("reference", name, "a version of it is missing or of another team")

    def check_policies(self):
        self.compare("policy", {(p["team_id"], p["name"], p["revision"]):
                                (p["hash"].hex(), p["digest"].hex(), hashlib.sha256(canonical(p["document"]).encode()).hexdigest())
                                for p in self.t["policy"]},
                     {(e["team_id"], text_of(e["what"], "policy"), whole(e["what"], "revision")):
                      (text_of(e["what"], "hash"), text_of(e["what"], "policy_digest"), text_of(e["what"], "policy_digest"))
                      for e in self.of(2, "policy_created")})
        self.compare("team_policy", {(p["team_id"], p["name"]): (p["revision"], p["since"]) for p in self.t["team_policy"]},
                     {(e["team_id"], text_of(e["what"], "policy")): (whole(e["what"], "revision"), e["at"])
                      for e in self.of(2, "policy_allowed", "policy_forbidden")})
        policies = {(p["team_id"], p["name"], p["digest"]) for p in self.t["policy"]}
        for m in self.t["model"]:
            if (m["team_id"], m["policy"], m["policy_digest"]) not in policies:
                self.report("reference", f"model {m['id']}", "its policy's revision is missing")

    def check_evidence(self):
        told = {(e["team_id"], e["chain_id"], text_of(e["what"], "evidence")) for e in self.of(5) if text_of(e["what"], "evidence") is not None}
        kept = {(v["team_id"], v["model_id"], v["digest"].hex()): v for v in self.t["evidence"]}
        for key in told | kept.keys():
            v = kept.get(key)
            if v is None or key not in told or hashlib.sha256(canonical(v["document"]).encode()).hexdigest() != key[2] or \
                    (whole(v["document"], "model_id"), whole(v["document"], "version")) != (v["model_id"], v["version"]):
                self.report("reference", f"evidence {key[2]}", "it is missing, told of by no event, or not what its digest says")

    def check_requests(self):
        ends, told = {}, {}
        for e in self.of(5, "promoted", "stage_changed", "policy_changed", "request_rejected", "request_withdrawn"):
            if whole(e["what"], "request") is not None:
                state = {"request_rejected": "rejected", "request_withdrawn": "withdrawn"}.get(e["kind"], "done")
                ends.setdefault((e["chain_id"], whole(e["what"], "request")), (state, e["seq"]))
        for e in self.of(5, "promotion_requested", "policy_requested"):
            w, id_ = e["what"], whole(e["what"], "request")
            told[id_] = (e["chain_id"], e["team_id"], e["seq"], whole(w, "version"), text_of(w, "stage"), text_of(w, "to_policy"),
                         text_of(w, "to_policy_digest"), canonical(e["who"]), e["at"], whole(w, "expires_at"),
                         ends.get((e["chain_id"], id_), ("open", None)))
        self.compare("approval_request", {
            r["id"]: (r["model_id"], r["team_id"], r["seq"], r["version"], r["stage"], r["policy"],
                      r["policy_digest"] and r["policy_digest"].hex(), canonical(r["who"]), r["requested_at"], r["expires_at"],
                      (r["state"], r["closed_seq"])) for r in self.t["approval_request"]}, told)
        self.compare("approval", {(a["request_id"], a["seq"]): (a["team_id"], a["evidence"].hex(), canonical(a["who"]), a["at"])
                                  for a in self.t["approval"]},
                     {(whole(e["what"], "request"), e["seq"]): (e["team_id"], text_of(e["what"], "evidence"), canonical(e["who"]), e["at"])
                      for e in self.of(5, "request_approved")})

    def check_decisions(self):
        production, stages, leaving, aliases = {}, {}, {}, {}
        for (chain, model), events in self.events.items():
            before = None
            for e in events if chain == 5 else []:
                what = e["what"]
                if isinstance(what, dict) and "current" in what:
                    if text_of(what, "replaced") != before:
                        self.report("fold", f"event {KEYS['event'](e)}", f"it replaced {text_of(what, 'replaced')}, but {before} was current")
                    before = text_of(what, "current")
                    if "replaced" in what and what["current"] != what["replaced"]:
                        production[model, e["seq"]] = (e["team_id"], e["at"], before, text_of(what, "previous_seq"))
                for move in items(what, "moves"):
                    key = (model, text_of(move, "version"))
                    if text_of(move, "from") != stages.get(key, ("Experimental",))[0]:
                        self.report("fold", f"event {KEYS['event'](e)}", "it moves a version from a stage where it was not")
                    stages[key] = (text_of(move, "to"), e["at"])
                if isinstance(what, dict) and "moves" in what:
                    for version in [text_of(what, "current"), *(text_of(move, "version") for move in items(what, "moves"))]:
                        leaving.pop((model, version), None)
                for version in items(what, "leaving"):
                    leaving[model, str(version)] = (e["team_id"], e["at"], e["seq"])
                if e["kind"] in ("alias_set", "alias_removed"):
                    aliases.pop((model, text_of(what, "alias")), None)
                if e["kind"] == "alias_set" and model in self.models and self.models[model]["retired_at"] is None:
                    aliases[model, text_of(what, "alias")] = (text_of(what, "version"), e["at"], e["team_id"])
        as_text = lambda v: None if v is None else str(v)
        self.compare("production", {(p["model_id"], p["seq"]): (p["team_id"], p["at"], as_text(p["version"]), as_text(p["previous_seq"]))
                                    for p in self.t["production"]}, production)
        self.compare("version_stage", {(s["model_id"], s["version"]): (s["stage"], s["since"], s["team_id"]) for s in self.t["version_stage"]},
                     {key: (*stages.get((key[0], str(key[1])), ("Experimental", v["registered_at"])), v["team_id"])
                      for key, v in self.versions.items()})
        self.compare("leaving", {(r["model_id"], str(r["version"])): (r["team_id"], r["since"], r["seq"]) for r in self.t["leaving"]}, leaving)
        self.compare("alias", {(a["model_id"], a["alias"]): (str(a["version"]), a["since"], a["team_id"]) for a in self.t["alias"]}, aliases)

    def check_notes(self):
        tags, texts = {}, {}
        for key, v in self.versions.items():
            texts[key] = v["description"]
        for n in sorted(self.t["note"], key=lambda n: n["id"]):
            if n["kind"] in ("tag", "untag"):
                tags[n["model_id"], n["version"], n["key"]] = n
            elif n["kind"] == "description":
                texts[n["model_id"], n["version"]] = n["value"]
        self.compare("tag", {(t["model_id"], t["version"], t["key"]): (t["value"], t["payload"], t["team_id"]) for t in self.t["tag"]},
                     {key: (self.body[n["value"]], n["value"], n["team_id"]) for key, n in tags.items()
                      if n["kind"] == "tag" and self.body.get(n["value"]) is not None})
        self.compare("description", {(d["model_id"], d["version"]): d["payload"] for d in self.t["description"]},
                     {key: digest for key, digest in texts.items() if self.body.get(digest) is not None})

    def check_values(self):
        metrics, params, of_node = {}, {}, {v["node_id"]: v for v in self.versions.values()}
        for x in sorted(self.t["evaluation"], key=lambda x: x["id"]):
            v = of_node.get(x["node_id"])
            for name, value in zip(x["metric_names"] or [], x["metric_values"] or []) if v else []:
                metrics[v["model_id"], v["version"], x["kind"], x["dataset_id"] or 0, x["slice"], name] = \
                    (encode_double(value + 0.0 if value else 0.0), x["id"], v["team_id"])
        found = {(m["model_id"], m["version"], m["kind"], m["dataset_id"], m["slice"], m["metric"]):
                 (encode_double(m["value"] + 0.0 if m["value"] else 0.0), m["evaluation_id"], m["team_id"]) for m in self.t["metric"]}
        for key in found.keys() | metrics.keys():
            if found.get(key) != metrics.get(key):
                self.report("fold", f"metric {key[0]}/{key[1]}/{key[2]}/{key[5]}", "it is not that of the last evaluation")
        for (model, version), v in self.versions.items():
            body = self.body.get(v["params"])
            for key, value in (parse_json(body).items() if body is not None else ()):
                params[model, version, key] = ((value if isinstance(value, str) else canonical(value))[:100], v["team_id"])
        self.compare("param", {(p["model_id"], p["version"], p["key"]): (p["value"], p["team_id"]) for p in self.t["param"]}, params)

    def run(self):
        for check in (self.check_rows, self.check_chains, self.check_heads, self.check_births, self.check_facts, self.check_registrations,
                      self.check_covered, self.check_payloads, self.check_lineage, self.check_teams, self.check_memberships,
                      self.check_quarantines, self.check_retention, self.check_policies, self.check_models, self.check_endpoints, self.check_traffic, self.check_schedules, self.check_decisions, self.check_evidence, self.check_requests,
                      self.check_notes, self.check_values, self.check_keys, self.check_attestations):
            check()


def main(argv):
    if len(argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        verifier = Verifier(argv[1])
    except (OSError, ValueError, KeyError) as e:
        print(f"cannot read the export: {e}", file=sys.stderr)
        return 2
    verifier.run()
    if len(argv) == 3:
        verifier.check_head(argv[2])
    for finding in verifier.findings:
        print("\t".join(finding))
    if not verifier.findings:
        print("clean")
    return 1 if verifier.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
