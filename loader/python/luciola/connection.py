"""One connection to the agent: frames, the shared region, and slots on their way back.

The protocol is described in docs/agent-protocol.md.
"""

import collections
import json
import mmap
import os
import socket
import struct
import threading

from .errors import fault, fault_of

PROTOCOL = 1
CONTROL, BATCH, RELEASE = 1, 2, 3
_HEADER = struct.Struct("<II")
_BATCH = struct.Struct("<QIIQQIIIIQQQQQQ")
_RELEASE = struct.Struct("<QII")
_CONTROL_BYTES_MAX = 8 << 20

LAST_OF_EPOCH = 1
VARIABLE_ROWS = 2

BatchMessage = collections.namedtuple(
    "BatchMessage",
    "sequence slot flags data_offset data_bytes rows valid_rows row_elements element_type"
    " epoch samples_before epoch_after samples_after ids_offset row_starts_offset",
)


class Connection:
    """Sends from any thread, receives in one."""

    def __init__(self, agent_socket, timeout):
        self._timeout = timeout
        self._lock = threading.Lock()
        self._releases = collections.deque()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._memory = None
        self._next_id = 0
        self._taken = 0
        self._returned = 0
        self.slots = 0
        try:
            self._socket.connect(os.fspath(agent_socket))
        except OSError as e:
            self._socket.close()
            raise fault(
                "CONNECTION_LOST",
                f"no agent listens there: socket={os.fspath(agent_socket)} cause={e}",
            ) from e
        self._socket.settimeout(timeout)

    @property
    def memory(self):
        return self._memory

    @property
    def held(self):
        """Slots that are in this process's hands."""
        return self._taken - self._returned

    def took(self):
        """Notes that a slot came; only the receiving thread does."""
        self._taken += 1

    def request(self, **fields):
        """Sends a request; returns its id."""
        self._next_id += 1
        fields["id"] = self._next_id
        self.send(fields)
        return self._next_id

    def open_region(self, **fields):
        """Asks for a region, maps it, tells the agent so; returns the agent's answer."""
        self.request(protocol=PROTOCOL, **fields)
        kind, body = self.receive()
        if kind != CONTROL:
            raise fault("MALFORMED_FRAME", "the agent answered with something else")
        if not body.get("ok"):
            raise fault_of(body)
        try:
            handle = os.open(body["region"], os.O_RDWR)
        except OSError as e:
            raise fault(
                "NOT_FOUND",
                "agent and trainer must see the same shared memory directory:"
                f" path={body['region']} cause={e}",
            ) from e
        try:
            self._memory = mmap.mmap(handle, body["regionBytes"])
        finally:
            os.close(handle)
        self.slots = body["slots"]
        self.send({"op": "mapped"})
        return body

    def send(self, fields):
        text = json.dumps(fields).encode()
        with self._lock:
            self._send(_HEADER.pack(CONTROL, len(text)) + text)
        self._flush()

    def release(self, slot, sequence):
        """Gives a slot back. Safe in finalizers: never waits for another send of this process."""
        self._releases.append((slot, sequence))
        self._flush()

    def _flush(self):
        # Whoever has the lock sends what is queued; after letting go of it, looks again, so that
        # nothing queued meanwhile is left behind.
        while self._releases and self._lock.acquire(blocking=False):
            try:
                while self._releases:
                    slot, sequence = self._releases.popleft()
                    self._returned += 1
                    self._send(
                        _HEADER.pack(RELEASE, _RELEASE.size) + _RELEASE.pack(sequence, slot, 0)
                    )
            except OSError:
                self._releases.clear()  # the agent is gone and has its slots back
            finally:
                self._lock.release()

    def _send(self, frame):
        try:
            self._socket.sendall(frame)
        except OSError as e:
            raise fault("CONNECTION_LOST", f"the agent is gone: cause={e}") from e

    def receive(self):
        """The next message: (CONTROL, dict) or (BATCH, BatchMessage)."""
        kind, length = _HEADER.unpack(self._read(_HEADER.size))
        if kind == BATCH and length == _BATCH.size:
            message = BatchMessage(*_BATCH.unpack(self._read(length)))
            self._check(message)
            self.took()
            return kind, message
        if kind == CONTROL and length <= _CONTROL_BYTES_MAX:
            return kind, json.loads(self._read(length))
        raise fault("MALFORMED_FRAME", f"bad header: kind={kind} length={length}")

    def _check(self, message):
        size = len(self._memory)
        ends = [message.data_offset + message.data_bytes, message.ids_offset + 8 * message.rows]
        if message.flags & VARIABLE_ROWS:
            ends.append(message.row_starts_offset + 8 * (message.rows + 1))
        if max(ends) > size or message.valid_rows > message.rows:
            raise fault("MALFORMED_FRAME", f"a batch points outside the region: {message}")

    def _read(self, length):
        parts = bytearray()
        while len(parts) < length:
            try:
                part = self._socket.recv(length - len(parts))
            except socket.timeout as e:
                raise fault(
                    "TIMED_OUT",
                    f"nothing from the agent in {self._timeout} s; {self.held} of {self.slots} slots"
                    " are held by arrays that are still alive",
                ) from e
            except OSError as e:
                raise fault("CONNECTION_LOST", f"the agent is gone: cause={e}") from e
            if not part:
                raise fault("CONNECTION_LOST", "the agent has closed the connection")
            parts += part
        return bytes(parts)

    def fileno(self):
        """The socket's descriptor, to wait for."""
        return self._socket.fileno()

    def close(self):
        """Ends the connection; arrays that are alive keep their memory and their content."""
        self._socket.close()
