"""The percentile of the last n values."""

from bisect import bisect_left, insort
from collections import deque
from math import ceil
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State


class Percentile:
    """percentile(n, p): the smallest of n values that at least p percent of them do not exceed; n inputs.

    One of the values itself, by nearest rank: rank p * n / 100, rounded up and at least 1. 50 is the (lower)
    median, 0 the lowest, 100 the highest. Source: the nearest-rank definition; TA-Lib's PERCENTILE.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_rank", "_ring", "_sorted", "warmup")

    def __init__(self, period: int, percent: float = 50.0) -> None:
        self.warmup = period
        self._rank = max(ceil(percent * period / 100.0), 1) - 1
        self._ring: deque[float] = deque()
        self._sorted: list[float] = []

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        ring, ordered = self._ring, self._sorted
        if len(ring) == self.warmup:
            del ordered[bisect_left(ordered, ring.popleft())]
        ring.append(x)
        insort(ordered, x)
        return ordered[self._rank] if len(ring) == self.warmup else MISSING

    def state(self) -> State:
        """Return the values in the window, oldest first."""
        return list(self._ring)

    def restore(self, state: State) -> None:
        """Take up a state."""
        if len(state) > self.warmup:
            raise ValueError(f"a window of {self.warmup} cannot hold {len(state)} values")
        self._ring = deque(state)
        self._sorted = sorted(state)
