"""Words for what went wrong on disk: each failure names its path and what a person can do."""

import errno
import sqlite3
from pathlib import Path

from engine.domain.errors import StorageError

_FREE_SPACE = "Free disk space or choose another --state-dir; what was acknowledged before is safe."
_MAKE_WRITABLE = "Make it writable for this user or choose another --state-dir."
_KEEP_AND_RESTORE = (
    "It holds your orders, so it was left as it is: stop, move it aside and keep it, restore a copy or start "
    "with a new one, then compare orders and positions with the venue."
)

_OS_REMEDIES = {
    errno.ENOSPC: ("the disk is full", _FREE_SPACE),
    errno.EDQUOT: ("the disk quota is used up", _FREE_SPACE),
    errno.EFBIG: ("the file may not grow further", "Raise the file size limit of this user (ulimit -f)."),
    errno.EROFS: ("the file system is read-only", _MAKE_WRITABLE),
    errno.EACCES: ("permission denied", _MAKE_WRITABLE),
    errno.EPERM: ("permission denied", _MAKE_WRITABLE),
    errno.ENOENT: ("no such file or directory", "Check the path."),
    errno.ENOTDIR: ("a part of the path is a file", "Choose another --state-dir."),
    errno.EEXIST: ("a file is in the way", "Move it away or choose another --state-dir."),
    errno.EIO: ("the disk does not answer properly", "Check the disk and the system's log."),
}

_SQLITE_REMEDIES = {
    sqlite3.SQLITE_FULL: ("the disk is full", _FREE_SPACE),
    sqlite3.SQLITE_READONLY: ("the database is read-only", _MAKE_WRITABLE),
    sqlite3.SQLITE_PERM: ("permission denied", _MAKE_WRITABLE),
    sqlite3.SQLITE_CANTOPEN: ("the file cannot be opened", _MAKE_WRITABLE),
    sqlite3.SQLITE_IOERR: (
        "the disk could not be written or read",
        "Check free space, file limits and the system's log.",
    ),
    sqlite3.SQLITE_NOTADB: ("the file is not a SQLite database", _KEEP_AND_RESTORE),
    sqlite3.SQLITE_CORRUPT: ("the database is damaged", _KEEP_AND_RESTORE),
    sqlite3.SQLITE_BUSY: (
        "another program holds the database",
        "Close it (a database browser, a backup) and try again.",
    ),
}
_PRIMARY_CODE = 0xFF  # SQLite's extended result codes carry the primary one in their low byte


def os_reason(error: OSError) -> str:
    """Say in one sentence or two what an OSError means and what to do."""
    what, remedy = _OS_REMEDIES.get(
        error.errno or 0, (error.strerror or str(error), "Check the path and the system's log.")
    )
    return f"{what}. {remedy}"


def os_failure(path: Path, doing: str, error: OSError) -> StorageError:
    """Build the StorageError for an OSError met while `doing` something to `path`."""
    return StorageError(f"{path}: could not {doing}: {os_reason(error)}")


def database_failure(path: Path, doing: str, error: Exception) -> StorageError:
    """Build the StorageError for whatever sqlite3 raised while `doing` something to the database."""
    code = getattr(error, "sqlite_errorcode", None)
    what, remedy = _SQLITE_REMEDIES.get(
        (code or 0) & _PRIMARY_CODE, (str(error), "This is unexpected: see the log.")
    )
    return StorageError(f"{path}: could not {doing}: {what}. {remedy}")
