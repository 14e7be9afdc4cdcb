"""The true range and its average."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State


def true_range(high: float, low: float, before: float) -> float:
    """Return the range of a bar stretched to the close before it, in price units."""
    top = high if high > before else before  # noqa: FURB136 - a call of max() costs more than the rest
    bottom = low if low < before else before  # noqa: FURB136
    return top - bottom


class Tr:
    """tr(): the true range, max(high, c) - min(low, c) with c the close before; price units; 2 bars.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's TRANGE.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_close", "warmup")

    def __init__(self) -> None:
        self.warmup = 2
        self._close = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        before, self._close = self._close, bar.close
        return true_range(bar.high, bar.low, before)

    def state(self) -> State:
        """Return [last close], NaN before there is one."""
        return [self._close]

    def restore(self, state: State) -> None:
        """Take up a state."""
        (self._close,) = state


class Atr:
    """ATR(n): the Wilder average of the true range, seeded by the mean of the first n; price; n + 1 bars.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's order of arithmetic.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_close", "_period", "_seen", "_value", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._period = float(period)  # mixing ints into float arithmetic costs time on every bar
        self._seen = 0  # bars so far, up to `warmup`; `_value` is the sum of their ranges until then
        self._close = 0.0
        self._value = 0.0

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        before, high, low = self._close, bar.high, bar.low
        self._close = bar.close
        if not self._seen:
            self._seen = 1
            return MISSING
        # As true_range, without the time of a call.
        top = high if high > before else before  # noqa: FURB136 - nor that of max()
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


class Natr(Atr):
    """NATR(n): ATR(n) in percent of the close; n + 1 bars.

    Source: John Forman, Stocks & Commodities 24:6 (2006); TA-Lib's NATR, which leaves n = 1 in price units.
    """

    __slots__ = ()

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        atr, close = super().update(bar), bar.close
        return atr / close * 100.0 if close else 0.0
