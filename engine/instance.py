"""What is done with an instance and its engine: find it, start it, ask it, command it.

The console reaches these functions through `engine.api`. They import what they need when called: a console
starts without the engine's weight.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.snapshot import Snapshot
from engine.domain.events import Action
from engine.domain.modes import Mode
from engine.runtime.protocol import CommandReply, Hello, Link, WhyReply, WhyRequest

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from engine.config.settings import Settings
    from engine.runtime.exitreport import ExitReport
    from engine.runtime.inprocess import InProcessEngine
    from engine.storage.lock import LockOwner


def state_directory(settings: "Settings") -> Path:
    """Return the folder of the instance's state."""
    from engine.config.packaged import instance_dir

    return instance_dir(settings)


def running_engine(settings: "Settings") -> "LockOwner | None":
    """Return who runs the instance's engine, None where nobody does."""
    from engine.storage.lock import holder

    return holder(state_directory(settings))


def broken_off(settings: "Settings") -> tuple[Mode, ...]:
    """Return the other modes with orders at a venue in which the instance's engine did not end in order.

    What its database wrote last lies in a file beside it until the database is closed.
    """
    folder = state_directory(settings)
    real = (mode for mode in (Mode.DEMO, Mode.LIVE) if mode is not settings.mode)
    return tuple(mode for mode in real if (folder / mode.value / "engine.sqlite-wal").is_file())


def running_instances(settings: "Settings") -> tuple["Settings", ...]:
    """Return the settings narrowed to each instance on this machine whose engine runs, wherever it lies."""
    from engine.config.packaged import state_root
    from engine.storage.elsewhere import instance_folders
    from engine.storage.lock import is_held

    folders = {*instance_folders(state_root()), *instance_folders(state_directory(settings).parent)}
    return tuple(
        settings.model_copy(update={"instance": folder.name, "state_dir": folder.parent})
        for folder in sorted(folders)
        if is_held(folder)
    )


def find_again(settings: "Settings") -> str:
    """Return the options by which a command finds the instance again."""
    from engine.config.packaged import find_again as options_of

    return options_of(state_directory(settings))


def recorded_sessions(settings: "Settings") -> list[Path]:
    """Return the folders of the instance's recorded sessions, oldest first."""
    from engine.storage.records import all_sessions

    return all_sessions(state_directory(settings))


async def connect(settings: "Settings", actor: str, timeout_s: float = 2.0, *, console: str = "") -> Link:
    """Connect to the instance's engine. Raises ControlError.

    `console` is the id of a console that may have control.
    """
    from engine.config.packaged import socket_path
    from engine.runtime.link import SocketLink

    directory = state_directory(settings)
    return await SocketLink.connect(
        socket_path(directory),
        actor=actor,
        console=console,
        timeout_s=timeout_s,
        instance=settings.instance,
        latch_dir=directory,
    )


async def connect_at(path: Path, actor: str, timeout_s: float = 2.0, *, console: str = "") -> Link:
    """Connect to an engine elsewhere by a socket that leads to its control socket. Raises ControlError."""
    from engine.runtime.link import SocketLink

    return await SocketLink.connect(path, actor=actor, console=console, timeout_s=timeout_s, instance="")


def control_socket(settings: "Settings") -> Path:
    """Return where the instance's engine listens."""
    from engine.config.packaged import socket_path

    return socket_path(state_directory(settings))


def fetch_status(settings: "Settings") -> tuple[Hello, Snapshot]:
    """Ask the instance's engine how it is. Raises ControlError."""
    from engine.config.packaged import socket_path
    from engine.runtime import ask

    return ask.fetch_status(socket_path(state_directory(settings)), instance=settings.instance)


def send_command(
    settings: "Settings", action: Action, *, actor: str, reason: str = "", argument: str = ""
) -> CommandReply:
    """Send the instance's engine a command and return what became of it. Raises ControlError."""
    from engine.config.packaged import socket_path
    from engine.runtime import ask

    return ask.send_command(
        socket_path(state_directory(settings)),
        action,
        actor=actor,
        reason=reason,
        argument=argument,
        instance=settings.instance,
    )


def ask_why(settings: "Settings", *, play: str = "", last: int = 1, at: int = 0) -> WhyReply:
    """Ask the instance's engine why bars led to what they did. Raises ControlError."""
    from engine.config.packaged import socket_path
    from engine.runtime import ask

    path = socket_path(state_directory(settings))
    return ask.ask_why(path, WhyRequest(1, play, last, at), instance=settings.instance)


def wait_flat(settings: "Settings", *, timeout_s: float, on_progress: Callable[[Snapshot], None]) -> Snapshot:
    """Watch a flatten to its end. Raises ControlError, also past the time-out."""
    from engine.config.packaged import socket_path
    from engine.runtime import ask

    path = socket_path(state_directory(settings))
    return ask.wait_flat(path, timeout_s=timeout_s, on_progress=on_progress, instance=settings.instance)


def block_signals() -> None:
    """Block the signals an engine takes in its own thread; call it first thing in the process."""
    from engine.runtime.sigmask import block_signals as block

    block()


def check_start(settings: "Settings") -> None:
    """Refuse what no engine can run: mode, venue, plays, missing data, an account that is not cleared.

    Raises ConfigError.
    """
    from engine.runtime.clearance import clear_start
    from engine.runtime.factory import check_start as check
    from engine.runtime.lastgood import load_start

    check(settings)
    load_start(settings)
    clear_start(settings, time.time_ns())


def run_engine(settings: "Settings") -> "ExitReport":
    """Run an engine in this process until it ends. Raises TraderError."""
    from engine.storage.lock import refuse_while_held

    refuse_while_held(state_directory(settings))  # at once: what an engine needs takes a second to import
    from engine.runtime.accounts import refuse_second

    refuse_second(settings)
    from engine.runtime.process import run_engine as run

    return run(settings)


def open_engine(settings: "Settings") -> "AbstractAsyncContextManager[InProcessEngine]":
    """Run an engine in the running event loop, for as long as the block lasts. Raises TraderError."""
    from engine.runtime.inprocess import open_engine as open_

    return open_(settings)


def flatten_direct(settings: "Settings", tell: Callable[[str], None]) -> "ExitReport":
    """Flatten without the help of the running engine. Raises TraderError."""
    from engine.runtime.direct import flatten_direct as flatten

    return flatten(settings, tell)


def set_latch(settings: "Settings", why: str) -> None:
    """Forbid entries to whatever runs the instance, now and later, until it is armed. Raises StorageError."""
    from engine.storage.latch import Latch

    Latch(state_directory(settings)).engage(why)
