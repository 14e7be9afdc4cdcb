"""One engine for each state directory: a lock that the kernel gives back when its process ends."""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from engine.domain.errors import LockHeldError
from engine.domain.market import NS_PER_S
from engine.storage.atomic import write_whole
from engine.storage.failures import os_failure

LOCK_NAME = "engine.lock"
OWNER_NAME = "engine.owner.json"
WAIT_S = 0.2  # somebody's look at the lock (`holder`) takes it for a moment
_POLL_S = 0.02


class LockOwner(msgspec.Struct, frozen=True):
    """Who holds, or last held, a lock: readable by anyone, without the lock. `since` is ns UTC."""

    pid: int
    host: str
    since: int
    instance: str


class InstanceLock:
    """The lock of one directory. The file lock decides; the owner file beside it only tells people who.

    It is held until `release`, until this object is gone, or until the process ends, however it ends.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = _file_lock(directory)

    def acquire(self, instance: str, now: int) -> None:
        """Take the lock or fail at once: LockHeldError names pid, host and since; StorageError the disk."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire(timeout=WAIT_S, poll_interval=_POLL_S)
        except Timeout:
            raise _held(self.directory, read_owner(self.directory)) from None
        except OSError as error:
            raise os_failure(self.directory / LOCK_NAME, "take the lock", error) from error
        owner = LockOwner(os.getpid(), socket.gethostname(), now, instance)
        try:
            write_whole(self.directory / OWNER_NAME, msgspec.json.encode(owner), durable=False)
        except OSError as error:
            self._lock.release()
            raise os_failure(self.directory / OWNER_NAME, "write the lock's owner", error) from error

    def release(self) -> None:
        """Give the lock back; nothing where it is not held."""
        if not self._lock.is_locked:
            return
        try:
            (self.directory / OWNER_NAME).unlink(missing_ok=True)
        except OSError as error:
            raise os_failure(self.directory / OWNER_NAME, "remove the lock's owner", error) from error
        finally:
            self._lock.release()

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock.is_locked


def read_owner(directory: Path) -> LockOwner | None:
    """Return who last said to hold the lock, None where nobody did or the file is damaged.

    After a crash the owner is stale: ask `holder` before acting on its pid.
    """
    try:
        return msgspec.json.decode((directory / OWNER_NAME).read_bytes(), type=LockOwner)
    except (OSError, msgspec.DecodeError):
        return None


def holder(directory: Path) -> LockOwner | None:
    """Return the owner only while its process really holds the lock: its pid may then be signalled."""
    if not (directory / LOCK_NAME).exists():
        return None
    probe = _file_lock(directory)
    try:
        probe.acquire(timeout=0)
    except Timeout:
        return read_owner(directory)
    except OSError as error:
        raise os_failure(directory / LOCK_NAME, "look at the lock", error) from error
    probe.release()
    return None


def _file_lock(directory: Path) -> FileLock:
    return FileLock(directory / LOCK_NAME, thread_local=False)


def _held(directory: Path, owner: LockOwner | None) -> LockHeldError:
    if owner is None:
        who = "another process that left no name"
    else:
        since = datetime.fromtimestamp(owner.since / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        who = f"pid {owner.pid} on {owner.host} since {since} (instance {owner.instance!r})"
    return LockHeldError(
        f"{directory}: this state directory is in use by {who}. "
        "Use `trader-tui attach` or `trader-tui stop`, or choose another --instance or --state-dir."
    )
