#!/usr/bin/env python3
"""files.py DIRECTORY: makes the two files of version 14, the same ones each time.

weights.safetensors   int8 item embeddings with a float scale per item, in the safetensors format; 260 MiB
preprocessing.pkl     pickled statistics of a sample of events: what the serving side normalizes its features with
"""

import array
import collections
import json
import math
import pickle
import random
import struct
import sys

ITEMS, DIMENSIONS = 1 << 20, 256
SCALES = 1 << 12                    # the same ones again and again


def write_weights(path):
    """A tensor of bytes and one of floats, behind the header that names them."""
    numbers = random.Random(14)
    size = ITEMS * DIMENSIONS
    header = json.dumps({
        "item_embedding": {"dtype": "I8", "shape": [ITEMS, DIMENSIONS], "data_offsets": [0, size]},
        "item_scale": {"dtype": "F32", "shape": [ITEMS], "data_offsets": [size, size + 4 * ITEMS]},
    }).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(header)) + header)
        for _ in range(size >> 22):
            out.write(numbers.randbytes(1 << 22))
        scales = array.array("f", (numbers.uniform(0.001, 0.01) for _ in range(SCALES)))
        for _ in range(ITEMS // SCALES):
            out.write(scales.tobytes())


def sample_events(n):
    """User age, session length in seconds, and country of n events."""
    numbers = random.Random(20260601)
    for _ in range(n):
        yield (min(90, max(16, round(numbers.gauss(37, 12)))), numbers.lognormvariate(5.2, 0.8),
               numbers.choices("DE FR IT ES NL".split(), (40, 25, 15, 12, 8))[0])


def statistics(values):
    mean = math.fsum(values) / len(values)
    return {"mean": mean, "std": math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))}


def write_preprocessing(path):
    ages, lengths, countries = zip(*sample_events(20000))
    with open(path, "wb") as out:
        pickle.dump({
            "events": len(ages),
            "user_age": statistics(ages),
            "log_session_seconds": statistics([math.log(v) for v in lengths]),
            "country_index": {c: i for i, (c, _) in enumerate(collections.Counter(countries).most_common())},
        }, out, protocol=4)


if __name__ == "__main__":
    write_weights(sys.argv[1] + "/weights.safetensors")
    write_preprocessing(sys.argv[1] + "/preprocessing.pkl")
