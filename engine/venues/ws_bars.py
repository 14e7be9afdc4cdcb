"""Makes bars of one symbol's trades as they come, and knows which of them are not whole.

A bar closes with the first trade after it or, where none comes, when the venue's clock is past its end by a
grace. A bar during which the feed began, or lost trades, is not whole: it is held back, and the venue's own
bar is asked for in its place. Bars that follow wait for it, so that they stay in order.
"""

from collections.abc import Iterable, Sequence

import msgspec

from engine.domain.market import Bar, Instrument, Trade
from engine.venues.barbuilder import BarBuilder


class Hole(msgspec.Struct, frozen=True):
    """Bars of one step, by the ends of the first and the last, that the venue must be asked for."""

    symbol: str
    step_ns: int
    first: int
    last: int


class BarSeries:
    """The bars of one symbol and step."""

    __slots__ = ("_builder", "_can_ask", "_first", "_held", "_known", "_last", "step_ns", "symbol")

    def __init__(self, symbol: str, step_ns: int, qty_digits: int, *, can_ask: bool) -> None:
        """`can_ask`: the venue hands out bars of this length; else what is not whole is left out."""
        self.symbol, self.step_ns = symbol, step_ns
        self._builder = BarBuilder(symbol, step_ns, qty_digits)
        self._can_ask = can_ask
        self._first = self._last = 0  # ends of the bars that are not whole, 0 while there are none
        self._known = 0  # the last bar that is known from before the feed began
        self._held: list[Bar] = []

    @property
    def late(self) -> int:
        """How many trades came after their bar had closed."""
        return self._builder.late

    def add(self, trade: Trade) -> Sequence[Bar]:
        """Take a trade; return the bars that ended before it and are whole."""
        return self._sorted_out(self._builder.add_trade(trade))

    def close(self, now: int) -> Sequence[Bar]:
        """Close the bar whose end has come by `now` (the venue's time)."""
        return self._sorted_out(self._builder.close_at(now))

    def known_until(self, ts: int) -> None:
        """Take the bars up to this close as told already."""
        self._known = ts

    def begin(self, now: int) -> None:
        """Trades come from now on, the venue's time: what lies between them and what is known is missing."""
        self.doubt(self._known or now, now)

    def doubt(self, since: int, until: int) -> None:
        """Take every bar that overlaps with a stretch of time as not whole."""
        first, last = (ts // self.step_ns * self.step_ns + self.step_ns for ts in (since, until))
        self._first = min(self._first or first, first)
        self._last = max(self._last, last)

    def hole(self, now: int) -> Hole | None:
        """Return what the venue can be asked for, once the last bar that is not whole has ended."""
        if not self._can_ask or not self._last or now < self._last:
            return None
        last = max(self._last, self._held[-1].ts if self._held else 0)
        return Hole(self.symbol, self.step_ns, self._first, last)

    def fill(self, asked: Iterable[Bar]) -> list[Bar]:
        """Return the venue's bars and the whole ones that waited for them; what is not whole is left out."""
        bars = {bar.ts: bar for bar in self._held if bar.ts > self._last}
        bars.update({bar.ts: bar for bar in asked if bar.ts >= self._first})
        self._first = self._last = 0
        self._held.clear()
        return [bars[ts] for ts in sorted(bars)]

    def _sorted_out(self, bar: Bar | None) -> Sequence[Bar]:
        if bar is None:
            return ()
        if not self._last or bar.ts < self._first:
            return (bar,)
        if self._can_ask:
            self._held.append(bar)
            return ()
        if bar.ts <= self._last:
            return ()  # nobody can tell how it really was
        self._first = self._last = 0
        return (bar,)


def series_of(instrument: Instrument, steps_ns: Iterable[int], askable: Iterable[int]) -> list[BarSeries]:
    """Return the series of one symbol, the finest first; `askable` are the lengths the venue hands out."""
    known = frozenset(askable)
    return [
        BarSeries(instrument.symbol, step_ns, instrument.qty_digits, can_ask=step_ns in known)
        for step_ns in sorted(steps_ns)
    ]
