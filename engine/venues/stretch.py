"""Recorded bars as a stretch: views of a tape's columns, read one number at a time and never copied."""

from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np

from engine.domain.market import Bar
from engine.venues.csvcolumns import Floats, Ints
from engine.venues.datafile import BarColumns


class TapeStretch:
    """The first bars of a tape as an `engine.domain.market.Stretch`."""

    __slots__ = ("_at", "_bar", "_count", "close", "high", "low", "open", "step_ns", "symbol", "ts", "volume")

    def __init__(self, symbol: str, step_ns: int, columns: BarColumns, size: int) -> None:
        self.symbol, self.step_ns = symbol, step_ns
        self.ts, self._count = _wholes(columns.ts[:size]), _wholes(columns.count[:size])
        self.open, self.high = _floats(columns.open[:size]), _floats(columns.high[:size])
        self.low, self.close = _floats(columns.low[:size]), _floats(columns.close[:size])
        self.volume = _floats(columns.volume[:size])
        self._at, self._bar = 0, self._build(0)

    def __len__(self) -> int:
        """Count the bars."""
        return len(self.ts)

    def bar(self, index: int) -> Bar:
        """Return one bar; asked again for the same one, the same object."""
        if index != self._at:
            self._at, self._bar = index, self._build(index)
        return self._bar

    def _build(self, index: int) -> Bar:
        return Bar(
            self.ts[index],
            self.symbol,
            self.open[index],
            self.high[index],
            self.low[index],
            self.close[index],
            self.volume[index],
            self.step_ns,
            self._count[index],
        )

    def bars(self, first: int, last: int) -> Iterator[Bar]:
        """Yield the bars of [first, last)."""
        return map(
            Bar,
            self.ts[first:last],
            repeat(self.symbol),
            self.open[first:last],
            self.high[first:last],
            self.low[first:last],
            self.close[first:last],
            self.volume[first:last],
            repeat(self.step_ns),
            self._count[first:last],
        )


def _floats(column: Floats) -> Sequence[float]:
    return np.ascontiguousarray(column, np.float64).view(np.uint8).data.cast("d")


def _wholes(column: Ints) -> Sequence[int]:
    return np.ascontiguousarray(column, np.int64).view(np.uint8).data.cast("q")
