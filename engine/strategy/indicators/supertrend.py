"""The SuperTrend line."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State, parts
from engine.strategy.indicators.atr import Atr


class Supertrend:
    """supertrend(n, k): the line that follows price at k * ATR(n) from the middle of the bar; n + 1 bars.

    It is the lower of two bands while the direction is 1, and the upper while it is -1; a close beyond it
    turns the direction, which starts as 1. A band moves only toward price, unless the bar before closed
    beyond it. The line is in price units.
    Source: Olivier Seban; TA-Lib's SUPERTREND.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("line", "direction")
    __slots__ = ("_atr", "_close", "_lower", "_multiplier", "_upper", "direction", "line", "warmup")

    def __init__(self, period: int = 10, multiplier: float = 3.0) -> None:
        self.warmup = period + 1
        self._multiplier = multiplier
        self._atr = Atr(period)
        self._upper = self._lower = self._close = MISSING
        self.line = self.direction = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        width = self._multiplier * self._atr.update(bar)
        if width != width:  # noqa: PLR0124 - missing
            return MISSING
        middle, close, before = (bar.high + bar.low) / 2.0, bar.close, self._close
        upper, lower = middle + width, middle - width
        # Written so that the missing bands before the first give way.
        if upper >= self._upper and before <= self._upper:
            upper = self._upper
        if lower <= self._lower and before >= self._lower:
            lower = self._lower
        if self.direction < 0.0:
            self.direction = 1.0 if close > upper else -1.0
        else:
            self.direction = -1.0 if close < lower and before == before else 1.0  # noqa: PLR0124
        self._upper, self._lower, self._close = upper, lower, close
        self.line = line = lower if self.direction > 0.0 else upper
        return line

    def state(self) -> State:
        """Return [line, direction, upper band, lower band, last close, then the state of the ATR]."""
        bands = (self._upper, self._lower, self._close)
        return [self.line, self.direction, *bands, *parts.states((self._atr,))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.line, self.direction, self._upper, self._lower, self._close = state[:5]
        parts.restore((self._atr,), state[5:])
