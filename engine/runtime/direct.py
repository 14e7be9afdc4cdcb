"""`flatten --direct`: when the engine does not answer, end it and do its last duty in this process."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from engine.config.packaged import instance_dir
from engine.config.settings import Settings
from engine.domain.errors import ControlError, LockHeldError, StorageError
from engine.runtime.exitreport import ExitReport
from engine.runtime.process import run_engine
from engine.runtime.session import decode_config
from engine.storage.latch import Latch
from engine.storage.lock import LockOwner, holder, is_held
from engine.storage.record_reader import RecordReader
from engine.storage.records import all_sessions

TERM_S = 5.0
KILL_S = 5.0
POLL_S = 0.05


def flatten_direct(settings: Settings, tell: Callable[[str], None]) -> ExitReport:
    """Latch, end the engine's process, then close everything from its last known state.

    The engine that runs here takes the settings of the one it replaces, never arms, and ends with the
    flatten. Raises LockHeldError where the process is another machine's or cannot be ended, ControlError
    where there is no session to take up.
    """
    directory = instance_dir(settings)
    sessions = all_sessions(directory)
    if not sessions:
        raise ControlError(f"{directory}: no session was ever recorded here; there is nothing to flatten.")
    Latch(directory).engage("flatten --direct")
    tell(f"latch set: {directory}")
    owner = holder(directory)
    if owner is not None:
        _end(settings, owner, tell)
    before = Settings.from_json(decode_config(RecordReader(sessions[-1]).header.config).settings)
    taken_up = before.model_copy(
        update={
            "state_dir": directory.parent,
            "instance": settings.instance,
            "arm": False,
            "duration_s": None,
        }
    )
    tell(f"taking up session {sessions[-1].name}")
    return run_engine(taken_up, until_flat=True)


def _end(settings: Settings, owner: LockOwner, tell: Callable[[str], None]) -> None:
    """Ask the process to end, then make it; wait until the kernel has let go of its lock."""
    directory = instance_dir(settings)
    if owner.host != os.uname().nodename:
        raise LockHeldError(f"{directory}: the engine runs on {owner.host}; flatten it there.")
    for number, wait_s in ((signal.SIGTERM, TERM_S), (signal.SIGKILL, KILL_S)):
        tell(f"{signal.Signals(number).name} to pid {owner.pid}")
        with suppress(ProcessLookupError):
            os.kill(owner.pid, number)
        deadline_s = time.monotonic() + wait_s
        while time.monotonic() < deadline_s:
            if not is_held(directory):
                return
            time.sleep(POLL_S)
    raise StorageError(
        f"{directory}: pid {owner.pid} still holds the lock after SIGKILL; look at that process."
    )
