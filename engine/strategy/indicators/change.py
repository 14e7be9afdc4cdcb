"""How far a series is from where it was: rate of change and momentum."""

from collections import deque
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State


class Change:
    """What both share: the last n values. n + 1 inputs."""

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_ring", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._ring = deque([MISSING] * period, maxlen=period)

    def state(self) -> State:
        """Return the last n values, oldest first, NaN where there were none."""
        return list(self._ring)

    def restore(self, state: State) -> None:
        """Take up a state."""
        if len(state) != len(self._ring):
            raise ValueError(f"the last {len(self._ring)} values are not {len(state)}")
        self._ring = deque(state, maxlen=self.warmup - 1)


class Mom(Change):
    """mom(n): x less the value n inputs ago, in the unit of the series. TA-Lib's MOM."""

    __slots__ = ()

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        ring = self._ring
        change = x - ring[0]
        ring.append(x)
        return change


class Roc(Change):
    """roc(n): the change from the value n inputs ago in percent of it, 0 where that was 0. TA-Lib's ROC."""

    __slots__ = ()

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        ring = self._ring
        before = ring[0]
        ring.append(x)
        return (x / before - 1.0) * 100.0 if before else 0.0
