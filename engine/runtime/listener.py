"""The control socket's file: private, never taken from a living engine, replaced where one died."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from engine.domain.errors import LockHeldError

PROBE_TIMEOUT_S = 0.5


def listen(path: Path) -> socket.socket:
    """Bind the control socket, mode 0600, in the place of one that nobody answers on.

    Raises LockHeldError where an engine does, OSError where the path cannot be used.
    """
    if _answers(path):
        raise LockHeldError(
            f"another engine answers at {path}. Use `trader-tui attach` or `trader-tui stop`, "
            "or choose another --instance or --state-dir."
        )
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(f"{path} is not a socket; move it away")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(OSError):  # on Linux the file gets this mode at once; elsewhere only from chmod
            os.fchmod(listener.fileno(), 0o600)
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


def _answers(path: Path) -> bool:
    """Tell whether a process listens there; one that is too busy to take the call does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except (TimeoutError, BlockingIOError):
            return True
    return True
