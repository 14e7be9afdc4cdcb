"""Asks a venue for what its stream lacks: missed trades, bars that are not whole, books out of sequence."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from engine.domain.errors import VenueError
from engine.domain.events import Backfill, Event, Remark
from engine.domain.market import Bar, MarketEvent
from engine.strategy.timeframes import timeframe_of
from engine.venues.ws_bars import BarSeries, Hole
from engine.venues.ws_line import Line
from engine.venues.ws_source import Source
from engine.venues.ws_time import VenueTime

PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)  # before each attempt
BOOK_PAUSE_S = 0.5
AT_ONCE = 4  # queries

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]


class Repairs:
    """The queries under way, each once. What they bring goes to `out`, what is to be said to `news`."""

    def __init__(
        self,
        name: str,
        source: Source,
        *,
        out: list[MarketEvent],
        news: list[Event],
        now: Callable[[], int],
        venue_time: VenueTime,
        flush: Callable[[], Awaitable[None]],
        sleep: Sleep,
    ) -> None:
        self._name, self._source, self._sleep = name, source, sleep
        self._out, self._news, self._flush = out, news, flush
        self._now, self._time = now, venue_time
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[object] = set()
        self._tasks: asyncio.TaskGroup | None = None

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Let queries be tasks of this group from now on."""
        self._tasks = tasks
        self._under_way.clear()

    def has_asked_trades(self, line: Line) -> bool:
        """Tell whether trades of a symbol are being asked for."""
        return (line, "trades") in self._under_way

    def trades(self, line: Line) -> None:
        """Ask for the trades that a symbol lacks."""
        self._start((line, "trades"), self._fill_trades(line))

    def bars(self, series: BarSeries, hole: Hole) -> None:
        """Ask for bars in place of those that are not whole."""
        self._start(series, self._fill_bars(series, hole))

    def book(self, line: Line) -> None:
        """Ask for a book."""
        self._start((line, "book"), self._fill_book(line))

    async def past(self, series: BarSeries, bars: int) -> list[Bar]:
        """Return so many closed bars from before now. Raises VenueError."""
        step_ns = series.step_ns
        if step_ns not in self._source.steps_ns:
            return []
        last = self._time.at(self._now()) // step_ns * step_ns
        async with self._room:
            past = await self._source.bars(series.symbol, step_ns, last - (bars - 1) * step_ns, last)
        series.known_until(past[-1].ts if past else last)
        return past

    def _start(self, key: object, work: Coroutine[Any, Any, None]) -> None:
        if key in self._under_way or self._tasks is None:
            work.close()
            return
        self._under_way.add(key)
        self._tasks.create_task(self._to_the_end(key, work))

    async def _to_the_end(self, key: object, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            self._under_way.discard(key)
        await self._flush()

    async def _fill_trades(self, line: Line) -> None:
        asked = await self._asked(
            lambda: self._source.trades(line.symbol, line.trades.newest), f"the trades {line.symbol} lacks"
        )
        if line.fill(asked or (), self._time.at(self._now())):
            self._say(f"trades of {line.symbol} are lost in a break of the stream; their bars are asked for")

    async def _fill_bars(self, series: BarSeries, hole: Hole) -> None:
        """Wait until the venue has the last bar, too: it may be some seconds late."""
        what = f"{timeframe_of(hole.step_ns)} bars of {hole.symbol}"
        found: Sequence[Bar] = ()
        for pause_s in PAUSES_S:
            await self._sleep(pause_s)
            found = (
                await self._asked(
                    lambda: self._source.bars(hole.symbol, hole.step_ns, hole.first, hole.last), what
                )
                or ()
            )
            if not found or found[-1].ts >= hole.last:
                break
        now = self._now()
        newest_open = self._time.at(now) - hole.step_ns
        bars = series.fill(found)
        past = tuple(bar for bar in bars if bar.ts <= newest_open)
        if past:
            self._news.append(Backfill(now, past))
        self._out.extend(bar for bar in bars if bar.ts > newest_open)
        missing = (hole.last - hole.first) // hole.step_ns + 1 - len(found)
        if missing > 0:
            self._say(
                f"{missing} {what} are missing: the stream did not tell all of them, the venue has none"
            )

    async def _fill_book(self, line: Line) -> None:
        snapshot = await self._asked(lambda: self._source.snapshot(line.symbol), f"the book of {line.symbol}")
        if snapshot is None or not line.book.snapshot(snapshot.last, snapshot.bids, snapshot.asks):
            await self._sleep(BOOK_PAUSE_S)  # it was older than the stream: another one is asked for
            return
        line.show_book(self._time.at(self._now()))

    async def _asked(self, ask: Callable[[], Awaitable[T]], what: str) -> T | None:
        """Return an answer, None after the last attempt failed."""
        error: VenueError | None = None
        for pause_s in PAUSES_S:
            await self._sleep(pause_s)
            try:
                async with self._room:
                    return await ask()
            except VenueError as failed:
                error = failed
        self._say(f"{what} cannot be asked for: {error}")
        return None

    def _say(self, text: str) -> None:
        self._news.append(Remark(self._now(), "feed", f"{self._name}: {text}"))
