"""The book that the exchange shows: best bid and offer from the market, and levels behind them.

Levels behind the best are a pure function of price and symbol, so that the book moves with the market and a
level that stays keeps its size. What orders took from it is missing until the market quotes anew.
"""

import zlib
from collections.abc import Iterator
from decimal import Decimal

from engine.domain.market import Instrument, Quote
from engine.domain.signals import Side

DEPTH_MAX = 200
_SCATTER = 2_654_435_761  # Knuth's multiplier: neighbouring prices get unlike sizes
_SHARES = 1 << 16


class Ladder:
    """One symbol's shown book, counted in ticks and lots."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.bid = self.ask = 0  # ticks; 0 where nothing was quoted yet
        self.changes = 0  # how often the book became another one
        self._key = zlib.crc32(instrument.symbol.encode())
        self._tick, self._lot = float(instrument.tick), float(instrument.lot)
        self._bid_lots = self._ask_lots = 0
        self._usual_lots = 0
        self._taken: dict[tuple[Side, int], int] = {}

    def on_quote(self, quote: Quote) -> None:
        """Follow the market."""
        self.bid, self._bid_lots = round(quote.bid / self._tick), round(quote.bid_qty / self._lot)
        self.ask, self._ask_lots = round(quote.ask / self._tick), round(quote.ask_qty / self._lot)
        self._usual_lots = self._usual_lots or max(1, (self._bid_lots + self._ask_lots) // 2)
        self._taken.clear()
        self.changes += 1

    def side(self, shown: Side, depth: int) -> Iterator[tuple[int, int]]:
        """Yield price in ticks and size in lots, best first: the bids for BUY, the offers for SELL."""
        best, step = (self.bid, -1) if shown is Side.BUY else (self.ask, 1)
        if best <= 0:
            return
        for ticks in range(best, max(0, best + step * depth), step):
            lots = self._lots(shown, ticks)
            if lots > 0:
                yield ticks, lots

    def offered_to(self, taker: Side) -> Iterator[tuple[float, float]]:
        """Yield price and quantity that an order of this side meets, best first."""
        for ticks, lots in self.side(taker.opposite, DEPTH_MAX):
            yield float(ticks * self.instrument.tick), float(lots * self.instrument.lot)

    def took(self, taker: Side, price: Decimal, qty: Decimal) -> None:
        """Note that an order of this side took from a level."""
        key = taker.opposite, int(price / self.instrument.tick)
        self._taken[key] = self._taken.get(key, 0) + int(qty / self.instrument.lot)
        self.changes += 1

    def text(self, ticks: int, lots: int) -> tuple[str, str]:
        """Write a level's price and size as the exchange does."""
        return f"{ticks * self.instrument.tick:f}", f"{lots * self.instrument.lot:f}"

    def _lots(self, shown: Side, ticks: int) -> int:
        if shown is Side.BUY:
            best, at_best = self.bid, self._bid_lots
        else:
            best, at_best = self.ask, self._ask_lots
        lots = at_best if ticks == best else self._behind(ticks)
        return lots - self._taken.get((shown, ticks), 0) if self._taken else lots

    def _behind(self, ticks: int) -> int:
        """Size a level behind the best: between a fifth and twice of what is usual at the best."""
        share = ((ticks * _SCATTER ^ self._key) >> 8) % _SHARES / _SHARES
        return max(1, int(self._usual_lots * (0.2 + 1.8 * share)))
