"""Whole files or none: write beside, sync, rename, sync the directory. Directories whose names last."""

import os
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"


def sync_directory(directory: Path) -> None:
    """Make renames and new names in a directory durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path, *, exist_ok: bool = True) -> None:
    """Make a directory for its owner alone, and those above it, each name durable. Raises OSError."""
    new = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=exist_ok, mode=0o700)
    for path in reversed(new):
        sync_directory(path.parent)


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `data` so that a reader or a crash sees the old or the new, never a part.

    Raises OSError, and leaves the old file and no temporary one behind then.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)
