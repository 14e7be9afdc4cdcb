"""Reading a play's file while an editor may be writing it: bounded, never blocking, never half."""

import hashlib
import os
import stat
from pathlib import Path

import msgspec

PLAY_BYTES_MAX = 262_144


class Seen(msgspec.Struct, frozen=True):
    """What one look at a file found: the hash of its content, or why there is none.

    `mark` changes with the file (a new one under the name, a write), and is cheap to compare.
    """

    mark: tuple[int, ...]
    content: str = ""
    trouble: str = ""


def look(path: Path) -> Seen:
    """Read a file. All that can go wrong with it is part of what was found."""
    try:
        with open(path, "rb", opener=_opened) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return Seen(_mark(facts), trouble="it is not a file")
            data = file.read(PLAY_BYTES_MAX + 1)
    except OSError as error:
        return Seen(mark(path), trouble=error.strerror or str(error))
    if not data.strip():
        return Seen(_mark(facts), trouble="it is empty")
    if len(data) > PLAY_BYTES_MAX:
        return Seen(_mark(facts), trouble=f"it is larger than {PLAY_BYTES_MAX // 1024} KiB")
    return Seen(_mark(facts), content=hashlib.sha256(data).hexdigest())


def mark(path: Path) -> tuple[int, ...]:
    """Return what `look` would give as the file's mark, without reading it; empty where it is missing."""
    try:
        return _mark(path.stat())
    except OSError:
        return ()


def _mark(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_mode


def _opened(path: str, flags: int) -> int:
    """Open without waiting: somebody may have put a pipe there."""
    return os.open(path, flags | os.O_NONBLOCK)
