"""The spread of the last n values: standard deviation, Bollinger bands and z-score."""

from collections import deque
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State
from engine.strategy.indicators.exact import SCALE, root, unscaled, window

ROUNDING = 1e-14  # a deviation of less than this part of the mean is none


class Moments:
    """What they share: the window with the exact sums of its values and of their squares; n inputs.

    n * (sum of squares) - (sum)**2 is n**2 times the variance (divided by n, not by n - 1), here without a
    rounding: it is never negative, and 0 exactly where all values are equal.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_divisor", "_left", "_ring", "_squares", "_total", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._divisor = period * SCALE
        self._left = period
        self._ring = deque([0] * period, maxlen=period)
        self._total = 0
        self._squares = 0

    def _push(self, x: float) -> int:
        """Let the next value into the window; return n**2 times the variance, scaled twice, -1 if missing."""
        if not INPUT_MIN < x < INPUT_MAX:
            return -1
        number = int(x * SCALE)
        ring = self._ring
        old = ring[0]
        ring.append(number)
        self._total = total = self._total + number - old
        self._squares = squares = self._squares + number * number - old * old
        if self._left:
            self._left -= 1
            if self._left:
                return -1
        return self.warmup * squares - total * total

    def state(self) -> State:
        """Return the values in the window, oldest first."""
        return unscaled(list(self._ring)[self._left :])

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._ring = window(state, self.warmup)
        self._left = self.warmup - len(state)
        self._total = sum(self._ring)
        self._squares = sum(number * number for number in self._ring)


class Stddev(Moments):
    """stddev(n): the standard deviation of the last n values, divided by n, in their unit; n inputs.

    Source: TA-Lib's STDDEV.
    """

    __slots__ = ()

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        spread = self._push(x)
        return root(spread) / self._divisor if spread >= 0 else MISSING


class Zscore(Moments):
    """zscore(n): (x - mean) / stddev of the last n values; n inputs.

    0 where all are equal, or as good as: where the deviation is 1e-14 of the mean, which is rounding.
    Source: the definition.
    """

    __slots__ = ()

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        spread, total = self._push(x), self._total
        if spread < 0:
            return MISSING
        deviation = root(spread)
        if deviation <= abs(total) * ROUNDING:
            return 0.0
        return (self.warmup * self._ring[-1] - total) / deviation


class Bbands(Moments):
    """bbands(n, k): SMA(n), and k standard deviations of the n values around it, in their unit; n inputs.

    Source: John Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib's BBANDS with a simple average.
    """

    OUTPUTS: ClassVar[tuple[str, ...]] = ("middle", "upper", "lower")
    __slots__ = ("_deviations", "lower", "middle", "upper")

    def __init__(self, period: int = 20, deviations: float = 2.0) -> None:
        super().__init__(period)
        self._deviations = deviations
        self.middle = self.upper = self.lower = MISSING

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        spread = self._push(x)
        if spread < 0:
            self.middle = self.upper = self.lower = MISSING
            return MISSING
        self.middle = middle = self._total / self._divisor
        width = self._deviations * (root(spread) / self._divisor)
        self.upper = middle + width
        self.lower = middle - width
        return middle

    def state(self) -> State:
        """Return [middle, upper, lower, then the values in the window, oldest first]."""
        return [self.middle, self.upper, self.lower, *super().state()]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.middle, self.upper, self.lower = state[:3]
        super().restore(state[3:])
