#!/usr/bin/env python3
"""Asks MLflow whether data written by one signature is accepted by a model of another.

Usage: signature_mlflow.py SEED COUNT

Makes COUNT random pairs of signatures, the second a change of the first, and data of the first: with all that is optional, and without.
Writes a line of JSON for each: {"old", "new", "refused"}, where refused is what MLflow said, or null. Needs mlflow-skinny, pandas and numpy.
"""

import json
import logging
import random
import sys
import warnings

import numpy
import pandas
from mlflow.models.utils import _enforce_params_schema, _enforce_schema
from mlflow.types.schema import ParamSchema, Schema

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

# A value of each type that no narrower type has.
VALUES = {"boolean": True, "integer": numpy.int32(2**31 - 1), "long": numpy.int64(2**63 - 1), "float": numpy.float32(0.1), "double": 1e300,
          "string": "x", "binary": b"x", "datetime": numpy.datetime64("2026-01-01T00:00:00"), "any": "x"}
DTYPES = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64", "datetime": "datetime64[ns]"}
PARAM_VALUES = {"boolean": True, "integer": 2**31 - 1, "long": 2**63 - 1, "float": 0.5, "double": 1e300, "string": "x"}


def make_type(r, depth):
    kind = r.choice(list(VALUES) if depth == 0 else list(VALUES) + ["array", "map", "object"] * 2)
    if kind == "array":
        return {"type": kind, "items": make_type(r, depth - 1)}
    if kind == "map":
        return {"type": kind, "values": make_type(r, depth - 1)}
    if kind == "object":
        return {"type": kind, "properties": {name: make_type(r, depth - 1) | {"required": r.random() < 0.6} for name in r.sample("pqr", r.randint(1, 3))}}
    return {"type": kind}


def change_type(r, column):
    """The same type more often than not, or one with a change somewhere."""
    column = json.loads(json.dumps(column))
    if r.random() < 0.4:
        return column
    if column["type"] == "tensor":
        spec = column["tensor-spec"]
        if r.random() < 0.2:
            spec["dtype"] = r.choice(["float32", "float64", "int64"])
        elif r.random() < 0.3:
            spec["shape"] = spec["shape"][:-1] or [-1, 2]
        else:
            spec["shape"][r.randrange(len(spec["shape"]))] = r.choice([-1, 2, 3])
        return column
    for part in ("items", "values"):
        if part in column and r.random() < 0.8:
            return column | {part: change_type(r, column[part])}
    if "properties" in column and r.random() < 0.9:
        properties = column["properties"]
        name = r.choice(sorted(properties))
        if r.random() < 0.4:
            properties[name] = change_type(r, properties[name])
        elif r.random() < 0.4:
            properties[name]["required"] = not properties[name]["required"]
        elif r.random() < 0.5 and len(properties) > 1:
            del properties[name]
        else:
            properties["z"] = make_type(r, 0) | {"required": r.random() < 0.5}
        return column
    return {key: value for key, value in column.items() if key in ("name", "required")} | make_type(r, r.choice((0, 0, 1)))


def make_columns(r):
    named = r.random() < 0.8
    if r.random() < 0.2:
        columns = [{"type": "tensor", "tensor-spec": {"dtype": r.choice(["float32", "float64", "int64"]), "shape": [r.choice([-1, 2, 3]) for _ in range(r.randint(1, 3))]}}
                   for _ in range(r.randint(1, 2) if named else 1)]
    else:
        columns = [make_type(r, 2 if named else 0) for _ in range(r.randint(1, 3))]
    for number, column in enumerate(columns):
        column["required"] = not named or column["type"] == "tensor" or r.random() < 0.7
        if named:
            column["name"] = f"c{number}"
    return columns


def change_columns(r, columns):
    named = "name" in columns[0]
    changed = [change_type(r, column) for column in columns if r.random() < 0.9]
    for column in changed:
        if named and column["type"] != "tensor" and r.random() < 0.2:
            column["required"] = not column["required"]
    if "tensor" not in [column["type"] for column in columns] and r.random() < 0.2:
        changed.append(make_type(r, 0) | {"required": not named or r.random() < 0.5} | ({"name": "new"} if named else {}))
    if named:
        r.shuffle(changed)
    return changed or columns


def make_params(r):
    params = [{"name": name, "type": r.choice(list(PARAM_VALUES)), "shape": r.choice([None, None, [-1]])} for name in r.sample("klm", r.randint(0, 2))]
    for param in params:
        param["default"] = PARAM_VALUES[param["type"]]
        if param["shape"]:
            param["default"] = [param["default"]]
    return params


def value_of(column, everything):
    """A new one at each place, since MLflow converts within them."""
    if column["type"] == "array":
        return [value_of(column["items"], everything) for _ in range(2)]
    if column["type"] == "map":
        return {"key": value_of(column["values"], everything)}
    if column["type"] == "object":
        return {name: value_of(part, everything) for name, part in column["properties"].items() if part["required"] or everything}
    return VALUES[column["type"]]


def tensor_of(column):
    spec = column["tensor-spec"]
    return numpy.zeros([2 if size == -1 else size for size in spec["shape"]], spec["dtype"])


def data_of(columns, everything):
    if columns[0]["type"] == "tensor":
        return {column["name"]: tensor_of(column) for column in columns} if "name" in columns[0] else tensor_of(columns[0])
    return pandas.DataFrame({column.get("name", number): pandas.Series([value_of(column, everything) for _ in range(2)], dtype=DTYPES.get(column["type"], object))
                             for number, column in enumerate(columns) if column["required"] or everything}, index=range(2))


def why_refused(old, new):
    """Data of the old signature, enforced by the new one; a param that is not given takes the default there."""
    schema = Schema.from_json(json.dumps(new["inputs"]))
    params = ParamSchema.from_json(json.dumps(new["params"]))
    given = {param["name"]: param["default"] for param in old["params"]}
    try:
        for everything in (True, False):
            _enforce_schema(data_of(old["inputs"], everything), schema)
        _enforce_params_schema(given, params)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def main(seed, count):
    r = random.Random(seed)
    made = 0
    while made < count:
        columns = make_columns(r)
        old = {"inputs": columns, "params": make_params(r)}
        new = {"inputs": change_columns(r, columns), "params": make_params(r) if r.random() < 0.3 else old["params"]}
        try:
            Schema.from_json(json.dumps(old["inputs"]))
            Schema.from_json(json.dumps(new["inputs"]))
        except Exception:
            continue            # MLflow has no such signature, such as one of tensors and columns
        made += 1
        print(json.dumps({"old": old, "new": new, "refused": why_refused(old, new)}))


main(int(sys.argv[1]), int(sys.argv[2]))
