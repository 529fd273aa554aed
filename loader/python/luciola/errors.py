"""Faults. Each is a luciola.Error; common ones are Python's own kinds as well."""


class Error(Exception):
    """A fault that the agent or this package reports.

    code: the name of the error, for example "NOT_FOUND"; the message names the path.
    """

    def __init__(self, code, message):
        super().__init__(message if message.startswith(code) else f"{code}: {message}")
        self.code = code


class AgentUnavailable(Error, ConnectionError):
    """No agent listens, or it has closed the connection."""


class NotFound(Error, FileNotFoundError):
    """There is nothing at that path."""


class InvalidArgument(Error, ValueError):
    """The request makes no sense."""


class WrongPosition(Error, ValueError):
    """The state belongs to another dataset, seed or version."""


class CorruptData(Error):
    """Bytes are not what they should be; the message has the address."""


_KINDS = {
    "CONNECTION_LOST": AgentUnavailable,
    "NOT_FOUND": NotFound,
    "INVALID_ARGUMENT": InvalidArgument,
    "WRONG_POSITION": WrongPosition,
    "CORRUPT_DATA": CorruptData,
    "CHECKSUM_MISMATCH": CorruptData,
}


def fault(code, message):
    """The exception for an error code."""
    return _KINDS.get(code, Error)(code, message)


def fault_of(body):
    """The exception for a failed reply or an error event."""
    error = body.get("error", {})
    return fault(error.get("code", "INTERNAL"), error.get("message", "no message"))
