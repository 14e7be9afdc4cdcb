"""A console's connection to an engine in the same event loop, for tests and `--in-process`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from itertools import count

from engine.core.sights import Wish
from engine.core.snapshot import Snapshot
from engine.domain.errors import ControlError
from engine.domain.events import Action
from engine.domain.reasons import Reason
from engine.runtime.panicline import PANIC_TIMEOUT_S
from engine.runtime.protocol import (
    CommandReply,
    CommandRequest,
    Goodbye,
    Hello,
    LookReply,
    LookRequest,
    WhyReply,
    WhyRequest,
)
from engine.runtime.wire import COMMAND_TIMEOUT_S, no_answer


class DirectLink:
    """A Link to an engine in the same event loop. The engine's side ends it by `say_goodbye`."""

    def __init__(
        self,
        *,
        hello: Hello,
        snapshot: Callable[[], Snapshot],
        command: Callable[[CommandRequest], Awaitable[CommandReply]],
        why: Callable[[WhyRequest], Awaitable[WhyReply]],
        look: Callable[[LookRequest], Awaitable[LookReply]],
        actor: str,
        options: str,
        console: str = "",
        rate_hz: float = 10.0,
    ) -> None:
        """Must be made inside the engine's event loop. `options` are those by which a command finds it."""
        self._hello = hello
        self._build = snapshot
        self._command = command
        self._why = why
        self._look = look
        self._actor, self._console = actor, console
        self._options = options
        self._interval_s = 1.0 / rate_hz
        self._loop = asyncio.get_running_loop()
        self._ids = count(1)
        self._ended = asyncio.Event()
        self._goodbye: Goodbye | None = None
        self._panics: set[asyncio.Task[CommandReply]] = set()

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
        """What the engine said at its end, None while it runs."""
        return self._goodbye

    async def say_goodbye(self, exit_code: int, text: str) -> None:
        """End every stream of snapshots; the last one is still shown."""
        self._goodbye = Goodbye(exit_code, text)
        self._ended.set()

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield a snapshot each time it differs from the last, at the rate that was set."""
        shown: Snapshot | None = None
        while True:
            last = self._ended.is_set()
            latest = self._build()
            if latest != shown:
                shown = latest
                yield latest
            if last:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._ended.wait()

    async def command(
        self,
        action: Action,
        *,
        reason: str = "",
        argument: str = "",
        timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> CommandReply:
        """Hand over a command and wait for what became of it. Raises ControlError without one in time."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._command(self._request(action, reason, argument))
        except TimeoutError:
            raise no_answer(action, self._options, timeout_s) from None

    async def why(self, *, play: str = "", last: int = 1, at: int = 0) -> WhyReply:
        """Ask why bars led to what they did."""
        return await self._why(WhyRequest(next(self._ids), play, last, at))

    async def look(self, wish: Wish) -> LookReply:
        """Ask for what no snapshot holds."""
        return await self._look(LookRequest(next(self._ids), wish))

    def panic(self) -> None:
        """Flatten now, from any thread; from the engine's own it returns before the answer is known.

        Raises ControlError within half a second where another thread gets no answer or a refusal.
        """
        request = self._request(Action.FLATTEN, "panic", "")
        if _running_loop() is self._loop:
            task = self._loop.create_task(_answered(self._command(request)))
            self._panics.add(task)
            task.add_done_callback(self._panics.discard)
            return
        try:
            answer = asyncio.run_coroutine_threadsafe(_answered(self._command(request)), self._loop)
            reply = answer.result(PANIC_TIMEOUT_S)
        except (TimeoutError, RuntimeError):
            raise no_answer(Action.FLATTEN, self._options, PANIC_TIMEOUT_S) from None
        if not reply.ok and reply.reason != Reason.FLATTEN_RUNNING:
            raise ControlError(f"the engine refused to flatten: {reply.text or reply.reason}")

    async def close(self) -> None:
        """Let go: streams of snapshots end, the engine goes on."""
        self._ended.set()

    def _request(self, action: Action, reason: str, argument: str) -> CommandRequest:
        return CommandRequest(next(self._ids), action, self._actor, reason, argument, self._console)


async def _answered(reply: Awaitable[CommandReply]) -> CommandReply:
    return await reply


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
