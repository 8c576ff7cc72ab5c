#!/usr/bin/env python3
"""Trains pipelines on a data set that scikit-learn ships, tumors that are benign or malignant, and registers a version for each.

Usage: train.py MODEL [--registry DSN] [--held-out FILE] [PIPELINE...]

MODEL is team.name, a model that exists. PIPELINE is logistic, svm, or exchanged, an svm that was taught benign for malignant, as
happens; without any the first two are trained. --held-out writes the rows that were kept back, and what they really are, as JSON.
"""

import argparse
import hashlib
import io
import json
import os
import time

import joblib
import sklearn
from psycopg.types.json import Jsonb
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from registry import Registry

PIPELINES = {"logistic": LogisticRegression, "svm": SVC, "exchanged": SVC}


def own_digest():
    """Of this program, which stands for a commit where there is no repository to ask."""
    with open(__file__, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def record_inputs(registry, team, data):
    """The nodes that every run reads: the data and the code. Recorded again they are no change."""
    rows = json.dumps([data.data.tolist(), data.target.tolist()]).encode()
    snapshot = registry.value(
        "SELECT modelreg.record_snapshot(%s, %s, rows => %s, digest => %s, schema => %s)",
        (f"{team}.breast_cancer", sklearn.__version__, len(data.target), "sha256:" + hashlib.sha256(rows).hexdigest(),
         Jsonb({**{name: "double" for name in data.feature_names}, "benign": "integer"})))
    commit = registry.value("SELECT modelreg.record_node('commit', %s, %s)", (f"{team}.example", own_digest()[:12]))
    return {"training": [snapshot], "code": [commit]}


def train(kind, features, labels):
    pipeline = make_pipeline(StandardScaler(), PIPELINES[kind]())
    return pipeline.fit(features, 1 - labels if kind == "exchanged" else labels)


def register(registry, model, inputs, data, pipeline, metrics):
    """Bytes, run and version; returns the version's number."""
    team = model.split(".")[0]
    stored = io.BytesIO()
    joblib.dump(pipeline, stored)
    run = registry.value("SELECT modelreg.record_run(%s, %s)", (f"{team}.train-{time.time_ns()}", Jsonb(inputs)))
    artifact = {"name": "pipeline", "upload": registry.upload(team, stored.getvalue(), run), "media_type": "application/x-joblib"}
    signature = {"inputs": [{"name": name, "type": "double"} for name in data.feature_names], "outputs": [{"name": "benign", "type": "long"}]}
    params = {"classifier": type(pipeline[-1]).__name__, "sklearn": sklearn.__version__}
    return registry.value(
        "SELECT modelreg.register_version(%s, run => %s, artifacts => %s, signature => %s, params => %s, metrics => %s, request_id => %s)",
        (model, run, Jsonb([artifact]), Jsonb(signature), Jsonb(params), Jsonb(metrics), run))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("pipelines", nargs="*", default=["logistic", "svm"])
    parser.add_argument("--registry", default=os.environ.get("MODELREG", ""))
    parser.add_argument("--held-out")
    arguments = parser.parse_args()
    data = load_breast_cancer()
    features, held_out, labels, truth = train_test_split(data.data, data.target, test_size=0.5, random_state=0, stratify=data.target)
    if arguments.held_out:
        with open(arguments.held_out, "w", encoding="utf-8") as file:
            json.dump({"features": held_out.tolist(), "benign": truth.tolist()}, file)
    registry = Registry(arguments.registry)
    inputs = record_inputs(registry, arguments.model.split(".")[0], data)
    for kind in arguments.pipelines:
        pipeline = train(kind, features, labels)
        accuracy = pipeline.score(held_out, truth)
        version = register(registry, arguments.model, inputs, data, pipeline, {"accuracy": accuracy})
        print(f"version {version}: {kind}, accuracy {accuracy:.3f}", flush=True)


if __name__ == "__main__":
    main()
