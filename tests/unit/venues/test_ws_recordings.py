"""Recorded streams through the feeds: from a local server with breaks, and message by message.

What the server plays while nobody is connected is missed, as it is at a venue; it answers queries from what
it has played so far.
"""

import asyncio
import gzip
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from engine.domain.events import Event, FeedChanged
from engine.domain.market import NS_PER_MS, NS_PER_S, Quote, Trade
from engine.venues.ws_binance import BinanceWire
from engine.venues.ws_book import Level, OrderBook, Touch
from engine.venues.ws_bybit import BybitWire
from engine.venues.ws_line import Line
from engine.venues.ws_source import Address
from engine.venues.ws_stream import Timing
from engine.venues.ws_time import VenueTime
from engine.venues.ws_trades import NumberedTrades, UnnumberedTrades
from engine.venues.ws_venues import feed_of
from tests.loopback import LIMIT_S, LoopbackVenue
from tests.unit.runtime.rig import eventually
from tests.unit.venues.stream_builders import MINUTE, instrument

RAW = Path(__file__).resolve().parents[4] / "shared" / "data" / "raw"
BTC, ETH = "binance_usdm_btcusdt_20240808", "binance_usdm_ethusdt_20240808"
SPOT = "binance_spot_btcusdt_20240809"
FILES = [
    (BTC, "binanceusdm", "BTCUSDT", True),
    (ETH, "binanceusdm", "ETHUSDT", True),
    (SPOT, "binance", "BTCUSDT", False),  # no book was recorded to begin with
]
PART = 12_000  # messages of a file that are played where the whole of it is not asked for

pytestmark = [pytest.mark.shared, pytest.mark.skipif(not RAW.exists(), reason=f"no market data at {RAW}")]


def recorded(name: str, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the lines of a recording."""
    with gzip.open(RAW / f"{name}.jsonl.gz") as lines:
        for number, line in enumerate(lines):
            if number == most:
                return
            yield msgspec.json.decode(line)


def levels(texts: list[list[str]]) -> list[Level]:
    return [(float(price), float(qty)) for price, qty in texts]


class Exchange:
    """What the exchange of a recording knew at each message."""

    def __init__(self) -> None:
        self.trades: list[dict[str, Any]] = []
        self.book = OrderBook()
        self.last = 0  # of the book, 0 before it is known
        self._waiting: list[dict[str, Any]] = []

    def follow(self, message: dict[str, Any]) -> bytes | None:
        """Take in a message; return it as it goes over the wire, None for what is no message of a stream."""
        if "lastUpdateId" in message:
            self.last = message["lastUpdateId"]
            self.book.reset(levels(message["bids"]), levels(message["asks"]))
            for depth in self._waiting:
                self._apply(depth)
            return None
        data = message["data"]
        if data.get("e") == "trade":
            self.trades.append(data)
        elif data.get("e") == "depthUpdate":
            self._apply(data)
        name = message["stream"].replace("@depth@0ms", "@depth@100ms")
        return msgspec.json.encode({"stream": name, "data": data})

    def _apply(self, depth: dict[str, Any]) -> None:
        if not self.last:
            self._waiting.append(depth)
        elif depth["u"] > self.last:
            self.book.apply(levels(depth["b"]), levels(depth["a"]))
            self.last = depth["u"]

    def last_trade(self) -> bytes:
        """Return one more trade."""
        data = {**self.trades[-1], "t": self.trades[-1]["t"] + 1}
        frame = self.follow({"stream": f"{data['s'].lower()}@trade", "data": data})
        assert frame is not None
        return frame

    def tell_trades(self, _query: Mapping[str, str]) -> list[dict[str, Any]]:
        return [
            {"id": t["t"], "price": t["p"], "qty": t["q"], "time": t["T"], "isBuyerMaker": t["m"]}
            for t in self.trades[-1_000:]
        ]

    def tell_book(self, _query: Mapping[str, str]) -> object:
        if not self.last:
            return web.Response(status=503)
        sides = (self.book.bids.levels, self.book.asks.levels)
        bids, asks = ([[str(price), str(qty)] for price, qty in side.items()] for side in sides)
        return {"lastUpdateId": self.last, "bids": bids, "asks": asks}


class Heard:
    """What a feed delivered."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.quotes = 0
        self.crossed = 0
        self.connections = 0
        self._changed = asyncio.Event()

    async def deliver(self, event: Event, _since_ns: int) -> None:
        self._changed.set()
        if isinstance(event, Trade):
            self.trades.append(event)
        elif isinstance(event, Quote):
            self.quotes += 1
            self.crossed += event.bid >= event.ask
        elif isinstance(event, FeedChanged):
            self.connections += event.state == "connected"

    async def until(self, true) -> None:
        async with asyncio.timeout(6 * LIMIT_S):
            while not true():
                self._changed.clear()
                await self._changed.wait()


async def play(name: str, venue_name: str, symbol: str, *, most: int | None, depth: bool) -> None:
    """Play a recording over sockets that break three times, and hold what comes out against it."""
    messages = [line["msg"] for line in recorded(name, most)]
    cuts = {len(messages) * part // 4 for part in (1, 2, 3)}
    exchange, heard = Exchange(), Heard()
    path = "/fapi/v1" if venue_name == "binanceusdm" else "/api/v3"
    answers = {f"{path}/trades": exchange.tell_trades, f"{path}/depth": exchange.tell_book}
    async with LoopbackVenue({**answers, f"{path}/klines": lambda _: []}) as venue:
        at = Address(venue.stream_url, venue.query_url)
        now = messages[0]["data"]["E"] * NS_PER_MS - 1_270 * NS_PER_MS  # the recorder's clock was behind
        feed = feed_of(
            venue_name, at, [instrument(symbol)], [MINUTE], depth=depth, timing=Timing(), now=lambda: now
        )
        task = asyncio.create_task(feed.run(heard.deliver))
        await venue.until(lambda: venue.sockets)
        for number, message in enumerate(messages):
            if number in cuts:
                connections = len(venue.sockets)
                await venue.cut()
                for missed in messages[number : number + 40]:  # nobody hears them
                    exchange.follow(missed)
                await venue.until(lambda: len(venue.sockets) > connections)  # noqa: B023 - waited for here
            if any(0 <= number - cut < 40 for cut in cuts):
                continue
            frame = exchange.follow(message)
            if frame is not None:
                await venue.send(frame)
            if number % 500 == 0:  # a venue answers for the last 1,000 trades: it must not be far ahead
                await heard.until(lambda: len(heard.trades) > len(exchange.trades) - 200)
        await venue.send(exchange.last_trade())  # when it is heard, all before it was
        await heard.until(lambda: len(heard.trades) == len(exchange.trades))
        facts, book = feed.facts(), feed.line(symbol).book
        await eventually(lambda: not depth or book.last == exchange.last)  # its snapshot may be on the way
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    told = [(t["T"] * NS_PER_MS, float(t["p"]), float(t["q"]), -1 if t["m"] else 1) for t in exchange.trades]
    assert [(t.ts, t.price, t.qty, t.side) for t in heard.trades] == told
    assert (facts.lost, facts.garbled, heard.crossed, heard.connections) == (0, 0, 0, 4)
    assert heard.quotes > len(messages) / 4
    if depth:
        assert book.touch() == exchange.book.touch()
        assert book.book.bids.levels == exchange.book.bids.levels
        assert book.book.asks.levels == exchange.book.asks.levels


@pytest.mark.parametrize(
    ("name", "venue", "symbol", "depth"),
    FILES,
)
async def test_every_trade_comes_once_over_breaks_and_the_book_is_the_exchange_s(name, venue, symbol, depth):
    await play(name, venue, symbol, most=PART, depth=depth)


@pytest.mark.whole
@pytest.mark.parametrize(
    ("name", "venue", "symbol", "depth"),
    FILES,
)
async def test_whole_recordings_over_breaks(name, venue, symbol, depth):
    await play(name, venue, symbol, most=None, depth=depth)


class Side:
    """Lines and a wire without a stream, for messages one by one."""

    def __init__(self, *symbols: str) -> None:
        self.out: list[Any] = []
        self.lines = {name: Line(instrument(name), NumberedTrades(), (), self.out) for name in symbols}
        self.wire = BinanceWire("wss://x", self.lines, VenueTime(), lambda *_: None, depth=True)


def touches(name: str) -> dict[str, tuple[list[int], list[Touch]]]:
    """Return the recorded best bids and offers by symbol, with their numbers."""
    found: dict[str, tuple[list[int], list[Touch]]] = {}
    for line in recorded(name):
        message = line.get("msg") or {}
        data = message.get("data", {}) if "stream" in message else {}
        if message.get("stream", "").endswith("@bookTicker"):
            numbers, values = found.setdefault(data["s"], ([], []))
            numbers.append(data["u"])
            values.append(Touch(*(float(data[key]) for key in ("b", "B", "a", "A"))))
    return found


def compare(name: str, *symbols: str) -> dict[str, int]:
    """Hold rebuilt books against the recorded best bids and offers wherever both tell of one moment."""
    known, side, equal = touches(name), Side(*symbols), dict.fromkeys(symbols, 0)
    for line in recorded(name):
        message = line.get("msg") or {}
        if "lastUpdateId" in message:
            asked = re.search(r"symbol=(\w+)", line.get("url", ""))
            book = side.lines[asked[1] if asked else symbols[0]].book
            assert book.snapshot(message["lastUpdateId"], levels(message["bids"]), levels(message["asks"]))
            continue
        if "@depth" not in message.get("stream", ""):
            continue
        name_ = message["stream"].replace("@depth@0ms", "@depth@100ms")
        side.wire.take(msgspec.json.encode({"stream": name_, "data": message["data"]}), 0)
        symbol = message["data"]["s"]
        book, (numbers, values) = side.lines[symbol].book, known.get(symbol, ([], []))
        at = bisect_right(numbers, book.last)
        if book.is_true and 0 < at < len(numbers):
            assert book.touch() == values[at - 1], f"{symbol} at {book.last}"
            equal[symbol] += 1
        assert not book.book.is_crossed
    assert all(line.book.breaks == 0 for line in side.lines.values())
    return equal


@pytest.mark.parametrize(("name", "symbol", "least"), [(BTC, "BTCUSDT", 6_500), (ETH, "ETHUSDT", 6_500)])
def test_the_rebuilt_book_equals_the_recorded_best_bid_and_offer(name, symbol, least):
    assert compare(name, symbol)[symbol] >= least


def test_older_recordings_of_futures_books_fit():
    symbols = ("SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT")
    assert compare("cryptofeed_binance_futures", *symbols).keys() == set(symbols)


def test_older_recordings_of_spot_books_fit():
    symbols = ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")
    assert compare("cryptofeed_binance", *symbols)["NKNUSDT"] > 0


def test_the_deep_book_of_bybit_is_followed_without_a_break():
    out: list[Any] = []
    line = Line(instrument("XRPUSDT"), UnnumberedTrades(), (), out)
    said: list[Any] = []
    lines = {"XRPUSDT": line}
    wire = BybitWire("wss://x", lines, VenueTime(), lambda *what: said.append(what), depth=True)
    for each in recorded("bybit_linear_xrpusdt_ob500_20241201"):
        message = {**each["msg"], "topic": "orderbook.50.XRPUSDT"}
        assert wire.take(msgspec.json.encode(message), 0)
        assert line.book.is_true
    assert line.book.last == 20254869 + 49
    assert said == []
    assert all(quote.bid < quote.ask for quote in out)
    assert abs(out[0].ts - 1_733_011_200 * NS_PER_S) < NS_PER_S


def test_the_recording_of_a_retired_protocol_is_no_market_data():
    wire = BybitWire("wss://x", {}, VenueTime(), lambda *_: None, depth=True)
    frames = [line["msg"] for line in recorded("cryptofeed_bybit", 50) if line["dir"] == "recv"]
    assert not any(wire.take(msgspec.json.encode(frame), 0) for frame in frames)
