"""Recorded bars or prints as a stretch: views of a tape's columns, read one number at a time."""

from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np

from engine.domain.market import PRINT_STEP_NS, Bar, MarketEvent, Trade, bar_of
from engine.venues.csvcolumns import Floats, Ints
from engine.venues.datafile import BarColumns, TradeColumns


class TapeStretch:
    """The first bars of a tape as an `engine.domain.market.Stretch`."""

    kind = Bar
    __slots__ = (
        "_at",
        "_bar",
        "_count",
        "close",
        "high",
        "low",
        "open",
        "step_ns",
        "symbol",
        "told",
        "ts",
        "volume",
    )

    def __init__(self, symbol: str, step_ns: int, columns: BarColumns, size: int) -> None:
        self.symbol, self.step_ns = symbol, step_ns
        self.ts, self._count = _wholes(columns.ts[:size]), _wholes(columns.count[:size])
        self.told = self.ts
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

    def event(self, index: int) -> MarketEvent:
        """Return what tells of one bar: itself."""
        return self.bar(index)

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


class PrintStretch:
    """The first prints of a tape as an `engine.domain.market.Stretch` of bars of one print each."""

    kind = Trade
    step_ns = PRINT_STEP_NS
    __slots__ = ("_columns", "close", "high", "low", "open", "symbol", "told", "ts", "volume")

    def __init__(self, symbol: str, columns: TradeColumns, size: int) -> None:
        self.symbol, self._columns = symbol, columns
        self.told = _wholes(columns.ts[:size])
        self.ts = _wholes(columns.ts[:size] + PRINT_STEP_NS)
        self.open = self.high = self.low = self.close = _floats(columns.price[:size])
        self.volume = _floats(columns.qty[:size])

    def __len__(self) -> int:
        """Count the prints."""
        return len(self.ts)

    def event(self, index: int) -> Trade:
        """Return one print."""
        price, side = self.close[index], int(self._columns.side[index])
        return Trade(self.told[index], self.symbol, price, self.volume[index], side, price, price)

    def bar(self, index: int) -> Bar:
        """Return one print as a bar."""
        return bar_of(self.event(index))

    def bars(self, first: int, last: int) -> Iterator[Bar]:
        """Yield the bars of [first, last)."""
        price = self.close[first:last]
        return map(
            Bar,
            self.ts[first:last],
            repeat(self.symbol),
            price,
            price,
            price,
            price,
            self.volume[first:last],
            repeat(PRINT_STEP_NS),
            repeat(1),
        )


def _floats(column: Floats) -> Sequence[float]:
    return np.ascontiguousarray(column, np.float64).view(np.uint8).data.cast("d")


def _wholes(column: Ints) -> Sequence[int]:
    return np.ascontiguousarray(column, np.int64).view(np.uint8).data.cast("q")
