"""The directory of all session records: which there are, and how much of the bound is left for a new one."""

import shutil
from pathlib import Path

from engine.storage.failures import os_failure
from engine.storage.segments import segment_files


def session_directories(records: Path) -> list[Path]:
    """Return the directories of the recorded sessions, oldest first by the name of the session."""
    if not records.is_dir():
        return []
    return sorted(path for path in records.iterdir() if path.is_dir() and segment_files(path))


def all_sessions(instance: Path) -> list[Path]:
    """Return the directories of an instance's recorded sessions in every mode, oldest first."""
    found = [path for records in instance.glob("*/records") for path in session_directories(records)]
    return sorted(found, key=lambda path: path.name)


def room_for_session(records: Path, bytes_max: int) -> int:
    """Delete the oldest sessions until the others take half of the bound at most; return what a new one may.

    Called before a session begins. The newest session always stays: recovery needs it. Raises StorageError.
    """
    sessions = session_directories(records)
    try:
        sizes = [sum(file.stat().st_size for file in segment_files(session)) for session in sessions]
    except OSError as error:
        raise os_failure(records, "measure the session records", error) from error
    taken = sum(sizes)
    for session, size in zip(sessions[:-1], sizes, strict=False):
        if taken <= bytes_max // 2:
            break
        try:
            shutil.rmtree(session)
        except OSError as error:
            raise os_failure(session, "delete an old session record", error) from error
        taken -= size
    return max(bytes_max - taken, bytes_max // 2)
