"""Kaufman's adaptive moving average."""

from collections import deque
from itertools import pairwise
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State
from engine.strategy.indicators.exact import SCALE, scaled, unscaled


class Kama:
    """KAMA(n, fast, slow): k += (x - k) * (e * (2 / (fast + 1) - s) + s)**2 with s = 2 / (slow + 1).

    e is the efficiency of the last n changes: their sum over the sum of their sizes, 1 where nothing moved;
    both are exact. In the unit of the series; n + 1 inputs, of which the last but one starts it.
    Source: Perry Kaufman, Trading Systems and Methods; TA-Lib's KAMA, whose fast is 2 and slow is 30.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_change", "_path", "_ring", "_slow", "_value", "warmup")

    def __init__(self, period: int, fast: int = 2, slow: int = 30) -> None:
        self.warmup = period + 1
        self._slow = 2.0 / (slow + 1)
        self._change = 2.0 / (fast + 1) - self._slow
        self._ring: deque[int] = deque()  # the last n + 1 values, scaled
        self._path = 0  # the way from the first of them to the last
        self._value = 0.0  # the input itself until there are n of them

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        number = int(x * SCALE)
        ring = self._ring
        if ring:
            self._path += abs(number - ring[-1])
        ring.append(number)
        if len(ring) < self.warmup:
            self._value = x
            return MISSING
        if len(ring) > self.warmup:
            self._path -= abs(ring[1] - ring.popleft())
        path = self._path
        efficiency = abs(number - ring[0]) / float(path) if path else 1.0
        smoothing = efficiency * self._change + self._slow
        value = self._value
        self._value = value = (x - value) * (smoothing * smoothing) + value
        return value

    def state(self) -> State:
        """Return [average, then the values in the window, oldest first]."""
        return [self._value, *unscaled(self._ring)]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._value = state[0]
        if len(state) > self.warmup + 1:
            raise ValueError(f"a window of {self.warmup} cannot hold {len(state) - 1} values")
        self._ring = deque(scaled(state[1:]))
        self._path = sum(abs(b - a) for a, b in pairwise(self._ring))
