"""Gaps: prices at which nothing was traded between two bars."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State


class Gap:
    """gap(): how far the bar opened above the high before it, or below the low (negative); else 0; 2 bars.

    `.edge` is the price that would fill the last gap: the high or low that it began at; missing where there
    is none or it was filled. In price units.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("size", "edge")
    __slots__ = ("_high", "_low", "_up", "edge", "size", "warmup")

    def __init__(self) -> None:
        self.warmup = 2
        self._high = self._low = MISSING
        self._up = True  # whether the last gap is below the prices after it
        self.size = self.edge = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        high, low = self._high, self._low
        self._high, self._low = bar.high, bar.low
        if bar.open > high:
            self._up, self.edge, self.size = True, high, bar.open - high
        elif bar.open < low:
            self._up, self.edge, self.size = False, low, bar.open - low
        elif high == high:  # noqa: PLR0124 - NaN is not itself
            self.size = 0.0
        if (bar.low <= self.edge) if self._up else (bar.high >= self.edge):
            self.edge = MISSING
        return self.size

    def state(self) -> State:
        """Return [high, low, whether the last gap was upward, size, edge]."""
        return [self._high, self._low, float(self._up), self.size, self.edge]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._high, self._low, up, self.size, self.edge = state
        self._up = bool(up)
