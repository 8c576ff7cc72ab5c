"""Which version answers a request, by a document of serving_config(): the section Routing of docs/serving.md. Knows of no database."""

import hashlib
from datetime import datetime


def position(salt, key):
    """The position of a key, from 0 to 999999."""
    first = hashlib.sha256(bytes.fromhex(salt) + b"\0" + key.encode("utf-8")).digest()[:8]
    return int.from_bytes(first, "big") * 1000000 >> 64


def step_at(document, at):
    """The last step opened by then. A document begins with the step that stood when it was fetched."""
    opened = [step for step in document["steps"] if datetime.fromisoformat(step["opens"]) <= at]
    return opened[-1] if opened else document["steps"][0]


def version_at(step, position):
    """Whose position it is: the place of the version in the document's list."""
    for version, width in step["segments"]:
        if position < width:
            return version
        position -= width
    raise ValueError("the widths of the segments do not add up to 1000000")


def shares(document, step):
    """The share of each version, in millionths, by its permanent id."""
    found = {}
    for version, width in step["segments"]:
        name = document["versions"][version]["permanent_id"]
        found[name] = found.get(name, 0) + width
    return found
