"""What swings make together: a trend, and its break."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State, parts
from engine.strategy.structures.swings import Peaks, SwingHigh, SwingLow


class Trend:
    """trend(left, right): 1 while the last two swing highs and lows both rise, -1 while both fall, else 0.

    Missing until there are two of each.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_highs", "_lows", "warmup")

    def __init__(self, left: int = 3, right: int = 3) -> None:
        self._highs, self._lows = SwingHigh(left, right), SwingLow(left, right)
        self.warmup = self._highs.warmup + 1  # the second swing is a later bar

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        high, low = self._highs.update(bar), self._lows.update(bar)
        high_before, low_before = self._highs.before, self._lows.before
        if high > high_before and low > low_before:
            return 1.0
        if high < high_before and low < low_before:
            return -1.0
        both = high_before + low_before
        return 0.0 if both == both else MISSING  # noqa: PLR0124 - NaN is not itself

    def state(self) -> State:
        """Return the states of the swings."""
        return parts.states((self._highs, self._lows))

    def restore(self, state: State) -> None:
        """Take up a state."""
        parts.restore((self._highs, self._lows), state)


class BreakOfStructure:
    """break_of_structure(left, right): 1 on the bar that closes above the last swing high, -1 below the low.

    Each swing is broken once; on other bars it is 0, and missing before the first swing. `.direction` is that
    of the last break, `.level` the price that was broken; both are missing before the first.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("signal", "direction", "level")
    __slots__ = ("_highs", "_lows", "_over", "_under", "direction", "level", "signal", "warmup")

    def __init__(self, left: int = 3, right: int = 3) -> None:
        self._highs, self._lows = Peaks(left, right), Peaks(left, right)
        self.warmup = self._highs.warmup
        self._over = self._under = MISSING  # the swings that are not broken yet
        self.signal = self.direction = self.level = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator. The bar that confirms a swing may break it, too."""
        if self._highs.update(bar.high):
            self._over = self._highs.level
        if self._lows.update(-bar.low):
            self._under = -self._lows.level
        high, low = self._highs.level, self._lows.level
        self.signal = 0.0 if high == high or low == low else MISSING  # noqa: PLR0124 - NaN is not itself
        if bar.close > self._over:
            self.signal = self.direction = 1.0
            self.level, self._over = self._over, MISSING
        elif bar.close < self._under:
            self.signal = self.direction = -1.0
            self.level, self._under = self._under, MISSING
        return self.signal

    def state(self) -> State:
        """Return [unbroken high, unbroken low, signal, direction, level], then the states of the swings."""
        own = [self._over, self._under, self.signal, self.direction, self.level]
        return [*own, *parts.states((self._highs, self._lows))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._over, self._under, self.signal, self.direction, self.level = state[:5]
        parts.restore((self._highs, self._lows), state[5:])
