"""The engine's process: its one word at the start, its signals, and the watch over its loop."""

import asyncio
import io
import os
import signal
import sys
import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from engine.domain.errors import ConfigError, LockHeldError
from engine.runtime import process
from engine.runtime.process import Ready, Signals, Watchdog, Word, process_main, run_engine
from engine.storage.latch import Latch
from engine.storage.lock import InstanceLock
from tests.unit.runtime.rig import Lines, eventually, tape_settings


@pytest.fixture
def pipe():
    """A descriptor to write to and a way to read all that was written."""
    read_fd, write_fd = os.pipe()
    yield write_fd, lambda: msgspec.json.decode(os.read(read_fd, 65_536), type=Ready)
    os.close(read_fd)


def test_a_word_is_told_once(pipe):
    write_fd, read = pipe
    word = Word(write_fd)
    word.tell(Ready(ok=True))
    word.tell(Ready(ok=False, exit_code=1, message="too late"))
    assert read() == Ready(ok=True)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(write_fd)


def test_whoever_waited_may_be_gone():
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    Word(write_fd).tell(Ready(ok=True))
    Word(None).tell(Ready(ok=True))


def test_what_keeps_an_engine_from_starting_is_told_and_raised(tmp_path, pipe):
    write_fd, read = pipe
    settings = tape_settings(tmp_path)
    lock = InstanceLock(tmp_path / "state" / "default")
    lock.acquire("default", 0)
    with pytest.raises(LockHeldError) as caught:
        run_engine(settings, ready_fd=write_fd)
    lock.release()
    assert read() == Ready(ok=False, exit_code=3, message=str(caught.value))


def test_what_nobody_foresaw_is_told_too(tmp_path, pipe, monkeypatch):
    write_fd, read = pipe

    async def fail(*_args, **_options):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(process, "_run", fail)
    with pytest.raises(ZeroDivisionError):
        run_engine(tape_settings(tmp_path), ready_fd=write_fd)
    assert read() == Ready(ok=False, exit_code=1, message="ZeroDivisionError: oh")


def test_a_process_that_cannot_start_ends_with_the_error_s_exit_code(tmp_path, pipe, monkeypatch):
    write_fd, read = pipe
    settings = tape_settings(tmp_path).model_copy(update={"data": ()})
    monkeypatch.setattr(sys, "argv", ["engine", str(write_fd)])
    monkeypatch.setattr(sys, "stdin", io.StringIO(settings.to_json()))
    assert process_main() == ConfigError.exit_code == 2
    assert "give --data FILE" in read().message


class Watched:
    """An engine as signals and watchdog know it."""

    def __init__(self, folder):
        self.asked: list[tuple] = []
        self.log = Lines()
        self.beat_s = time.monotonic()
        self.context = SimpleNamespace(latch=Latch(folder), log=self.log.logger)

    def stop(self, why, exit_code):
        self.asked.append(("stop", why, exit_code))

    def flatten(self, actor):
        self.asked.append(("flatten", actor))

    def hang_up(self):
        self.asked.append(("hang up",))

    def report_stall(self, text):
        self.asked.append(("stall", text))


class Handed(Signals):
    """Signals that a test hands over instead of the system; two in a row end the process, as ever."""

    def _wait(self):
        """Wait for nothing."""


def handed(engine: Any) -> Signals:
    """Return what takes an engine's signals."""
    return Handed(engine, asyncio.get_running_loop())


def watch(engine: Any) -> Watchdog:
    """Watch over an engine's loop."""
    return Watchdog(engine, asyncio.get_running_loop())


@pytest.fixture
def engine(tmp_path):
    return Watched(tmp_path)


async def turn():
    """Let the loop do what other threads asked it to."""
    await asyncio.sleep(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_stops_in_order_and_the_second_leaves_at_once(engine, number, monkeypatch):
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    signals = handed(engine)
    signals._take(number)
    await turn()
    assert engine.asked == [("stop", signal.Signals(number).name, 128 + number)]
    assert left == []
    signals._take(signal.SIGINT)
    assert left == [130]


async def test_sigusr1_sets_the_latch_before_the_loop_has_to_turn(engine):
    signals = handed(engine)
    signals._take(signal.SIGUSR1)
    assert engine.context.latch.text() == "flatten by SIGUSR1"
    assert engine.asked == []
    await turn()
    assert engine.asked == [("flatten", "SIGUSR1")]


async def test_sigusr1_flattens_also_where_the_latch_cannot_be_set(tmp_path):
    engine = Watched(tmp_path / "gone")
    handed(engine)._take(signal.SIGUSR1)
    await turn()
    assert engine.asked == [("flatten", "SIGUSR1")]


async def test_sighup_is_left_to_the_settings(engine):
    handed(engine)._take(signal.SIGHUP)
    await turn()
    assert engine.asked == [("hang up",)]


async def test_a_loop_that_stands_still_is_said_at_once_and_raised_when_it_turns(engine, monkeypatch):
    monkeypatch.setattr(process, "STALL_S", 0.05)
    monkeypatch.setattr(process, "WATCH_S", 0.01)
    watch(engine)
    deadline_s = time.monotonic() + 10
    while "the engine's loop is stalled" not in engine.log.events:  # nothing else turns meanwhile
        assert time.monotonic() < deadline_s
    assert engine.asked == []
    await eventually(lambda: engine.asked)
    assert engine.asked[0][1].startswith("the engine's loop stood still for 0.")


async def test_a_loop_that_turns_is_left_alone(engine, monkeypatch):
    monkeypatch.setattr(process, "WATCH_S", 0.001)
    seen = []

    class Turning(Watched):
        @property
        def beat_s(self):
            seen.append(1)
            return time.monotonic()

        @beat_s.setter
        def beat_s(self, _value):
            pass

    turning = Turning(engine.context.latch.path.parent)
    watch(turning)
    await eventually(lambda: len(seen) > 5)
    assert turning.asked == []
