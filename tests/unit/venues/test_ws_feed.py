"""A venue's feed: what a stream tells and what it lacks, with a stream and a source of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from engine.domain.errors import RateLimitedError, TransientError, VenueError
from engine.domain.events import (
    Backfill,
    CallOutcome,
    Channel,
    ChannelReport,
    Event,
    FeedChanged,
    FeedState,
    Remark,
)
from engine.domain.market import NS_PER_MS, NS_PER_S, Bar, Quote, Trade
from engine.ports import FeedCondition
from engine.venues.ws_binance import BinanceWire
from engine.venues.ws_bybit import BybitWire
from engine.venues.ws_feed import VenueFeed
from engine.venues.ws_source import Snapshot
from engine.venues.ws_trades import Named, NumberedTrades, UnnumberedTrades
from engine.venues.ws_wire import Listener
from tests.loopback import LIMIT_S
from tests.unit.venues.stream_builders import (
    MINUTE,
    T0,
    HandSource,
    bar,
    binance_depth,
    binance_ticker,
    binance_trade,
    bybit_book,
    bybit_trades,
    instrument,
    trade,
)

BIDS, ASKS = [(99.0, 1.0)], [(100.0, 1.0)]
BROKEN = TransientError("the connection broke off")


class HandStream:
    """A stream that a test plays by hand."""

    connections = 1

    def __init__(self, listener: Listener[bytes]) -> None:
        self.listener = listener
        self.said: list[str] = []
        self.renewals = 0

    async def run(self) -> None:
        await asyncio.Event().wait()

    def renew(self) -> None:
        self.renewals += 1

    def say(self, text: str) -> None:
        self.said.append(text)

    async def tell(self, *frames: bytes) -> None:
        for frame in frames:
            self.listener.take(frame)
        await self.listener.flush()

    async def reconnect(self, *frames: bytes, error: VenueError = BROKEN) -> None:
        self.listener.broke(error)
        await self.listener.flush()
        self.listener.opened(took_over=False)
        await self.tell(*frames)


class Desk:
    """A feed, its stream, its source, the time, and what was delivered."""

    def __init__(
        self, *, bybit: bool = False, depth: bool = False, steps: tuple[int, ...] = (MINUTE,)
    ) -> None:
        self.source, self.now = HandSource(), T0
        self.events: list[Event] = []
        self._changed = asyncio.Condition()
        self.streams: list[HandStream] = []
        wire: Any = BybitWire if bybit else BinanceWire
        self.feed = VenueFeed[bytes](
            "bybit" if bybit else "binanceusdm",
            [instrument()],
            steps,
            source=self.source,
            make_wire=lambda lines, time, hear: wire("wss://x", lines, time, hear, depth=depth),
            make_stream=self._stream,
            make_trades=UnnumberedTrades if bybit else NumberedTrades,
            now=lambda: self.now,
            sleep=self._sleep,
        )

    def _stream(self, _wire: object, listener: Listener[bytes]) -> HandStream:
        self.streams.append(HandStream(listener))
        return self.streams[-1]

    async def _sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)

    @property
    def stream(self) -> HandStream:
        return self.streams[0]

    async def deliver(self, event: Event, _since_ns: int) -> None:
        self.events.append(event)
        async with self._changed:
            self._changed.notify_all()

    async def until(self, true) -> None:
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if type(event) is kind]


@asynccontextmanager
async def running(**how: Any) -> AsyncIterator[Desk]:
    desk = Desk(**how)
    task = asyncio.create_task(desk.feed.run(desk.deliver))
    await asyncio.sleep(0)
    desk.stream.listener.opened(took_over=False)
    try:
        yield desk
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert desk.source.closed == 1


async def test_it_says_that_it_is_connected_with_the_first_market_data():
    async with running() as desk:
        assert desk.feed.facts().state is FeedCondition.CONNECTING
        await desk.stream.tell(b'{"result":null,"id":1}')
        assert desk.events == []
        await desk.stream.tell(binance_trade(1, T0))
        assert desk.events == [
            FeedChanged(T0, "binanceusdm", FeedState.CONNECTED),
            ChannelReport(T0, "binanceusdm", Channel.MARKET, CallOutcome.OK),
            Trade(T0, "BTCUSDT", 100.0, 0.001, 1, 100.0, 100.0),
        ]
        assert desk.feed.facts().state is FeedCondition.CONNECTED


async def test_a_break_is_told_once_and_each_failed_attempt_to_the_breaker():
    async with running() as desk:
        await desk.stream.tell(binance_trade(1, T0))
        desk.events.clear()
        desk.stream.listener.broke(BROKEN)
        desk.stream.listener.broke(RateLimitedError("slow down", 1.0))
        await desk.stream.listener.flush()
        assert [report.outcome for report in desk.of(ChannelReport)] == [
            CallOutcome.TRANSIENT,
            CallOutcome.RATE_LIMITED,
        ]
        assert desk.of(FeedChanged) == [
            FeedChanged(T0, "binanceusdm", FeedState.DISCONNECTED, "the connection broke off")
        ]
        assert desk.feed.facts().state is FeedCondition.DISCONNECTED
        desk.now += 3 * NS_PER_S
        desk.stream.listener.opened(took_over=False)
        await desk.stream.tell(binance_ticker(5, T0))
        assert desk.of(FeedChanged)[-1] == FeedChanged(
            desk.now, "binanceusdm", FeedState.CONNECTED, "after 3.0 s"
        )


async def test_trades_that_a_break_swallowed_are_asked_for_and_come_in_order():
    async with running() as desk:
        await desk.stream.tell(binance_trade(1, T0), binance_trade(2, T0 + 1))
        desk.source.said_trades = [Named(n, trade(T0 + n)) for n in range(1, 7)]
        await desk.stream.reconnect(binance_trade(6, T0 + 6 * NS_PER_MS))
        await desk.until(lambda: len(desk.of(Trade)) == 6)
        assert desk.source.asked == [("trades", 2)]
        assert desk.feed.facts().lost == 0


async def test_unnumbered_trades_wait_for_the_answer_after_a_break():
    async with running(bybit=True) as desk:
        await desk.stream.tell(bybit_trades("a", ts=T0))
        desk.source.said_trades = [Named(n, trade(T0 + k)) for k, n in enumerate("abcd")]
        await desk.stream.reconnect(bybit_trades("d", "e", ts=T0 + 9 * NS_PER_MS))
        await desk.until(lambda: len(desk.of(Trade)) == 5)
        assert [each.ts - T0 for each in desk.of(Trade)] == [0, 1, 2, 3, 9 * NS_PER_MS]


async def test_a_hole_in_the_numbers_is_asked_for_when_it_does_not_fill_by_itself():
    async with running() as desk:
        desk.source.said_trades = [Named(2, trade(T0 + 2))]
        await desk.stream.tell(binance_trade(1, T0), binance_trade(3, T0 + 3 * NS_PER_MS))
        assert len(desk.of(Trade)) == 1
        await asyncio.sleep(0.12)  # a tick: the hole may still fill by itself
        assert desk.source.asked == []
        desk.now += 200 * NS_PER_MS
        await desk.until(lambda: len(desk.of(Trade)) == 3)


async def test_a_loss_is_told_and_its_bars_come_from_the_venue():
    async with running() as desk:
        desk.source.said_bars = [bar(T0 + MINUTE, close=55.0)]
        await desk.stream.tell(binance_trade(1, T0))
        desk.feed.line("BTCUSDT").series[0].fill(())  # the beginning is whole, for this test
        await desk.stream.reconnect(binance_trade(9, T0 + 10 * NS_PER_S))
        await desk.until(lambda: len(desk.of(Trade)) == 2)
        assert "trades of BTCUSDT are lost" in desk.of(Remark)[0].text
        assert desk.feed.facts().lost == 7
        desk.now = T0 + MINUTE + 13 * NS_PER_S  # 3 s past, for the fastest message took 10 s
        await desk.until(lambda: desk.of(Bar))
        assert desk.of(Bar) == [bar(T0 + MINUTE, close=55.0)]


async def test_a_venue_that_cannot_be_asked_is_told_and_what_waits_goes_on():
    async with running() as desk:
        await desk.stream.tell(binance_trade(1, T0))
        desk.source.fails = [TransientError("timeout")] * 5
        await desk.stream.reconnect(binance_trade(3, T0 + 1))
        await desk.until(lambda: len(desk.of(Trade)) == 2)
        assert "the trades BTCUSDT lacks cannot be asked for: timeout" in desk.of(Remark)[0].text


async def test_a_bar_closes_by_the_venue_s_clock_when_no_trade_comes():
    async with running(steps=(7 * NS_PER_S,)) as desk:
        desk.now = T0 + 1_270 * NS_PER_MS  # our clock is ahead
        start = T0 // (7 * NS_PER_S) * 7 * NS_PER_S + 7 * NS_PER_S
        await desk.stream.tell(binance_trade(1, T0))
        desk.now = start + 1_270 * NS_PER_MS
        await desk.stream.tell(binance_trade(2, start))
        desk.now = start + 7 * NS_PER_S + 1_270 * NS_PER_MS
        await asyncio.sleep(0.25)  # ticks pass: its grace is not over
        assert desk.of(Bar) == []
        desk.now += 300 * NS_PER_MS
        await desk.until(lambda: desk.of(Bar))
        assert desk.of(Bar)[0].ts == start + 7 * NS_PER_S


async def test_no_bar_closes_while_the_stream_is_broken():
    async with running(steps=(7 * NS_PER_S,)) as desk:
        await desk.stream.tell(binance_trade(1, T0), binance_trade(2, T0 + 14 * NS_PER_S))
        desk.stream.listener.broke(BROKEN)
        desk.now = T0 + 60 * NS_PER_S
        await asyncio.sleep(0.25)
        assert desk.of(Bar) == []


async def test_the_bar_in_which_the_feed_began_comes_from_the_venue():
    async with running() as desk:
        desk.source.said_bars = [bar(T0 + MINUTE, close=55.0)]
        await desk.stream.tell(binance_trade(1, T0 + 5 * NS_PER_S))
        desk.now = T0 + MINUTE
        await desk.until(lambda: desk.of(Bar))
        assert desk.of(Bar) == [bar(T0 + MINUTE, close=55.0)]


async def test_older_bars_warm_up_and_lead_to_nothing():
    async with running() as desk:
        desk.source.said_bars = [bar(T0 + n * MINUTE, close=float(n)) for n in (-1, 0, 1, 2, 3)]
        desk.now = T0 + 1
        assert [each.ts - T0 for each in await desk.feed.history(2)] == [-MINUTE, 0]
        desk.now = T0 + 2 * MINUTE + 1
        await desk.stream.tell(binance_trade(1, desk.now // NS_PER_MS * NS_PER_MS))
        desk.now = T0 + 3 * MINUTE + 5 * NS_PER_S
        await desk.until(lambda: desk.of(Bar))
        (backfill,) = desk.of(Backfill)
        assert [each.close for each in backfill.bars] == [1.0, 2.0]
        assert [each.close for each in desk.of(Bar)] == [3.0]


async def test_a_bar_that_the_venue_does_not_have_either_is_told():
    async with running() as desk:
        await desk.stream.tell(binance_trade(1, T0 + 5 * NS_PER_S))
        desk.now = T0 + MINUTE
        await desk.until(lambda: desk.of(Remark))
        assert "1 1m bars of BTCUSDT are missing" in desk.of(Remark)[0].text


async def test_history_has_only_steps_that_the_venue_hands_out():
    desk = Desk(steps=(MINUTE, 7 * NS_PER_S))
    desk.source.said_bars = [bar(T0, 7 * NS_PER_S), bar(T0)]
    assert await desk.feed.history(1) == [bar(T0)]


async def test_history_tells_that_the_venue_does_not_answer():
    desk = Desk()
    desk.source.fails = [BROKEN]
    with pytest.raises(TransientError):
        await desk.feed.history(1)


async def test_a_book_is_asked_for_until_it_fits_and_shown_then():
    async with running(depth=True) as desk:
        desk.source.said_snapshot = Snapshot(3, BIDS, ASKS)  # too old
        await desk.stream.tell(binance_depth(5, 8, 4, [(99.5, 1.0)], []))
        await desk.source.until(lambda: len(desk.source.asked) == 2)
        assert desk.of(Quote) == []
        desk.source.said_snapshot = Snapshot(6, BIDS, ASKS)
        await desk.until(lambda: desk.of(Quote))
        assert desk.of(Quote)[-1].bid == 99.5
        assert desk.feed.facts().book_breaks == 0


async def test_a_broken_book_of_bybit_is_joined_again():
    async with running(bybit=True, depth=True) as desk:
        await desk.stream.tell(
            bybit_book(5, BIDS, ASKS, snapshot=True), bybit_book(7, BIDS, [(100.0, 9.0)], ts=T0 + 9)
        )
        assert [text.partition(",")[0] for text in desk.stream.said] == [
            '{"op":"unsubscribe"',
            '{"op":"subscribe"',
        ]
        assert desk.feed.facts().book_breaks == 1


async def test_a_connection_that_took_over_goes_on_where_the_other_was():
    async with running(bybit=True, depth=True) as desk:
        await desk.stream.tell(bybit_trades("a", ts=T0), bybit_book(5, BIDS, ASKS, snapshot=True))
        desk.stream.listener.opened(took_over=True)
        await desk.stream.tell(
            bybit_book(4, [(98.0, 1.0)], ASKS, snapshot=True),
            bybit_book(5, BIDS, []),
            bybit_book(6, [(99.5, 1.0)], [], ts=T0 + 5 * NS_PER_MS),
            bybit_trades("a", "b", ts=T0 + 5 * NS_PER_MS),
        )
        assert [quote.bid for quote in desk.of(Quote)] == [99.0, 99.5]
        assert len(desk.of(Trade)) == 2
        assert len(desk.of(FeedChanged)) == 1
        assert desk.feed.facts().repeated == 1


async def test_what_the_venue_refuses_or_announces_is_heard():
    async with running() as desk:
        await desk.stream.tell(b'{"error":{"code":2,"msg":"unknown stream"},"id":1}')
        assert desk.of(Remark)[0].text == "binanceusdm refuses a subscription: unknown stream"
        await desk.stream.tell(b'{"e":"serverShutdown","E":1}')
        assert desk.stream.renewals == 1


async def test_what_cannot_be_read_is_told_less_and_less_often():
    async with running() as desk:
        await desk.stream.tell(*([b"<html>"] * 9))
        assert len(desk.of(Remark)) == 4  # the 1st, 2nd, 4th and 8th
        assert desk.feed.facts().garbled == 9
        assert "binanceusdm sent what cannot be read" in desk.of(Remark)[0].text


async def test_two_tasks_that_flush_keep_the_order():
    desk = Desk()
    slow = asyncio.Event()
    seen: list[int] = []

    async def deliver(event: Event, _since_ns: int) -> None:
        if isinstance(event, Trade):
            await slow.wait()
            seen.append(event.ts - T0)

    task = asyncio.create_task(desk.feed.run(deliver))
    await asyncio.sleep(0)
    desk.stream.listener.opened(took_over=False)
    first = asyncio.create_task(desk.stream.tell(binance_trade(1, T0)))
    await asyncio.sleep(0)
    second = asyncio.create_task(desk.stream.tell(binance_trade(2, T0 + NS_PER_MS)))
    await asyncio.sleep(0)
    slow.set()
    await asyncio.gather(first, second)
    assert seen == [0, NS_PER_MS]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_book_is_told_while_it_is_true():
    async with running() as desk:
        assert desk.feed.depth("BTCUSDT", 5) is None
        desk.feed.line("BTCUSDT").book.snapshot(1, [(99.0, 1.0), (98.0, 2.0)], [(101.0, 3.0), (102.0, 1.0)])
        depth = desk.feed.depth("BTCUSDT", 1)
        assert depth is not None
        assert (depth.bids, depth.asks) == (((99.0, 1.0),), ((101.0, 3.0),))
        assert desk.feed.depth("NIXUSDT", 1) is None
