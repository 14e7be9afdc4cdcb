"""What makes time pass for the pump: the clock of the world, or the times on a tape."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from engine.domain.errors import VenueError
from engine.domain.events import (
    Backfill,
    Event,
    Fault,
    FaultKind,
    FeedChanged,
    FeedState,
    Remark,
    Woken,
)
from engine.domain.market import NS_PER_S, MarketEvent
from engine.ports import Clock, HistoricalFeed, LiveFeed, PushFeed
from engine.runtime.inbox import Inbox
from engine.runtime.latency import Histogram
from engine.runtime.pump import Pump

SLICE_S = 0.004  # how long the pump may run before the engine's other tasks get their turn
SLICE_NS = int(SLICE_S * NS_PER_S)
JAM_S = 3.0  # how long a reader may wait for room before a person is told
TAPE_MARK_EVENTS = 5_000  # how often the record says how far a tape came


class Gauges:
    """What the drivers measure: event-in to effects-out, and how many events there were."""

    def __init__(self) -> None:
        self.latency = Histogram()
        self.events = 0


class RealTime:
    """Drives the pump by the clock: highest priority first, each event stamped when it is taken."""

    def __init__(
        self,
        pump: Pump,
        inbox: Inbox,
        clock: Clock,
        gauges: Gauges,
        next_at: Callable[[], int | None],
        *,
        worked_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`worked_s` says how long the pump has run; a simulation, whose work takes no time, has its own."""
        self._pump, self._inbox, self._clock, self._gauges = pump, inbox, clock, gauges
        self._next_at, self._worked_s = next_at, worked_s
        self._due: int | None = None  # what `_sleep` waits for

    async def run(self, ended: asyncio.Event) -> None:
        """Take events until `ended` is set."""
        slice_end = self._worked_s() + SLICE_S
        while not ended.is_set():
            if await self.take_waiting():
                if self._worked_s() > slice_end:
                    await asyncio.sleep(0)
                    slice_end = self._worked_s() + SLICE_S
                continue
            await self._sleep()
            slice_end = self._worked_s() + SLICE_S

    async def take_waiting(self) -> bool:
        """Take one event that waits; return whether there was one."""
        waiting = self._inbox.take()
        if waiting is None:
            return False
        await self._take(waiting.event, waiting.since_ns)
        return True

    async def take_at_once(self, event: Event, since_ns: int) -> bool:
        """Take an event in the task that brings it, unless others wait or one is worked on; tell whether.

        To wake `run` for it would take several times as long as most events do. What came together with so
        many others that a slice is over waits in the inbox.
        """
        busy = self._pump.between_events.locked() or not self._inbox.is_empty
        if busy or self._worked_s() * NS_PER_S > since_ns + SLICE_NS:
            return False
        await self._take(event, since_ns)
        if self._next_at() != self._due:
            self._inbox.wake()  # `run` sleeps until what was due before
        return True

    async def _take(self, event: Event, since_ns: int) -> None:
        await self._pump.consume(event, max(self._clock.now(), self._pump.now))
        self._gauges.latency.add(time.perf_counter_ns() - since_ns)
        self._gauges.events += 1

    async def _sleep(self) -> None:
        """Wait for an event or for what is due; say that time passed where it was the latter."""
        due = self._due = self._next_at()
        await self._inbox.wait(None if due is None else max(0.0, (due - self._clock.now()) / NS_PER_S))
        now = max(self._clock.now(), self._pump.now)
        if due is not None and due <= now and self._inbox.is_empty:
            await self._pump.consume(Woken(now), now)


class TapeClock:
    """The time on a paced tape: it runs `speed` times as fast as the world, from where the tape begins."""

    def __init__(self, start_ns: int, speed: float) -> None:
        self._start_ns, self._speed = start_ns, speed
        self._origin_s = time.monotonic()

    def now(self) -> int:
        """Return the tape's time, ns UTC."""
        return self._start_ns + int((time.monotonic() - self._origin_s) * self._speed * NS_PER_S)

    def seconds_until(self, ts: int) -> float:
        """Return how long (s of the world) until the tape shows `ts`."""
        return (ts - self.now()) / NS_PER_S / self._speed


class TapeTime:
    """Drives the pump by the times on a tape, as fast as it goes or at a multiple of real time.

    Nothing conflates: the tape waits until all that followed from its last event is done. Operator commands
    are taken between two events, at the time of the tape. What is due between two events is taken at its own
    time, so that the pace changes nothing.
    """

    def __init__(
        self,
        pump: Pump,
        inbox: Inbox,
        feed: HistoricalFeed,
        gauges: Gauges,
        *,
        speed: float | None,
        next_at: Callable[[], int | None],
    ) -> None:
        self._pump, self._inbox, self._feed, self._gauges = pump, inbox, feed, gauges
        self._speed = speed
        self._next_at = next_at
        self._marked = 0

    async def run(self, ended: asyncio.Event) -> None:
        """Play the tape from where the pump stands, until its end or until `ended` is set."""
        clock: TapeClock | None = None
        slice_end = time.perf_counter() + SLICE_S
        for event in self._feed.events(self._pump.tape_offset):
            if self._speed is not None:
                clock = clock or TapeClock(event.ts, self._speed)
                await self._await_time(event, clock, ended)
            if time.perf_counter() > slice_end:  # also on a paced tape that cannot keep its pace
                await asyncio.sleep(0)
                slice_end = time.perf_counter() + SLICE_S
            await self._take_commands()
            if ended.is_set():
                self._mark()
                return
            await self._take(event)
        self._mark()
        await self._pump.consume(FeedChanged(self._pump.now, "tape", FeedState.ENDED), self._pump.now)

    async def after(self, ended: asyncio.Event) -> None:
        """After the end of the tape let time go on with the world's pace, so that commands still work.

        What falls due is taken at once: no market will come in between, so there is nothing to wait for.
        """
        clock = TapeClock(self._pump.now, 1.0)
        while not ended.is_set():
            due = self._next_at()
            await self._inbox.wait(None if due is None else 0.0)
            if (waiting := self._inbox.take()) is not None:
                await self._pump.consume(waiting.event, max(clock.now(), self._pump.now))
            elif due is not None:
                await self._pump.consume(Woken(due), due)
                clock = TapeClock(self._pump.now, 1.0)

    async def _take(self, event: MarketEvent) -> None:
        started = time.perf_counter_ns()
        await self._pump.consume_tape(event)
        self._gauges.latency.add(time.perf_counter_ns() - started)
        self._gauges.events += 1
        if self._pump.tape_offset - self._marked >= TAPE_MARK_EVENTS:
            self._mark()

    async def _take_commands(self) -> None:
        if self._inbox.is_empty:
            return
        self._mark()
        while (waiting := self._inbox.take()) is not None:
            await self._pump.consume(waiting.event, self._pump.now)

    async def _await_time(self, event: MarketEvent, clock: TapeClock, ended: asyncio.Event) -> None:
        """Wait until the tape's clock shows the event's time; take commands and what is due meanwhile."""
        while not ended.is_set() and (left_s := clock.seconds_until(event.ts)) > 0:
            due = self._next_at()
            if due is not None and due < event.ts:
                left_s = min(left_s, clock.seconds_until(due))
            await self._inbox.wait(max(0.0, left_s))
            await self._pump.pass_time(max(self._pump.now, min(clock.now(), event.ts - 1)))
            await self._take_commands()

    def _mark(self) -> None:
        self._pump.mark_tape()
        self._marked = self._pump.tape_offset


async def _leave(_event: Event, _since_ns: int) -> bool:
    """Take nothing at once."""
    return False


async def read_live(
    feed: LiveFeed,
    inbox: Inbox,
    clock: Clock,
    ended: asyncio.Event,
    take: Callable[[Event, int], Awaitable[bool]] = _leave,
) -> None:
    """Bring a live feed's events to the core as they come; wait where the inbox has no room.

    `take` may take an event at once; it tells whether it did, and the inbox gets the others.
    """
    while not ended.is_set():
        since_ns = time.perf_counter_ns()
        for event in feed.poll(clock.now()):
            if not ended.is_set() and await take(event, since_ns):
                continue
            if not inbox.offer(event, since_ns):
                await _offer_when_there_is_room(inbox, event, since_ns, clock)
        await asyncio.sleep(max(0.0, (feed.next_at() - clock.now()) / NS_PER_S))


async def push_live(
    feed: PushFeed,
    inbox: Inbox,
    clock: Clock,
    ended: asyncio.Event,
    take: Callable[[Event, int], Awaitable[bool]] = _leave,
    *,
    bars: int,
    known: Callable[[str, int], int],
) -> None:
    """Let a push feed bring its events to the core; wait where the inbox has no room.

    First come `bars` of the past that are later than what is `known` of a symbol and step (ns UTC).
    """

    async def deliver(event: Event, since_ns: int) -> None:
        if not ended.is_set() and await take(event, since_ns):
            return
        if not inbox.offer(event, since_ns):
            await _offer_when_there_is_room(inbox, event, since_ns, clock)

    try:
        past = await feed.history(bars)
        news = tuple(bar for bar in past if bar.ts > known(bar.symbol, bar.step_ns))
        first: Event = Backfill(clock.now(), news)
    except VenueError as error:
        text = f"there are no past bars, and indicators warm up on those to come: {error}"
        first = Remark(clock.now(), "feed", text)
    await deliver(first, time.perf_counter_ns())
    await feed.run(deliver)


async def _offer_when_there_is_room(inbox: Inbox, event: Event, since_ns: int, clock: Clock) -> None:
    """Wait until a full inbox takes an event. A jam that lasts is a fault, until it is over."""
    jammed = False
    while True:
        try:
            async with asyncio.timeout(None if jammed else JAM_S):
                await inbox.room()
        except TimeoutError:
            jammed = True
            text = f"the core has not kept up for {JAM_S:g} s: {len(inbox)} events wait, and the feed stands"
            inbox.offer(Fault(clock.now(), FaultKind.OVERFLOW, text), since_ns)
            continue
        if inbox.offer(event, since_ns):
            break
    if jammed:
        inbox.offer(Fault(clock.now(), FaultKind.OVERFLOW, "the core keeps up", cleared=True), since_ns)
