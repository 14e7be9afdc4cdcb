"""Running sums of volume: on-balance volume and the volume-weighted average price of a session."""

from typing import ClassVar

from engine.domain.market import NS_PER_DAY, Bar
from engine.strategy.indicators import BAR, MISSING, State
from engine.strategy.indicators.exact import SCALE, joined, split


class Obv:
    """obv(): the volume of the first bar and of all that closed higher, less that of all that closed lower.

    In volume units; 1 bar. The sum is exact; its level depends on the first bar: compare it with its own
    past.
    Source: Joseph Granville, Granville's New Key to Stock Market Profits (1963); TA-Lib's OBV.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_close", "_total", "warmup")

    def __init__(self) -> None:
        self.warmup = 1
        self._close = -float("inf")  # the first bar closes higher
        self._total = 0

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        before, self._close = self._close, bar.close
        if bar.close > before:
            self._total += int(bar.volume * SCALE)
        elif bar.close < before:
            self._total -= int(bar.volume * SCALE)
        return self._total / SCALE

    def state(self) -> State:
        """Return [last close, then the floats that the sum is the sum of]."""
        return [self._close, *split(self._total)]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._close = state[0]
        self._total = joined(state[1:])


class Vwap:
    """vwap(): the mean typical price, (high + low + close) / 3, since 00:00 UTC, weighted by volume; 1 bar.

    In price units. A bar belongs to the day in which it ends, one that ends at 00:00 to the day before.
    Missing before the first volume of a day, where TA-Lib's VWAP, which knows no sessions, says 0. Both
    sums are exact.
    Source: the usual definition; Berkowitz, Logue and Noser, Journal of Finance 43:1 (1988).
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_day", "_value", "_volume", "warmup")

    def __init__(self) -> None:
        self.warmup = 1
        self._day = 0
        self._value = 0
        self._volume = 0

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        day = (bar.ts - 1) // NS_PER_DAY
        if day != self._day:
            self._day = day
            self._value = self._volume = 0
        volume = bar.volume
        self._value = value = self._value + int((bar.high + bar.low + bar.close) / 3.0 * volume * SCALE)
        self._volume = divisor = self._volume + int(volume * SCALE)
        return value / float(divisor) if divisor else MISSING

    def state(self) -> State:
        """Return [day since 1970, number of floats of the first sum, then the floats of both sums]."""
        value = split(self._value)
        return [float(self._day), float(len(value)), *value, *split(self._volume)]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._day, parts = int(state[0]), 2 + int(state[1])
        self._value, self._volume = joined(state[2:parts]), joined(state[parts:])
