"""A console's connection to an engine: over the control socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Self

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from engine.core.sights import Wish
from engine.core.snapshot import Snapshot
from engine.domain.errors import ControlError
from engine.domain.events import Action
from engine.runtime.ask import (
    WHY_TIMEOUT_S,
    ask_once,
    fetch_status,
    flatten_ended,
    send_command,
    wait_flat,
)
from engine.runtime.directlink import DirectLink
from engine.runtime.panicline import PanicLine
from engine.runtime.protocol import (
    CommandReply,
    CommandRequest,
    Goodbye,
    Hello,
    LookReply,
    LookRequest,
    SnapshotDelta,
    Subscribe,
    WhyReply,
    WhyRequest,
    merge,
)
from engine.runtime.wire import (
    COMMAND_TIMEOUT_S,
    SNAPSHOT_BYTES_MAX,
    decode_reply,
    encode,
    no_answer,
    options_of,
    read_hello,
    silent_logger,
    unreachable,
)

__all__ = [
    "DirectLink",
    "SocketLink",
    "ask_once",
    "fetch_status",
    "flatten_ended",
    "send_command",
    "wait_flat",
]

CLOSE_TIMEOUT_S = 0.5
Request = CommandRequest | WhyRequest | LookRequest
Reply = CommandReply | WhyReply | LookReply


class SocketLink:
    """A Link over the control socket. Made by `connect`; all but `panic` belong to the event loop."""

    def __init__(
        self,
        connection: ClientConnection,
        hello: Hello,
        panic_line: PanicLine,
        *,
        path: Path,
        actor: str,
        console: str = "",
        instance: str = "default",
    ) -> None:
        self._connection = connection
        self._hello = hello
        self._panic_line = panic_line
        self._path = path
        self._actor, self._console, self._instance = actor, console, instance
        self._goodbye: Goodbye | None = None
        self._latest: Snapshot | None = None
        self._version = 0
        self._changed = asyncio.Event()
        self._ended = False
        self._broken: Exception | None = None
        self._ids = count(1)
        self._asked: dict[int, asyncio.Future[Reply]] = {}
        self._reader = asyncio.create_task(self._read(), name="control link")

    @classmethod
    async def connect(
        cls,
        path: Path,
        *,
        actor: str,
        console: str = "",
        timeout_s: float = 2.0,
        instance: str = "default",
        latch_dir: Path | None = None,
    ) -> Self:
        """Connect to the engine at a path, with the panic line. `latch_dir` is the engine's state directory,
        `instance` its name: empty for one elsewhere, whose socket was brought here.

        `console` is this console's own id, where it may have control.

        Raises ControlError: no engine runs, none answers within `timeout_s`, or it speaks another version.
        """
        panic_line = PanicLine(path, actor=actor, instance=instance, latch_dir=latch_dir)
        connection: ClientConnection | None = None
        try:
            async with asyncio.timeout(timeout_s):
                connection = await unix_connect(
                    str(path),
                    compression=None,
                    max_size=SNAPSHOT_BYTES_MAX,
                    ping_interval=None,
                    close_timeout=CLOSE_TIMEOUT_S,
                    logger=silent_logger(),
                )
                hello = read_hello(await connection.recv(decode=False))
            await asyncio.to_thread(panic_line.open, timeout_s)
        except (OSError, EOFError, WebSocketException, ControlError) as error:
            if connection is not None:
                await connection.close()
            raise unreachable(path, instance, error) from None
        return cls(connection, hello, panic_line, path=path, actor=actor, console=console, instance=instance)

    @property
    def hello(self) -> Hello:
        """What the engine said of itself."""
        return self._hello

    @property
    def console(self) -> str:
        """The id under which this console has control or not; empty where it needs none."""
        return self._console

    @property
    def goodbye(self) -> Goodbye | None:
        """What the engine said at its end, None while it runs or if it vanished."""
        return self._goodbye

    @property
    def broken(self) -> ControlError | None:
        """Why the connection ended without a goodbye, None while it is open or after one."""
        if self._broken is None or self._goodbye is not None:
            return None
        return unreachable(self._path, self._instance, self._broken)

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield whole snapshots, the latest one each time; ends with the engine or the connection."""
        with suppress(ConnectionClosed):
            await self._connection.send(encode(Subscribe()))
        shown = 0
        while True:
            changed = self._changed
            if self._latest is not None and shown != self._version:
                shown = self._version
                yield self._latest
            elif self._ended:
                return
            else:
                await changed.wait()

    async def command(
        self,
        action: Action,
        *,
        reason: str = "",
        argument: str = "",
        timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> CommandReply:
        """Send a command and wait for what became of it. Raises ControlError without an answer in time."""
        request = CommandRequest(next(self._ids), action, self._actor, reason, argument, self._console)
        try:
            reply = await self._ask(request, timeout_s)
        except TimeoutError:
            raise no_answer(action, options_of(self._path, self._instance), timeout_s) from None
        assert isinstance(reply, CommandReply), "a command is answered by its reply"
        return reply

    async def why(self, *, play: str = "", last: int = 1, at: int = 0) -> WhyReply:
        """Ask why bars led to what they did. Raises ControlError without an answer in time."""
        request = WhyRequest(next(self._ids), play, last, at)
        try:
            reply = await self._ask(request, WHY_TIMEOUT_S)
        except TimeoutError as error:
            raise unreachable(self._path, self._instance, error) from None
        # an engine that does not know the question refuses it
        return reply if isinstance(reply, WhyReply) else WhyReply(reply.id, text=reply.text)

    async def look(self, wish: Wish) -> LookReply:
        """Ask for what no snapshot holds. Raises ControlError without an answer in time."""
        try:
            reply = await self._ask(LookRequest(next(self._ids), wish), WHY_TIMEOUT_S)
        except TimeoutError as error:
            raise unreachable(self._path, self._instance, error) from None
        return reply if isinstance(reply, LookReply) else LookReply(reply.id, text=reply.text)

    async def _ask(self, request: Request, timeout_s: float) -> Reply:
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[request.id] = answer
        try:
            async with asyncio.timeout(timeout_s):
                await self._connection.send(encode(request))
                return await answer
        except ConnectionClosed as error:
            raise unreachable(self._path, self._instance, error) from None
        finally:
            del self._asked[request.id]

    def panic(self) -> None:
        """Flatten now: synchronous, from any thread, within half a second. Raises ControlError."""
        self._panic_line.flatten()

    async def close(self) -> None:
        """Let go of the connections; the engine goes on."""
        await self._connection.close()
        await asyncio.wait((self._reader,))
        await asyncio.to_thread(self._panic_line.close)

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._connection.recv(decode=False))
        except (ConnectionClosed, ControlError) as error:
            self._broken = error
        finally:
            self._ended = True
            self._tell()
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(ConnectionClosed(None, None))
        await self._connection.close()

    def _take(self, frame: bytes) -> None:
        match decode_reply(frame):
            case SnapshotDelta() as delta:
                self._latest = merge(self._latest, delta)
                self._version += 1
                self._tell()
            case (CommandReply() | WhyReply() | LookReply()) as reply:
                answer = self._asked.get(reply.id)
                if answer is not None and not answer.done():
                    answer.set_result(reply)
            case Goodbye() as goodbye:
                self._goodbye = goodbye
            case Hello():
                pass  # said once more; it changes nothing

    def _tell(self) -> None:
        """Wake whoever waits for a snapshot; the next wait is for the next one."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
