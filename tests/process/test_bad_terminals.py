"""Terminals that behave badly, and every way out: the console ends in time and gives the terminal back."""

import re
import signal
import threading
import time

import psutil
import pytest

from engine.api import Phase
from tests.process.harness import eventually
from tests.process.terminals import ALTERNATE_ON

pytestmark = pytest.mark.process

RESIZES, STORM_S = 1_000, 2.0
LEAVES_WITHIN_S = 2.5  # 2 s are promised, and the machine is busy
CPU_MAX_S = 6.0
F12 = b"\x1b[24~"


@pytest.fixture
def console(house, terminal):
    """A console with an engine that it started."""
    opened = terminal()
    opened.wait_drawing()
    eventually(house.snapshot, "the engine answers", show=lambda: opened.words)
    eventually(lambda: b"DISARMED" in opened.drawn, "live data is shown")
    return opened


@pytest.fixture
def unread(console):
    """The same behind a line that takes nothing any more; its screen wants to be drawn anew all the time."""
    console.reading.clear()
    for _ in range(40):
        press(console, b"t")
    yield console
    console.reading.set()


def press(console, key):
    """Press a key as a hand does: what comes all at once counts as pasted."""
    threading.Event().wait(0.06)
    console.type(key)


def lowest_row(drawn: bytes) -> int:
    """Return the lowest row that was addressed."""
    return max((int(row) for row in re.findall(rb"\x1b\[(\d+);\d+H", drawn)), default=0)


def test_a_storm_of_resizes_ends_with_the_last_size(house, console):
    watched = psutil.Process(console.process.pid)
    before_s = sum(watched.cpu_times()[:2])
    pause, sent = threading.Event(), time.monotonic()
    for step in range(RESIZES):
        console.resize(60 + step % 120, 16 + step % 40)
        pause.wait(max(0.0, sent + STORM_S * step / RESIZES - time.monotonic()))
    console.resize(97, 31)
    eventually(lambda: console.process.poll() is None, "it lives")
    pause.wait(1.0)
    console.forget()
    console.type(b"t")  # another theme: everything is drawn anew
    eventually(
        lambda: lowest_row(console.drawn) == 31, "31 rows", show=lambda: str(lowest_row(console.drawn))
    )
    pause.wait(1.0)
    assert lowest_row(console.drawn) == 31
    used_s = sum(watched.cpu_times()[:2]) - before_s
    assert used_s < CPU_MAX_S, f"{used_s:.1f} s of processor for {RESIZES} resizes"
    console.type(b"p")
    eventually(lambda: house.snapshot().status.paused, "keys still count")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_console_that_nobody_reads(house, unread, number):
    sent = time.monotonic()
    unread.process.send_signal(number)
    assert unread.wait() == 128 + number
    assert time.monotonic() - sent < LEAVES_WITHIN_S
    unread.reading.set()
    eventually(unread.restored, "the terminal is as it was", show=lambda: repr(unread.drawn[-300:]))
    assert house.phase() is Phase.DISARMED


def test_a_second_signal_does_not_wait(unread):
    unread.process.send_signal(signal.SIGTERM)
    unread.process.send_signal(signal.SIGINT)
    assert unread.wait() in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    unread.reading.set()
    eventually(unread.restored, "the terminal is as it was")


def test_the_panic_key_flattens_while_nobody_reads(house, unread):
    unread.type(F12 + F12)
    eventually(lambda: house.phase() is Phase.HALTED, "the engine flattens")


def test_an_unread_screen_does_not_burn_the_processor(unread):
    watched = psutil.Process(unread.process.pid)
    before_s = sum(watched.cpu_times()[:2])
    threading.Event().wait(2.0)
    assert sum(watched.cpu_times()[:2]) - before_s < 1.5


def test_a_terminal_that_hangs_up_while_it_is_not_read_ends_the_console(house, unread):
    unread.reading.set()
    unread.hang_up()
    assert unread.wait() == 129
    assert house.phase() is Phase.DISARMED


def test_ctrl_c_twice_leaves_and_restores(house, console):
    console.type(b"\x03")
    eventually(lambda: b"again within" in console.drawn, "it is said what the second one does")
    console.type(b"\x03")
    assert console.wait() == 0
    assert console.restored()
    eventually(house.gone, "paper leaves nothing behind")


def test_detaching_restores(house, console):
    console.type(b"\x11")
    eventually(lambda: b"Detach" in console.drawn, "the dialog")
    press(console, b"\x1b[H")
    press(console, b"\x1b[B")
    press(console, b"\r")
    assert console.wait() == 0
    assert console.restored()
    assert "Detached" in console.words
    assert house.phase() is Phase.DISARMED


def test_ctrl_z_is_no_way_out(house, console):
    press(console, b"\x1a")
    press(console, b"p")
    eventually(lambda: house.snapshot().status.paused, "it was not suspended")
    assert psutil.Process(console.process.pid).status() != psutil.STATUS_STOPPED


@pytest.mark.parametrize(("words", "code"), [(("--theme", "neon"), 2), (("--mode", "nowhere"), 2)])
def test_what_is_refused_never_takes_the_screen(terminal, words, code):
    refused = terminal("run", *words)
    assert refused.wait() == code
    assert ALTERNATE_ON not in refused.drawn
    assert refused.restored()


def test_no_engine_to_attach_to_gives_the_screen_back(terminal):
    lonely = terminal("attach")
    assert lonely.wait() == 1
    eventually(lonely.restored, "the terminal is as it was")
    assert "no engine runs" in lonely.words


def test_the_first_page_is_shown_once_on_a_fresh_account(house, terminal):
    house.env |= {"TRADER_TUI_CONSOLE__WELCOME": "true"}
    first = terminal()
    eventually(lambda: b"Welcome to trader-tui" in first.drawn, "the first page")
    first.type(b" ")
    marker = house.state_dir / ".console.json"
    eventually(lambda: marker.is_file() and b"welcomed" in marker.read_bytes(), "it is remembered")
    first.process.send_signal(signal.SIGTERM)
    assert first.wait() == 143
    again = terminal("attach")
    eventually(lambda: b"DISARMED" in again.drawn, "live data")
    assert b"Welcome to trader-tui" not in again.drawn


@pytest.mark.parametrize(
    ("env", "absent", "present"),
    [
        ({"LC_ALL": "C"}, "─│▶", b"+-"),
        ({"TERM": "linux"}, "╭▶…▁", "┌─".encode()),
        ({"TERM": "screen", "COLORTERM": ""}, "", b"\x1b["),
    ],
)
def test_poor_terminals_get_what_they_have(house, terminal, env, absent, present):
    house.env |= env
    opened = terminal()
    eventually(lambda: b"DISARMED" in opened.drawn and present in opened.drawn, "it draws")
    text = opened.drawn.decode(errors="replace")
    assert not set(text) & set(absent)
    if "TERM" in env:
        assert not re.search(r"\x1b\[[0-9;]*[34]8;[25];", text), "no colour but the terminal's own sixteen"
