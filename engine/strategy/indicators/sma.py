"""The simple moving average."""

from collections import deque
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State
from engine.strategy.indicators.exact import SCALE, unscaled, window


class Sma:
    """SMA(n): the mean of the last n values, in their unit; n inputs.

    The sum is kept exactly, rounded once and divided: the result depends on the n values alone, and costs the
    same for every period. Source: TA-Lib's SMA.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_divisor", "_left", "_ring", "_total", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._divisor = period * SCALE
        self._left = period
        self._ring = deque([0] * period, maxlen=period)
        self._total = 0

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        number = int(x * SCALE)
        ring = self._ring
        self._total = total = self._total + number - ring[0]
        ring.append(number)
        if self._left:
            self._left -= 1
            if self._left:
                return MISSING
        return total / self._divisor

    def state(self) -> State:
        """Return the values in the window, oldest first."""
        return unscaled(list(self._ring)[self._left :])

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._ring = window(state, self.warmup)
        self._left = self.warmup - len(state)
        self._total = sum(self._ring)
