"""`trader-tui doctor`: whether everything an engine needs is as it should be, before it matters."""

import socket
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from engine.config.packaged import (
    find_again,
    instance_dir,
    keys_path,
    socket_path,
    state_root,
)
from engine.config.settings import Settings
from engine.domain.errors import ControlError, TraderError
from engine.domain.market import NS_PER_S
from engine.runtime import ask
from engine.runtime.machinefacts import (
    engine_pids,
    free_bytes,
    is_clock_kept,
    is_writable,
    nearest,
    newest_change_ns,
    strangers_may,
)
from engine.storage.elsewhere import instance_folders
from engine.storage.lock import LockOwner, holder

KEY_FILE_CHECK = "keys"
ROOM_MIN_BYTES = (
    500_000_000  # what the journal and a checkpoint need is far less; a log and a record fill the rest
)
ROOM_AFTER_RECORD_BYTES = 200_000_000
AHEAD_MAX_S = 2.0
ASK_TIMEOUT_S = 2.0
_BYTES_PER_GB = 1_000_000_000


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"  # it can be lived with
    FAIL = "fail"  # it must be mended before real money is traded
    SKIPPED = "skipped"


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at, and what to do where it is not well."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


def examine_machine(settings: Settings, now: int) -> tuple[Check, ...]:
    """Look at what does not depend on venue or plays: clock, disk, permissions, processes."""
    return tuple(_machine(settings, now))


def _machine(settings: Settings, now: int) -> Iterator[Check]:
    directory = instance_dir(settings)
    yield check_clock(now, newest_change_ns(directory) if directory.is_dir() else 0, is_kept=is_clock_kept())
    yield check_disk(directory, free_bytes(directory), settings.runtime.record_max_gb)
    yield check_permissions(directory)
    yield check_key_file(keys_path(settings))
    yield check_processes(directory)


def check_clock(now: int, newest: int, *, is_kept: bool | None) -> Check:
    """The clock is kept by somebody, and not behind what was written by an earlier session."""
    behind_s = (newest - now) / NS_PER_S
    if behind_s > AHEAD_MAX_S:
        text = f"it is {behind_s:.0f} s behind the newest file of the state folder"
        return Check("clock", Verdict.FAIL, text, "Set it: timedatectl set-ntp true")
    if is_kept is False:
        return Check(
            "clock", Verdict.WARN, "nobody keeps it in time (no NTP)", "Run: timedatectl set-ntp true"
        )
    kept = ", and is kept by NTP" if is_kept else ""
    return Check("clock", Verdict.OK, f"it is not behind the last session{kept}")


def check_disk(directory: Path, free: int, record_max_gb: float) -> Check:
    """There is room for what an engine must store."""
    text = f"{free / _BYTES_PER_GB:.1f} GB free for {directory}"
    if free < ROOM_MIN_BYTES:
        return Check("disk", Verdict.FAIL, text, "Make room: without it no entry is sent")
    if free < record_max_gb * _BYTES_PER_GB + ROOM_AFTER_RECORD_BYTES:
        remedy = f"Make room, or set runtime.record_max_gb (now {record_max_gb:g}) lower"
        return Check("disk", Verdict.WARN, f"{text}, the record may take {record_max_gb:g}", remedy)
    return Check("disk", Verdict.OK, text)


def check_permissions(directory: Path) -> Check:
    """The state folder is ours alone, and we can write there."""
    place = nearest(directory)
    if not is_writable(place):
        return Check("state", Verdict.FAIL, f"{place} cannot be written to", "Choose another --state-dir")
    if not directory.is_dir():
        return Check("state", Verdict.OK, f"{directory} will be made")
    if strangers_may(directory):
        text = f"others can look into {directory}"
        return Check("state", Verdict.FAIL, text, f"Run: chmod 700 {directory}")
    return Check("state", Verdict.OK, f"{directory} is ours alone")


def check_key_file(file: Path) -> Check:
    """The file of keys, where there is one, is closed to everybody else."""
    if not file.exists():
        return Check(KEY_FILE_CHECK, Verdict.OK, f"there is no key file {file}")
    if strangers_may(file):
        return Check(KEY_FILE_CHECK, Verdict.FAIL, f"others can read {file}", f"Run: chmod 600 {file}")
    return Check(KEY_FILE_CHECK, Verdict.OK, f"{file} is ours alone")


def check_processes(directory: Path) -> Check:
    """Every engine of ours that runs holds an instance and answers."""
    folders = {*instance_folders(state_root()), *instance_folders(directory.parent), directory}
    try:
        owners = {folder: owner for folder in sorted(folders) if (owner := holder(folder)) is not None}
    except TraderError as error:
        return Check("engines", Verdict.FAIL, str(error), "Look at that process")
    silent = [folder for folder, owner in owners.items() if not _answers(folder, owner)]
    if silent:
        folder = silent[0]
        text = f"the engine of {folder.name} (pid {owners[folder].pid}) does not answer"
        return Check("engines", Verdict.FAIL, text, f"trader-tui flatten --direct {find_again(folder)}")
    here = {owner.pid for owner in owners.values() if owner.host == socket.gethostname()}
    lost = sorted(set(engine_pids()) - here)
    if lost:
        text = f"engine processes without an instance: pid {', '.join(map(str, lost))}"
        return Check("engines", Verdict.WARN, text, "They may be starting or ending; if they stay, end them")
    names = ", ".join(f"{folder.name} (pid {owner.pid})" for folder, owner in owners.items())
    return Check("engines", Verdict.OK, f"running: {names}" if names else "none runs")


def _answers(folder: Path, owner: LockOwner) -> bool:
    if owner.host != socket.gethostname():
        return True  # its socket cannot be reached from here
    try:
        ask.fetch_status(socket_path(folder), timeout_s=ASK_TIMEOUT_S, instance=folder.name)
    except (ControlError, TimeoutError):
        return False
    return True
