"""Replacing a small file at once: whoever reads it finds the old text or the new one, never a part."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

MODE = 0o644


def replace_text(file: Path, text: str) -> None:
    """Write a file anew; a link stays one, and the file keeps its permissions. Raises OSError."""
    target = file.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else MODE
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    finally:
        with suppress(OSError):  # where it is still there, something went wrong before
            Path(name).unlink(missing_ok=True)
