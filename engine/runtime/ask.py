"""One-shot, synchronous conversations with an engine, for the command line."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, unix_connect

from engine.core.snapshot import Phase, Snapshot
from engine.domain.errors import ControlError
from engine.domain.events import Action
from engine.execution.flatten import Step
from engine.runtime.protocol import (
    CommandReply,
    CommandRequest,
    Goodbye,
    Hello,
    SnapshotDelta,
    StatusRequest,
    Subscribe,
    ToConsole,
    ToEngine,
    WhyReply,
    WhyRequest,
    merge,
)
from engine.runtime.wire import (
    COMMAND_TIMEOUT_S,
    SNAPSHOT_BYTES_MAX,
    decode_reply,
    encode,
    read_hello,
    silent_logger,
    unreachable,
)

CLOSE_TIMEOUT_S = 0.2
WHY_TIMEOUT_S = 6.0  # evaluating anew what is kept takes its time
_ENDED = frozenset({Step.FLAT.value, Step.RESIDUAL.value})


class Conversation:
    """An open connection with a deadline for all of it. Not to be shared between threads."""

    def __init__(self, connection: ClientConnection, timeout_s: float) -> None:
        self._connection = connection
        self._deadline_s = time.monotonic() + timeout_s
        self.hello = read_hello(self._frame())

    def send(self, message: ToEngine) -> None:
        """Send one message."""
        self._connection.send(encode(message))

    def extend(self, timeout_s: float) -> None:
        """Set the deadline anew."""
        self._deadline_s = time.monotonic() + timeout_s

    def read(self) -> ToConsole:
        """Return the next message. Raises TimeoutError past the deadline, ControlError at a goodbye."""
        message = decode_reply(self._frame())
        if isinstance(message, Goodbye):
            raise ControlError(f"the engine has ended (exit code {message.exit_code}): {message.text}")
        return message

    def command(self, request: CommandRequest) -> CommandReply:
        """Send a command and wait for its reply."""
        self.send(request)
        while True:
            message = self.read()
            if isinstance(message, CommandReply) and message.id in (request.id, 0):
                return message

    def why(self, request: WhyRequest) -> WhyReply:
        """Ask why bars led to what they did and wait for the answer."""
        self.send(request)
        while True:
            message = self.read()
            if isinstance(message, WhyReply):
                return message
            if isinstance(message, CommandReply):  # an engine that does not know the question
                return WhyReply(request.id, text=message.text)

    def snapshot(self, before: Snapshot | None) -> Snapshot:
        """Wait for the next snapshot."""
        while True:
            message = self.read()
            if isinstance(message, SnapshotDelta):
                return merge(before, message)

    def _frame(self) -> bytes:
        return self._connection.recv(max(0.0, self._deadline_s - time.monotonic()), decode=False)


def connect(path: Path, timeout_s: float) -> ClientConnection:
    """Open a synchronous connection; use it in a `with` block. Raises OSError or WebSocketException."""
    return unix_connect(
        str(path),
        compression=None,
        max_size=SNAPSHOT_BYTES_MAX,
        open_timeout=timeout_s,
        ping_interval=None,
        close_timeout=CLOSE_TIMEOUT_S,
        logger=silent_logger(),
    )


@contextmanager
def conversation(path: Path, *, timeout_s: float, instance: str = "default") -> Iterator[Conversation]:
    """Talk to the engine at a path; each failure on the way is a ControlError that says what to do."""
    try:
        with connect(path, timeout_s) as connection:
            yield Conversation(connection, timeout_s)
    except (OSError, EOFError, WebSocketException) as error:
        raise unreachable(path, instance, error) from None


def ask_once(
    path: Path, message: ToEngine, *, timeout_s: float = COMMAND_TIMEOUT_S, instance: str = "default"
) -> tuple[Hello, CommandReply | SnapshotDelta]:
    """Send one message and return the engine's Hello and its answer. Raises ControlError."""
    with conversation(path, timeout_s=timeout_s, instance=instance) as talk:
        if isinstance(message, CommandRequest):
            return talk.hello, talk.command(message)
        talk.send(message)
        while True:
            answer = talk.read()
            if isinstance(answer, SnapshotDelta):
                return talk.hello, answer


def fetch_status(
    path: Path, *, timeout_s: float = COMMAND_TIMEOUT_S, instance: str = "default"
) -> tuple[Hello, Snapshot]:
    """Return who the engine is and how it stands. Raises ControlError."""
    with conversation(path, timeout_s=timeout_s, instance=instance) as talk:
        talk.send(StatusRequest())
        return talk.hello, talk.snapshot(None)


def send_command(
    path: Path,
    action: Action,
    *,
    actor: str,
    reason: str = "",
    argument: str = "",
    timeout_s: float = COMMAND_TIMEOUT_S,
    instance: str = "default",
) -> CommandReply:
    """Send a command and return what became of it. Raises ControlError where nobody answers in time."""
    request = CommandRequest(1, action, actor, reason, argument)
    with conversation(path, timeout_s=timeout_s, instance=instance) as talk:
        return talk.command(request)


def ask_why(
    path: Path, request: WhyRequest, *, timeout_s: float = WHY_TIMEOUT_S, instance: str = "default"
) -> WhyReply:
    """Ask why bars led to what they did. Raises ControlError where nobody answers in time."""
    with conversation(path, timeout_s=timeout_s, instance=instance) as talk:
        return talk.why(request)


def wait_flat(
    path: Path,
    *,
    timeout_s: float,
    on_progress: Callable[[Snapshot], None],
    instance: str = "default",
) -> Snapshot:
    """Watch a flatten until it ended, flat or with a residual, and return the snapshot that shows it.

    `on_progress` sees each snapshot on the way. Raises ControlError when the time is up or the engine ends
    before its flatten does.
    """
    with conversation(path, timeout_s=timeout_s, instance=instance) as talk:
        talk.send(Subscribe())
        snapshot: Snapshot | None = None
        while True:
            try:
                snapshot = talk.snapshot(snapshot)
            except TimeoutError:
                raise ControlError(_not_flat(snapshot, timeout_s)) from None
            on_progress(snapshot)
            if flatten_ended(snapshot):
                return snapshot


def flatten_ended(snapshot: Snapshot) -> bool:
    """Tell whether the last flatten came to its end, flat or with a residual."""
    return snapshot.flatten.step in _ENDED and snapshot.status.phase is not Phase.FLATTENING


def _not_flat(snapshot: Snapshot | None, timeout_s: float) -> str:
    if snapshot is None:
        return f"the engine showed nothing within {timeout_s:g} s; see `trader-tui status`"
    at = snapshot.flatten
    return (
        f"not flat after {timeout_s:g} s: step {at.step or 'none'}, {at.cancels_left} orders to cancel, "
        f"{at.positions_left} positions to close. The engine goes on; see `trader-tui status`."
    )
