"""The terminal driver: counts bytes, sees panic keys in the input thread, leaves with the terminal."""

import contextlib
import os
import select
import selectors
import signal
import sys
import termios
import threading
import time
import tty
from typing import Any, Protocol, TextIO, cast

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui.bursts import GRACE_S, Bursts
from tui.governor import ByteMeter
from tui.keyreading import KeyReader
from tui.panic import PanicWatch
from tui.thrift import squeeze

READ_SIZE = 4096
POLL_S = 0.1
GRACES_MAX = 16
WRITER_NAME = "textual-output"
WAKE = signal.SIGURG  # to a writer that sleeps; nobody else sends it here
RESET_TRIES, RESET_PAUSE_S = 30, 0.01

# Undo, in order: synchronised output, mouse reports, paste brackets, focus and resize reports, kitty keys,
# colours, the alternate screen; show the cursor, wrap lines.
RESET = (
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    "\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[<u\x1b[0m\x1b[?1049l\x1b[?25h\x1b[?7h\r"
)

TerminalState = list[Any]


class PanicSink(Protocol):
    """What the driver needs of the app; both calls come from the input thread."""

    meter: ByteMeter
    panic_watch: PanicWatch
    command_keys: frozenset[str]

    def panic_key(self, key: str) -> None:
        """Take a panic key."""
        ...

    def pasted_keys(self, text: str) -> None:
        """Learn that keys came as pasted text does; nothing was commanded by them."""
        ...

    def terminal_gone(self) -> None:
        """Learn that nobody can see or type any more."""
        ...


def save_terminal(fd: int = 0) -> TerminalState | None:
    """Return a terminal's settings for `restore_terminal`, None where there is no terminal."""
    try:
        return termios.tcgetattr(fd)
    except (termios.error, OSError):
        return None


def let_writes_be_interrupted() -> None:
    """Let `restore_terminal` reach a writer that sleeps; for the main thread, ahead.

    A signal without a handler interrupts nothing, and Textual's own are gone while it leaves.
    """
    signal.signal(WAKE, lambda *_: None)


def restore_terminal(fd: int = 2, saved: TerminalState | None = None) -> None:
    """Give the terminal back on a forced way out. Never raises; a gone terminal is no error.

    Whoever waits to write holds the terminal's lock: once writes do not block any more and what waited is
    dropped, that writer lets go, which may take a few tries.
    """
    with contextlib.suppress(OSError, termios.error):
        blocking = os.get_blocking(fd)
        os.set_blocking(fd, False)
        try:
            _write_through(fd, RESET.encode())
            if saved is not None:
                termios.tcsetattr(fd, termios.TCSANOW, saved)
        finally:
            os.set_blocking(fd, blocking)


def _write_through(fd: int, data: bytes) -> None:
    """Write to a terminal that may be full, dropping what is in the way; give up after 0.3 s."""
    for _ in range(RESET_TRIES):
        with contextlib.suppress(BlockingIOError):
            termios.tcflush(fd, termios.TCOFLUSH)  # a part that went before is dropped, too: all of it anew
            if os.write(fd, data) == len(data):
                return
        _wake_writer()
        select.select([], [], [], RESET_PAUSE_S)


def _wake_writer() -> None:
    """Interrupt Textual's writer: asleep in a write, it holds the terminal's lock until somebody reads."""
    for thread in threading.enumerate():
        if thread.name == WRITER_NAME and thread.ident is not None:
            signal.pthread_kill(thread.ident, WAKE)


def _in_background(fd: int) -> bool:
    """Tell whether a shell has the terminal now: setting it from there would stop this process again."""
    try:
        return os.tcgetpgrp(fd) != os.getpgrp()
    except OSError:
        return False  # no terminal that a shell could take


class _SafeFile:
    """The terminal as a file whose end is not an exception in the writer's thread."""

    def __init__(self, file: TextIO, driver: "TraderDriver") -> None:
        self._file = file
        self._driver = driver
        self.broken = False

    def write(self, text: str) -> int:
        if not self.broken:
            try:
                return self._file.write(text)
            except (OSError, ValueError):
                self._break()
        return len(text)

    def flush(self) -> None:
        if not self.broken:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self._break()

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return True

    def _break(self) -> None:
        self.broken = True
        self._driver.lost()


class TraderDriver(LinuxDriver):
    """Textual's Linux driver with the three things a trading console needs of its terminal."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._sink = cast("PanicSink", app)
        self._lost = False
        self._bursts = Bursts()
        assert sys.__stderr__ is not None
        self._file = cast("Any", _SafeFile(sys.__stderr__, self))

    @property
    def backlog(self) -> int:
        """Writes that wait for the terminal."""
        writer = self._writer_thread
        return writer._queue.qsize() if writer is not None else 0  # noqa: SLF001 - Textual shows it nowhere else

    def write(self, data: str) -> None:
        """Write, in as few bytes as say it, and count."""
        data = squeeze(data)
        self._sink.meter.add(len(data.encode()))
        super().write(data)

    def lost(self) -> None:
        """Report once that the terminal is gone."""
        if not self._lost:
            self._lost = True
            self._sink.terminal_gone()

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal up again after a stop, unless the shell has it.

        Textual would begin anew: with a second reader beside the first, and with the settings of the screen
        kept as those to give back.
        """
        if self._key_thread is None or _in_background(self.fileno):
            return
        with contextlib.suppress(OSError, termios.error):
            settings = termios.tcgetattr(self.fileno)
            settings[tty.LFLAG] = self._patch_lflag(settings[tty.LFLAG])
            settings[tty.IFLAG] = self._patch_iflag(settings[tty.IFLAG])
            termios.tcsetattr(self.fileno, termios.TCSANOW, settings)
            self._loop.call_soon_threadsafe(self._app.refresh)

    def process_message(self, message: Message) -> None:
        """Take panic keys out of the stream, here in the input thread: the UI loop may be blocked."""
        watch = self._sink.panic_watch
        if isinstance(message, events.Key):
            if message.key in watch.keys:
                self._sink.panic_key(message.key)
                return
            watch.reset()
        elif isinstance(message, events.Paste):
            watch.reset()
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Read keys until told to stop, the input ends or the terminal is gone.

        Textual's own loop spins when its input is at its end; this one leaves.
        """
        reader = KeyReader(debug=self._debug)
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            try:
                while not self.exit_event.is_set():
                    if selector.select(POLL_S):
                        data = self._read()
                        if not data:
                            self.lost()
                            return
                        self._take(reader.feed(data), selector, reader)
                    for event in reader.tick():
                        self.process_message(event)
            finally:
                reader.close()

    def _take(self, messages: list[Message], selector: selectors.BaseSelector, reader: KeyReader) -> None:
        """Handle what was read; a key that commands waits a moment for what may have been pasted with it."""
        commands = self._sink.command_keys
        for _ in range(GRACES_MAX if self._bursts.wants_more(messages, commands) else 0):
            if not selector.select(GRACE_S) or not (data := self._read()):
                break  # at its end the next reading finds it
            messages += reader.feed(data)
        panic = self._sink.panic_watch.keys
        kept, pasted = self._bursts.sort(messages, commands, time.monotonic(), panic)
        for message in kept:
            self.process_message(message)
        if pasted:
            self._sink.pasted_keys(pasted)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, READ_SIZE)
        except OSError:
            return b""
