"""The simple moving average."""

from collections import deque

from engine.strategy.indicators import MISSING, State

# A float times 2**128 is an integer for every magnitude above 1e-22, so sums of such integers are exact.
_SCALE_BITS = 128
_SCALE = 2.0**_SCALE_BITS


class Sma:
    """SMA(n): the mean of the last n values.

    The sum is kept exactly, in scaled integers, rounded once and divided: the result depends on the n values
    alone, so it cannot drift, and costs the same for every period. Magnitudes below 1e-22 are cut at 3e-39.
    """

    __slots__ = ("_divisor", "_left", "_ring", "_total", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._divisor = period * _SCALE
        self._left = period
        self._ring = deque([0] * period, maxlen=period)
        self._total = 0

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        scaled = int(x * _SCALE)
        ring = self._ring
        self._total = total = self._total + scaled - ring[0]
        ring.append(scaled)
        if self._left:
            self._left -= 1
            if self._left:
                return MISSING
        return total / self._divisor

    def state(self) -> State:
        """Return the values in the window, oldest first."""
        seen = list(self._ring)[self._left :]
        return [scaled / (1 << _SCALE_BITS) for scaled in seen]

    def restore(self, state: State) -> None:
        """Take up a state."""
        seen = [int(x * _SCALE) for x in state]
        self._left = self.warmup - len(seen)
        self._ring = deque([0] * self._left + seen, maxlen=self.warmup)
        self._total = sum(seen)
