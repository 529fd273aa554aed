"""Batches, checkpoints and files of a Luciola file system, through the agent of this machine."""

from .checkpoint import load_checkpoint
from .dataset import BatchInfo, Dataset
from .errors import (
    AgentUnavailable,
    CorruptData,
    Error,
    InvalidArgument,
    NotFound,
    WrongPosition,
)
from .files import AgentFiles
from .ring import Ring

__all__ = [
    "AgentFiles",
    "AgentUnavailable",
    "BatchInfo",
    "CorruptData",
    "Dataset",
    "Error",
    "InvalidArgument",
    "NotFound",
    "Ring",
    "WrongPosition",
    "load_checkpoint",
]
