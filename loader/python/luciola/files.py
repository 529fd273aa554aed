"""Files of the file system, read through the agent."""

import collections

from .connection import CONTROL, Connection
from .errors import fault, fault_of

_SLOTS = 4
_SLOT_BYTES = 4 << 20


class AgentFiles:
    """Reads files, attributes and directories. For one thread."""

    def __init__(self, agent_socket, *, timeout=600.0):
        self._connection = Connection(agent_socket, timeout)
        try:
            opened = self._connection.open_region(op="attach", slots=_SLOTS, slotBytes=_SLOT_BYTES)
        except BaseException:
            self._connection.close()
            raise
        self._slot_bytes = opened["slotBytes"]

    def _answer(self):
        kind, body = self._connection.receive()
        if kind != CONTROL:
            raise fault("MALFORMED_FRAME", "a batch on a connection for files")
        return body

    def _ask(self, **fields):
        wanted = self._connection.request(**fields)
        body = self._answer()
        if body.get("id") != wanted:
            raise fault("MALFORMED_FRAME", f"an answer to another request: {body.get('id')}")
        if not body.get("ok"):
            raise fault_of(body)
        return body

    def stat(self, path):
        """dict with type ("file", "directory", "symlink"), length, mode, modifiedNanos."""
        body = self._ask(op="stat", path=path)
        return {name: body[name] for name in ("type", "length", "mode", "modifiedNanos")}

    def list(self, path):
        """Entries in byte order of their names: dicts as of stat, with name."""
        entries = []
        after = ""
        while True:
            body = self._ask(op="list", path=path, after=after)
            entries += body["entries"]
            if not body.get("more"):
                return entries
            after = entries[-1]["name"]

    def read(self, path, offset=0, length=None):
        """The bytes of a range, all of them to the end if length is None; short at the end."""
        if length is None:
            length = max(0, self.stat(path)["length"] - offset)
        into = bytearray(length)
        got = self.read_into(path, offset, into)
        return bytes(into[:got])

    def read_into(self, path, offset, into):
        """Fills a writable buffer from an offset; returns the bytes read, short at the end.

        Several reads are in flight at once; the bytes are copied once, from shared memory.
        """
        target = memoryview(into).cast("B")
        pieces = collections.deque(range(0, len(target), self._slot_bytes))
        asked = {}
        got = 0
        failure = None
        while asked or (pieces and failure is None):
            while pieces and len(asked) < _SLOTS and failure is None:
                at = pieces.popleft()
                length = min(self._slot_bytes, len(target) - at)
                request = self._connection.request(
                    op="read-file", path=path, offset=offset + at, length=length
                )
                asked[request] = at
            body = self._answer()
            at = asked.pop(body.get("id"), None)
            if not body.get("ok"):
                failure = failure or fault_of(body)
            elif at is None:
                failure = failure or fault("MALFORMED_FRAME", "an answer nobody asked for")
            else:
                start, length = body["offset"], body["length"]
                with memoryview(self._connection.memory) as memory:
                    target[at : at + length] = memory[start : start + length]
                self._connection.took()
                self._connection.release(body["slot"], body["sequence"])
                got += length
        if failure is not None:
            raise failure
        return got

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
