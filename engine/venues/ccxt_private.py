"""The private stream: our orders and trades as ccxt.pro tells them, redialed for as long as the engine runs.

Nothing is replayed after a break, so each time the stream stands again FeedChanged says so, and the core
compares its books with the venue. A silent socket is found by its pings within three of them.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from engine.domain.errors import AuthError, TransientError, VenueError
from engine.domain.events import CallOutcome, Channel, Event, FeedChanged, FeedState
from engine.venues.ccxt_answers import OrderAnswer, TradeAnswer, checked
from engine.venues.ccxt_calls import Calls
from engine.venues.ccxt_client import CcxtError
from engine.venues.ccxt_errors import judged, rule_of

FEED = "orders"  # the name of the stream in FeedChanged
BACKOFF_S = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0)
SPREAD = 0.25  # of a pause, to either side

Take = Callable[[Any], Awaitable[None]]


class PrivateStream:
    """Keeps two subscriptions alive: orders and trades of the account."""

    def __init__(
        self,
        calls: Calls,
        *,
        on_order: Callable[[OrderAnswer], Awaitable[None]],
        on_trade: Callable[[TradeAnswer], Awaitable[None]],
        post: Callable[[Event], Awaitable[None]],
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`chance` returns numbers in [0, 1)."""
        self._calls, self._client = calls, calls.client
        self._on_order, self._on_trade, self._post, self._now = on_order, on_trade, post, now
        self._sleep, self._chance = sleep, chance
        self._acks, self._failures = 0, 0
        self._is_told = False  # that the stream is gone; the first failure is told, too
        self._stands = asyncio.Event()
        self._socket: Any = None  # the one that answered last
        self._beside = ""  # a topic that is subscribed for what it does, not for what it tells
        self.reconnects = 0
        self._listen_in()

    @property
    def is_up(self) -> bool:
        """Whether the stream stands."""
        return self._stands.is_set()

    async def stands(self) -> None:
        """Wait until the stream stands."""
        await self._stands.wait()

    async def subscribe_beside(self, topic: str) -> None:
        """Keep a topic subscribed from here on, "" for none: a venue's switch waits for such a stream."""
        before, self._beside = self._beside, topic
        if self.is_up and before != topic:
            await self._send("unsubscribe", before)
            await self._send("subscribe", topic)

    async def _send(self, op: str, topic: str) -> None:
        if topic:
            with suppress(CcxtError, OSError):  # a socket that breaks is dialed anew
                await self._socket.send({"op": op, "args": [topic]})

    async def run(self) -> None:
        """Keep the stream alive until cancelled."""
        while True:
            await self._stand()
            pause_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
            self._failures += 1
            await self._sleep(pause_s * (1 + SPREAD * (2 * self._chance() - 1)))

    async def _stand(self) -> None:
        """Dial, subscribe and listen until it breaks."""
        self._acks = 0
        self._client.ws_dial_backoff = {}  # the pauses are ours
        watching = [
            asyncio.create_task(self._watch(self._client.watch_orders, OrderAnswer, self._on_order)),
            asyncio.create_task(self._watch(self._client.watch_my_trades, TradeAnswer, self._on_trade)),
            asyncio.create_task(self._announce()),
        ]
        try:
            done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_EXCEPTION)
            error = self._told(next(task.exception() for task in done if task.exception() is not None))
            for task in watching:
                task.cancel()
            await self._lose(error)  # at once: to close what is left of the sockets takes its time
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            with suppress(CcxtError, OSError):
                await self._client.close_ws_clients()

    async def _lose(self, error: VenueError) -> None:
        """Say that the stream is gone, once until it stands again."""
        if self._stands.is_set():
            self._failures, self._is_told = 0, False
            self.reconnects += 1
        self._stands.clear()
        outcome = CallOutcome.AUTH if isinstance(error, AuthError) else CallOutcome.TRANSIENT
        self._calls.tell_private(outcome, str(error))
        if not self._is_told:
            self._is_told = True
            await self._say(FeedState.DISCONNECTED, str(error))

    async def _say(self, state: FeedState, text: str) -> None:
        await self._post(FeedChanged(self._now(), FEED, state, text, Channel.PRIVATE))

    async def _watch(
        self, watch: Callable[[], Awaitable[Sequence[Any]]], model: type[Any], take: Take
    ) -> None:
        """Pass on what comes. All of it is copied before anything else runs: ccxt goes on writing to it."""
        while True:
            try:
                rows = await watch()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                raise TransientError("the socket was closed") from None  # ccxt cancels who waits for it
            for answer in [checked(model, row) for row in rows]:
                await take(answer)

    async def _announce(self) -> None:
        """Wait until the stream stands and say so; one that does not stand in time is given up."""
        timeout_s = self._calls.timeouts.query_s
        try:
            async with asyncio.timeout(timeout_s):
                await self._stands.wait()
        except TimeoutError:
            text = f"{self._calls.profile.name}: the private stream did not stand within {timeout_s:g} s"
            raise TransientError(text) from None
        await self._send("subscribe", self._beside)
        self._calls.tell_private(CallOutcome.OK)
        many = "1 break" if self.reconnects == 1 else f"{self.reconnects} breaks"
        text = f"after {many}" if self.reconnects else ""
        await self._say(FeedState.CONNECTED, text)

    def _told(self, error: BaseException | None) -> VenueError:
        if isinstance(error, VenueError):
            return error
        profile = self._calls.profile
        if isinstance(error, CcxtError):
            rule = rule_of(error, profile.ccxt_id)
            return judged(error, rule, profile.name, writes=False, retry_after_s=0.0)
        return TransientError(f"{profile.name}: the private stream broke: {error!r}")

    # when the stream stands

    def _listen_in(self) -> None:
        """See frames before ccxt does: it tells nobody that a socket was opened or a topic subscribed."""
        handle, connected = self._client.handle_message, self._client.on_connected

        def on_message(socket: Any, message: Any) -> None:
            if _is_ack(message):
                self._socket = socket
                self._acks += 1
                self._look()
            handle(socket, message)

        def on_connected(socket: Any, *message: Any) -> None:
            connected(socket, *message)
            self._look()

        self._client.handle_message, self._client.on_connected = on_message, on_connected

    def _look(self) -> None:
        if self._acks >= self._calls.profile.subscribe_acks:
            self._stands.set()


def _is_ack(message: Any) -> bool:
    return isinstance(message, dict) and message.get("op") == "subscribe" and message.get("success") is True
