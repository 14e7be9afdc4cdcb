"""The panic line: one synchronous connection, opened ahead, that carries nothing but `flatten`."""

import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed, WebSocketException

from engine.domain.errors import ControlError, StorageError
from engine.domain.events import Action
from engine.domain.reasons import Reason
from engine.runtime.ask import Conversation, connect
from engine.runtime.protocol import CommandReply, CommandRequest
from engine.runtime.wire import options_of, spoken, unreachable
from engine.storage.latch import Latch

PANIC_TIMEOUT_S = 0.45  # the operator is told before half a second has passed


class PanicLine:
    """Flattens from any thread, whatever the event loop does.

    Where the engine does not confirm in time, the flatten latch is written (if its directory is known), so
    that no process sends an entry, and ControlError says what to do next.
    """

    def __init__(self, path: Path, *, actor: str, instance: str, latch_dir: Path | None) -> None:
        self._path = path
        self._actor = actor
        self._instance = instance
        self._latch = Latch(latch_dir) if latch_dir is not None else None
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._talk: Conversation | None = None
        self._sent = 0

    def open(self, timeout_s: float) -> None:
        """Connect ahead. Raises ControlError."""
        with self._lock:
            try:
                self._connect(timeout_s)
            except (OSError, EOFError, WebSocketException) as error:
                raise unreachable(self._path, self._instance, error) from None

    def flatten(self) -> None:
        """Flatten now; returns once the engine has it. Raises ControlError within half a second."""
        deadline_s = time.monotonic() + PANIC_TIMEOUT_S
        if not self._lock.acquire(timeout=PANIC_TIMEOUT_S):
            raise ControlError("a flatten is being sent already and has no answer yet")
        try:
            reply = self._ask(deadline_s)
        except (OSError, EOFError, WebSocketException, ControlError) as error:
            raise ControlError(self._fall_back(error)) from None
        finally:
            self._lock.release()
        if not reply.ok and reply.reason != Reason.FLATTEN_RUNNING:
            raise ControlError(f"the engine refused to flatten: {reply.text or reply.reason}")

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()

    def _ask(self, deadline_s: float) -> CommandReply:
        self._sent += 1
        request = CommandRequest(self._sent, Action.FLATTEN, self._actor, "panic")
        if self._talk is not None:
            with suppress(ConnectionClosed, ControlError):  # that engine is gone: ask whoever came after it
                self._talk.extend(deadline_s - time.monotonic())
                return self._talk.command(request)
        return self._connect(deadline_s - time.monotonic()).command(request)

    def _connect(self, timeout_s: float) -> Conversation:
        self._drop()
        connection = self._stack.enter_context(connect(self._path, timeout_s))
        self._talk = Conversation(connection, timeout_s)
        return self._talk

    def _drop(self) -> None:
        self._talk = None
        self._stack.close()

    def _fall_back(self, error: Exception) -> str:
        """Set the latch and return what to tell the operator."""
        why = str(unreachable(self._path, self._instance, error))
        direct = spoken("flatten --direct", options_of(self._path, self._instance))
        way = "" if direct in why else f"If positions may be open: {direct}."
        return f"FLATTEN IS NOT CONFIRMED: {why} {self._set_latch()}{way}".rstrip()

    def _set_latch(self) -> str:
        if self._latch is None:
            return ""
        try:
            self._latch.engage(f"panic by {self._actor}, which the engine did not confirm")
        except StorageError as failure:
            return f"The flatten latch could not be set either: {failure}. "
        return "The flatten latch is set: no entry leaves. "
