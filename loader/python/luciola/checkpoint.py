"""Tensors of a checkpoint (safetensors files) as numpy arrays, read through the agent."""

import json
import math
import posixpath
import re
import struct

import numpy as np

from .errors import fault
from .files import AgentFiles

_HEADER_BYTES_MAX = 100_000_000
_INDEX_BYTES_MAX = 256 << 20
_STEP = re.compile(r"step-(\d{8,})")

# What numpy has no type for comes as unsigned integers of its size.
_DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "F8_E5M2": "u1",
    "F8_E4M3": "u1",
    "F8_E8M0": "u1",
    "F8_E4M3FNUZ": "u1",
    "F8_E5M2FNUZ": "u1",
    "I16": "<i2",
    "U16": "<u2",
    "F16": "<f2",
    "BF16": "<u2",
    "I32": "<i4",
    "U32": "<u4",
    "F32": "<f4",
    "C64": "<c8",
    "F64": "<f8",
    "I64": "<i8",
    "U64": "<u8",
}


def load_checkpoint(agent_socket, path, *, file="model.safetensors", bfloat16="uint16", timeout=600.0):
    """The tensors of a checkpoint by name, as numpy arrays of their own memory.

    path: a .safetensors file; a directory with `file`, or with `file` + ".index.json" (Hugging
        Face's sharded form); or a directory of checkpoints step-N, of which the newest is taken
    file: which of a checkpoint's files, for example "ema.safetensors"
    bfloat16: "uint16" gives the bits, "float32" the values
    """
    if bfloat16 not in ("uint16", "float32"):
        raise fault("INVALID_ARGUMENT", f"bfloat16 must be uint16 or float32: bfloat16={bfloat16}")
    with AgentFiles(agent_socket, timeout=timeout) as files:
        tensors = {}
        for each in _files(files, path, file):
            for name, tensor in _read(files, each, bfloat16).items():
                if name in tensors:
                    raise fault("CORRUPT_DATA", f"tensor in two files: path={each} tensor={name}")
                tensors[name] = tensor
        return tensors


def _files(files, path, file):
    path = path.rstrip("/") or "/"
    if files.stat(path)["type"] != "directory":
        return [path]
    names = {entry["name"] for entry in files.list(path)}
    index = file + ".index.json"
    if index in names:
        place = posixpath.join(path, index)
        try:
            shards = sorted(set(json.loads(_small(files, place))["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise fault("CORRUPT_DATA", f"not an index of tensors: path={place} cause={e}") from e
        if any("/" in shard or not shard for shard in shards):
            raise fault("CORRUPT_DATA", f"a shard is no plain file name: path={place}")
        return [posixpath.join(path, shard) for shard in shards]
    if file in names:
        return [posixpath.join(path, file)]
    steps = [name for name in names if _STEP.fullmatch(name)]
    if steps:
        newest = max(steps, key=lambda name: int(_STEP.fullmatch(name).group(1)))
        return _files(files, posixpath.join(path, newest), file)
    raise fault("NOT_FOUND", f"load checkpoint: neither {file} nor step-N in it: path={path}")


def _small(files, path):
    if files.stat(path)["length"] > _INDEX_BYTES_MAX:
        raise fault("CORRUPT_DATA", f"index is too large: path={path}")
    return files.read(path)


def _read(files, path, bfloat16):
    file_bytes = files.stat(path)["length"]
    prefix = files.read(path, 0, 8)
    if len(prefix) < 8:
        raise fault("CORRUPT_DATA", f"not a safetensors file: path={path} fileBytes={file_bytes}")
    (header_bytes,) = struct.unpack("<Q", prefix)
    if header_bytes > min(_HEADER_BYTES_MAX, file_bytes - 8):
        raise fault(
            "CORRUPT_DATA",
            f"header does not fit the file: path={path} headerBytes={header_bytes}"
            f" fileBytes={file_bytes}",
        )
    places = parse_header(files.read(path, 8, header_bytes), file_bytes - 8 - header_bytes, path)
    tensors = {}
    for name, (dtype, shape, begin, end) in places.items():
        array = np.empty(shape, _DTYPES[dtype])
        if end > begin:
            got = files.read_into(path, 8 + header_bytes + begin, array.reshape(-1).view("u1"))
            if got != end - begin:
                raise fault("CORRUPT_DATA", f"file ends inside a tensor: path={path} tensor={name}")
        if dtype == "BF16" and bfloat16 == "float32":
            array = (array.astype("<u4") << np.uint32(16)).view("<f4")
        tensors[name] = array
    return tensors


def parse_header(text, data_bytes, path):
    """name -> (dtype, shape, begin, end), checked as the format says: no holes, no overlaps."""
    try:
        header = json.loads(text, object_pairs_hook=_no_doubles)
        header.pop("__metadata__", None)
        places = {
            name: (
                entry["dtype"],
                tuple(int(size) for size in entry["shape"]),
                int(entry["data_offsets"][0]),
                int(entry["data_offsets"][1]),
            )
            for name, entry in header.items()
        }
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
        raise fault("CORRUPT_DATA", f"header is not valid: path={path} cause={e}") from e
    at = 0
    for name, (dtype, shape, begin, end) in sorted(places.items(), key=lambda item: item[1][2:]):
        if dtype not in _DTYPES:
            raise fault("UNSUPPORTED", f"type of a tensor: path={path} tensor={name} dtype={dtype}")
        size = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
        if begin != at or end - begin != size or min(shape, default=0) < 0:
            raise fault(
                "CORRUPT_DATA",
                f"tensor is not where it should be: path={path} tensor={name} begin={begin}"
                f" end={end} expectedBegin={at} bytes={size}",
            )
        at = end
    if at != data_bytes:
        raise fault(
            "CORRUPT_DATA",
            f"tensors do not end at the end of the file: path={path} end={at} dataBytes={data_bytes}",
        )
    return places


def _no_doubles(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found
