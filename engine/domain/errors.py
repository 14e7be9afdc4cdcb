"""The errors of the engine, sorted by the reaction they call for.

TraderError
├── ConfigError         exit 2; names file, line and field
├── LockHeldError       exit 3; names pid, host and since
├── NotFlatError        exit 4; names what is left
├── VenueError
│   ├── TransientError      retry reads; feeds the breaker
│   │   └── RateLimitedError
│   ├── RefusedError        never retried
│   ├── AmbiguousError      a write without an answer: UNKNOWN, reconcile
│   └── AuthError           tell the operator
├── StorageError        fail closed: no durable intent, no order; reductions pass
├── CheckpointError     keep the old one, back off
└── ControlError        the engine could not be reached or refused to talk
"""

from engine.domain.reasons import Reason


class TraderError(Exception):
    """The root of what the engine can tell a user; its text is a whole message."""

    exit_code = 1


class ConfigError(TraderError):
    """Something the user wrote cannot be used. `str()` names file, line and field where known."""

    exit_code = 2

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, column: int = 0, field: str = ""
    ) -> None:
        place = ":".join(str(part) for part in (file, line or "", column or "") if part != "")
        text = ": ".join(part for part in (place, field, message) if part)
        super().__init__(text)
        self.file, self.line, self.column, self.field = file, line, column, field
        self.message = message


class LockHeldError(TraderError):
    """Another engine owns this state directory or account."""

    exit_code = 3


class NotFlatError(TraderError):
    """Something of ours is still open at the venue."""

    exit_code = 4


class VenueError(TraderError):
    """The venue did not do what was asked."""


class TransientError(VenueError):
    """It may work the next time; reads are repeated."""


class RateLimitedError(TransientError):
    """The venue asks us to wait."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RefusedError(VenueError):
    """The venue said no, or the request surely never reached it; asking the same again will not help."""

    def __init__(self, message: str, reason: Reason = Reason.VENUE_REFUSED) -> None:
        super().__init__(message)
        self.reason = reason


class AmbiguousError(VenueError):
    """A write has no answer: its outcome is unknown."""


class AuthError(VenueError):
    """The venue does not accept our keys."""


class StorageError(TraderError):
    """The store could not write or read."""


class RecordError(StorageError):
    """A session's record does not fit the state it is handled again on."""


class CheckpointError(TraderError):
    """A checkpoint cannot be used."""


class ControlError(TraderError):
    """The engine does not answer on its control socket, or speaks another version."""


class NotPromotedError(TraderError):
    """A version of a play was not accepted for live: evidence is missing. The message names all of it."""

    exit_code = 4


class InvariantError(TraderError):
    """The engine is in a state that cannot be: entries freeze, working ones are canceled, exit 1."""
