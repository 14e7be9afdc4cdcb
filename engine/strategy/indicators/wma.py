"""Linearly weighted moving averages: plain, and Hull's."""

from collections import deque
from math import isqrt
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State, parts
from engine.strategy.indicators.exact import SCALE, unscaled, window


class Wma:
    """WMA(n): the mean of the last n values with weights n (the newest), n - 1, ..., 1; n inputs.

    In their unit. Both sums are exact; with each value every weight falls by one, which takes the plain sum
    off the weighted.
    Source: TA-Lib's WMA.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_divisor", "_left", "_ring", "_total", "_weighted", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._divisor = period * (period + 1) // 2 * SCALE
        self._left = period
        self._ring = deque([0] * period, maxlen=period)
        self._total = 0
        self._weighted = 0

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        number = int(x * SCALE)
        ring = self._ring
        total = self._total
        self._weighted = weighted = self._weighted - total + self.warmup * number
        self._total = total + number - ring[0]
        ring.append(number)
        if self._left:
            self._left -= 1
            if self._left:
                return MISSING
        return weighted / self._divisor

    def state(self) -> State:
        """Return the values in the window, oldest first."""
        return unscaled(list(self._ring)[self._left :])

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._ring = window(state, self.warmup)
        self._left = self.warmup - len(state)
        self._total = sum(self._ring)
        self._weighted = sum(weight * x for weight, x in enumerate(self._ring, start=1))


class Hma:
    """HMA(n): WMA(√n) of 2 * WMA(n / 2) - WMA(n), periods rounded down; n + √n - 1 inputs.

    Source: Alan Hull, Reducing Lag in a Moving Average (2005); TA-Lib's HMA.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_half", "_outer", "_whole", "warmup")

    def __init__(self, period: int) -> None:
        self._half = Wma(period // 2)
        self._whole = Wma(period)
        self._outer = Wma(isqrt(period))
        self.warmup = period + isqrt(period) - 1

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        half = self._half.update(x)
        return self._outer.update(2.0 * half - self._whole.update(x))

    def state(self) -> State:
        """Return the states of the three averages."""
        return parts.states((self._half, self._whole, self._outer))

    def restore(self, state: State) -> None:
        """Take up a state."""
        parts.restore((self._half, self._whole, self._outer), state)
