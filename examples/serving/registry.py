"""A connection to the registry that is made anew when it was lost, and the bytes of artifacts on their way in and out."""

import hashlib

import psycopg

# As much as a call takes or gives.
CHUNK = 4 << 20


def lost(error):
    """Whether the connection is gone, and not the statement refused: the server is stopping, or a pooler lost it."""
    return error.sqlstate is None or error.sqlstate[:2] == "08" or error.sqlstate[:3] == "57P"


class Registry:
    """For one thread. Works through a pooler in transaction mode: each statement is a transaction, none is prepared by name."""

    def __init__(self, dsn):
        self.dsn = dsn
        self.connection = None

    def connect(self):
        self.connection = psycopg.connect(self.dsn, autocommit=True, prepare_threshold=None, connect_timeout=5)

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def rows(self, statement, parameters=()):
        """Runs it, and once more when that showed that the connection was lost: whatever is sent here may be sent twice."""
        fresh = self.connection is None
        try:
            return self.once(statement, parameters)
        except psycopg.OperationalError as error:
            if not lost(error):
                raise
            self.close()
            if fresh:
                raise
        return self.rows(statement, parameters)

    def once(self, statement, parameters):
        if self.connection is None:
            self.connect()
        with self.connection.cursor(binary=True) as cursor:
            return cursor.execute(statement, parameters).fetchall()

    def value(self, statement, parameters=()):
        return self.rows(statement, parameters)[0][0]

    def download(self, model, version, artifact):
        """The bytes of an artifact, if they are those that were registered."""
        content = bytearray()
        while len(content) < artifact["size"]:
            content += self.value("SELECT modelreg.read_artifact(%s, %s, %s, %s, %s)",
                                  (model, version, artifact["name"], len(content), CHUNK))
        if artifact["digest"] != "sha256:" + hashlib.sha256(content).hexdigest():
            raise ValueError(f"{model}/{version}: {artifact['name']} is not what was registered")
        return bytes(content)

    def upload(self, team, content, request_id):
        """Stores bytes, in chunks that may be sent again, and returns the upload's number."""
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        upload = self.value("SELECT modelreg.begin_upload(%s, %s, %s, %s)", (team, len(content), digest, request_id))
        for offset in range(0, len(content), CHUNK):
            self.value("SELECT modelreg.append_upload(%s, %s, %s)", (upload, offset, content[offset:offset + CHUNK]))
        self.value("SELECT modelreg.finish_upload(%s)", (upload,))
        return upload
