"""Where a value stands between the extremes of late: the stochastic oscillator and its like."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, SERIES, State, parts
from engine.strategy.indicators.extremes import Highest, Lowest
from engine.strategy.indicators.rsi import Rsi
from engine.strategy.indicators.sma import Sma

RSI_RANGE_MIN = 1e-9  # RSI points: what is less is what rounding leaves of an RSI that stands still


class Stoch:
    """stoch(n, s, d): k, the SMA(s) of 100 * (close - low) / (high - low) over n bars, and its SMA(d), d.

    0 to 100, 0 where high is low. Both start with d, at bar n + s + d - 2. Source: George Lane; TA-Lib's
    STOCH.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("k", "d")
    __slots__ = ("_high", "_low", "_signal", "_smooth", "d", "k", "warmup")

    def __init__(self, period: int = 14, smooth: int = 3, signal: int = 3) -> None:
        self.warmup = period + smooth + signal - 2
        self._high = Highest(period)
        self._low = Lowest(period)
        self._smooth = Sma(smooth)
        self._signal = Sma(signal)
        self.k = self.d = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        top, bottom = self._high.update(bar.high), self._low.update(bar.low)
        span = top - bottom
        k = self._smooth.update(100.0 * ((bar.close - bottom) / span) if span else 0.0)
        self.d = d = self._signal.update(k)
        if d == d:  # noqa: PLR0124 - not missing
            self.k = k
        return self.k

    def state(self) -> State:
        """Return [k, d, then the states of the parts]."""
        return [self.k, self.d, *parts.states((self._high, self._low, self._smooth, self._signal))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.k, self.d = state[:2]
        parts.restore((self._high, self._low, self._smooth, self._signal), state[2:])


class StochRsi:
    """stochrsi(n, m, d): k, where RSI(n) stands between its extremes of m values, and its SMA(d), d.

    0 to 100; 0 where the extremes are one and, unlike in TA-Lib, where less than a billionth of a point parts
    them, which is rounding. Both start with d, at input n + m + d - 1.
    Source: Tushar Chande and Stanley Kroll, The New Technical Trader (1994); TA-Lib's STOCHRSI, whose m is 5.
    """

    TAKES: ClassVar[str] = SERIES
    OUTPUTS: ClassVar[tuple[str, ...]] = ("k", "d")
    __slots__ = ("_high", "_low", "_rsi", "_signal", "d", "k", "warmup")

    def __init__(self, period: int = 14, stoch: int = 14, signal: int = 3) -> None:
        self.warmup = period + stoch + signal - 1
        self._rsi = Rsi(period)
        self._high = Highest(stoch)
        self._low = Lowest(stoch)
        self._signal = Sma(signal)
        self.k = self.d = MISSING

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        rsi = self._rsi.update(x)
        bottom = self._low.update(rsi)
        span = self._high.update(rsi) - bottom
        k = 0.0 if span < RSI_RANGE_MIN else 100.0 * ((rsi - bottom) / span)
        self.d = d = self._signal.update(k)
        self.k = k if d == d else MISSING  # noqa: PLR0124 - not missing
        return self.k

    def state(self) -> State:
        """Return [k, d, then the states of the parts]."""
        return [self.k, self.d, *parts.states((self._rsi, self._high, self._low, self._signal))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.k, self.d = state[:2]
        parts.restore((self._rsi, self._high, self._low, self._signal), state[2:])


class Willr:
    """willr(n): Williams' %R, -100 * (high - close) / (high - low) over n bars; -100 to 0; n bars.

    0 where high is low. Source: Larry Williams, How I Made One Million Dollars Last Year Trading Commodities
    (1973); TA-Lib's WILLR.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_high", "_low", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._high = Highest(period)
        self._low = Lowest(period)

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        top = self._high.update(bar.high)
        span = top - self._low.update(bar.low)
        return -100.0 * ((top - bar.close) / span) if span else 0.0

    def state(self) -> State:
        """Return the states of both extremes."""
        return parts.states((self._high, self._low))

    def restore(self, state: State) -> None:
        """Take up a state."""
        parts.restore((self._high, self._low), state)
