"""Exponential moving averages: plain, double and triple."""

from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State, parts
from engine.strategy.indicators.seeded import Seeded


class Ema(Seeded):
    """EMA(n): e += (x - e) * 2 / (n + 1), seeded by the mean of the first n values; n inputs.

    Source: TA-Lib's EMA in its default (classic) compatibility, in its order of arithmetic.
    """

    __slots__ = ("_alpha",)

    def __init__(self, period: int) -> None:
        super().__init__(period)
        self._alpha = 2.0 / (period + 1)

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        if self._left:
            return self._seed(x)
        value = self._value
        self._value = value = (x - value) * self._alpha + value
        return value


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
