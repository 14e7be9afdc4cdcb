"""Wilder's moving average."""

from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State


class Rma:
    """RMA(n): r = (r * (n - 1) + x) / n, seeded by the mean of the first n values; n inputs.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's RMA.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_left", "_period", "_value", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._period = float(period)  # mixing ints into float arithmetic costs time on every bar
        self._left = period  # inputs until the seed is complete; `_value` is their sum until then
        self._value = 0.0

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        period = self._period
        if self._left:
            return self._seed(x)
        self._value = value = (self._value * (period - 1.0) + x) / period
        return value

    def _seed(self, x: float) -> float:
        self._value += x
        self._left -= 1
        if self._left:
            return MISSING
        self._value /= self._period
        return self._value

    def state(self) -> State:
        """Return [inputs left to the seed, average or sum so far]."""
        return [float(self._left), self._value]

    def restore(self, state: State) -> None:
        """Take up a state."""
        left, self._value = state
        self._left = int(left)
