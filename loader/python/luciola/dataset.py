"""Batches in shared memory as numpy arrays."""

import dataclasses
import weakref

import numpy as np

from .connection import BATCH, LAST_OF_EPOCH, VARIABLE_ROWS, Connection
from .errors import fault, fault_of

_DTYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 6: "<f8", 7: "<f4", 8: "<u2"}


@dataclasses.dataclass(frozen=True)
class BatchInfo:
    """About the batch that was given last.

    sample_ids: numbers of its samples, row by row (a copy)
    valid_rows: rows that are not padding; those come first
    """

    sample_ids: np.ndarray
    valid_rows: int
    epoch: int
    ends_epoch: bool


class Dataset:
    """A dataset of the file system, in the shuffled order of (seed, epoch), each sample once an epoch.

    Iterating gives the rest of the present epoch: for token datasets arrays of shape
    (rows, seq_len + 1), for record datasets lists of uint8 arrays. They lie in shared memory; a
    slot goes back to the agent when the last view of its batch is gone.

    agent_socket: where the agent listens
    path: of the dataset in the file system
    batch: rows of this rank in one step
    seq_len: inputs of a token window (a row has one token more); not for records
    rank, world: which of the trainers that get different samples
    last_batch: "short", "drop" or "pad", for what is left at the end of an epoch
    slots: batches in shared memory at once, held and read ahead
    timeout: seconds to wait for the agent
    """

    def __init__(
        self,
        agent_socket,
        path,
        *,
        batch,
        seq_len=1,
        seed=0,
        rank=0,
        world=1,
        last_batch="short",
        slots=4,
        timeout=600.0,
    ):
        self._agent_socket = agent_socket
        self._timeout = timeout
        self._request = {
            "op": "open",
            "path": path,
            "batch": batch,
            "sequenceTokens": seq_len,
            "seed": seed,
            "rank": rank,
            "world": world,
            "lastBatch": last_batch,
            "slots": slots,
        }
        self._connection = None
        self._opened = None
        self._position = None
        self._closed = False
        self._ended_epoch = False
        self.info = None
        self._open(None)

    def _open(self, position):
        request = dict(self._request)
        if position is not None:
            request["position"] = position
        connection = Connection(self._agent_socket, self._timeout)
        try:
            opened = connection.open_region(**request)
        except BaseException:
            connection.close()
            raise
        if self._connection is not None:
            self._connection.close()
        self._connection = connection
        self._opened = opened
        self._position = opened["position"]
        self._ended_epoch = False
        self.info = None

    @property
    def samples(self):
        """Samples of an epoch, of all ranks."""
        return self._opened["samples"]

    @property
    def fingerprint(self):
        """Of the content and of how it is cut into samples, 16 hexadecimal digits."""
        return self._opened["fingerprint"]

    def __len__(self):
        """Steps of a whole epoch."""
        return self._opened["stepsPerEpoch"]

    def state_dict(self):
        """Where the run stands after the batch that was given last, for all ranks."""
        return {"position": self._position}

    def load_state_dict(self, state):
        """Goes on exactly after the batch at which the state was taken, with any number of ranks.

        Raises WrongPosition if the state is of another dataset, seq_len or seed.
        """
        self._require_open()
        if not isinstance(state, dict) or not isinstance(state.get("position"), str):
            raise fault("WRONG_POSITION", "not a state of a luciola.Dataset")
        self._open(state["position"])

    def __iter__(self):
        self._require_open()
        self._ended_epoch = False
        return self

    def __next__(self):
        self._require_open()
        if self._ended_epoch:
            raise StopIteration
        while True:
            kind, message = self._connection.receive()
            if kind == BATCH:
                return self._batch(message)
            if message.get("event") == "error":
                raise fault_of(message)
            if message.get("event") == "end":
                raise StopIteration

    def _batch(self, message):
        memory = self._connection.memory
        self._ended_epoch = bool(message.flags & LAST_OF_EPOCH)
        fields = self._position.split(" ")
        fields[3] = f"epoch={message.epoch_after}"
        fields[4] = f"done={message.samples_after}"
        self._position = " ".join(fields)
        ids = _numbers(memory, message.ids_offset, message.rows).copy()
        self.info = BatchInfo(ids, message.valid_rows, message.epoch, self._ended_epoch)
        if message.flags & VARIABLE_ROWS:
            return self._records(message, memory)
        dtype = np.dtype(_DTYPES[message.element_type])
        data = self._data(message, memory, dtype)
        return data.reshape(message.rows, message.row_elements)

    def _records(self, message, memory):
        starts = _numbers(memory, message.row_starts_offset, message.rows + 1)
        bounds = starts.tolist()
        data = self._data(message, memory, np.dtype("u1"))
        return [data[bounds[row] : bounds[row + 1]] for row in range(message.rows)]

    def _data(self, message, memory, dtype):
        if message.data_bytes == 0:
            self._connection.release(message.slot, message.sequence)
            return np.empty(0, dtype)
        count = message.data_bytes // dtype.itemsize
        data = np.frombuffer(memory, dtype, count, message.data_offset)
        # Every view of it refers to this array, so it dies with the last of them.
        returning = weakref.finalize(
            data, self._connection.release, message.slot, message.sequence
        )
        returning.atexit = False
        return data

    def _require_open(self):
        if self._closed:
            raise fault("INVALID_ARGUMENT", f"the dataset is closed: path={self._request['path']}")

    def close(self):
        """Ends it. Arrays that are alive stay valid."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def _numbers(memory, offset, count):
    return np.frombuffer(memory, "<u8", count, offset) if count else np.empty(0, "<u8")
