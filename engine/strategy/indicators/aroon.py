"""The Aroon indicator."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State, parts
from engine.strategy.indicators.extremes import Highest, Lowest


class Aroon:
    """aroon(n): how fresh the highest high and the lowest low of n + 1 bars are, 100 * (n - bars since) / n.

    up and down from 0 to 100, the oscillator up - down; n + 1 bars. Of equal extremes the last counts.
    Source: Tushar Chande, Stocks & Commodities 13:9 (1995); TA-Lib's AROON and AROONOSC.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("up", "down", "oscillator")
    __slots__ = ("_factor", "_high", "_low", "_period", "down", "oscillator", "up", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._period = period
        self._factor = 100.0 / period
        self._high = Highest(period + 1)
        self._low = Lowest(period + 1)
        self.up = self.down = self.oscillator = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        high = self._high.update(bar.high)
        self._low.update(bar.low)
        if high == high:  # noqa: PLR0124 - not missing
            self.up = up = self._factor * (self._period - self._high.age)
            self.down = down = self._factor * (self._period - self._low.age)
            self.oscillator = up - down
        return self.up

    def state(self) -> State:
        """Return [up, down, oscillator, then the states of the extremes]."""
        return [self.up, self.down, self.oscillator, *parts.states((self._high, self._low))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.up, self.down, self.oscillator = state[:3]
        parts.restore((self._high, self._low), state[3:])
