"""What the machine under an engine can be asked: clock, disk, processes, permissions of files."""

import ctypes
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil

_TIME_ERROR = 5  # adjtimex(2): the kernel's clock is not kept by anybody
_TIMEX_BYTES = 512  # more than struct timex has on any Linux; all zero, it asks and sets nothing
_ENGINE = ("-P", "-m", "engine")  # how a console starts an engine


def is_clock_kept() -> bool | None:
    """Tell whether the kernel's clock is synchronised (NTP), None where the kernel does not say."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def free_bytes(path: Path) -> int:
    """Return the room on the file system of a path, or of the nearest folder above it that exists."""
    return shutil.disk_usage(nearest(path)).free


def nearest(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    return next((each for each in (path, *path.parents) if each.exists()), Path("/"))


def is_writable(folder: Path) -> bool:
    """Tell whether we may make files in a folder."""
    return os.access(folder, os.W_OK | os.X_OK)


def strangers_may(path: Path) -> bool:
    """Tell whether somebody else owns a path or may read or enter it."""
    facts = path.stat()
    return facts.st_uid != os.getuid() or bool(stat.S_IMODE(facts.st_mode) & 0o077)


def newest_change_ns(folder: Path) -> int:
    """Return when (ns UTC, by the clock of then) a file in an instance's folder changed last, 0 for none."""
    files = (file for pattern in ("*", "*/*", "*/checkpoints/*") for file in folder.glob(pattern))
    return max((file.stat().st_mtime_ns for file in files if file.is_file()), default=0)


def engine_pids() -> Iterator[int]:
    """Yield the processes of ours that a console started as engines."""
    for process in psutil.process_iter():
        try:
            if process.uids().real == os.getuid() and _is_engine(process.cmdline()):
                yield process.pid
        except psutil.Error:
            continue


def _is_engine(line: list[str]) -> bool:
    return tuple(line[1:4]) == _ENGINE and len(line) == len(_ENGINE) + 2
