"""Bytes: uploading, reading, hashing again. lo_put() and lo_get(), which are inv_write and inv_read, as the alternative, and openssl
on a file of the same bytes. MB (256) is the size of an artifact, CHUNK_MB (4) of a chunk, which is a transaction.
"""

import os
import statistics
import subprocess
import tempfile

from common import Session, durable, in_turn, psql, table, timed

CHUNK = int(os.environ.get("CHUNK_MB", 4)) << 20
CHUNKS = (int(os.environ.get("MB", 256)) << 20) // CHUNK

SETUP = f"""SELECT modelreg.create_team('bench');
SELECT modelreg.create_model('bench.m', 'open');
CREATE UNLOGGED TABLE chunk (data bytea);
ALTER TABLE chunk ALTER data SET STORAGE EXTERNAL;
INSERT INTO chunk SELECT string_agg(sha256(int4send(i)), '') FROM generate_series(1, {CHUNK // 32}) AS i;"""


def data(n, i):
    """An artifact's first chunk is its own: equal bytes are stored once."""
    return f"overlay(data PLACING int4send({n}) FROM 1)" if i == 0 else "data"


def offsets():
    return [i * CHUNK for i in range(CHUNKS)]


class Uploads:
    """Each round uploads an artifact of its own; seconds that the parts of it took add up."""

    def __init__(self, session):
        self.session = session
        self.made = 0
        self.finishing = []

    def ours(self):
        self.made += 1
        upload = self.session.run(f"SELECT modelreg.begin_upload('bench', size => {CHUNKS * CHUNK})")[0]
        ms = sum(self.session.time(f"SELECT modelreg.append_upload({upload}, {at}, {data(self.made, at)}) FROM chunk") for at in offsets())
        self.finishing.append(self.session.time(f"SELECT modelreg.finish_upload({upload})"))
        self.last = upload
        return ms

    def theirs(self):
        self.made += 1
        self.object = self.session.run("SELECT lo_create(0)")[0]
        return sum(self.session.time(f"SELECT lo_put({self.object}, {at}, {data(self.made, at)}) FROM chunk") for at in offsets())


def read_all(session, call):
    return sum(session.time(f"SELECT length({call.format(at)})") for at in offsets())


def rate(ms):
    return CHUNKS * CHUNK / 1000 / ms


def file_of(session, directory, call):
    """A file with the bytes of the artifact."""
    path = os.path.join(directory, "bytes")
    with open(path, "wb") as file:
        for at in offsets():
            file.write(bytes.fromhex(session.run(f"SELECT encode({call.format(at)}, 'hex')")[0]))
    return path


def rows(session):
    uploads = Uploads(session)
    append, put = in_turn(uploads.ours, uploads.theirs)
    finish = statistics.median(uploads.finishing[1:])
    session.run(f"SELECT modelreg.register_version('bench.m', artifacts => '[{{\"name\": \"w\", \"upload\": {uploads.last}}}]')")
    ours = f"modelreg.read_artifact('bench.m', 1, 'w', {{}}, {CHUNK})"
    theirs = f"lo_get({uploads.object}, {{}}, {CHUNK})"
    read, get = in_turn(lambda: read_all(session, ours), lambda: read_all(session, theirs))
    with tempfile.TemporaryDirectory() as directory:
        path = file_of(session, directory, ours)
        again, openssl = in_turn(lambda: session.time("SELECT modelreg.verify_artifact('bench.m', 1, 'w')"),
                                 lambda: timed(lambda: subprocess.run(["openssl", "dgst", "-sha256", path], check=True, stdout=subprocess.PIPE)))
    return (("append", append, "inv_write", put, 0.95), ("append and finish", append + finish, "inv_write alone", put, 0.8),
            ("ranged read", read, "inv_read", get, 0.95), ("hash again", again, "openssl dgst on a file", openssl, 0.8))


def run():
    psql(SETUP)
    durable(True)
    session = Session()
    measured = rows(session)
    session.close()
    return {"upload": table(("measure", "ours, MB/s", "alternative", "MB/s", "ratio", "aim"),
                            [(title, rate(o), name, rate(t), t / o, aim) for title, o, name, t, aim in measured])}, {}
