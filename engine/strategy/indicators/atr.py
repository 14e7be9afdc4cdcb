"""The average true range."""

from engine.strategy.indicators import MISSING, State


class Atr:
    """ATR(n): the Wilder average of the true range, max(high, c) - min(low, c) with c the close before.

    Seeded by the mean of the first n true ranges; the first bar has none: n + 1 bars are needed. Unit: price.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's order of arithmetic.
    """

    __slots__ = ("_close", "_period", "_seen", "_value", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._period = float(period)  # mixing ints into float arithmetic costs time on every bar
        self._seen = 0  # bars so far, up to `warmup`; `_value` is the sum of their ranges until then
        self._close = 0.0
        self._value = 0.0

    def update(self, high: float, low: float, close: float) -> float:
        """Take the next bar; see BarIndicator."""
        before = self._close
        self._close = close
        if not self._seen:
            self._seen = 1
            return MISSING
        top = high if high > before else before  # noqa: FURB136 - a call of max() costs more than the rest
        bottom = low if low < before else before  # noqa: FURB136
        span = top - bottom
        if self._seen < self.warmup:
            return self._seed(span)
        period = self._period
        self._value = value = (self._value * (period - 1.0) + span) / period
        return value

    def _seed(self, span: float) -> float:
        self._value += span
        self._seen += 1
        if self._seen < self.warmup:
            return MISSING
        self._value /= self._period
        return self._value

    def state(self) -> State:
        """Return [bars seen, last close, average or sum so far]."""
        return [float(self._seen), self._close, self._value]

    def restore(self, state: State) -> None:
        """Take up a state."""
        seen, self._close, self._value = state
        self._seen = int(seen)
