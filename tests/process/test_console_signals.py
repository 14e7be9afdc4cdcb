"""The console's process: signals, a terminal that goes away, and an engine that outlives both."""

import signal

import psutil
import pytest

from engine.api import Phase
from tests.process.harness import LIMIT_S, eventually

pytestmark = pytest.mark.process


@pytest.fixture
def console(house, terminal):
    """A console with an engine that it started."""
    opened = terminal()
    opened.wait_drawing()
    eventually(house.pid, "the engine runs", show=lambda: opened.words)
    eventually(house.snapshot, "the engine answers")
    return opened


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_console_and_not_the_engine(house, console, number):
    pid = house.pid()
    console.process.send_signal(number)
    assert console.wait() == 128 + number
    assert console.restored()
    assert house.pid() == pid
    assert house.phase() is Phase.DISARMED


def test_sigusr1_is_forwarded_as_a_flatten(house, console):
    console.process.send_signal(signal.SIGUSR1)
    eventually(lambda: house.phase() is Phase.HALTED, "the engine flattens")
    assert console.process.poll() is None


def test_a_lost_terminal_ends_the_console_without_spinning(house, console):
    pid = house.pid()
    watched = psutil.Process(console.process.pid)
    before_s = sum(watched.cpu_times()[:2])
    console.hang_up()
    used_s = before_s
    while console.process.poll() is None:
        eventually(lambda: True, "")
        used_s = max(used_s, cpu_s(watched))
    assert console.wait() == 129
    assert used_s - before_s < 3, "a console that lost its terminal must not burn the processor"
    assert house.pid() == pid
    assert house.phase() is Phase.DISARMED


def cpu_s(process):
    """Return the processor time of a process, 0 once it is gone."""
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0.0


def test_the_engine_flattens_while_the_console_stands_still(house, terminal):
    engine = house.holding()
    console = terminal("attach")
    console.wait_drawing()
    console.process.send_signal(signal.SIGSTOP)
    engine.send_signal(signal.SIGUSR1)
    eventually(lambda: house.phase() is Phase.HALTED, "halted")
    assert not house.position()
    assert house.snapshot().flatten.step == "flat"
    console.process.send_signal(signal.SIGCONT)


def test_in_process_a_signal_ends_both(house, terminal):
    console = terminal("run", "--in-process")
    console.wait_drawing()
    eventually(house.snapshot, "the engine answers")
    assert house.pid() == console.process.pid
    console.process.send_signal(signal.SIGTERM)
    assert console.wait() == 143
    assert console.restored()
    assert house.gone()


def test_leaving_while_the_engine_starts_leaves_nothing_behind(house, terminal):
    console = terminal()
    console.wait_drawing()
    console.process.send_signal(signal.SIGTERM)
    assert console.wait() in (143, 128 + signal.SIGTERM)
    assert console.restored()
    eventually(lambda: house.gone() or house.snapshot(), "the engine is gone, or whole", timeout_s=LIMIT_S)
