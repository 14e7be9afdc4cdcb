"""The public streams: trades, order book, klines and tickers, at the pace of the real exchange."""

from collections.abc import Iterable
from typing import Any

import msgspec

from engine.domain.market import NS_PER_MS, Bar, MarketEvent, Quote, Trade
from engine.venues.bybit_server import wire
from engine.venues.bybit_server.candles import INTERVALS
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.listing import Listing
from engine.venues.bybit_server.market import Market

Json = dict[str, Any]
Levels = dict[str, str]  # size by price
DEPTH_PACE_NS = {1: 10 * NS_PER_MS, 50: 20 * NS_PER_MS, 200: 100 * NS_PER_MS}
TICKER_PACE_NS = 100 * NS_PER_MS
KLINE_PACE_NS = 250 * NS_PER_MS
OPENING_LOTS = 100  # what the book shows before the market has quoted


class _Shown:
    """An order book as its subscribers know it."""

    def __init__(self) -> None:
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.update = 0
        self.seen = -1  # the ladder's count when it was last looked at
        self.due = 0


class Streams:
    """Turns what the market does into messages for whoever listens."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._books: dict[str, _Shown] = {}
        self._due: dict[str, int] = {}
        self._trades: dict[str, list[Json]] = {}
        self._traded: set[str] = set()

    def accepts(self, topic: str) -> bool:
        """Tell whether a topic is one of ours."""
        match topic.split("."):
            case ["publicTrade" | "tickers", symbol]:
                return symbol in self._core.exchange.listings
            case ["orderbook", depth, symbol]:
                known = depth.isdecimal() and int(depth) in DEPTH_PACE_NS
                return known and symbol in self._core.exchange.listings
            case ["kline", interval, symbol]:
                return interval in INTERVALS and symbol in self._core.exchange.listings
            case _:
                return False

    def first(self, topic: str) -> str | None:
        """Return what a new subscriber is sent at once, None where that is nothing."""
        match topic.split("."):
            case ["orderbook", depth, symbol]:
                return self._snapshot(topic, int(depth), symbol)
            case ["tickers", symbol]:
                return self._ticker(topic, symbol, "snapshot")
            case ["kline", interval, symbol]:
                return self._kline(topic, symbol, interval)
            case _:
                return None

    def on_events(self, events: Iterable[MarketEvent]) -> None:
        """Let the market move, and the exchange with it."""
        core = self._core
        for event in events:
            if isinstance(event, Trade):
                core.exchange.on_trade(event)
                identity, ended = core.tape.add(event)
                if ended is not None:
                    self._closed(ended)
                self._note(event, identity)
            elif isinstance(event, Quote):
                core.exchange.on_quote(event)
        core.commit()

    def open(self, market: Market, now: int) -> None:
        """Let every symbol stand at a price before anybody asks, as an exchange that never closes."""
        self.on_events(market.poll(now))
        for symbol, listing in self._core.exchange.listings.items():
            price = None if listing.last else market.opening(symbol, now)
            if price is not None:
                tick, size = float(listing.instrument.tick), float(listing.instrument.lot) * OPENING_LOTS
                bid = round(price - tick, listing.instrument.price_digits)
                self.on_events(
                    (
                        Quote(now, symbol, bid, size, price, size),
                        Trade(now, symbol, price, size, 1, price, price),
                    )
                )

    def flush(self, now: int) -> None:
        """Send what is due."""
        core = self._core
        for symbol, rows in self._trades.items():
            topic = f"publicTrade.{symbol}"
            self._send(topic, {"topic": topic, "type": "snapshot", "ts": core.shown_ms(), "data": rows})
        self._trades.clear()
        for ended in core.tape.close_at(now):
            self._closed(ended)
        for topic in core.hub.topics():
            match topic.split("."):
                case ["orderbook", depth, symbol]:
                    self._delta(topic, int(depth), symbol, now)
                case ["tickers", symbol] if self._is_due(topic, now, TICKER_PACE_NS):
                    core.hub.publish(topic, self._ticker(topic, symbol, "delta"))
                case ["kline", interval, symbol] if symbol in self._traded and self._is_due(
                    topic, now, KLINE_PACE_NS
                ):
                    if (text := self._kline(topic, symbol, interval)) is not None:
                        core.hub.publish(topic, text)
        self._traded.clear()

    def _note(self, trade: Trade, identity: str) -> None:
        self._traded.add(trade.symbol)
        if self._core.hub.heard(f"publicTrade.{trade.symbol}"):
            rules = self._core.exchange.listings[trade.symbol].instrument
            self._trades.setdefault(trade.symbol, []).append(wire.public_trade(rules, trade, identity))

    def _closed(self, minute: Bar) -> None:
        """Send the bars that end with a minute, as closed."""
        core, symbol = self._core, minute.symbol
        for interval, step_ns in INTERVALS.items():
            topic = f"kline.{interval}.{symbol}"
            if minute.ts % step_ns or not core.hub.heard(topic):
                continue
            opened = minute.ts - step_ns
            for bar in core.tape.candles(symbol).between(step_ns, opened, opened):
                self._send(topic, self._kline_of(topic, symbol, interval, bar, closed=True))

    def _kline(self, topic: str, symbol: str, interval: str) -> str | None:
        step_ns, now = INTERVALS[interval], self._core.clock.now()
        opened = now // step_ns * step_ns
        bars = self._core.tape.candles(symbol).between(step_ns, opened, opened)
        if not bars:
            return None
        return _text(self._kline_of(topic, symbol, interval, bars[-1], closed=False))

    def _kline_of(self, topic: str, symbol: str, interval: str, bar: Bar, *, closed: bool) -> Json:
        rules = self._core.exchange.listings[symbol].instrument
        row = wire.kline(rules, bar, interval, self._core.shown_ms() * NS_PER_MS, closed=closed)
        return {"topic": topic, "type": "snapshot", "ts": self._core.shown_ms(), "data": [row]}

    def _ticker(self, topic: str, symbol: str, kind: str) -> str:
        listing = self._core.exchange.listings[symbol]
        data = wire.ticker(listing, self._core.tape.day(symbol, self._core.clock.now()))
        return _text(
            {
                "topic": topic,
                "type": kind,
                "data": data,
                "cs": listing.ladder.changes,
                "ts": self._core.shown_ms(),
            }
        )

    def _snapshot(self, topic: str, depth: int, symbol: str) -> str:
        """Show the book as the others know it, or as it is where nobody listened."""
        shown = self._books.get(topic)
        listing = self._core.exchange.listings[symbol]
        if shown is None or not self._core.hub.heard(topic):
            shown = self._books.setdefault(topic, _Shown())
            shown.bids, shown.asks = wire.book(listing, depth)
            shown.seen, shown.update = listing.ladder.changes, shown.update + 1
        return _text(self._book(topic, "snapshot", listing, shown.update, (shown.bids, shown.asks)))

    def _delta(self, topic: str, depth: int, symbol: str, now: int) -> None:
        shown, listing = self._books.get(topic), self._core.exchange.listings[symbol]
        if shown is None or now < shown.due or shown.seen == listing.ladder.changes:
            return
        shown.due, shown.seen = now + DEPTH_PACE_NS[depth], listing.ladder.changes
        bids, asks = wire.book(listing, depth)
        told = _changed(shown.bids, bids), _changed(shown.asks, asks)
        if not any(told):
            return
        shown.bids, shown.asks = bids, asks
        shown.update += 1 + self._core.faults.gaps(topic, now)
        self._send(topic, self._book(topic, "delta", listing, shown.update, told))

    def _book(
        self, topic: str, kind: str, listing: Listing, update: int, sides: tuple[Levels, Levels]
    ) -> Json:
        shown_ms = self._core.shown_ms()
        return {
            "topic": topic,
            "type": kind,
            "ts": shown_ms,
            "data": {
                "s": listing.instrument.symbol,
                "b": list(sides[0].items()),
                "a": list(sides[1].items()),
                "u": update,
                "seq": listing.ladder.changes,
            },
            "cts": shown_ms,
        }

    def _is_due(self, topic: str, now: int, pace_ns: int) -> bool:
        if now < self._due.get(topic, 0):
            return False
        self._due[topic] = now + pace_ns
        return True

    def _send(self, topic: str, message: Json) -> None:
        self._core.hub.publish(topic, _text(message))


def _changed(before: Levels, after: Levels) -> Levels:
    """Return the levels that are new or another size, and with size 0 those that are gone."""
    told = {price: size for price, size in after.items() if before.get(price) != size}
    told.update((price, "0") for price in before if price not in after)
    return told


def _text(message: Json) -> str:
    return msgspec.json.encode(message).decode()
