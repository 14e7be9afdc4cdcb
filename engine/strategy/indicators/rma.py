"""Wilder's moving average."""

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING
from engine.strategy.indicators.seeded import Seeded


class Rma(Seeded):
    """RMA(n): r = (r * (n - 1) + x) / n, seeded by the mean of the first n values; n inputs.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's RMA.
    """

    __slots__ = ("_period",)

    def __init__(self, period: int) -> None:
        super().__init__(period)
        self._period = float(period)  # mixing ints into float arithmetic costs time on every bar

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        period = self._period
        if self._left:
            return self._seed(x)
        self._value = value = (self._value * (period - 1.0) + x) / period
        return value
