"""Moving average convergence and divergence."""

from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State, parts
from engine.strategy.indicators.ema import Ema


class Macd:
    """macd(fast, slow, signal): EMA(fast) - EMA(slow), its EMA(signal), and the histogram between the two.

    In the unit of the series; all start with the signal, at input slow + signal - 1. As in TA-Lib, the
    seeds of fast and slow end at the same input: the first ones are not seen by the fast; both may be
    swapped.
    Source: Gerald Appel, The Moving Average Convergence-Divergence Trading Method (1985); TA-Lib's MACD.
    """

    TAKES: ClassVar[str] = SERIES
    OUTPUTS: ClassVar[tuple[str, ...]] = ("macd", "signal", "histogram")
    __slots__ = ("_average", "_fast", "_skip", "_slow", "histogram", "macd", "signal", "warmup")

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        fast, slow = sorted((fast, slow))
        self.warmup = slow + signal - 1
        self._fast = Ema(fast)
        self._slow = Ema(slow)
        self._average = Ema(signal)
        self._skip = slow - fast  # inputs the fast average must not see
        self.macd = self.signal = self.histogram = MISSING

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        slow = self._slow.update(x)
        if self._skip:
            if INPUT_MIN < x < INPUT_MAX:
                self._skip -= 1
            return MISSING
        line = self._fast.update(x) - slow
        self.signal = signal = self._average.update(line)
        self.histogram = line - signal
        self.macd = line if signal == signal else MISSING  # noqa: PLR0124 - not missing
        return self.macd

    def state(self) -> State:
        """Return [macd, signal, histogram, inputs to skip, then the states of the averages]."""
        outputs = (self.macd, self.signal, self.histogram)
        return [*outputs, float(self._skip), *parts.states((self._fast, self._slow, self._average))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.macd, self.signal, self.histogram, skip = state[:4]
        self._skip = int(skip)
        parts.restore((self._fast, self._slow, self._average), state[4:])
