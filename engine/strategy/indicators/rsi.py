"""The relative strength index."""

from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State


class Rsi:
    """RSI(n): 100 * gain / (gain + loss), both Wilder averages of the changes; 0 where nothing ever moved.

    Seeded by the mean of the first n changes, so n + 1 values are needed. Unit: 0 to 100.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's order of arithmetic.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_gain", "_last", "_loss", "_period", "_seen", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._period = float(period)  # mixing ints into float arithmetic costs time on every bar
        self._seen = 0  # inputs so far, up to `warmup`; gain and loss are sums until then
        self._last = 0.0
        self._gain = 0.0
        self._loss = 0.0

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        change = x - self._last
        self._last = x
        if self._seen < self.warmup:
            return self._seed(change)
        period = self._period
        gain = self._gain * (period - 1.0)
        loss = self._loss * (period - 1.0)
        if change < 0.0:
            loss -= change
        else:
            gain += change
        self._gain = gain = gain / period
        self._loss = loss = loss / period
        total = gain + loss
        return 100.0 * (gain / total) if total else 0.0

    def _seed(self, change: float) -> float:
        self._seen += 1
        if self._seen == 1:
            return MISSING
        if change < 0.0:
            self._loss -= change
        else:
            self._gain += change
        if self._seen < self.warmup:
            return MISSING
        self._gain /= self._period
        self._loss /= self._period
        total = self._gain + self._loss
        return 100.0 * (self._gain / total) if total else 0.0

    def state(self) -> State:
        """Return [inputs seen, last value, gain, loss]."""
        return [float(self._seen), self._last, self._gain, self._loss]

    def restore(self, state: State) -> None:
        """Take up a state."""
        seen, self._last, self._gain, self._loss = state
        self._seen = int(seen)
