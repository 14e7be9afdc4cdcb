"""The engine's process: signals, the watchdog, the word to whoever started it, and the exit code."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from engine.config.settings import Settings
from engine.domain.errors import StorageError, TraderError
from engine.runtime.context import open_context
from engine.runtime.engine import Engine
from engine.runtime.exitreport import ExitReport
from engine.runtime.sigmask import HANDLED

SWITCH_S = 0.0005  # how long the loop may wait for a thread that flushes or stores, instead of 5 ms
STALL_S = 2.0
WATCH_S = 0.25


class Ready(msgspec.Struct, frozen=True):
    """The one message to whoever started the process: it runs, or why it does not."""

    ok: bool
    exit_code: int = 0
    message: str = ""


class Word:
    """Tells whoever started the process, once: afterwards the descriptor may be another file's."""

    def __init__(self, ready_fd: int | None) -> None:
        self._fd = ready_fd

    def tell(self, message: Ready) -> None:
        """Say it, unless something was said already or nobody listens."""
        fd, self._fd = self._fd, None
        if fd is None:
            return
        with suppress(OSError):  # whoever waited may be gone
            os.write(fd, msgspec.json.encode(message))
        os.close(fd)


class Signals:
    """Takes signals in a thread of its own, so that they count while the loop is busy or stalled.

    SIGTERM and SIGINT stop in order, a second one leaves at once. SIGUSR1 flattens: the latch is set from
    this thread, before the loop has to do anything. SIGHUP does what the settings say.
    """

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._loop = loop
        self._asked_to_stop = False
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def _wait(self) -> None:
        while True:
            number = signal.sigwait(HANDLED)
            with suppress(RuntimeError):  # the loop has closed: the process is about to end anyway
                self._take(number)

    def _take(self, number: int) -> None:
        if number == signal.SIGUSR1:
            with suppress(StorageError):
                self._engine.context.latch.engage("flatten by SIGUSR1")
            self._call(self._engine.flatten, "SIGUSR1")
        elif number == signal.SIGHUP:
            self._call(self._engine.hang_up)
        elif self._asked_to_stop:
            os._exit(128 + number)
        else:
            self._asked_to_stop = True
            self._call(self._engine.stop, signal.Signals(number).name, 128 + number)

    def _call(self, action: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(action, *arguments)


class Watchdog:
    """Notices from a thread that the engine's loop does not turn, and says so when it does again."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._loop = loop
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        while not self._loop.is_closed():
            time.sleep(WATCH_S)
            stalled_s = time.monotonic() - self._engine.beat_s
            if stalled_s > STALL_S:
                self._engine.context.log.error("the engine's loop is stalled", stalled_s=round(stalled_s, 1))
                text = f"the engine's loop stood still for {stalled_s:.1f} s"
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._engine.report_stall, text)
                time.sleep(STALL_S)


def run_engine(
    settings: Settings,
    *,
    headless: bool = True,
    leave_at_end: bool = True,
    until_flat: bool = False,
    ready_fd: int | None = None,
) -> ExitReport:
    """Run one engine in this process until it ends. Signals must be blocked already (runtime/sigmask.py).

    Raises TraderError for what keeps it from starting; that is also told on `ready_fd`.
    """
    word = Word(ready_fd)
    sys.setswitchinterval(SWITCH_S)
    try:
        return asyncio.run(
            _run(
                settings,
                headless=headless,
                leave_at_end=leave_at_end,
                until_flat=until_flat,
                word=word,
            )
        )
    except TraderError as error:
        word.tell(Ready(ok=False, exit_code=error.exit_code, message=str(error)))
        raise
    except Exception as error:
        word.tell(Ready(ok=False, exit_code=1, message=f"{type(error).__name__}: {error}"))
        raise


async def _run(
    settings: Settings, *, headless: bool, leave_at_end: bool, until_flat: bool, word: Word
) -> ExitReport:
    async with open_context(settings, headless=headless, only_reduces=until_flat) as context:
        engine = Engine(
            context,
            leave_at_end=leave_at_end,
            until_flat=until_flat,
            ready=lambda: word.tell(Ready(ok=True)),
        )
        loop = asyncio.get_running_loop()
        Signals(engine, loop)
        Watchdog(engine, loop)
        return await engine.run()


def process_main() -> int:
    """Run the engine a console started: settings as JSON on standard input, the word on a descriptor."""
    ready_fd = int(sys.argv[1])
    settings = Settings.from_json(sys.stdin.read())
    try:
        return run_engine(settings, headless=False, leave_at_end=False, ready_fd=ready_fd).exit_code
    except TraderError as error:
        return error.exit_code
