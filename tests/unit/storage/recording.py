"""SQLite on a disk that remembers in which order it was written and synced.

Python's sqlite3 takes no VFS of ours, apsw's SQLite does: RecordingConnection is the engine's own
BatchConnection, but its statements run there. All above it (Database with its pragmas and migrations, the
group commit, SqliteJournal) is the engine's code, unchanged.
"""

import sqlite3
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import pytest

from engine.storage import database
from engine.storage.transaction import Batch, BatchConnection

MAIN = "engine.sqlite"
_VFS = "recording"


class Created(NamedTuple):
    """A file came to be; until the directory is synced its name may be lost."""

    file: int
    name: str


class Written(NamedTuple):
    """Bytes were handed to the system."""

    file: int
    offset: int
    data: bytes


class Cut(NamedTuple):
    """A file was cut to a size."""

    file: int
    size: int


class Synced(NamedTuple):
    """What was written to a file before is on the disk; with `names`, so is the directory."""

    file: int
    names: bool


class Deleted(NamedTuple):
    """A name was taken away; `durable` where the directory was synced with it."""

    name: str
    durable: bool


class Reported(NamedTuple):
    """The engine was told that a batch is durable."""

    batch: int


Step = Created | Written | Cut | Synced | Deleted | Reported


class Recording:
    """What one process did to the files of a database, in order. Leave with `end`.

    `lying`: the disk says that it has synced, and has not.
    """

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, *, lying: bool = False) -> None:
        self.steps: list[Step] = []
        self.files: dict[str, int] = {}  # by name; those that stood here before are numbered first
        self.lying = lying
        self._numbered = 0
        for path in sorted(home.iterdir()):
            self._number(path.name)
        self._vfs = _Vfs(self)
        monkeypatch.setattr(database, "BatchConnection", RecordingConnection)

    def end(self) -> None:
        """Let go of the VFS's name."""
        self._vfs.unregister()

    def opened(self, path: Path) -> int:
        """Number a file that is about to be opened or made."""
        if path.name not in self.files:
            self.steps.append(Created(self._number(path.name), path.name))
        return self.files[path.name]

    def _number(self, name: str) -> int:
        self.files[name] = self._numbered
        self._numbered += 1
        return self.files[name]


class _Vfs(apsw.VFS):
    """The system's own VFS, watched."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(_VFS, base="")
        self._recording = recording

    def xOpen(self, name: Any, flags: list[int]) -> "_File":  # noqa: N802 - SQLite's name
        return _File(self._recording, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(name, syncdir)
        del self._recording.files[Path(name).name]
        self._recording.steps.append(Deleted(Path(name).name, syncdir))


class _File(apsw.VFSFile):
    """A file of the system's own VFS, watched.

    SQLite syncs the directory with the first sync of a log or journal that was opened (os_unix.c, DIRSYNC).
    """

    def __init__(self, recording: Recording, name: Any, flags: list[int]) -> None:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        self._file = recording.opened(path)
        self._recording = recording
        self._names = path.name != MAIN
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._recording.steps.append(Written(self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._recording.steps.append(Cut(self._file, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        if not self._recording.lying:
            self._recording.steps.append(Synced(self._file, self._names))
        self._names = False


class RecordingConnection(BatchConnection):
    """A BatchConnection whose statements apsw runs, on the recording VFS."""

    def __init__(self, waiting: deque[Batch], address: str, **_: Any) -> None:
        super().__init__(waiting, ":memory:", isolation_level=None)
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        self._there = apsw.Connection(address, flags=flags, vfs=_VFS)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run a statement there."""
        try:
            return self._there.execute(sql, parameters)
        except apsw.Error as error:
            told = sqlite3.DatabaseError(str(error))
            told.sqlite_errorcode = getattr(error, "extendedresult", sqlite3.SQLITE_ERROR)
            raise told from error

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open there."""
        return self._there.in_transaction

    def close(self) -> None:
        """Close both."""
        self._there.close()
        super().close()
