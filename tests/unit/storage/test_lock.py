import fcntl
import os
import socket
import subprocess
import sys
import threading

import pytest

from engine.domain.errors import LockHeldError, StorageError
from engine.domain.market import NS_PER_S
from engine.storage.lock import (
    LOCK_NAME,
    OWNER_NAME,
    WAIT_S,
    InstanceLock,
    LockOwner,
    holder,
    is_held,
    read_owner,
    refuse_while_held,
)

SINCE = 1_720_000_000 * NS_PER_S

HOLD_AND_DIE = """
import os, signal, sys
from pathlib import Path
from engine.storage.lock import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
lock.acquire("default", 1_720_000_000_000_000_000)
print("held", flush=True)
sys.stdin.read()
"""


def pid_of(owner):
    return owner and owner.pid


@pytest.fixture
def other_engine(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_DIE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_holder_is_written_beside_the_lock(tmp_path):
    lock = InstanceLock(tmp_path / "state")
    assert holder(tmp_path / "state") is None
    lock.acquire("default", SINCE)
    assert lock.held
    me = LockOwner(os.getpid(), socket.gethostname(), SINCE, "default")
    assert read_owner(tmp_path / "state") == me
    assert holder(tmp_path / "state") == me
    lock.release()
    lock.release()
    assert not lock.held
    assert read_owner(tmp_path / "state") is None
    assert holder(tmp_path / "state") is None


def test_a_second_engine_is_refused_naming_pid_host_and_since(tmp_path, other_engine):
    with pytest.raises(LockHeldError) as refused:
        InstanceLock(tmp_path).acquire("default", SINCE)
    text = str(refused.value)
    assert f"pid {other_engine.pid} on {socket.gethostname()} since 2024-07-03 09:46:40 UTC" in text
    assert "choose another --instance or --state-dir" in text
    assert pid_of(holder(tmp_path)) == other_engine.pid


def test_a_start_beside_an_engine_is_refused_before_it_begins_and_takes_no_lock(tmp_path, other_engine):
    with pytest.raises(LockHeldError, match=f"in use by pid {other_engine.pid} on "):
        refuse_while_held(tmp_path)


def test_a_start_where_no_engine_runs_is_not_refused(tmp_path):
    refuse_while_held(tmp_path / "nothing there")
    lock = InstanceLock(tmp_path)
    lock.acquire("main", 0)
    lock.release()
    refuse_while_held(tmp_path)


def test_a_killed_engine_leaves_its_name_but_not_its_lock(tmp_path, other_engine):
    other_engine.kill()
    other_engine.wait()
    assert pid_of(read_owner(tmp_path)) == other_engine.pid
    assert holder(tmp_path) is None, "its pid must not be signalled: it may belong to somebody else by now"
    lock = InstanceLock(tmp_path)
    lock.acquire("default", SINCE)
    assert pid_of(read_owner(tmp_path)) == os.getpid()
    lock.release()


@pytest.mark.parametrize("text", ["", "{", '{"pid": "x"}'])
def test_a_damaged_owner_file_does_not_hide_that_the_lock_is_held(tmp_path, other_engine, text):
    (tmp_path / OWNER_NAME).write_text(text)
    assert read_owner(tmp_path) is None
    with pytest.raises(LockHeldError, match="left no name"):
        InstanceLock(tmp_path).acquire("default", SINCE)
    assert is_held(tmp_path)
    with pytest.raises(StorageError, match=r"engine holds engine\.lock.*does not say who"):
        holder(tmp_path)


def test_where_no_folder_can_be_nobody_holds_a_lock(tmp_path):
    (tmp_path / "file").write_text("")
    assert not is_held(tmp_path / "file")
    assert not is_held(tmp_path / "file" / "default")


def test_two_that_look_at_a_lock_do_not_see_each_other(tmp_path, other_engine):
    other_engine.kill()
    other_engine.wait()
    with (tmp_path / LOCK_NAME).open() as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        assert not is_held(tmp_path)
        assert holder(tmp_path) is None, "its stale owner must not be signalled"


def test_a_look_that_takes_long_does_not_keep_an_engine_out_for_good(tmp_path):
    lock = InstanceLock(tmp_path)
    lock.acquire("default", SINCE)
    lock.release()
    with (tmp_path / LOCK_NAME).open() as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        threading.Timer(WAIT_S / 4, looker.close).start()
        lock.acquire("default", SINCE)
    lock.release()


def test_a_lock_whose_folder_is_deleted_while_it_is_taken_guards_nothing(tmp_path, monkeypatch):
    real = fcntl.flock
    deleted: list[int] = []

    def flock(descriptor, operation):
        real(descriptor, operation)
        if not deleted:
            (tmp_path / LOCK_NAME).unlink()
            deleted.append(descriptor)

    monkeypatch.setattr(fcntl, "flock", flock)
    lock = InstanceLock(tmp_path)
    lock.acquire("default", SINCE)
    assert is_held(tmp_path)
    lock.release()


def test_a_lock_nobody_refers_to_any_more_is_given_back(tmp_path):
    InstanceLock(tmp_path).acquire("default", SINCE)
    assert not is_held(tmp_path)


def test_two_locks_of_one_process_exclude_each_other(tmp_path):
    first, second = InstanceLock(tmp_path), InstanceLock(tmp_path)
    first.acquire("default", SINCE)
    with pytest.raises(LockHeldError):
        second.acquire("default", SINCE)
    first.release()
    second.acquire("default", SINCE)
    second.release()


def test_a_read_only_directory_is_named(read_only):
    directory = read_only.make()
    with read_only(directory), pytest.raises(StorageError, match=r"engine\.lock.*Make it writable"):
        InstanceLock(directory).acquire("default", SINCE)


def test_a_disk_that_cannot_take_the_owner_gives_the_lock_back(tmp_path, file_size_limit):
    lock = InstanceLock(tmp_path)
    with file_size_limit(0), pytest.raises(StorageError, match="write the lock's owner"):
        lock.acquire("default", SINCE)
    assert not lock.held
    lock.acquire("default", SINCE)
    lock.release()


def test_a_disk_that_became_read_only_still_lets_go_of_the_lock(read_only):
    lock = InstanceLock(read_only.make())
    lock.acquire("default", SINCE)
    with read_only(lock.directory), pytest.raises(StorageError, match="remove the lock's owner"):
        lock.release()
    assert holder(lock.directory) is None


def test_a_lock_that_may_not_be_looked_at_is_an_error(tmp_path):
    (tmp_path / "engine.lock").symlink_to("engine.lock")
    with pytest.raises(StorageError, match="look at the lock"):
        holder(tmp_path)
