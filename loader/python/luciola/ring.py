"""Reads and writes of files by rings in memory that is shared with the agent.

The protocol is described in docs/agent-protocol.md; C programs have loader/c/luciola_ring.h.
"""

import collections
import mmap
import os
import select
import struct
import threading
import time

import numpy as np

from .connection import CONTROL, PROTOCOL, Connection
from .errors import fault, fault_of

LAYOUT = 1
READ, WRITE, SYNC = 1, 2, 3

_HEADER = struct.Struct("<4sIIIQQQQ")
_SUBMISSION = struct.Struct("<IIQQIIQQQQ")
_COMPLETION = struct.Struct("<Qq")
# Places of the shared words, in words of 4 bytes.
_SUBMISSIONS_PUT, _COMPLETIONS_PUT, _COMPLETIONS_TAKEN = 32, 96, 128
_AGENT_SLEEPS, _OWNER_WAITS = 160, 192
_U32 = 0xFFFFFFFF

Completion = collections.namedtuple("Completion", "own result")


class Ring:
    """A ring: up to `entries` operations under way, in `nbytes` of memory of its own. For one thread.

    agent_socket: where the agent listens
    entries: a power of two
    nbytes: memory for what is read and written, rounded up to whole pages
    timeout: seconds to wait for the agent's answers about files

        with luciola.Ring(socket, entries=64, nbytes=64 << 20) as ring:
            file = ring.open("/data/shard-0")
            for i, offset in enumerate(offsets):
                ring.read(file, offset, 4096, place=i * 4096, own=i)
            ring.submit()
            for own, result in ring.wait(len(offsets)):
                if result < 0: raise OSError(-result, os.strerror(-result))
                sample = ring.array[own * 4096 : own * 4096 + result]     # no copy
    """

    def __init__(self, agent_socket, *, entries=64, nbytes=16 << 20, timeout=600.0):
        self._connection = Connection(agent_socket, timeout)
        self._pipes = []
        self._lock = threading.Lock()
        try:
            self._open(entries, -(-nbytes // 4096) * 4096)
        except BaseException:
            self.close()
            raise

    def _open(self, entries, nbytes):
        connection = self._connection
        connection.request(
            op="ring", protocol=PROTOCOL, layout=LAYOUT, entries=entries, dataBytes=nbytes
        )
        body = self._answer()
        try:
            handle = os.open(body["region"], os.O_RDWR)
            try:
                self._memory = mmap.mmap(handle, body["regionBytes"])
            finally:
                os.close(handle)
            for pipe in ("submitPipe", "completePipe"):
                self._pipes.append(os.open(body[pipe], os.O_RDWR | os.O_NONBLOCK))
        except OSError as e:
            raise fault(
                "NOT_FOUND",
                "agent and program must see the same shared memory directory:"
                f" path={body['region']} cause={e}",
            ) from e
        magic, layout, self.entries, _, self._submissions, self._completions, data, size = (
            _HEADER.unpack_from(self._memory)
        )
        if magic != b"LRNG" or layout != LAYOUT or data + size != len(self._memory):
            raise fault("UNSUPPORTED", f"ring of another layout: magic={magic} layout={layout}")
        view = memoryview(self._memory)
        self._words = view[:4096].cast("I")
        self._put = self._words[_SUBMISSIONS_PUT]
        self._taken = self._words[_COMPLETIONS_TAKEN]
        #: All of the memory, as bytes that can be written to.
        self.memory = view[data : data + size]
        #: The same as an array of uint8.
        self.array = np.frombuffer(self.memory, np.uint8)
        self._poll = select.poll()
        self._poll.register(self._pipes[1], select.POLLIN)
        self._poll.register(connection.fileno(), select.POLLIN)
        connection.send({"op": "mapped"})

    def _answer(self):
        """The next reply."""
        while True:
            kind, body = self._connection.receive()
            if kind != CONTROL:
                raise fault("MALFORMED_FRAME", "a batch on a connection for a ring")
            if body.get("event") == "error" or not body.get("ok", "event" in body):
                raise fault_of(body)
            if "event" not in body:
                return body

    def open(self, path, mode="r", *, permissions=0o644):
        """Opens a file; its number.

        mode: "r" to read; "r+" to write to it and read it; "w" to make it or cut it to nothing, "x" to
            make it; both may be read, too
        """
        if mode not in ("r", "r+", "w", "x"):
            raise fault("INVALID_ARGUMENT", f"mode must be r, r+, w or x: mode={mode}")
        self._connection.request(
            op="open-file",
            path=path,
            write=mode != "r",
            create=mode in ("w", "x"),
            exclusive=mode == "x",
            truncate=mode == "w",
            mode=permissions,
        )
        return self._answer()["file"]

    def close_file(self, file):
        """Waits for what is under way with a file and makes durable what was written."""
        self._connection.request(op="close-file", file=file)
        self._answer()

    def length(self, path):
        """How long a file is, as all can see it."""
        self._connection.request(op="stat", path=path)
        return self._answer()["length"]

    @property
    def under_way(self):
        """Operations that were put in and whose completions were not taken."""
        return (self._put - self._taken) & _U32

    def read(self, file, offset, length, *, place, own=0):
        """Puts in a read of a range into memory[place:place + length]."""
        self._enter(READ, file, offset, place, length, own)

    def write(self, file, offset, length, *, place, own=0):
        """Puts in a write of memory[place:place + length], which stays as it is until it is completed."""
        self._enter(WRITE, file, offset, place, length, own)

    def sync(self, file, *, own=0):
        """Puts in that all writes of a file that were put in before become durable."""
        self._enter(SYNC, file, 0, 0, 0, own)

    def _enter(self, operation, file, offset, place, length, own):
        if self.under_way == self.entries:
            raise fault("OVERLOADED", f"the ring is full: entries={self.entries}")
        at = self._submissions + 64 * (self._put & (self.entries - 1))
        _SUBMISSION.pack_into(
            self._memory, at, operation, file, offset, place, length, 0, own, 0, 0, 0
        )
        self._put = (self._put + 1) & _U32

    def _fence(self):
        # What was stored before is seen before what is loaded or stored after: taking and leaving a lock
        # keeps to that order in one direction each time, doing so twice in both.
        for _ in range(2):
            self._lock.acquire()
            self._lock.release()

    def submit(self):
        """Shows the agent what was put in; a system call only if it sleeps."""
        self._fence()
        self._words[_SUBMISSIONS_PUT] = self._put
        self._fence()
        if self._words[_AGENT_SLEEPS]:
            self._words[_AGENT_SLEEPS] = 0
            try:
                os.write(self._pipes[0], b"\1")
            except BlockingIOError:
                pass  # full of bytes that the agent is about to read

    def _ready(self):
        return (self._words[_COMPLETIONS_PUT] - self._taken) & _U32

    def take(self):
        """The completions that are there, as a list of (own, result); does not wait.

        result: bytes read or written, 0 for a sync, or a negative errno
        """
        count = self._ready()
        self._fence()
        done = [
            Completion._make(
                _COMPLETION.unpack_from(
                    self._memory, self._completions + 16 * ((self._taken + i) & (self.entries - 1))
                )
            )
            for i in range(count)
        ]
        self._fence()
        self._taken = (self._taken + count) & _U32
        self._words[_COMPLETIONS_TAKEN] = self._taken
        return done

    def wait(self, wanted=1, timeout=None):
        """Waits for so many completions, or all that are under way if those are fewer, and takes what is there.

        timeout: seconds, after which it takes what is there; None for no end
        """
        wanted = min(wanted, self.under_way)
        until = None if timeout is None else time.monotonic() + timeout
        while self._ready() < wanted:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            self._words[_OWNER_WAITS] = wanted
            self._fence()
            try:
                if self._ready() < wanted:
                    self._sleep(left)
            finally:
                self._words[_OWNER_WAITS] = 0
        return self.take()

    def _sleep(self, seconds):
        for handle, _ in self._poll.poll(None if seconds is None else seconds * 1000 + 1):
            if handle == self._pipes[1]:
                try:
                    os.read(handle, 4096)
                except BlockingIOError:
                    pass
            elif self._ready() == 0:
                _, body = self._connection.receive()  # raises if the agent is gone
                if body.get("event") == "error":
                    raise fault_of(body)
            else:
                return  # what is there can still be taken

    def close(self):
        """Ends the ring; what was written becomes durable. Arrays that are alive keep their memory."""
        self._connection.close()
        while self._pipes:
            os.close(self._pipes.pop())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
