"""The exponential moving average."""

from engine.strategy.indicators import MISSING, State


class Ema:
    """EMA(n): e += (x - e) * 2 / (n + 1), seeded by the mean of the first n values.

    Source: TA-Lib's EMA in its default (classic) compatibility, in its order of arithmetic.
    """

    __slots__ = ("_alpha", "_left", "_value", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._alpha = 2.0 / (period + 1)
        self._left = period  # inputs until the seed is complete; `_value` is their sum until then
        self._value = 0.0

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if self._left:
            return self._seed(x)
        value = self._value
        self._value = value = (x - value) * self._alpha + value
        return value

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
