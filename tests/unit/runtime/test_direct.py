"""`flatten --direct`: when the engine does not answer, it is ended, and another one does its last duty."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import engine
from engine.domain.errors import ControlError, LockHeldError, StorageError
from engine.runtime import direct
from engine.runtime.direct import flatten_direct
from engine.storage.latch import Latch
from engine.storage.lock import OWNER_NAME, InstanceLock, read_owner
from tests.unit.runtime.rig import run_engine, tape_settings

# A process of its own, as the command line's: its signals are blocked before anything else happens.
DIRECT = """
import sys
from engine.runtime.sigmask import block_signals
block_signals()
from engine.config.settings import Settings
from engine.runtime.direct import flatten_direct
import msgspec
report = flatten_direct(Settings.from_json(sys.stdin.read()), lambda text: print(text, file=sys.stderr))
print(msgspec.json.encode(report).decode())
"""


async def played(tmp_path, **changes):
    """A session that ended with an open position; its settings and directory."""
    settings = tape_settings(tmp_path, **changes)
    report = await run_engine(settings, {101: lambda running: running.stop("enough")})
    assert report.positions
    return settings, tmp_path / "state" / "default"


def held(directory, **changes):
    """Hold a directory's lock, as an engine with changed facts about itself would."""
    lock = InstanceLock(directory)
    lock.acquire("default", 0)
    owner = read_owner(directory)
    assert owner is not None
    changed = msgspec.structs.replace(owner, **changes)
    (directory / OWNER_NAME).write_bytes(msgspec.json.encode(changed))
    return lock


def test_without_a_session_there_is_nothing_to_flatten(tmp_path):
    with pytest.raises(ControlError, match="no session was ever recorded here"):
        flatten_direct(tape_settings(tmp_path), pytest.fail)
    assert not (tmp_path / "state").exists()


async def test_an_engine_on_another_machine_is_left_alone_and_latched(tmp_path):
    settings, directory = await played(tmp_path)
    lock = held(directory, host="elsewhere")
    told: list[str] = []
    with pytest.raises(LockHeldError, match="the engine runs on elsewhere; flatten it there"):
        flatten_direct(settings, told.append)
    lock.release()
    assert Latch(directory).text() == "flatten --direct"
    assert told == [f"latch set: {directory}"]


async def test_a_process_that_does_not_let_go_is_named(tmp_path, monkeypatch):
    settings, directory = await played(tmp_path)
    monkeypatch.setattr(direct, "TERM_S", 0.06)
    monkeypatch.setattr(direct, "KILL_S", 0.06)
    sleeper = idle_process()
    lock = held(directory, pid=sleeper.pid)
    told: list[str] = []
    with pytest.raises(StorageError, match=f"pid {sleeper.pid} still holds the lock after SIGKILL"):
        flatten_direct(settings, told.append)
    assert sleeper.wait(10) < 0
    assert told[1:] == [f"SIGTERM to pid {sleeper.pid}", f"SIGKILL to pid {sleeper.pid}"]
    with pytest.raises(StorageError):  # the process is gone, and somebody else holds its lock
        flatten_direct(settings, told.append)
    lock.release()


def idle_process():
    """Start a process that waits."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def run_direct(settings):
    """Flatten from a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", DIRECT],
        input=settings.to_json(),
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path(engine.__file__).parents[1])},
        check=False,
    )


async def test_what_an_engine_left_open_is_closed_from_its_last_state(tmp_path):
    settings, directory = await played(tmp_path, mode="replay")
    done = await asyncio.to_thread(run_direct, settings)
    assert done.returncode == 0, done.stderr
    assert '"exit_code":0' in done.stdout
    assert '"positions":[]' in done.stdout
    assert "taking up session" in done.stderr
    assert Latch(directory).engaged()
