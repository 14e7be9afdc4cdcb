"""What the averages that never forget share: they begin with the mean of their first n values."""

from typing import ClassVar

from engine.strategy.indicators import MISSING, SERIES, State


class Seeded:
    """An average of one number, and the seed it begins with; n inputs."""

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_left", "_value", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._left = period  # inputs until the seed is complete; `_value` is their sum until then
        self._value = 0.0

    def _seed(self, x: float) -> float:
        self._value += x
        self._left -= 1
        if self._left:
            return MISSING
        self._value /= self.warmup
        return self._value

    def state(self) -> State:
        """Return [inputs left to the seed, average or sum so far]."""
        return [float(self._left), self._value]

    def restore(self, state: State) -> None:
        """Take up a state."""
        left, self._value = state
        self._left = int(left)
