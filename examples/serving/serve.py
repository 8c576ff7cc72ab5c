#!/usr/bin/env python3
"""Serves an endpoint: what docs/serving.md says that a serving process does, and no more.

Usage: serve.py ENDPOINT [--registry DSN] [--listen DSN] [--port PORT] [--instance NAME] [--poll SECONDS] [--report SECONDS]

It asks the registry every --poll seconds, which works through a pooler; with --listen, a connection that goes past the pooler, also
when it is notified. HTTP on loopback, bodies in JSON:

    POST /predict  {"key", "features"}   the version that answers this key, a receipt, and what it predicts
    POST /outcome  {"key", "actual"}     what came of it: counted for each version that predicted, and recorded every --report seconds
    POST /refresh                        asks the registry now
    GET  /status                         by what it goes

A pipeline is a pickle, so who may register versions runs code here. The digest says that the bytes are those that were registered.
"""

import argparse
import io
import json
import os
import socket
import sys
import threading
import time
import uuid
from collections import OrderedDict
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import joblib
import psycopg

import routing
from registry import Registry

# Predictions that wait for their outcome.
REMEMBERED = 100000


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class Clock:
    """The registry's time, as it was told last, and what has gone by since."""

    def set(self, now):
        self.told = now, time.monotonic()

    def now(self):
        now, then = self.told
        return now + timedelta(seconds=time.monotonic() - then)


class Served(NamedTuple):
    """By what the process goes. Never changed, only replaced, so a request that began with one ends with it."""
    etag: str
    until: object
    document: dict
    pipelines: dict


class Follower:
    """Keeps what is served as the registry says. Any thread may ask for that; one at a time does it."""

    def __init__(self, endpoint, dsn, instance):
        self.endpoint, self.instance = endpoint, instance
        self.registry = Registry(dsn)
        self.clock = Clock()
        self.served = Served(None, None, None, {})
        self.reported, self.reported_at = None, 0.0
        self.polls = 0
        self.changed = threading.Event()
        self.lock = threading.Lock()

    def refresh(self):
        with self.lock:
            self.polls += 1
            now, etag, until, document = self.registry.rows(
                "SELECT clock_timestamp(), etag, valid_until, document FROM modelreg.serving_config(%s, %s)", (self.endpoint, self.served.etag))[0]
            self.clock.set(now)
            if document is None:
                self.served = self.served._replace(until=until)
            else:
                self.served = Served(etag, until, document, self.load(document))
                say(f"goes by event {document['event']}")
            self.report()

    def load(self, document):
        """The pipelines of a document: those that are there already, and the others before anything is routed to them."""
        pipelines = {}
        for version in document["versions"]:
            name = version["permanent_id"]
            pipelines[name] = self.served.pipelines.get(name) or self.pipeline(version)
        return pipelines

    def pipeline(self, version):
        artifact = next(artifact for artifact in version["artifacts"] if artifact["name"] == "pipeline")
        content = self.registry.download(version["model"], version["version"], artifact)
        return joblib.load(io.BytesIO(content))

    def report(self):
        """What is new, and every minute that this process is there."""
        if self.reported != self.served.etag or time.monotonic() - self.reported_at > 60:
            self.registry.value("SELECT modelreg.report_serving(%s, %s, %s, %s::text[])",
                                (self.endpoint, self.instance, self.served.etag, list(self.served.pipelines)))
            self.reported, self.reported_at = self.served.etag, time.monotonic()

    def try_refresh(self):
        """Whatever goes wrong, what is served stays, with the weights of the last instant for which it was valid."""
        try:
            self.refresh()
            return True
        except Exception as error:
            say(f"could not refresh: {error}")
            return False

    def step(self):
        """What is served now, and the step of it that holds."""
        served = self.served
        return served, routing.step_at(served.document, min(self.clock.now(), served.until))

    def follow(self, seconds):
        while True:
            self.changed.wait(seconds)
            self.changed.clear()
            self.try_refresh()

    def listen(self, dsn):
        """A notification says that a poll is worth while. So does each new connection: something may have been missed before."""
        while True:
            try:
                with psycopg.connect(dsn, autocommit=True) as connection:
                    connection.execute(f"LISTEN modelreg_endpoint_{int(self.served.document['endpoint']['id'])}")
                    self.changed.set()
                    for _ in connection.notifies():
                        self.changed.set()
            except psycopg.Error as error:
                say(f"cannot listen: {error}")
            time.sleep(0.2)


class Monitor:
    """Joins predictions with their outcomes, and records for each version how many were right."""

    def __init__(self, endpoint, dsn, clock):
        self.endpoint, self.clock = endpoint, clock
        self.registry = Registry(dsn)
        self.waiting = OrderedDict()
        self.windows = {}
        self.lock = threading.Lock()

    def predicted(self, key, receipt, predictions):
        with self.lock:
            self.waiting[key] = receipt, self.clock.now(), predictions
            self.waiting.move_to_end(key)
            if len(self.waiting) > REMEMBERED:
                self.waiting.popitem(last=False)

    def outcome(self, key, actual):
        """A window lies within one step: what is observed counts for the step in which it began."""
        with self.lock:
            receipt, at, predictions = self.waiting.pop(key, (None, None, {}))
            for (model, version), prediction in predictions.items():
                since, right, count = self.windows.get((receipt, model, version), (at, 0, 0))
                self.windows[receipt, model, version] = min(since, at), right + (prediction == actual), count + 1
        return bool(predictions)

    def observe(self, seconds):
        """Each window is recorded under an id of its own, so it counts once however often it is sent."""
        unsent = []
        while True:
            time.sleep(seconds)
            with self.lock:
                unsent += [(str(uuid.uuid4()), *window, *sums) for window, sums in self.windows.items()]
                self.windows = {}
            unsent = [window for window in unsent if not self.record(*window)]

    def record(self, request_id, receipt, model, version, since, right, count):
        """Whether nothing is left to do: a conflict or a lost connection is tried again, a refusal is not."""
        try:
            self.registry.value(
                "SELECT modelreg.record_quality(%s, %s, 'accuracy', %s, total => %s, count => %s, model => %s, request_id => %s)",
                (self.endpoint, version, since, float(right), count, model, request_id))
        except psycopg.Error as error:
            say(f"could not record the accuracy of {model}/{version} in {receipt}: {error}")
            return error.sqlstate is not None and error.sqlstate[:2] not in ("08", "40", "53", "57")
        return True


class Service:
    """The requests. None of them waits for the registry, but for /refresh."""

    def __init__(self, follower, monitor):
        self.follower, self.monitor = follower, monitor

    def predict(self, body):
        served, step = self.follower.step()
        versions = served.document["versions"]
        chosen = routing.version_at(step, routing.position(served.document["salt"], body["key"]))
        predictions = {of: self.ask(served, versions[of], body["features"]) for of in {chosen, *step["shadow"]}}
        receipt = f"{served.document['event']}.{step['step']}"
        self.monitor.predicted(body["key"], receipt, {(versions[of]["model"], versions[of]["version"]): what for of, what in predictions.items()})
        return {"version": versions[chosen]["permanent_id"], "receipt": receipt, "prediction": predictions[chosen]}

    @staticmethod
    def ask(served, version, features):
        wanted = len(version["signature"]["inputs"])
        if len(features) != wanted:
            raise ValueError(f"{len(features)} features instead of {wanted}")
        return int(served.pipelines[version["permanent_id"]].predict([features])[0])

    def outcome(self, body):
        return {"counted": self.monitor.outcome(body["key"], body["actual"])}

    def refresh(self, _):
        return {"refreshed": self.follower.try_refresh()}

    def status(self, _):
        served, step = self.follower.step()
        return {"etag": served.etag, "receipt": f"{served.document['event']}.{step['step']}", "valid_until": served.until.isoformat(),
                "shares": routing.shares(served.document, step), "loaded": sorted(served.pipelines), "polls": self.follower.polls}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece.
    wbufsize = -1

    def do_POST(self):
        self.answer({"/predict": self.server.service.predict, "/outcome": self.server.service.outcome, "/refresh": self.server.service.refresh})

    def do_GET(self):
        self.answer({"/status": self.server.service.status})

    def answer(self, calls):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path not in calls:
            return self.send(404, {"error": "no such path"})
        try:
            self.send(200, calls[self.path](json.loads(content or b"{}")))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.send(400, {"error": f"{type(error).__name__}: {error}"})

    def send(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def start(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("--registry", default=os.environ.get("MODELREG", ""))
    parser.add_argument("--listen")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--instance", default=f"{socket.gethostname()}/{os.getpid()}")
    parser.add_argument("--poll", type=float, default=5)
    parser.add_argument("--report", type=float, default=10)
    arguments = parser.parse_args()
    follower = Follower(arguments.endpoint, arguments.registry, arguments.instance)
    follower.refresh()
    monitor = Monitor(arguments.endpoint, arguments.registry, follower.clock)
    start(follower.follow, arguments.poll)
    start(monitor.observe, arguments.report)
    if arguments.listen is not None:
        start(follower.listen, arguments.listen)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    server.service = Service(follower, monitor)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
