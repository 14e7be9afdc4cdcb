"""What a number was some bars ago."""

from collections import deque
from typing import ClassVar

from engine.strategy.indicators import MISSING, SERIES, State


class Delay:
    """The value n bars ago. Unlike indicators it takes missing values, too, and gives them back as such."""

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_ring", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._ring = deque([MISSING] * period, maxlen=period)

    def update(self, x: float) -> float:
        """Take the next value, NaN for a missing one; see SeriesIndicator."""
        ring = self._ring
        old = ring[0]
        ring.append(x)
        return old

    def state(self) -> State:
        """Return the values kept, oldest first."""
        return list(self._ring)

    def restore(self, state: State) -> None:
        """Take up a state."""
        if len(state) != len(self._ring):
            raise ValueError(f"the last {len(self._ring)} values are not {len(state)}")
        self._ring = deque(state, maxlen=self.warmup - 1)
