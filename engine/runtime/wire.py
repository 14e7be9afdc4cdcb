"""What both ends of the control socket share: how a message is read and written, and what its failures mean.

Each message is one frame of JSON. Frames are sent as binary ones (nothing to re-encode) and read as either.
"""

import logging
from pathlib import Path

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from engine import __version__
from engine.config.packaged import SOCKET_NAME, find_again
from engine.domain.errors import ControlError
from engine.domain.events import Action
from engine.runtime.protocol import PROTOCOL_VERSION, Hello, ToConsole, ToEngine

REQUEST_BYTES_MAX = 65_536  # an engine reads no larger frame
SNAPSHOT_BYTES_MAX = 16 * 1024 * 1024  # a console reads no larger frame
COMMAND_TIMEOUT_S = 2.0
ELSEWHERE = "on the engine's machine"  # in the place of options, where it is not this one

_TO_ENGINE: msgspec.json.Decoder[ToEngine] = msgspec.json.Decoder(ToEngine)
_TO_CONSOLE: msgspec.json.Decoder[ToConsole] = msgspec.json.Decoder(ToConsole)


class UnreadableError(Exception):
    """A frame that is no JSON at all: whoever sent it speaks something else."""


class UnknownRequestError(Exception):
    """JSON that is no request of the protocol; `id` is the one it carries, 0 where it carries none."""

    def __init__(self, text: str, request_id: int) -> None:
        super().__init__(text)
        self.id = request_id


class _Numbered(msgspec.Struct, frozen=True):
    id: int = 0


def encode(message: ToConsole | ToEngine) -> bytes:
    """Write a message."""
    return msgspec.json.encode(message)


def decode_request(frame: bytes) -> ToEngine:
    """Read what a console sent. Raises UnreadableError or UnknownRequestError."""
    try:
        return _TO_ENGINE.decode(frame)
    except msgspec.ValidationError as error:
        raise UnknownRequestError(str(error), _id_of(frame)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableError("a frame must be one JSON message") from None


def _id_of(frame: bytes) -> int:
    try:
        return msgspec.json.decode(frame, type=_Numbered).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def decode_reply(frame: bytes) -> ToConsole:
    """Read what an engine sent. Raises ControlError."""
    try:
        return _TO_CONSOLE.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ControlError(
            f"the engine sent something that this version ({__version__}) cannot read: {error}. "
            "Use the same version of trader-tui for the engine and the console."
        ) from None


def read_hello(frame: bytes) -> Hello:
    """Read an engine's first message and check that it speaks our version. Raises ControlError."""
    hello = decode_reply(frame)
    if not isinstance(hello, Hello):
        raise ControlError(f"the engine began with {type(hello).__name__} where its name was due")
    if hello.protocol != PROTOCOL_VERSION:
        raise ControlError(
            f"the engine (trader-tui {hello.version}, pid {hello.pid}) speaks version {hello.protocol} of "
            f"the control protocol, this program (trader-tui {__version__}) speaks {PROTOCOL_VERSION}. "
            f"Use trader-tui {hello.version} to control it, or stop it with that version and start it with "
            "this one."
        )
    return hello


def unreachable(path: Path, instance: str, error: Exception) -> ControlError:
    """Return what a failed connection means to a user, and what to do about it."""
    if not instance:
        return _unreachable_elsewhere(path, error)
    options = options_of(path, instance)
    match error:
        case ControlError():
            return error
        case FileNotFoundError() | ConnectionRefusedError():
            return ControlError(
                f"no engine runs for instance {instance!r} (nothing answers at {path}). "
                f"Start one with `trader-tui run {options}`."
            )
        case PermissionError():
            return ControlError(f"the engine at {path} belongs to another user; ask as that user")
        case TimeoutError():
            return ControlError(
                f"the engine of instance {instance!r} does not answer at {path}: it is stopped or stuck. "
                f"To close its positions without it: `trader-tui flatten --direct {options}`."
            )
        case ConnectionClosed():
            why = error.rcvd.reason if error.rcvd is not None else ""
            return ControlError(
                f"the engine of instance {instance!r} broke off: {why or 'its process has ended'}. "
                f"See `trader-tui status {options}`."
            )
        case InvalidHandshake() | EOFError():
            return ControlError(f"what listens at {path} is not an engine of trader-tui: {error}")
        case _:
            return ControlError(f"the engine of instance {instance!r} cannot be reached at {path}: {error}")


def _unreachable_elsewhere(path: Path, error: Exception) -> ControlError:
    """Return what it means that the socket does not answer which leads to an engine on another machine."""
    how = "`ssh -N -L PATH:ITS_SOCKET HOST`; `trader-tui status` there prints ITS_SOCKET"
    match error:
        case ControlError():
            return error
        case FileNotFoundError():
            text = f"there is no socket at {path}: the ssh that forwards it is not running"
            return ControlError(f"{text}. Start it with {how}.")
        case ConnectionRefusedError() if path.is_socket():
            text = f"nothing listens at {path}: the ssh that forwarded it has ended"
            return ControlError(f"{text}. Remove that file, then start it anew with {how}.")
        case ConnectionRefusedError():
            return ControlError(f"{path} is no socket. Forward to a path of its own with {how}.")
        case PermissionError():
            return ControlError(f"{path} may not be opened; it belongs to another user.")
        case TimeoutError():
            text = f"nobody answers at {path}: the line hangs, or the engine there is stopped or stuck"
            return ControlError(f"{text}. Look on its machine with `trader-tui status`.")
        case _:
            text = f"{path} leads to no engine: what it is forwarded to is gone, or is no control socket"
            return ControlError(f"{text} ({error}). Forward with {how}.")


def options_of(path: Path, instance: str) -> str:
    """Return the options by which a command finds the engine of a control socket again."""
    if not instance:
        return ELSEWHERE
    return find_again(path.parent) if path.name == SOCKET_NAME else f"--instance {instance}"


def no_answer(action: Action, options: str, timeout_s: float) -> ControlError:
    """Return what an unanswered command means to a user, and what to do about it.

    `options` are those by which a command finds the engine.
    """
    return ControlError(
        f"the engine did not answer {action.value!r} within {timeout_s:g} s; it may still be carried out. "
        f"See {spoken('status', options)}; to close positions without the engine: "
        f"{spoken('flatten --direct', options)}."
    )


def spoken(command: str, options: str) -> str:
    """Write a command as it is typed to reach an engine, or where it has to be typed."""
    if options == ELSEWHERE:
        return f"`trader-tui {command}` {ELSEWHERE}"
    return f"`trader-tui {command} {options}`"


def silent_logger() -> logging.Logger:
    """Return a logger for the websockets library that writes nothing: its failures reach us as exceptions."""
    return logging.Logger("websockets", level=logging.CRITICAL + 1)
