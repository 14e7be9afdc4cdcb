"""Builds closed bars from trades or finer bars: one event at a time for live feeds, by columns for files.

Bars are aligned to multiples of their step since 1970 UTC. A trade belongs to the bar that covers its time, a
finer bar to the one that covers its close. Intervals without events have no bar. Volumes add up as scaled
integers, so that a bar's volume is exact and the same on both ways.
"""

import msgspec
import numpy as np

from engine.domain.market import Bar, Trade
from engine.venues.csvcolumns import Floats, Ints
from engine.venues.datafile import BarColumns, TradeColumns

_INT64_SAFE = 2.0**62  # sums that might come near the int64's end are taken in Python's integers


class BuilderState(msgspec.Struct, frozen=True):
    """What a BarBuilder must remember across a restart. `end` is 0 while no bar is open."""

    end: int = 0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume_scaled: int = 0
    count: int = 0
    closed_until: int = 0
    late: int = 0


class BarBuilder:
    """Builds the bars of one symbol and step. Whoever feeds it hands on each bar it returns at once."""

    __slots__ = (
        "_close",
        "_closed_until",
        "_count",
        "_end",
        "_high",
        "_low",
        "_open",
        "_scale",
        "_volume",
        "late",
        "step_ns",
        "symbol",
    )

    def __init__(self, symbol: str, step_ns: int, qty_digits: int) -> None:
        assert step_ns > 0, "a bar has a length"
        self.symbol, self.step_ns = symbol, step_ns
        self._scale = 10.0**qty_digits
        self._end = self._volume = self._count = self._closed_until = self.late = 0
        self._open = self._high = self._low = self._close = 0.0

    def add_trade(self, trade: Trade) -> Bar | None:
        """Take in a trade; return the bar that ended before it, to be handed on first."""
        ended = self.close_at(trade.ts)
        if trade.ts < self._closed_until:
            self.late += 1  # its bar is closed and stays as it was
            return ended
        if self._end == 0:
            self._begin((trade.ts // self.step_ns + 1) * self.step_ns, trade.price, trade.high, trade.low)
        self._fold(trade.high, trade.low, trade.price, trade.qty, trade.count)
        return ended

    def add_bar(self, bar: Bar) -> Bar | None:
        """Take in a finer bar; return the coarser bar that ended before it, to be handed on first.

        Where the finer bar completes a coarser one, `close_at(bar.ts)` returns that one afterwards.
        """
        end = -(-bar.ts // self.step_ns) * self.step_ns
        ended = self.close_at(end - self.step_ns)
        if end <= self._closed_until:
            self.late += 1
            return ended
        if self._end == 0:
            self._begin(end, bar.open, bar.high, bar.low)
        self._fold(bar.high, bar.low, bar.close, bar.volume, bar.count)
        return ended

    def close_at(self, now: int) -> Bar | None:
        """Close and return the open bar where its end has come by `now`."""
        return self.flush() if 0 < self._end <= now else None

    def flush(self) -> Bar | None:
        """Close the open bar before its time: at the end of a tape its last interval ends where it stands."""
        if self._end == 0:
            return None
        bar = Bar(
            self._end,
            self.symbol,
            self._open,
            self._high,
            self._low,
            self._close,
            float(self._volume) / self._scale,
            self.step_ns,
            self._count,
        )
        self._closed_until, self._end = self._end, 0
        return bar

    def state(self) -> BuilderState:
        """Return what `restore` needs to go on from here."""
        return BuilderState(
            self._end,
            self._open,
            self._high,
            self._low,
            self._close,
            self._volume,
            self._count,
            self._closed_until,
            self.late,
        )

    def restore(self, state: BuilderState) -> None:
        """Take up a state returned by `state`."""
        self._end, self._open, self._high, self._low = state.end, state.open, state.high, state.low
        self._close, self._volume, self._count = state.close, state.volume_scaled, state.count
        self._closed_until, self.late = state.closed_until, state.late

    def _begin(self, end: int, opened: float, high: float, low: float) -> None:
        self._end, self._open, self._high, self._low = end, opened, high, low
        self._volume = self._count = 0

    def _fold(self, high: float, low: float, close: float, volume: float, count: int) -> None:
        self._high, self._low, self._close = max(self._high, high), min(self._low, low), close
        self._volume += round(volume * self._scale)
        self._count += count


class BuiltBars(msgspec.Struct, frozen=True, eq=False):
    """Bars built from rows, and for each the index of the last row inside it."""

    bars: BarColumns
    last_rows: Ints


def bars_of_trades(trades: TradeColumns, step_ns: int, qty_digits: int) -> BuiltBars:
    """Build all bars of a tape of trades; the last one may be incomplete."""
    ends = (trades.ts // step_ns + 1) * step_ns
    ones = np.ones(trades.ts.size, np.int64)
    price = trades.price
    return _grouped(BarColumns(ends, price, price, price, price, trades.qty, ones), qty_digits)


def bars_of_bars(bars: BarColumns, step_ns: int, qty_digits: int) -> BuiltBars:
    """Build all coarser bars of a tape of bars whose `ts` is the close; the last one may be incomplete."""
    ends = -(-bars.ts // step_ns) * step_ns
    return _grouped(
        BarColumns(ends, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.count), qty_digits
    )


def _grouped(rows: BarColumns, qty_digits: int) -> BuiltBars:
    """Merge neighbouring rows of one end (their `ts`) into one bar each."""
    starts = np.concatenate(([0], np.flatnonzero(rows.ts[1:] != rows.ts[:-1]) + 1))
    lasts = np.concatenate((starts[1:], [rows.ts.size])) - 1
    merged = BarColumns(
        rows.ts[lasts],
        rows.open[starts],
        np.maximum.reduceat(rows.high, starts),
        np.minimum.reduceat(rows.low, starts),
        rows.close[lasts],
        _summed(rows.volume, starts, 10.0**qty_digits),
        np.add.reduceat(rows.count, starts),
    )
    return BuiltBars(merged, lasts)


def _summed(volume: Floats, starts: Ints, scale: float) -> Floats:
    scaled = np.rint(volume * scale)
    whole = scaled.astype(np.int64 if scaled.sum() < _INT64_SAFE else object)
    totals: Floats = np.add.reduceat(whole, starts).astype(np.float64) / scale
    return totals
