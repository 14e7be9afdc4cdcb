"""One engine for each state directory: a lock that the kernel gives back when its process ends."""

import fcntl
import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine.domain.errors import LockHeldError, StorageError
from engine.domain.market import NS_PER_S
from engine.storage.atomic import make_directory, write_whole
from engine.storage.failures import os_failure

LOCK_NAME = "engine.lock"
OWNER_NAME = "engine.owner.json"
WAIT_S = 0.2  # somebody's look at the lock shares it for a moment; whoever takes it then writes its name
_POLL_S = 0.005


class LockOwner(msgspec.Struct, frozen=True):
    """Who holds, or last held, a lock: readable by anyone, without the lock. `since` is ns UTC."""

    pid: int
    host: str
    since: int
    instance: str


def _directory_in_use(directory: Path, who: str) -> str:
    return (
        f"{directory}: this state directory is in use by {who}. "
        "Use `trader-tui attach` or `trader-tui stop`, or choose another --instance or --state-dir."
    )


class InstanceLock:
    """The lock of one directory. The file lock decides; the owner file beside it only tells people who.

    It is held until `release`, until this object is gone, or until the process ends, however it ends.
    """

    def __init__(self, directory: Path, refused: Callable[[Path, str], str] = _directory_in_use) -> None:
        """`refused` writes the message to whoever comes second: of which directory, and who has it."""
        self.directory, self._refused = directory, refused
        self._descriptor = -1

    def __del__(self) -> None:
        self._let_go()

    def acquire(self, instance: str, now: int) -> None:
        """Take the lock or fail at once: LockHeldError names pid, host and since; StorageError the disk."""
        assert not self.held, "taken once"
        try:
            make_directory(self.directory)
            self._descriptor = self._taken()
        except BlockingIOError:
            raise LockHeldError(self._refused(self.directory, _who(read_owner(self.directory)))) from None
        except OSError as error:
            raise os_failure(self.directory / LOCK_NAME, "take the lock", error) from error
        owner = LockOwner(os.getpid(), socket.gethostname(), now, instance)
        try:
            write_whole(self.directory / OWNER_NAME, msgspec.json.encode(owner), durable=False)
        except OSError as error:
            self._let_go()
            raise os_failure(self.directory / OWNER_NAME, "write the lock's owner", error) from error

    def refuse_while_held(self) -> None:
        """Raise LockHeldError, as `acquire` would, before the work of a start that must fail is begun."""
        deadline_s = time.monotonic() + WAIT_S
        while is_held(self.directory):
            if time.monotonic() > deadline_s:
                raise LockHeldError(self._refused(self.directory, _who(read_owner(self.directory))))
            time.sleep(_POLL_S)

    def release(self) -> None:
        """Give the lock back; nothing where it is not held."""
        if not self.held:
            return
        try:
            (self.directory / OWNER_NAME).unlink(missing_ok=True)
        except OSError as error:
            raise os_failure(self.directory / OWNER_NAME, "remove the lock's owner", error) from error
        finally:
            self._let_go()

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor >= 0

    def _taken(self) -> int:
        """Return the locked file. Raises BlockingIOError where another process keeps it, OSError."""
        path = self.directory / LOCK_NAME
        deadline_s = time.monotonic() + WAIT_S
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_nlink:
                    return descriptor
                os.close(descriptor)  # the folder was deleted meanwhile: this lock guards no name
            except BlockingIOError:
                os.close(descriptor)
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(_POLL_S)
            except BaseException:
                os.close(descriptor)
                raise

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)  # the lock goes with its last descriptor


def read_owner(directory: Path) -> LockOwner | None:
    """Return who last said to hold the lock, None where nobody did or the file is damaged.

    After a crash the owner is stale: ask `holder` before acting on its pid.
    """
    try:
        return msgspec.json.decode((directory / OWNER_NAME).read_bytes(), type=LockOwner)
    except (OSError, msgspec.DecodeError):
        return None


def is_held(directory: Path) -> bool:
    """Tell whether a process holds the lock of a directory. Raises StorageError where that cannot be seen.

    The look shares the lock: two that look at the same time do not see each other.
    """
    try:
        descriptor = os.open(directory / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except BlockingIOError:
        return True
    except OSError as error:
        raise os_failure(directory / LOCK_NAME, "look at the lock", error) from error
    return False


def refuse_while_held(directory: Path) -> None:
    """Raise LockHeldError where a process holds the lock of a state directory."""
    InstanceLock(directory).refuse_while_held()


def holder(directory: Path) -> LockOwner | None:
    """Return the owner only while its process really holds the lock: its pid may then be signalled.

    Raises StorageError where the lock is held and its owner's name cannot be read: that is not nobody.
    """
    deadline_s = time.monotonic() + WAIT_S
    while is_held(directory):
        if (owner := read_owner(directory)) is not None:
            return owner
        if time.monotonic() > deadline_s:
            raise StorageError(
                f"{directory}: an engine holds {LOCK_NAME}, but {OWNER_NAME} beside it does not say who. "
                f"`fuser {directory / LOCK_NAME}` shows its process."
            )
        time.sleep(_POLL_S)  # it has just taken the lock, or is about to give it back
    return None


def _who(owner: LockOwner | None) -> str:
    if owner is None:
        return "another process that left no name"
    since = datetime.fromtimestamp(owner.since / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"pid {owner.pid} on {owner.host} since {since} (instance {owner.instance!r})"
