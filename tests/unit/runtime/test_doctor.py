"""What the doctor finds on a machine, on a real file system and among real processes."""

import ctypes
import os
import subprocess
import sys
import time

import psutil
import pytest

from engine.config.settings import Settings
from engine.domain.market import NS_PER_S
from engine.runtime.doctor import (
    Check,
    Verdict,
    check_clock,
    check_disk,
    check_key_file,
    check_permissions,
    check_processes,
    examine_machine,
)
from engine.runtime.machinefacts import engine_pids, is_clock_kept, nearest, newest_change_ns
from engine.storage.lock import LOCK_NAME, InstanceLock

OK, WARN, FAIL, SKIPPED = Verdict
NOW = 1_700_000_000 * NS_PER_S


@pytest.fixture
def home(tmp_path):
    """An instance's folder, as an engine makes it."""
    folder = tmp_path / "state" / "default"
    folder.mkdir(parents=True, mode=0o700)
    return folder


@pytest.mark.parametrize(
    ("newest", "is_kept", "verdict", "text"),
    [
        (0, True, OK, "it is not behind the last session, and is kept by NTP"),
        (NOW + 2 * NS_PER_S, None, OK, "it is not behind the last session"),
        (NOW, False, WARN, "nobody keeps it in time (no NTP)"),
        (NOW + 90 * NS_PER_S, True, FAIL, "it is 90 s behind the newest file of the state folder"),
    ],
)
def test_the_clock(newest, is_kept, verdict, text):
    check = check_clock(NOW, newest, is_kept=is_kept)
    assert (check.verdict, check.text) == (verdict, text)


@pytest.mark.parametrize(("free_gb", "verdict"), [(0.4, FAIL), (4.0, WARN), (5.3, OK)])
def test_the_disk(home, free_gb, verdict):
    check = check_disk(home, round(free_gb * 1e9), 5.0)
    assert check.verdict is verdict
    assert f"{free_gb} GB free" in check.text


def test_a_state_folder_that_is_ours_alone(home):
    assert check_permissions(home).verdict is OK


def test_a_state_folder_that_is_not_there_yet(tmp_path):
    assert check_permissions(tmp_path / "new" / "default") == Check(
        "state", OK, f"{tmp_path / 'new' / 'default'} will be made"
    )


def test_a_state_folder_that_others_can_enter(home):
    home.chmod(0o750)
    check = check_permissions(home)
    assert (check.verdict, check.remedy) == (FAIL, f"Run: chmod 700 {home}")


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_a_state_folder_that_cannot_be_written_to_by_us(home):
    home.chmod(0o500)
    assert check_permissions(home).verdict is FAIL


def test_a_state_folder_that_cannot_be_written_to(home, monkeypatch):
    monkeypatch.setattr("engine.runtime.doctor.is_writable", lambda _: False)
    check = check_permissions(home / "paper")
    assert (check.verdict, check.text) == (FAIL, f"{home} cannot be written to")


def test_the_key_file(tmp_path):
    file = tmp_path / "keys.yaml"
    assert check_key_file(file).verdict is OK
    file.write_text("bybit: {}\n")
    file.chmod(0o640)
    check = check_key_file(file)
    assert (check.verdict, check.remedy) == (FAIL, f"Run: chmod 600 {file}")
    file.chmod(0o600)
    assert check_key_file(file) == Check("keys", OK, f"{file} is ours alone")


# processes


def test_no_engine_runs(home, monkeypatch):
    monkeypatch.setattr("engine.runtime.doctor.engine_pids", lambda: iter(()))
    assert check_processes(home) == Check("engines", OK, "none runs")


def test_an_engine_that_does_not_answer(home):
    lock = InstanceLock(home)
    lock.acquire("default", NOW)
    try:
        check = check_processes(home)
    finally:
        lock.release()
    assert check.verdict is FAIL
    assert f"the engine of default (pid {os.getpid()}) does not answer" in check.text
    assert "flatten --direct --instance default" in check.remedy


def test_an_engine_that_answers_is_named(home, monkeypatch):
    monkeypatch.setattr("engine.runtime.doctor.engine_pids", lambda: iter((os.getpid(),)))
    monkeypatch.setattr("engine.runtime.ask.fetch_status", lambda *_, **__: ())
    lock = InstanceLock(home)
    lock.acquire("default", NOW)
    try:
        assert check_processes(home) == Check("engines", OK, f"running: default (pid {os.getpid()})")
    finally:
        lock.release()


def test_an_engine_of_another_host_is_not_asked(home, monkeypatch):
    monkeypatch.setattr("engine.runtime.doctor.engine_pids", lambda: iter(()))
    lock = InstanceLock(home)
    lock.acquire("default", NOW)
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    try:
        assert check_processes(home).verdict is OK
    finally:
        lock.release()


def test_a_lock_without_a_name_beside_it(home, monkeypatch):
    lock = InstanceLock(home)
    lock.acquire("default", NOW)
    (home / "engine.owner.json").unlink()
    try:
        check = check_processes(home)
    finally:
        lock.release()
    assert check.verdict is FAIL
    assert LOCK_NAME in check.text


def test_an_engine_process_that_holds_nothing_is_told(home):
    process = subprocess.Popen([sys.executable, "-P", "-m", "engine", "1"], stdin=subprocess.PIPE)
    try:
        deadline_s = time.monotonic() + 10
        while process.pid not in engine_pids():
            assert time.monotonic() < deadline_s, "it is seen"
        check = check_processes(home)
        assert check.verdict is WARN
        assert str(process.pid) in check.text
    finally:
        process.kill()
        process.communicate()


def test_a_process_that_ends_while_it_is_looked_at_is_passed_over(monkeypatch):
    class Ended:
        def uids(self):
            raise psutil.NoSuchProcess(1)

    monkeypatch.setattr(psutil, "process_iter", lambda: [Ended()])
    assert list(engine_pids()) == []


# the machine


def test_the_kernel_says_whether_its_clock_is_kept():
    assert is_clock_kept() in (True, False, None)


@pytest.mark.parametrize(("state", "kept"), [(0, True), (5, False), (-1, None)])
def test_what_the_kernel_says_of_its_clock(monkeypatch, state, kept):
    class Library:
        def adjtimex(self, _buffer):
            return state

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Library())
    assert is_clock_kept() is kept


def test_a_system_without_that_question(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    assert is_clock_kept() is None


def test_the_nearest_folder_that_exists(tmp_path):
    assert nearest(tmp_path / "a" / "b") == tmp_path


def test_the_newest_file_of_an_instance(home):
    assert newest_change_ns(home) == 0
    (home / "paper" / "checkpoints").mkdir(parents=True)
    for name, at in (("engine.lock", 5), ("paper/engine.sqlite", 7), ("paper/checkpoints/1.checkpoint", 9)):
        (home / name).write_text("")
        os.utime(home / name, ns=(at, at * NS_PER_S))
    assert newest_change_ns(home) == 9 * NS_PER_S


def test_the_whole_machine(home):
    settings = Settings(state_dir=home.parent, keys_file=home / "keys.yaml")
    names = [check.name for check in examine_machine(settings, time.time_ns())]
    assert names == ["clock", "disk", "state", "keys", "engines"]
    elsewhere = settings.model_copy(update={"instance": "none"})
    assert next(iter(examine_machine(elsewhere, time.time_ns()))).verdict in (OK, WARN)
