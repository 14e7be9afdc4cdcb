"""Incremental indicators: one small class each, fed bar by bar, never recomputed over a window of bars.

What all of them promise: the same inputs give the same bits, whether fed in one go, one by one, or before and
after `state()` and `restore()`. A value is NaN until `warmup` inputs were seen.
"""

from typing import Protocol

State = list[float]
MISSING = float("nan")


class Restorable(Protocol):
    """What remembers something between bars."""

    @property
    def warmup(self) -> int:
        """How many inputs the first value takes."""
        ...

    def state(self) -> State:
        """Return all that was remembered, as plain floats that msgpack and JSON carry bit for bit."""
        ...

    def restore(self, state: State) -> None:
        """Take up what `state` of an indicator of the same kind and period returned."""
        ...


class SeriesIndicator(Restorable, Protocol):
    """An indicator of one series."""

    def update(self, x: float) -> float:
        """Take the next finite value of the series and return the indicator's, NaN while warming up."""
        ...


class BarIndicator(Restorable, Protocol):
    """An indicator of bars."""

    def update(self, high: float, low: float, close: float) -> float:
        """Take the next bar and return the indicator's value, NaN while warming up."""
        ...
