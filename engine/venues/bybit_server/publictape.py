"""What the exchange knows of its market's past: the last trades and the klines of every symbol."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from engine.domain.market import NS_PER_DAY, Bar, Trade
from engine.venues.bybit_server.candles import MINUTE_NS, Candles
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.market import Market

TRADES_KEPT = 1_000
DAY_STEP_NS = 60 * MINUTE_NS


class PublicTape:
    """Trades and klines by symbol."""

    def __init__(self, exchange: Exchange, market: Market, start: int) -> None:
        self._candles = {
            symbol: Candles(listing.instrument, market, start)
            for symbol, listing in exchange.listings.items()
        }
        self._trades: dict[str, deque[tuple[Trade, str]]] = {
            symbol: deque(maxlen=TRADES_KEPT) for symbol in exchange.listings
        }
        self._days: dict[str, tuple[int, Bar | None]] = {}
        self._count = 0
        self._start = start

    def add(self, trade: Trade) -> tuple[str, Bar | None]:
        """Take in a trade; return its id, and the minute that ended before it."""
        self._count += 1
        identity = f"{self._start:x}-{self._count}"
        self._trades[trade.symbol].append((trade, identity))
        return identity, self._candles[trade.symbol].add(trade)

    def close_at(self, now: int) -> Iterator[Bar]:
        """Yield the minutes that have ended by `now`."""
        for candles in self._candles.values():
            if (ended := candles.close_at(now)) is not None:
                yield ended

    def candles(self, symbol: str) -> Candles:
        """Return a symbol's klines."""
        return self._candles[symbol]

    def trades(self, symbol: str, limit: int) -> list[tuple[Trade, str]]:
        """Return the last trades with their ids, newest first."""
        return list(islice(reversed(self._trades[symbol]), limit))

    def day(self, symbol: str, now: int) -> Bar | None:
        """Return the last 24 hours as one bar, as it was at the last full minute."""
        minute = now // MINUTE_NS
        kept = self._days.get(symbol)
        if kept is None or kept[0] != minute:
            bars = self._candles[symbol].between(DAY_STEP_NS, now - NS_PER_DAY, now)
            kept = self._days[symbol] = minute, _joined(bars)
        return kept[1]


def _joined(bars: list[Bar]) -> Bar | None:
    if not bars:
        return None
    first, last = bars[0], bars[-1]
    return Bar(
        last.ts,
        last.symbol,
        first.open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        last.close,
        sum(bar.volume for bar in bars),
        NS_PER_DAY,
        sum(bar.count for bar in bars),
    )
