"""Starts the engine's process, which survives the console, and brings the console to it."""

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from engine.api import ControlError, Link, TraderError, connect, running_engine

if TYPE_CHECKING:
    from engine.api import Settings

START_TIMEOUT_S = 20.0
REACH_TIMEOUT_S = 5.0
ANSWER_BYTES_MAX = 65_536


class EngineStartError(TraderError):
    """The engine process said why it does not run; carries its exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Answer(msgspec.Struct, frozen=True):
    """What an engine process says once: it runs, or why not."""

    ok: bool
    exit_code: int = 0
    message: str = ""


class Supervisor:
    """Finds or starts the instance's engine. `started` and `found_pid` say which it was."""

    def __init__(self, settings: "Settings", actor: str) -> None:
        self._settings = settings
        self._actor = actor
        self.started = False
        self.found_pid: int | None = None

    async def connect(self) -> Link:
        """Return a link to the running engine, or to one started now. Raises TraderError."""
        owner = await asyncio.to_thread(running_engine, self._settings)
        if owner is not None:
            self.found_pid = owner.pid
        else:
            await asyncio.to_thread(start_engine, self._settings)
            self.started = True
        return await connect(self._settings, self._actor, REACH_TIMEOUT_S)

    async def attach(self) -> Link:
        """Return a link to the running engine. Raises ControlError where none runs."""
        owner = await asyncio.to_thread(running_engine, self._settings)
        if owner is None:
            raise ControlError(
                f"no engine runs for instance {self._settings.instance!r}; start one with `trader-tui`"
            )
        self.found_pid = owner.pid
        return await connect(self._settings, self._actor, REACH_TIMEOUT_S)


def start_engine(settings: "Settings", *, python: str = sys.executable) -> None:
    """Start the engine process and wait for its word. Raises EngineStartError.

    `-P` keeps the working directory out of the import path; a session of its own keeps the terminal's
    signals away; its output goes nowhere, for it outlives this terminal and has its log.
    """
    read_fd, write_fd = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [python, "-P", "-m", "engine", str(write_fd)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(write_fd,),
            start_new_session=True,
        )
    finally:
        os.close(write_fd)
    try:
        assert process.stdin is not None, "it was asked for"
        process.stdin.write(settings.to_json().encode())
        process.stdin.close()
        answer = _answer(read_fd)
    except OSError as error:
        raise EngineStartError(f"the engine process could not be started: {error}", 1) from None
    finally:
        os.close(read_fd)
    if answer is None:
        raise EngineStartError(_silence(process), 1)
    if not answer.ok:
        raise EngineStartError(answer.message, answer.exit_code)


def _answer(read_fd: int) -> Answer | None:
    """Wait for the process's one message; None where it ended or kept silent."""

    ready, _, _ = select.select([read_fd], [], [], START_TIMEOUT_S)
    data = os.read(read_fd, ANSWER_BYTES_MAX) if ready else b""
    return msgspec.json.decode(data, type=Answer) if data else None


def _silence(process: "subprocess.Popen[bytes]") -> str:
    code = process.poll()
    if code is None:
        return f"the engine process (pid {process.pid}) said nothing within {START_TIMEOUT_S:g} s"
    return f"the engine process ended with code {code} before it said anything; see its log"


def actor_name(environment: Callable[[str], str | None]) -> str:
    """Name who acts for the record: user and terminal."""
    user = environment("USER") or environment("LOGNAME") or str(os.getuid())
    try:
        tty = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        tty = "no tty"
    return f"{user}@{tty}"
