"""Channels of bars: Keltner's and Donchian's."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State, parts
from engine.strategy.indicators.atr import Atr
from engine.strategy.indicators.ema import Ema
from engine.strategy.indicators.extremes import Highest, Lowest


class Keltner:
    """keltner(n, k, m): EMA(n) of the typical price (high + low + close) / 3, and k * ATR(m) around it.

    In price units; max(n, m + 1) bars. As in TA-Lib, the seeds of both end at the same bar: the first bars
    are not seen by the shorter. Source: Chester Keltner, How to Make Money in Commodities (1960), with the
    ATR of Linda Raschke; TA-Lib's KC.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("middle", "upper", "lower")
    __slots__ = ("_atr", "_average", "_left", "_multiplier", "lower", "middle", "upper", "warmup")

    def __init__(self, period: int = 20, multiplier: float = 2.0, atr_period: int = 10) -> None:
        self.warmup = max(period, atr_period + 1)
        self._multiplier = multiplier
        self._left = self.warmup - 1  # bars before the first value
        self._average = Ema(period)
        self._atr = Atr(atr_period)
        self.middle = self.upper = self.lower = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        middle = width = MISSING
        if self._left < self._average.warmup:
            middle = self._average.update((bar.high + bar.low + bar.close) / 3.0)
        if self._left < self._atr.warmup:
            width = self._multiplier * self._atr.update(bar)
        if self._left:
            self._left -= 1
            return MISSING
        self.middle = middle
        self.upper = middle + width
        self.lower = middle - width
        return middle

    def state(self) -> State:
        """Return [middle, upper, lower, bars before the first, then the states of the averages]."""
        outputs = (self.middle, self.upper, self.lower)
        return [*outputs, float(self._left), *parts.states((self._average, self._atr))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.middle, self.upper, self.lower, left = state[:4]
        self._left = int(left)
        parts.restore((self._average, self._atr), state[4:])


class Donchian:
    """donchian(n): the highest high and lowest low of n bars, the present one included, and their mean.

    In price units; n bars. Source: Richard Donchian; TA-Lib's DONCHIAN.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("middle", "upper", "lower")
    __slots__ = ("_high", "_low", "lower", "middle", "upper", "warmup")

    def __init__(self, period: int = 20) -> None:
        self.warmup = period
        self._high = Highest(period)
        self._low = Lowest(period)
        self.middle = self.upper = self.lower = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        self.upper = upper = self._high.update(bar.high)
        self.lower = lower = self._low.update(bar.low)
        self.middle = middle = (upper + lower) / 2.0
        return middle

    def state(self) -> State:
        """Return [middle, upper, lower, then the states of the extremes]."""
        return [self.middle, self.upper, self.lower, *parts.states((self._high, self._low))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.middle, self.upper, self.lower = state[:3]
        parts.restore((self._high, self._low), state[3:])
