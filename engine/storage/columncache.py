"""A folder of columns that were read from data files: it makes the next read fast and may vanish at any time.

Entries are found by a key that is made of their source's content, so an entry can be missing but never stale.
Each is checked whenever it is read; one that is damaged is removed and written again. Nothing here is ever an
error: whatever fails is told in a line, and the reader goes on without.

Entries are written beside their name and renamed, without a sync: after a crash the checksum tells a torn
entry, and all it costs is reading the source once more. The least recently used go when the folder is full.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.storage.columnfile import (
    Column,
    Columns,
    ColumnsDamagedError,
    read_columns,
    write_columns,
)

SUFFIX = ".columns"
TEMPORARY_SUFFIX = ".columns-part"
ABANDONED_S = 3600.0  # a temporary file this old belongs to a process that was killed
FREE_BYTES_MIN = 1_000_000_000  # left on the disk for what matters: database and records


class CacheUsage(msgspec.Struct, frozen=True):
    """What a cache holds."""

    directory: str
    entries: int
    bytes: int
    bytes_max: int


class ColumnCache:
    """The entries of one folder. `tell` hears a line of whatever goes wrong."""

    def __init__(self, directory: Path, bytes_max: int, tell: Callable[[str], None]) -> None:
        self.directory, self.bytes_max = directory, bytes_max
        self._tell = tell

    def load(self, key: str) -> Columns | None:
        """Return the columns under a key, None where there are none that are whole."""
        path = self._path(key)
        try:
            columns = read_columns(path, key)
        except FileNotFoundError:
            return None
        except ColumnsDamagedError as error:
            self.discard(key, str(error))
            return None
        except OSError as error:
            self._say(f"{path} cannot be used: {error.strerror or error}; the data file is read instead")
            return None
        with suppress(OSError):
            os.utime(path)  # used: it outlives what was used before it
        return columns

    def save(self, key: str, facts: bytes, by_name: Mapping[str, Column]) -> None:
        """Keep columns and facts about them (JSON) under a key, if there is room for them."""
        size = sum(column.nbytes for column in by_name.values())
        if size > self.bytes_max:
            return
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if shutil.disk_usage(self.directory).free - size < FREE_BYTES_MIN:
                self._say(f"{self.directory} is not used: the disk is nearly full")
                return
            self._write(key, Columns(facts, dict(by_name)))
            self._prune()
        except OSError as error:
            self._say(
                f"{self.directory} cannot be written: {error.strerror or error}; going on without"
                " (cache.columns_max_gb: 0 keeps none)"
            )

    def discard(self, key: str, why: str) -> None:
        """Remove an entry that cannot be used."""
        path = self._path(key)
        self._say(f"{path} is not used and removed: {why}; the data file is read instead")
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def usage(self) -> CacheUsage:
        """Count what is kept."""
        entries = self._entries()
        return CacheUsage(
            str(self.directory), len(entries), sum(size for _, size, _ in entries), self.bytes_max
        )

    def clear(self) -> CacheUsage:
        """Remove all entries; return what was there. Raises OSError."""
        before = self.usage()
        for path in self._files(SUFFIX) + self._files(TEMPORARY_SUFFIX):
            path.unlink(missing_ok=True)
        return before

    def _write(self, key: str, columns: Columns) -> None:
        descriptor, name = tempfile.mkstemp(suffix=TEMPORARY_SUFFIX, dir=self.directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write_columns(file, key, columns)
            Path(name).replace(self._path(key))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        """Remove the least recently used entries past the bound, and what killed processes left."""
        entries = self._entries()
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if total <= self.bytes_max:
                break
            path.unlink(missing_ok=True)
            total -= size
        for path in self._files(TEMPORARY_SUFFIX):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED_S:
                    path.unlink()

    def _entries(self) -> list[tuple[int, int, Path]]:
        """Return when each entry was last used, its bytes and its path, the oldest first."""
        entries = []
        for path in self._files(SUFFIX):
            with suppress(FileNotFoundError):  # another process was faster
                facts = path.stat()
                entries.append((facts.st_mtime_ns, facts.st_size, path))
        return sorted(entries)

    def _files(self, suffix: str) -> list[Path]:
        return list(self.directory.glob(f"*{suffix}"))

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}{SUFFIX}"

    def _say(self, line: str) -> None:
        self._tell(f"column cache: {line}")
