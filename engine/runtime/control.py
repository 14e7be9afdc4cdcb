"""The control socket: consoles see the engine and command it, and none of them can hold it up."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from websockets.asyncio.server import Server, ServerConnection, broadcast, unix_serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from engine.core.snapshot import Snapshot
from engine.domain.errors import TraderError
from engine.domain.reasons import Reason
from engine.runtime.client import Client
from engine.runtime.listener import listen
from engine.runtime.logs import Logger
from engine.runtime.protocol import (
    CommandReply,
    CommandRequest,
    Goodbye,
    Hello,
    LookReply,
    LookRequest,
    SnapshotDelta,
    StatusRequest,
    Subscribe,
    ToConsole,
    WhyReply,
    WhyRequest,
    difference,
)
from engine.runtime.wire import (
    REQUEST_BYTES_MAX,
    UnknownRequestError,
    UnreadableError,
    decode_request,
    encode,
    silent_logger,
)

CONNECTIONS_MAX = 64  # consoles, their panic lines and one-shot commands together
SUBSCRIBERS_MAX = 16
ANSWER_TIMEOUT_S = 5.0
SLOW_S = 10.0  # a client that reads nothing for so long is let go
RATE_MIN_HZ = 0.1
CLOSE_TIMEOUT_S = 1.0
PING_INTERVAL_S = 20.0
PING_TIMEOUT_S = 120.0  # a console that was suspended for a while is still one
_FULL = f"{CONNECTIONS_MAX} connections are open already; close one"
_UNCHANGED = SnapshotDelta()


def _ignore(_console: str) -> None:
    """Nobody asks for the consoles that are gone."""


class ControlServer:
    """Serves Hello, snapshots and replies on a Unix socket while its `async with` block runs.

    `snapshot` is asked for only while somebody wants one, and once a tick for all of them. `command` answers
    within `ANSWER_TIMEOUT_S` or the client is told that it did not. `left` hears of consoles that are gone.
    Raises LockHeldError where another engine answers on the path, OSError where the socket cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        hello: Hello,
        snapshot: Callable[[], Snapshot],
        command: Callable[[CommandRequest], Awaitable[CommandReply]],
        why: Callable[[WhyRequest], Awaitable[WhyReply]],
        look: Callable[[LookRequest], Awaitable[LookReply]],
        log: Logger,
        left: Callable[[str], None] = _ignore,
        rate_hz: float = 10.0,
        slow_s: float = SLOW_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.path = path
        self._hello = hello
        self._build = snapshot
        self._command = command
        self._why = why
        self._look = look
        self._log = log
        self._left = left
        self._interval_s = 1.0 / rate_hz
        self._slow_s = slow_s
        self._answer_timeout_s = answer_timeout_s
        self._clients: set[Client] = set()
        self._subscribers: set[Client] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._latest: Snapshot | None = None
        self._built_s = 0.0
        self._failing = False

    async def __aenter__(self) -> Self:
        listener = await asyncio.to_thread(listen, self.path)
        self._inode = self.path.stat().st_ino
        self._server: Server = await unix_serve(
            self._serve,
            sock=listener,
            compression=None,
            max_size=REQUEST_BYTES_MAX,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            logger=silent_logger(),
        )
        # Not of a TaskGroup: it would wrap what the block raises. It cannot fail, and ends with the block.
        self._ticker = asyncio.create_task(self._tick_on(), name="control snapshots")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def subscribers(self) -> int:
        """How many consoles get snapshots."""
        return len(self._subscribers)

    async def say_goodbye(self, exit_code: int, text: str) -> None:
        """Send everyone the last snapshot and Goodbye, then close; takes about `CLOSE_TIMEOUT_S` at most."""
        self._ticker.cancel()
        self._push(tuple(self._subscribers), fresh=True)
        broadcast([client.connection for client in self._clients], encode(Goodbye(exit_code, text)))
        await self._close()

    async def _close(self) -> None:
        self._ticker.cancel()
        await asyncio.wait((self._ticker,))
        for answer in self._answers:  # whoever would give them is no more
            answer.cancel()
        for client in self._clients:
            if client.unread:  # the closing handshake would wait for it
                client.connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        with suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()

    # conversation

    async def _serve(self, connection: ServerConnection) -> None:
        if len(self._clients) >= CONNECTIONS_MAX:
            await connection.close(CloseCode.TRY_AGAIN_LATER, _FULL)
            return
        client = Client(connection)
        self._clients.add(client)
        try:
            await self._converse(client)
        except ConnectionClosed:
            pass
        except Exception:  # noqa: BLE001 - one console's trouble must not become the engine's
            self._log.exception("control_failed")
            await connection.close(CloseCode.INTERNAL_ERROR, "the engine failed to answer; see its log")
        finally:
            self._clients.discard(client)
            self._subscribers.discard(client)
            if not self._subscribers:
                self._wanted.clear()
            # one that came back over a new connection has not left, whenever the old one is found dead
            if client.console and all(other.console != client.console for other in self._clients):
                self._left(client.console)

    async def _converse(self, client: Client) -> None:
        await self._send(client, self._hello)
        async with asyncio.TaskGroup() as answers:  # a command is carried out even if its sender has left
            with suppress(ConnectionClosed):
                while True:
                    await self._hear(client, await client.connection.recv(decode=False), answers)

    async def _hear(self, client: Client, frame: bytes, answers: asyncio.TaskGroup) -> None:
        try:
            message = decode_request(frame)
        except UnknownRequestError as error:
            await self._send(client, _refused(error.id, f"not understood: {error}", Reason.UNKNOWN_COMMAND))
            return
        except UnreadableError as error:
            await client.connection.close(CloseCode.INVALID_DATA, str(error))
            return
        match message:
            case CommandRequest():
                client.console = message.console
                await client.commands.acquire()
                self._begin(answers, self._answer(client, message))
            case WhyRequest() | LookRequest():
                await client.commands.acquire()
                self._begin(answers, self._tell(client, message))
            case Subscribe():
                await self._subscribe(client, message.rate_hz)
            case StatusRequest():
                await self._send_whole(client)

    def _begin(self, answers: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
        answer = answers.create_task(work)
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    async def _tell(self, client: Client, request: WhyRequest | LookRequest) -> None:
        """Answer what changes nothing."""
        asks_why = isinstance(request, WhyRequest)
        answer: type[WhyReply | LookReply] = WhyReply if asks_why else LookReply
        reply: WhyReply | LookReply
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                reply = await (self._why(request) if isinstance(request, WhyRequest) else self._look(request))
        except TimeoutError:
            reply = answer(request.id, text=f"no answer within {self._answer_timeout_s:g} s")
        except Exception:  # noqa: BLE001 - whoever asked must get an answer
            self._log.exception("why_failed" if asks_why else "look_failed", asked=repr(request))
            verb = "explain" if asks_why else "show it"
            reply = answer(request.id, text=f"the engine failed to {verb}; see its log")
        client.commands.release()
        with suppress(ConnectionClosed):
            await self._send(client, reply)

    async def _answer(self, client: Client, request: CommandRequest) -> None:
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                reply = await self._command(request)
        except TimeoutError:
            text = f"no answer within {self._answer_timeout_s:g} s; it may still be carried out"
            reply = _refused(request.id, text, Reason.NO_ANSWER)
        except TraderError as error:
            reply = _refused(request.id, str(error))
        except Exception:  # noqa: BLE001 - whoever asked must get an answer
            self._log.exception("command_failed", action=request.action, actor=request.actor)
            reply = _refused(request.id, "the engine failed to carry it out; see its log")
        self._built_s = 0.0  # what is asked for next shows what the command did
        client.commands.release()
        with suppress(ConnectionClosed):
            await self._send(client, msgspec.structs.replace(reply, id=request.id))

    async def _send(self, client: Client, message: ToConsole) -> None:
        """Send in full or let go of a client that does not read."""
        try:
            async with asyncio.timeout(self._slow_s):
                await client.connection.send(encode(message))
        except TimeoutError:
            self._let_go(client)

    def _let_go(self, client: Client) -> None:
        self._log.warning("console_too_slow", slow_s=self._slow_s)
        client.connection.transport.abort()

    # snapshots

    async def _subscribe(self, client: Client, rate_hz: float) -> None:
        if client not in self._subscribers and len(self._subscribers) >= SUBSCRIBERS_MAX:
            text = f"{SUBSCRIBERS_MAX} consoles are attached already; close one"
            await client.connection.close(CloseCode.TRY_AGAIN_LATER, text)
            return
        client.interval_s = max(1.0 / max(rate_hz, RATE_MIN_HZ), self._interval_s)
        self._subscribers.add(client)
        await self._send_whole(client)
        self._wanted.set()

    async def _send_whole(self, client: Client) -> None:
        client.sent = self._current()
        client.due_s = asyncio.get_running_loop().time() + client.interval_s
        await self._send(client, difference(None, client.sent))

    def _current(self) -> Snapshot:
        """Return the latest snapshot, built anew unless that was done within half a tick."""
        now_s = asyncio.get_running_loop().time()
        if self._latest is None or now_s - self._built_s >= self._interval_s / 2:
            self._latest = self._build()
            self._built_s = now_s
        return self._latest

    async def _tick_on(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await self._wanted.wait()
            self._push(self._due(clock()))
            await asyncio.sleep(self._interval_s)

    def _due(self, now_s: float) -> tuple[Client, ...]:
        """Return the subscribers whose turn it is; one that has not read its last frame is passed over."""
        early_s = self._interval_s / 2  # a tick that comes a little early counts
        return tuple(
            client
            for client in self._subscribers
            if client.due_s <= now_s + early_s and self._keeps_up(client, now_s)
        )

    def _keeps_up(self, client: Client, now_s: float) -> bool:
        if not client.unread:
            client.behind_since_s = None
            return True
        if client.behind_since_s is None:
            client.behind_since_s = now_s
        elif now_s - client.behind_since_s > self._slow_s:
            self._let_go(client)
        return False

    def _push(self, clients: tuple[Client, ...], *, fresh: bool = False) -> None:
        """Send each client what changed since its last snapshot, compared and encoded once for all alike."""
        if not clients:
            return
        try:
            if fresh:
                self._built_s = 0.0
            snapshot = self._current()
        except Exception:  # noqa: BLE001 - a fault of the screen must not become the engine's
            if not self._failing:
                self._log.exception("snapshot_failed")
            self._failing = True
            return
        self._failing = False
        now_s = asyncio.get_running_loop().time()
        alike: dict[int, list[Client]] = {}
        for client in clients:
            alike.setdefault(id(client.sent), []).append(client)
        for group in alike.values():
            delta = difference(group[0].sent, snapshot)
            if delta != _UNCHANGED:
                broadcast([client.connection for client in group], encode(delta))
            for client in group:
                client.sent, client.due_s = snapshot, now_s + client.interval_s


def _refused(request_id: int, text: str, reason: str = "") -> CommandReply:
    return CommandReply(id=request_id, ok=False, reason=reason, text=text)
