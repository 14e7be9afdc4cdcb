"""Starts the engine's process, which survives the console, and brings the console to it."""

import asyncio
import os
import pwd
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from engine.api import ControlError, Link, TraderError, broken_off, connect, connect_at, running_engine

if TYPE_CHECKING:
    from engine.api import Mode, Settings

START_TIMEOUT_S = 120.0  # a long tape is read before the engine runs
REACH_TIMEOUT_S = 5.0
LAST_BREATH_S = 5.0  # between the end of its word and its exit
ABSENT = "no engine runs"  # how a connection's error begins where nobody listens
ANSWER_BYTES_MAX = 65_536
COMPLAINT_BYTES_MAX = 4_096


class EngineStartError(TraderError):
    """The engine process said why it does not run; carries its exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class NoEngineError(ControlError):
    """No engine runs for the instance."""


class Answer(msgspec.Struct, frozen=True):
    """What an engine process says once: it runs, or why not."""

    ok: bool
    exit_code: int = 0
    message: str = ""


class Supervisor:
    """Finds or starts the instance's engine; `found_pid` is that of one which ran already."""

    def __init__(
        self, settings: "Settings", actor: str, *, console: str = "", socket: Path | None = None
    ) -> None:
        """`console` is this console's id; `socket` a control socket of an engine elsewhere."""
        self._settings = settings
        self._actor, self._console = actor, console
        self._socket = socket
        self.found_pid: int | None = None
        self._broken_off: tuple[Mode, ...] = ()  # modes whose engine did not end in order before this start

    async def connect(self) -> Link:
        """Return a link to the running engine, or to one started now. Raises TraderError."""
        owner = await asyncio.to_thread(running_engine, self._settings)
        if owner is not None:
            self.found_pid = owner.pid
        else:
            self._broken_off = await asyncio.to_thread(broken_off, self._settings)
            await start_engine(self._settings)
        return await self._reach()

    @property
    def unwatched(self) -> str:
        """What to say where another mode's engine broke off: this one does not look after its positions."""
        if not self._broken_off:
            return ""
        names = " and ".join(mode.value for mode in self._broken_off)
        return (
            f"The {names} engine of instance {self._settings.instance!r} broke off: what it held is still at "
            f"its venue. This is {self._settings.mode.value}, which does not look after it. Start it again: "
            f"`--mode {self._broken_off[0].value}` with its other options."
        )

    async def attach(self) -> Link:
        """Return a link to the running engine. Raises ControlError where none runs."""
        if self._socket is None:
            self.found_pid = await self._runner()
        return await self._reach()

    async def again(self) -> Link:
        """Return a link to the engine that runs by now, whoever started it. Raises ControlError."""
        if self._socket is None:
            await self._runner()
        return await self._reach()

    async def _runner(self) -> int:
        """Return the pid of the engine that runs."""
        owner = await asyncio.to_thread(running_engine, self._settings)
        if owner is None:
            raise NoEngineError(
                f"no engine runs for instance {self._settings.instance!r}; start one with `trader-tui`"
            )
        return owner.pid

    async def _reach(self) -> Link:
        if self._socket is not None:
            return await connect_at(self._socket, self._actor, REACH_TIMEOUT_S, console=self._console)
        try:
            return await connect(self._settings, self._actor, REACH_TIMEOUT_S, console=self._console)
        except ControlError as error:
            raise ControlError(await asyncio.to_thread(unreached, self._settings, error)) from None


def unreached(settings: "Settings", error: ControlError) -> str:
    """Return what a failed connection means: an engine that holds its lock is there all the same."""
    owner = running_engine(settings)
    if owner is None:
        return str(error)
    if not str(error).startswith(ABSENT):
        return f"{error} Its pid is {owner.pid} on {owner.host}."
    return (
        f"pid {owner.pid} on {owner.host} runs instance {settings.instance!r}, but its control socket is "
        f"gone: it is starting or ending, or somebody removed the socket. On {owner.host}, "
        f"`kill -USR1 {owner.pid}` flattens it and `kill {owner.pid}` stops it in order; a new start then "
        "goes on with its orders and positions."
    )


async def start_engine(
    settings: "Settings", *, python: str = sys.executable, timeout_s: float = START_TIMEOUT_S
) -> int:
    """Start the engine process, wait for its word and return its pid. Raises EngineStartError.

    Whoever gives up waiting ends the process: an engine that nobody was told of must not stay behind.
    """
    with tempfile.TemporaryFile() as complaints:
        try:
            process, read_fd = _spawn(settings, python, complaints)
        except OSError as error:
            raise EngineStartError(f"the engine process could not be started: {error}", 1) from None
        try:
            answer = await asyncio.wait_for(_answer(read_fd), timeout_s)
        except TimeoutError:
            process.terminate()
            raise EngineStartError(
                f"the engine process (pid {process.pid}) said nothing within {timeout_s:g} s and was ended", 1
            ) from None
        except asyncio.CancelledError:
            process.terminate()
            raise
        finally:
            os.close(read_fd)
        if answer is None:
            raise EngineStartError(_silence(process, complaints), 1)
    if not answer.ok:
        raise EngineStartError(answer.message, answer.exit_code)
    return process.pid


def _spawn(settings: "Settings", python: str, complaints: IO[bytes]) -> tuple["subprocess.Popen[bytes]", int]:
    """Start the process and hand it its settings; return it and the descriptor of its word.

    `-P` keeps the working directory out of the import path; a session of its own keeps the terminal's
    signals away; its output goes nowhere, for it outlives this terminal and has its log. What it complains
    of before it can log is kept for whoever started it.
    """
    read_fd, write_fd = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [python, "-P", "-m", "engine", str(write_fd)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            pass_fds=(write_fd,),
            start_new_session=True,
        )
    except OSError:
        os.close(read_fd)
        raise
    finally:
        os.close(write_fd)
    assert process.stdin is not None, "it was asked for"
    try:
        process.stdin.write(settings.to_json().encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended at once; its silence tells
    return process, read_fd


async def _answer(read_fd: int) -> Answer | None:
    """Wait for the process's one message; None where it ended without."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    data = b""
    loop.add_reader(read_fd, readable.set)
    try:
        while True:
            await readable.wait()
            readable.clear()
            part = os.read(read_fd, ANSWER_BYTES_MAX)
            data += part
            if not part:
                return msgspec.json.decode(data, type=Answer) if data else None
    except msgspec.DecodeError:
        return None
    finally:
        loop.remove_reader(read_fd)


def _silence(process: "subprocess.Popen[bytes]", complaints: IO[bytes]) -> str:
    """Describe the end of a process that said nothing, with the last line it left."""
    try:
        code = process.wait(LAST_BREATH_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        return f"the engine process (pid {process.pid}) said nothing that can be read and was ended"
    size = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, size - COMPLAINT_BYTES_MAX))
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    last = f": {lines[-1]}" if lines else ""
    return f"the engine process ended with code {code} before it said anything{last}"


def new_console() -> str:
    """Return an id that no other console has."""
    return secrets.token_hex(4)


def actor_name(environment: Callable[[str], str | None]) -> str:
    """Name who acts for the record: user, terminal, and over ssh where from."""
    user = environment("USER") or environment("LOGNAME") or _account_name()
    try:
        tty = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        tty = "no tty"
    client = (environment("SSH_CONNECTION") or "").split(" ")[0]
    return f"{user}@{tty} from {client}" if client else f"{user}@{tty}"


def _account_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user that nobody named
        return str(os.getuid())
