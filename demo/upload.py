#!/usr/bin/env python3
"""upload.py FILE UPLOAD [KILL_AFTER]: sends a file to an upload in chunks, through psql, from where the server says it stands.

Each chunk is a statement and a transaction of its own; the server's answer is how many bytes it has. With KILL_AFTER psql is
killed (SIGKILL) as soon as it was handed a chunk that goes beyond so many MiB, before its answer is read.
"""

import base64
import os
import subprocess
import sys
import time

MIB = 1 << 20
CHUNK = 4 * MIB
WIDTH = 40


class Server:
    """psql, fed through a pipe."""

    def __init__(self):
        self.psql = subprocess.Popen(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, statement):
        self.psql.stdin.write(statement + b";\n")
        self.psql.stdin.flush()

    def answer(self):
        line = self.psql.stdout.readline()
        if not line:
            sys.exit("upload.py: psql is gone")
        return int(line)


class Progress:
    """A bar on a terminal; elsewhere a line each quarter."""

    def __init__(self, size, received):
        self.size, self.shown, self.began, self.first = size, -1, time.monotonic(), received

    def show(self, received):
        tty = sys.stdout.isatty()
        step = received * (100 if tty else 4) // self.size
        if step == self.shown:
            return
        self.shown = step
        full = received * WIDTH // self.size
        rate = (received - self.first) / MIB / max(time.monotonic() - self.began, 0.001)
        sys.stdout.write("%s   [%-*s] %3d%%  %3d of %d MiB  %s%s" % (
            "\r" if tty else "", WIDTH, "#" * full, received * 100 // self.size, received / MIB, self.size / MIB,
            "%3d MiB/s" % rate if received > self.first else "         ", "" if tty else "\n"))
        sys.stdout.flush()

    def end(self):
        if sys.stdout.isatty():
            sys.stdout.write("\n")
            sys.stdout.flush()


def upload(path, number, kill_after):
    server = Server()
    server.send(b"SELECT received FROM modelreg.uploads WHERE upload = %d" % number)
    offset, size = server.answer(), os.path.getsize(path)
    progress = Progress(size, offset)
    with open(path, "rb") as file:
        progress.show(offset)
        while offset < size:
            file.seek(offset)
            chunk = base64.b64encode(file.read(CHUNK))
            server.send(b"SELECT modelreg.append_upload(%d, %d, decode('%s', 'base64'))" % (number, offset, chunk))
            if kill_after and offset + CHUNK > kill_after * MIB:
                server.psql.kill()
                progress.end()
                sys.exit(137)
            offset = server.answer()
            progress.show(offset)
    progress.end()


if __name__ == "__main__":
    upload(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
