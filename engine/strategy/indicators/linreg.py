"""The straight line of least squares through the last n values."""

from collections import deque
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State
from engine.strategy.indicators.exact import SCALE, unscaled, window


class Regression:
    """What both share: the exact sums of the values and of value times age; n inputs.

    With ages a from 0 (the newest) to n - 1, the slope is (Σa Σx - n Σax) / (n Σa² - (Σa)²). With each
    value all ages grow by one, which adds the plain sum to Σax.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_aged", "_ages", "_left", "_ring", "_spread", "_total", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._ages = period * (period - 1) // 2
        self._spread = period * period * (period * period - 1) // 12  # n Σa² - (Σa)²
        self._left = period
        self._ring = deque([0] * period, maxlen=period)
        self._total = 0
        self._aged = 0

    def _push(self, x: float) -> bool:
        """Let the next value into the window; return whether it is full. A missing one stays out."""
        if not INPUT_MIN < x < INPUT_MAX:
            return False
        number = int(x * SCALE)
        ring, total = self._ring, self._total
        old = ring[0]
        ring.append(number)
        self._aged += total - self.warmup * old
        self._total = total + number - old
        if self._left:
            self._left -= 1
        return not self._left

    def state(self) -> State:
        """Return the values in the window, oldest first."""
        return unscaled(list(self._ring)[self._left :])

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._ring = window(state, self.warmup)
        self._left = self.warmup - len(state)
        self._total = sum(self._ring)
        self._aged = sum(age * number for age, number in enumerate(reversed(self._ring)))


class Slope(Regression):
    """slope(n): by how much the line rises from value to value, in the unit of the series; n inputs.

    Source: TA-Lib's LINEARREG_SLOPE.
    """

    __slots__ = ("_divisor",)

    def __init__(self, period: int) -> None:
        super().__init__(period)
        self._divisor = self._spread * SCALE

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not self._push(x):
            return MISSING
        return (self._ages * self._total - self.warmup * self._aged) / self._divisor


class Linreg(Regression):
    """linreg(n): where the line ends, at the present value, in the unit of the series; n inputs.

    Source: TA-Lib's LINEARREG.
    """

    __slots__ = ("_divisor",)

    def __init__(self, period: int) -> None:
        super().__init__(period)
        self._divisor = self._spread * period * SCALE

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not self._push(x):
            return MISSING
        total, ages = self._total, self._ages
        rise = ages * total - self.warmup * self._aged  # the slope, times what it is divided by
        return (self._spread * total + ages * rise) / self._divisor
