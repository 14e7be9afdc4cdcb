"""The real driver on a pseudo-terminal: panic keys, the end of the line, and the terminal given back."""

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from engine.api import Snapshot
from tests.console_fakes import FakeLink, empty_snapshot, snapshot
from tui.app import ConsoleApp
from tui.driver import (
    RESET,
    WRITER_NAME,
    TraderDriver,
    let_writes_be_interrupted,
    restore_terminal,
    save_terminal,
)
from tui.settings import ConsoleSettings

F12 = b"\x1b[24~"
CTRL_BACKSLASH = b"\x1c"
PATIENCE_S = 10.0


class Terminal:
    """The far end of a pseudo-terminal: it types, and reads while it is told to."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.seen = b""
        self.reading = threading.Event()
        self.reading.set()
        self._closed = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._closed:
            self.reading.wait(0.1)
            if self.reading.is_set() and select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.master, 65_536)
                except OSError:
                    return

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def hang_up(self) -> None:
        """Close the far end, as a lost line does."""
        if not self._closed:
            self._closed = True
            self._thread.join()
            os.close(self.master)

    def close(self) -> None:
        self.hang_up()
        os.close(self.slave)


class PanicLink(FakeLink):
    """Tells a waiting thread that the panic arrived."""

    def __init__(self, *moments: Snapshot) -> None:
        super().__init__(moments)
        self.panicked = threading.Event()

    def panic(self) -> None:
        """Remember a panic and who sent it."""
        super().panic()
        self.panicked.set()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    line = Terminal()
    names = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU)
    handlers = {name: signal.getsignal(name) for name in names}
    with open(line.slave, closefd=False) as stdin, open(line.slave, "w", closefd=False) as stderr:
        monkeypatch.setattr(sys, "__stdin__", stdin)
        monkeypatch.setattr(sys, "__stderr__", stderr)
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setenv("LINES", "40")
        yield line
        line.reading.set()
        try:
            stderr.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), line.slave)
    for name, handler in handlers.items():
        signal.signal(name, handler)
    line.close()


@asynccontextmanager
async def running(link: FakeLink) -> AsyncIterator[ConsoleApp]:
    """Run a console with the real driver until the block ends it or it ends itself."""

    async def connect() -> FakeLink:
        return link

    app = ConsoleApp(connect, settings=ConsoleSettings())
    task = asyncio.create_task(app.run_async())
    await until(lambda: app.latest is not None)
    yield app
    if not task.done() and app.return_code is None:
        app.leave(0)
    await asyncio.wait_for(task, PATIENCE_S)


async def until(true: Callable[[], object]) -> None:
    """Wait for something to become true, for as long as patience lasts."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - what is awaited is another thread's or the terminal's
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("key", [F12, CTRL_BACKSLASH])
async def test_the_panic_key_acts_while_the_screen_is_blocked(terminal: Terminal, key: bytes) -> None:
    """The event loop stands still in this very test; only the input thread can have sent it."""
    link = PanicLink(snapshot())
    async with running(link) as app:
        terminal.type(key + key)
        assert link.panicked.wait(PATIENCE_S)
        assert link.panics == 1
        await until(lambda: any("Flatten sent" in note.message for note in app._notifications))


async def test_a_signal_flattens_without_asking(terminal: Terminal) -> None:
    """From its own thread."""
    link = PanicLink(snapshot())
    async with running(link) as app:
        threading.Thread(target=app.panic_now, args=("SIGUSR1",)).start()
        assert link.panicked.wait(PATIENCE_S)
        assert link.panics == 1


async def test_a_pasted_panic_key_does_nothing(terminal: Terminal) -> None:
    """Not within a paste, and not half within one."""
    link = PanicLink(snapshot())
    async with running(link):
        terminal.type(b"\x1b[200~" + CTRL_BACKSLASH * 2 + b"\x1b[201~")
        terminal.type(CTRL_BACKSLASH + b"\x1b[200~x\x1b[201~" + CTRL_BACKSLASH)
        terminal.type(b"j" + CTRL_BACKSLASH + b"j")
        terminal.type(F12 + F12)
        assert link.panicked.wait(PATIENCE_S)
        assert link.panics == 1


async def test_a_terminal_that_is_not_read_blocks_nothing(terminal: Terminal) -> None:
    """Frames are skipped, the loop goes on, the panic key works."""
    link = PanicLink(snapshot())
    async with running(link) as app:
        terminal.reading.clear()
        await until(lambda: app.governor.skipped > 3 or not _flood(app))
        assert app.governor.skipped > 3
        terminal.type(F12 + F12)
        assert link.panicked.wait(PATIENCE_S)
        terminal.reading.set()


def _flood(app: ConsoleApp) -> bool:
    """Redraw all there is, in two themes by turns."""
    driver = app._driver
    assert isinstance(driver, TraderDriver)
    if driver.backlog <= 2:
        app.refresh()
        app.latest = snapshot() if app.latest == empty_snapshot() else empty_snapshot()
    return True


async def test_a_lost_line_ends_the_console(terminal: Terminal) -> None:
    """With 129, as a hangup does; nothing spins."""
    link = PanicLink(snapshot())
    async with running(link) as app:
        terminal.hang_up()
        await until(lambda: app.return_code is not None)
        assert app.return_code == 129
    assert link.closed
    assert link.commands == []


async def test_leaving_from_another_thread_gives_the_terminal_back(terminal: Terminal) -> None:
    """A signal's thread says it, the loop does it."""
    before = termios.tcgetattr(terminal.slave)
    async with running(PanicLink(snapshot())) as app:
        assert termios.tcgetattr(terminal.slave) != before
        threading.Thread(target=app.leave, args=(143,)).start()
        await until(lambda: app.return_code == 143)
    assert termios.tcgetattr(terminal.slave) == before
    await until(lambda: b"\x1b[?1049l" in terminal.seen)
    tail = terminal.seen[terminal.seen.rindex(b"\x1b[?1049l") :]
    assert b"\x1b[?25h" in tail


async def test_keys_reach_the_app_and_bytes_are_counted(terminal: Terminal) -> None:
    """The driver is a terminal's driver first."""
    link = PanicLink(snapshot())
    async with running(link) as app:
        terminal.type(b"p")
        await until(lambda: link.commands)
        await until(lambda: b"BTCUSDT" in terminal.seen)
        assert app.meter.total > len(terminal.seen) * 0.9 > 1000  # the line adds carriage returns
        assert re.search(rb"\x1b\[\?2004h", terminal.seen)


async def test_after_a_stop_the_terminal_is_taken_up_again(terminal: Terminal) -> None:
    """A shell wrote over the screen and set the terminal its way; what was before comes back in the end."""
    before = termios.tcgetattr(terminal.slave)
    async with running(PanicLink(snapshot())) as app:
        await until(lambda: _whole(terminal))
        raw = termios.tcgetattr(terminal.slave)
        termios.tcsetattr(terminal.slave, termios.TCSANOW, before)
        terminal.seen = b""
        os.kill(os.getpid(), signal.SIGCONT)
        await until(lambda: _whole(terminal))
        assert termios.tcgetattr(terminal.slave) == raw
        assert [thread.name for thread in threading.enumerate()].count("textual-input") == 1
        app.leave(0)
    assert termios.tcgetattr(terminal.slave) == before


def _whole(terminal: Terminal) -> bool:
    """Tell whether what does not change by itself was painted, from the top to the bottom."""
    return all(text in terminal.seen for text in (b"SYMBOL", b"Positions", b"equity", b"Flatten"))


async def test_noise_on_the_line_is_painted_over_when_asked(terminal: Terminal) -> None:
    """Only what changed is painted otherwise."""
    async with running(PanicLink(snapshot())):
        await until(lambda: _whole(terminal))
        terminal.seen = b""
        terminal.type(b"\x0c")
        await until(lambda: _whole(terminal))


async def test_no_color_means_none(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bold, dim and reverse are left; dialogs have no colour either."""

    def used() -> set[bytes]:
        codes: list[bytes] = re.findall(rb"\x1b\[([0-9;]*)m", terminal.seen)
        return {number for code in codes for number in code.split(b";")}

    monkeypatch.setenv("NO_COLOR", "1")
    async with running(PanicLink(empty_snapshot())):
        terminal.type(b"a")
        await until(lambda: b"Arm paper" in terminal.seen and b"7" in used())
        assert used() <= {b"", b"0", b"1", b"2", b"4", b"7", b"39", b"49"}


def test_a_forced_way_out_restores_the_terminal(terminal: Terminal) -> None:
    """Modes off, cursor on, the old settings; and the line is left blocking as it was."""
    saved = save_terminal(terminal.slave)
    assert saved is not None
    changed = termios.tcgetattr(terminal.slave)
    changed[3] &= ~termios.ECHO
    termios.tcsetattr(terminal.slave, termios.TCSANOW, changed)
    restore_terminal(terminal.slave, saved)
    assert termios.tcgetattr(terminal.slave) == saved
    assert os.get_blocking(terminal.slave)
    deadline = threading.Event()
    for _ in range(100):
        if RESET.rstrip("\r").encode() in terminal.seen:
            break
        deadline.wait(0.05)
    assert RESET.rstrip("\r").encode() in terminal.seen


def test_a_writer_that_sleeps_lets_go_of_the_terminal_without_handlers_of_textuals(
    terminal: Terminal,
) -> None:
    """On its way out Textual has put its handlers away, and its writer may sleep all the same."""
    terminal.reading.clear()
    wrote: list[str] = []
    deadline = threading.Event()

    def write() -> None:
        try:
            while os.write(terminal.slave, b"x" * 1_024):
                wrote.append("a part")
        except BlockingIOError:
            wrote.append("let go")

    writer = threading.Thread(target=write, name=WRITER_NAME, daemon=True)
    before = signal.signal(signal.SIGWINCH, signal.SIG_DFL)
    let_writes_be_interrupted()
    writer.start()
    parts = -1
    while parts != (parts := len(wrote)):  # the line holds so much and no more: the writer sleeps
        deadline.wait(0.3)
    restore_terminal(terminal.slave)
    signal.signal(signal.SIGWINCH, before)
    writer.join(PATIENCE_S)
    terminal.reading.set()
    assert wrote[-1] == "let go"
    while RESET.rstrip("\r").encode() not in terminal.seen:
        assert not deadline.wait(0.05)


def test_restoring_what_is_no_terminal_is_no_error(terminal: Terminal) -> None:
    """The way out must not fail."""
    saved = save_terminal(terminal.slave)
    read, write = os.pipe()
    assert save_terminal(read) is None
    restore_terminal(write, saved)
    os.close(read)
    os.close(write)
    restore_terminal(write, saved)


async def test_a_defect_in_the_screen_gives_the_terminal_back(terminal: Terminal) -> None:
    """The console ends with 1 and says what it was; the engine, a process of its own, goes on."""
    before = termios.tcgetattr(terminal.slave)
    link = PanicLink(snapshot())
    async with running(link) as app:
        app.call_later(lambda: 1 / 0)
        await until(lambda: app.return_code is not None)
        assert app.return_code == 1
    assert termios.tcgetattr(terminal.slave) == before
    await until(lambda: b"\x1b[?1049l" in terminal.seen)
