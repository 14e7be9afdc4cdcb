"""The commodity channel index."""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State
from engine.strategy.indicators.exact import SCALE, scaled, unscaled

ROUNDING = 1e-14  # a mean deviation of less than this part of the mean is none


class Cci:
    """CCI(n): (p - mean) / (0.015 * mean deviation) of the typical price p, (high + low + close) / 3; n bars.

    No unit; 0 where the deviation is 0, or so small (1e-14 of the mean) that it is what rounding left of
    equal prices; TA-Lib compares it with 1e-14 price units. Up to the last division all is exact: those
    above the mean are as far from it, in sum, as those below, so one half of a sorted window gives the
    deviation.
    Source: Donald Lambert, Commodities 9:10 (1980); TA-Lib's CCI.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_ring", "_sorted", "_total", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._ring: deque[int] = deque()  # typical prices, scaled
        self._sorted: list[int] = []
        self._total = 0

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        price = int((bar.high + bar.low + bar.close) / 3.0 * SCALE)
        ring, ordered, period = self._ring, self._sorted, self.warmup
        if len(ring) == period:
            old = ring.popleft()
            self._total -= old
            del ordered[bisect_left(ordered, old)]
        ring.append(price)
        insort(ordered, price)
        self._total = total = self._total + price
        if len(ring) < period:
            return MISSING
        above = bisect_right(ordered, total // period)
        count = period - above
        deviation = float(period * sum(ordered[above:]) - count * total)  # n * n / 2 times the mean deviation
        if 2.0 * deviation <= abs(total) * (period * ROUNDING):
            return 0.0
        return period * (period * price - total) / (0.03 * deviation)

    def state(self) -> State:
        """Return the typical prices in the window, oldest first."""
        return unscaled(self._ring)

    def restore(self, state: State) -> None:
        """Take up a state."""
        if len(state) > self.warmup:
            raise ValueError(f"a window of {self.warmup} cannot hold {len(state)} values")
        self._ring = deque(scaled(state))
        self._sorted = sorted(self._ring)
        self._total = sum(self._ring)
