"""A venue's live market as the engine takes it: a stream, and queries for what the stream lacks.

Each trade is handed on once and in order, each bar whole, each best price as the venue had it. What a break
tore is asked for before what came after it is handed on; what cannot be had any more is told.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from engine.domain.errors import RateLimitedError, VenueError
from engine.domain.events import (
    CallOutcome,
    Channel,
    ChannelReport,
    Event,
    FeedChanged,
    FeedState,
    Remark,
)
from engine.domain.market import NS_PER_MS, NS_PER_S, Bar, Depth, Instrument, MarketEvent
from engine.ports import Deliver, FeedCondition, FeedFacts
from engine.venues.ws_bars import series_of
from engine.venues.ws_line import Line
from engine.venues.ws_repair import Repairs, Sleep
from engine.venues.ws_source import Source
from engine.venues.ws_time import VenueTime
from engine.venues.ws_trades import TradeOrder
from engine.venues.ws_wire import Hear, Listener, LiveStream, Said, Wire

TICK_S = 0.1
GRACE_NS = 300 * NS_PER_MS  # a bar closes so long after its end where no later trade closes it
SETTLE_NS = 2 * NS_PER_S  # so long after its end a venue's own bar is asked for
SHOWN_MAX = 80  # characters of a message that cannot be read
PATIENCE_NS = 150 * NS_PER_MS  # a hole may be filled by itself for so long, before the venue is asked

F = TypeVar("F")  # a message as the stream brings it
W = TypeVar("W", bound=Wire[Any])
MakeWire = Callable[[Mapping[str, Line], VenueTime, Hear], W]


class VenueFeed(Generic[F]):
    """The push feed (engine.ports.PushFeed) of one venue over one stream."""

    def __init__(
        self,
        name: str,
        instruments: Sequence[Instrument],
        steps_ns: Sequence[int],
        *,
        source: Source,
        make_wire: MakeWire[W],
        make_stream: Callable[[W, Listener[F]], LiveStream],
        make_trades: Callable[[], TradeOrder],
        now: Callable[[], int],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`steps_ns` are the lengths of all bars, `now` returns our time in ns UTC."""
        self.name, self.instruments = name, tuple(instruments)
        self.base_step_ns = min(steps_ns)
        self._source, self._now = source, now
        self._time = VenueTime()
        self._out: list[MarketEvent] = []
        self._news: list[Event] = []  # goes before market data
        self._lines = {
            i.symbol: Line(i, make_trades(), series_of(i, steps_ns, source.steps_ns), self._out)
            for i in instruments
        }
        wire = make_wire(self._lines, self._time, self._hear)
        self._wire: Wire[F] = wire
        self._stream = make_stream(wire, self)
        self._repairs = Repairs(
            name,
            source,
            out=self._out,
            news=self._news,
            now=now,
            venue_time=self._time,
            flush=self.flush,
            sleep=sleep,
        )
        self._deliver: Deliver = _drop
        self._flushing = asyncio.Lock()
        self._state = FeedCondition.CONNECTING
        self._is_fresh = True  # no market data came yet on this connection
        self._began = False
        self._down_since = 0  # our time; 0 while data comes
        self._lacking_since: dict[str, int] = {}
        self._messages = self._garbled = 0
        self._error = ""

    async def history(self, bars: int) -> Sequence[Bar]:
        """Return so many closed bars of each symbol and step, oldest first. Raises VenueError."""
        wanted = [series for line in self._lines.values() for series in line.series]
        found = await asyncio.gather(*(self._repairs.past(series, bars) for series in wanted))
        return sorted((bar for past in found for bar in past), key=lambda bar: (bar.ts, bar.step_ns))

    async def run(self, deliver: Deliver) -> None:
        """Bring the market to `deliver` until the task is canceled."""
        self._deliver = deliver
        try:
            async with asyncio.TaskGroup() as tasks:
                self._repairs.begin(tasks)
                tasks.create_task(self._stream.run())
                tasks.create_task(self._tick())
        finally:
            await self._source.close()

    def facts(self) -> FeedFacts:
        """Return what the feed went through."""
        lines = self._lines.values()
        offset_ns = self._time.offset_ns
        return FeedFacts(
            state=self._state,
            messages=self._messages,
            connections=self._stream.connections,
            repeated=sum(line.trades.repeated for line in lines),
            lost=sum(line.trades.lost for line in lines),
            late=sum(series.late for line in lines for series in line.series),
            book_breaks=sum(line.book.breaks for line in lines),
            garbled=self._garbled,
            offset_ms=None if offset_ns is None else offset_ns / NS_PER_MS,
            error=self._error,
        )

    def depth(self, symbol: str, levels: int) -> Depth | None:
        """Return the best levels of a symbol's book, None while there is none that is true."""
        line = self._lines.get(symbol)
        if line is None or not line.book.is_true:
            return None
        book = line.book.book
        return Depth(tuple(book.bids.top(levels)), tuple(book.asks.top(levels)))

    def line(self, symbol: str) -> Line:
        """Return one symbol's line: its book, for one."""
        return self._lines[symbol]

    # what the stream tells

    def opened(self, *, took_over: bool) -> None:
        """A connection begins. One that took over tells what the other told, and goes on."""
        if took_over:
            return
        self._is_fresh = True
        self._wire.begin()
        for line in self._lines.values():
            line.trades.interrupt()

    def take(self, frame: F) -> bool:
        """Take a message; tell whether it was market data."""
        now = self._now()
        self._messages += 1
        try:
            is_data = self._wire.take(frame, now)
        except msgspec.MsgspecError as error:
            self._on_garbled(frame, error)
            return False
        if is_data and self._is_fresh:
            self._is_fresh = False
            self._on_data(now)
        return is_data

    async def flush(self) -> None:
        """Hand on what there is, the news first."""
        if not self._out and not self._news:
            return
        async with self._flushing:
            since_ns = time.perf_counter_ns()
            while self._out or self._news:
                events: list[Event] = [*self._news, *self._out]
                self._news.clear()
                self._out.clear()
                for event in events:
                    await self._deliver(event, since_ns)

    def broke(self, error: VenueError) -> None:
        """The stream stands still; each attempt that fails is told to the breaker."""
        now, self._error = self._now(), str(error)
        limited = isinstance(error, RateLimitedError)
        outcome = CallOutcome.RATE_LIMITED if limited else CallOutcome.TRANSIENT
        self._news.append(ChannelReport(now, self.name, Channel.MARKET, outcome, self._error))
        if not self._down_since:
            self._down_since, self._state = now, FeedCondition.DISCONNECTED
            self._news.append(FeedChanged(now, self.name, FeedState.DISCONNECTED, self._error))

    def _on_data(self, now: int) -> None:
        """Data comes: for the first time, or again."""
        at = self._time.at(now)
        for line in self._lines.values():
            if not self._began:
                line.begin(at)
            elif line.trades.newest is not None:
                self._repairs.trades(line)
        down_s = (now - self._down_since) / NS_PER_S if self._down_since else 0.0
        self._began, self._down_since, self._state = True, 0, FeedCondition.CONNECTED
        text = f"after {down_s:.1f} s" if down_s else ""
        self._news.append(FeedChanged(now, self.name, FeedState.CONNECTED, text))
        self._news.append(ChannelReport(now, self.name, Channel.MARKET, CallOutcome.OK))

    def _on_garbled(self, frame: F, error: Exception) -> None:
        self._garbled += 1
        if self._garbled & (self._garbled - 1) == 0:  # the 1st, 2nd, 4th, 8th, ...
            text = f"{self.name} sent what cannot be read ({error}): {str(frame)[:SHOWN_MAX]}"
            self._news.append(Remark(self._now(), "feed", text))

    def _hear(self, said: Said, text: str) -> None:
        """Take what the venue says beside market data."""
        match said:
            case Said.REFUSED:
                self._news.append(Remark(self._now(), "feed", f"{self.name} refuses a subscription: {text}"))
            case Said.FAREWELL:
                self._stream.renew()
            case Said.BROKEN_BOOK:
                for request in self._wire.renew_book(text):
                    self._stream.say(request)

    # what falls due

    async def _tick(self) -> None:
        """Close bars, and ask for what is missing."""
        while True:
            await asyncio.sleep(TICK_S)
            if self._state is FeedCondition.CONNECTED:
                now = self._now()
                for line in self._lines.values():
                    self._look_after(line, now, self._time.at(now))
            await self.flush()

    def _look_after(self, line: Line, now: int, at: int) -> None:
        """Look after one symbol; `at` is the venue's time. No bar closes before its trades are there."""
        if self._wire.asks_books and not line.book.is_true:
            self._repairs.book(line)
        if line.trades.lacks:
            since = self._lacking_since.setdefault(line.symbol, now)
            if now - since > PATIENCE_NS:
                self._repairs.trades(line)
            return
        self._lacking_since.pop(line.symbol, None)
        if self._repairs.has_asked_trades(line):
            return
        line.close_bars(at - GRACE_NS)
        for series in line.series:
            hole = series.hole(at - SETTLE_NS)
            if hole is not None:
                self._repairs.bars(series, hole)


async def _drop(_event: Event, _since_ns: int) -> None:
    """Nobody listens yet."""
