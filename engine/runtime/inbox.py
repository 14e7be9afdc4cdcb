"""The inbox: bounded queues by priority. Ticks may be conflated under load; nothing else is ever dropped."""

import asyncio
from collections import deque

from typing_extensions import TypeIs

from engine.domain.events import Event
from engine.domain.market import Quote, Trade
from engine.domain.priorities import Priority, priority_of

CONFLATE_ABOVE = 512  # waiting market events; above that a new tick joins the waiting one of its symbol
LOSSLESS_MAX = 20_000


class Waiting:
    """An event that waits, with the monotonic time (ns) it came at."""

    __slots__ = ("event", "since_ns")

    def __init__(self, event: Event, since_ns: int) -> None:
        self.event = event
        self.since_ns = since_ns


class Inbox:
    """One queue a priority. `offer` never waits; `take` gives the oldest of the highest class."""

    def __init__(self, *, conflate_above: int = CONFLATE_ABOVE, lossless_max: int = LOSSLESS_MAX) -> None:
        self._queues: tuple[deque[Waiting], ...] = tuple(deque() for _ in Priority)
        self._ticks: dict[tuple[type, str], Waiting] = {}  # the newest waiting trade and quote by symbol
        self._conflate_above = conflate_above
        self._lossless_max = lossless_max
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.conflated = 0

    def __len__(self) -> int:
        """Return how many events wait."""
        return sum(len(queue) for queue in self._queues)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not any(self._queues)

    @property
    def bound(self) -> int:
        """How many lossless events may wait."""
        return self._lossless_max

    def offer(self, event: Event, since_ns: int) -> bool:
        """Put an event in line; False where a lossless queue is full and the reader must wait for room.

        Control and faults are taken even then: they are few, and they are what ends a jam.
        """
        priority = priority_of(event)
        queue = self._queues[priority]
        if priority is Priority.MARKET and self._joined(event, queue):
            return True
        if priority is not Priority.CONTROL and len(queue) >= self._lossless_max:
            self._room.clear()
            return False
        waiting = Waiting(event, since_ns)
        queue.append(waiting)
        if priority is Priority.MARKET:
            self._follow(event, waiting)
        self._arrived.set()
        return True

    def take(self) -> Waiting | None:
        """Return what goes first, None where nothing waits."""
        for queue in self._queues:
            if queue:
                waiting = queue.popleft()
                if len(queue) <= self._lossless_max // 2:
                    self._room.set()
                self._forget(waiting)
                return waiting
        self._arrived.clear()
        return None

    async def wait(self, timeout_s: float | None) -> None:
        """Wait for an event, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived.wait()
        except TimeoutError:
            return

    def wake(self) -> None:
        """Let whoever waits look again."""
        self._arrived.set()

    async def room(self) -> None:
        """Wait until a reader may offer again."""
        await self._room.wait()

    def _joined(self, event: Event, queue: deque[Waiting]) -> bool:
        """Merge a tick into the waiting one of its symbol when many wait."""
        if len(queue) < self._conflate_above or not _is_tick(event):
            return False
        before = self._ticks.get((type(event), event.symbol))
        if before is None:
            return False
        before.event = merged(before.event, event) if isinstance(event, Trade) else event
        self.conflated += 1
        return True

    def _follow(self, event: Event, waiting: Waiting) -> None:
        if _is_tick(event):
            self._ticks[type(event), event.symbol] = waiting
            return
        # A bar closes what came before it: later ticks must not join earlier ones across it.
        symbol = getattr(event, "symbol", "")
        self._ticks.pop((Trade, symbol), None)
        self._ticks.pop((Quote, symbol), None)

    def _forget(self, waiting: Waiting) -> None:
        event = waiting.event
        if _is_tick(event):
            key = (type(event), event.symbol)
            if self._ticks.get(key) is waiting:
                del self._ticks[key]


def _is_tick(event: Event) -> TypeIs[Trade | Quote]:
    """Tell whether an event may be conflated; by identity, for `isinstance` builds its union each time."""
    kind = type(event)
    return kind is Quote or kind is Trade


def merged(before: Event, later: Trade) -> Trade:
    """Return one trade that stands for two: the last price, their extremes, volume and count."""
    assert isinstance(before, Trade), "a trade joins a trade"
    return Trade(
        ts=later.ts,
        symbol=later.symbol,
        price=later.price,
        qty=before.qty + later.qty,
        side=later.side,
        high=max(before.high, later.high),
        low=min(before.low, later.low),
        count=before.count + later.count,
    )
