"""Exponential moving averages: plain, double and triple."""

from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State, parts


class Ema:
    """EMA(n): e += (x - e) * 2 / (n + 1), seeded by the mean of the first n values; n inputs.

    Source: TA-Lib's EMA in its default (classic) compatibility, in its order of arithmetic.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_alpha", "_left", "_value", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._alpha = 2.0 / (period + 1)
        self._left = period  # inputs until the seed is complete; `_value` is their sum until then
        self._value = 0.0

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
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


class Dema:
    """DEMA(n): 2 * EMA(n) - EMA(n) of EMA(n); 2n - 1 inputs.

    Source: Patrick Mulloy, Stocks & Commodities 12:1 (1994); TA-Lib's DEMA.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_once", "_twice", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = 2 * period - 1
        self._once = Ema(period)
        self._twice = Ema(period)

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        once = self._once.update(x)
        return 2.0 * once - self._twice.update(once)

    def state(self) -> State:
        """Return the states of both averages."""
        return parts.states((self._once, self._twice))

    def restore(self, state: State) -> None:
        """Take up a state."""
        parts.restore((self._once, self._twice), state)


class Tema:
    """TEMA(n): 3 * e1 - 3 * e2 + e3, where e1 is EMA(n), e2 that of e1, e3 that of e2; 3n - 2 inputs.

    Source: Patrick Mulloy, Stocks & Commodities 12:2 (1994); TA-Lib's TEMA.
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_once", "_thrice", "_twice", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = 3 * period - 2
        self._once = Ema(period)
        self._twice = Ema(period)
        self._thrice = Ema(period)

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        once = self._once.update(x)
        twice = self._twice.update(once)
        return 3.0 * once - 3.0 * twice + self._thrice.update(twice)

    def state(self) -> State:
        """Return the states of the three averages."""
        return parts.states((self._once, self._twice, self._thrice))

    def restore(self, state: State) -> None:
        """Take up a state."""
        parts.restore((self._once, self._twice, self._thrice), state)
