"""Incremental indicators: one small class each, fed bar by bar, never recomputed over a window of bars.

What all of them promise: the same inputs give the same bits, whether fed in one go, one by one, or before
and after `state()` and `restore()`. A value is NaN until `warmup` inputs were seen. Sums over windows are
exact (see `exact`), so no number of bars makes them drift. Seeding and definitions are TA-Lib's where TA-Lib
has the indicator; each docstring says where not. `catalog` lists them all.

An indicator of a series takes what is missing, too (NaN, infinite, or beyond 1e200, where sums would
overflow): it answers NaN, and what it remembers stays as it was. So one that is fed by another starts with
the first value of that one.
"""

from typing import ClassVar, Protocol

from engine.domain.market import Bar

State = list[float]
MISSING = float("nan")
INPUT_MIN, INPUT_MAX = -1e200, 1e200  # a series input counts as missing unless it lies between
SERIES, BAR = "series", "bar"  # what TAKES can say


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
        """Take up what `state` of an indicator of the same kind and parameters returned.

        Raises ValueError or IndexError where it cannot be such a state.
        """
        ...


class SeriesIndicator(Restorable, Protocol):
    """An indicator of one series.

    One with several outputs names them in a class attribute OUTPUTS and has them as attributes; `update`
    returns the first.
    """

    TAKES: ClassVar[str]

    def update(self, x: float) -> float:
        """Take the next value of the series and return the indicator's, NaN while warming up."""
        ...


class BarIndicator(Restorable, Protocol):
    """An indicator of bars; outputs as in SeriesIndicator."""

    TAKES: ClassVar[str]

    def update(self, bar: Bar) -> float:
        """Take the next bar and return the indicator's value, NaN while warming up."""
        ...
