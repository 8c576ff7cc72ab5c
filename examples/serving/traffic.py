#!/usr/bin/env python3
"""Sends requests to a serving process, with the rows that train.py held out, and prints what each was answered.

Usage: traffic.py URL HELD_OUT FIRST LAST [--outcomes]

The keys are user-FIRST to user-LAST; a line has key, permanent id of the version, receipt and prediction, with tabs between. With
--outcomes each request is followed by what was really the case.
"""

import http.client
import json
import sys
from urllib.parse import urlsplit


def post(connection, path, body):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {text}")
    return json.loads(text)


def main(url, held_out, first, last, *options):
    with open(held_out, encoding="utf-8") as file:
        rows = json.load(file)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    for number in range(int(first), int(last) + 1):
        key, row = f"user-{number}", number % len(rows["benign"])
        answer = post(connection, "/predict", {"key": key, "features": rows["features"][row]})
        if "--outcomes" in options:
            post(connection, "/outcome", {"key": key, "actual": rows["benign"][row]})
        print(key, answer["version"], answer["receipt"], answer["prediction"], sep="\t")


main(*sys.argv[1:])
