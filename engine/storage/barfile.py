"""A file of bars that grows by pages: whole or not there, whatever interrupts it.

Pages go to `FILE.part`, each a gzip member of its own and synced, so that a kill loses at most the page in
hand; gzip reads the members as one file. At the end the part takes the file's name.
"""

import fcntl
import gzip
import os
import shutil
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from engine.domain.errors import StorageError
from engine.storage.atomic import sync_directory

PART_SUFFIX = ".part"
_CHUNK_BYTES = 1 << 20
_TAIL_BYTES = 1 << 10  # more than any line of bars
_GZIP = zlib.MAX_WBITS | 16


class Content(msgspec.Struct, frozen=True):
    """What the whole pages of a file hold."""

    size: int = 0  # bytes up to the end of the last whole page
    damaged: bool = False  # something follows that is no whole page, or the last line has no end
    header: str = ""
    first: str = ""  # lines, "" where there are none
    last: str = ""
    rows: int = 0


class BarPart:
    """The growing file beside `target`, locked against a second writer."""

    def __init__(self, target: Path, file: BinaryIO, content: Content) -> None:
        self.target, self.content = target, content
        self._file = file

    @classmethod
    def open(cls, target: Path) -> Self:
        """Take up the part that was left, or begin one with what `target` holds. Raises StorageError."""
        path = part_path(target)
        try:
            file = _locked(path)
            try:
                return cls(target, file, _begin(target, file))
            except BaseException:
                file.close()
                raise
        except OSError as error:
            raise StorageError(f"{path} cannot be used: {error.strerror or error}") from error

    def append(self, header: str, lines: Sequence[str]) -> None:
        """Add a page of at least one line durably; the header goes before the first. Raises StorageError."""
        content = self.content
        head = () if content.header else (header,)
        page = gzip.compress("".join(f"{line}\n" for line in (*head, *lines)).encode(), 6, mtime=0)
        try:
            self._file.seek(content.size)
            self._file.write(page)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StorageError(f"{part_path(self.target)} cannot be written: {error.strerror}") from error
        self.content = Content(
            size=content.size + len(page),
            header=content.header or header,
            first=content.first or lines[0],
            last=lines[-1],
            rows=content.rows + len(lines),
        )

    def finish(self) -> None:
        """Give the part its name. Raises StorageError."""
        try:
            os.fsync(self._file.fileno())
            part_path(self.target).replace(self.target)
            sync_directory(self.target.parent)
        except OSError as error:
            raise StorageError(f"{self.target} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the file; a part without a row is removed."""
        if not self.content.rows:
            part_path(self.target).unlink(missing_ok=True)
        with suppress(OSError):
            self._file.close()


def part_path(target: Path) -> Path:
    """Return where the part of a file lies."""
    return target.with_name(target.name + PART_SUFFIX)


def read_content(file: BinaryIO) -> Content:
    """Read through the gzip members of a file up to the first that is not whole. Raises OSError."""
    file.seek(0)
    content, page = Content(), _Page()
    position = 0
    try:
        while chunk := file.read(_CHUNK_BYTES):
            while chunk:
                chunk, used = page.feed(chunk)
                position += used
                if page.whole:
                    content, page = page.added_to(content, position), _Page()
    except zlib.error:
        return msgspec.structs.replace(content, damaged=True)
    return msgspec.structs.replace(content, damaged=content.damaged or position > content.size)


class _Page:
    """One gzip member while it is read: its beginning, its end and its lines are kept."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP)
        self._head = self._tail = b""
        self._lines = 0

    @property
    def whole(self) -> bool:
        return self._inflate.eof

    def feed(self, chunk: bytes) -> tuple[bytes, int]:
        """Take what belongs to this member; return the rest, and how many bytes were taken."""
        data = self._inflate.decompress(chunk)
        self._head = (self._head + data)[:_TAIL_BYTES] if len(self._head) < _TAIL_BYTES else self._head
        self._tail = (self._tail + data)[-_TAIL_BYTES:]
        self._lines += data.count(b"\n")
        rest = self._inflate.unused_data
        return rest, len(chunk) - len(rest)

    def added_to(self, content: Content, size: int) -> Content:
        """Return the content with this page behind it."""
        if not self._lines:
            return msgspec.structs.replace(content, size=size)
        head = self._head.decode("utf-8", "replace").split("\n")
        header = content.header or head.pop(0)
        rows = self._lines - (not content.header)
        tail = self._tail.decode("utf-8", "replace").rstrip("\n").rsplit("\n", 1)[-1] if rows else ""
        return Content(
            size=size,
            damaged=not self._tail.endswith(b"\n"),
            header=header,
            first=content.first or (head[0] if rows else ""),
            last=tail or content.last,
            rows=content.rows + rows,
        )


def _locked(path: Path) -> BinaryIO:
    """Open the part for this process alone. Raises StorageError, OSError."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = path.exists() and os.fstat(file.fileno()).st_ino == path.stat().st_ino
    except BlockingIOError:
        same = False
    if not same:
        file.close()
        raise StorageError(f"{path}: another fetch is writing it; wait for its end or choose another --out")
    return file


def _begin(target: Path, file: BinaryIO) -> Content:
    """Return what the part holds once the torn page at its end is cut off and the target's rows are in."""
    content = read_content(file)
    if target.exists():
        with target.open("rb") as source:
            held = read_content(source)
            if held.damaged or not held.rows:
                raise StorageError(
                    f"{target} is no whole gzip file of rows; move it away or choose another --out"
                )
            if content.rows < held.rows:
                file.seek(0)
                file.truncate()
                source.seek(0)
                shutil.copyfileobj(source, file, _CHUNK_BYTES)
                file.flush()
                return held
            if (content.header, content.first) != (held.header, held.first):
                path = part_path(target)
                raise StorageError(
                    f"{path} holds other rows than {target.name}; remove the one that is wrong"
                )
    file.seek(content.size)
    file.truncate()
    return msgspec.structs.replace(content, damaged=False)
