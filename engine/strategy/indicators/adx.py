"""Wilder's directional movement: +DI, -DI and the average directional index."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State
from engine.strategy.indicators.atr import true_range


class Directional:
    """What the three share: Wilder sums of the movements up and down and of the true range.

    The movement up is how much the high rose where that is more than the low fell, and the other way round. A
    sum is seeded by n - 1 bars, then s += x - s / n.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's seeding.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_close", "_down", "_high", "_low", "_period", "_range", "_seen", "_up", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._period = float(period)  # mixing ints into float arithmetic costs time on every bar
        self._seen = 0  # bars so far, up to the warm-up
        self._high = self._low = self._close = 0.0
        self._up = self._down = self._range = 0.0

    def _advance(self, bar: Bar) -> bool:
        """Take the next bar; return whether the sums are complete."""
        high, low = bar.high, bar.low
        rise, fall = high - self._high, self._low - low
        span = true_range(high, low, self._close)
        self._high, self._low, self._close = high, low, bar.close
        seen = self._seen
        if seen < self.warmup:
            self._seen = seen + 1
            if not seen:
                return False
        period = self._period
        if seen >= period:
            self._up -= self._up / period
            self._down -= self._down / period
            self._range -= self._range / period
        if fall > 0.0 and fall > rise:
            self._down += fall
        elif rise > 0.0 and rise > fall:
            self._up += rise
        self._range += span
        return seen >= period

    def state(self) -> State:
        """Return [bars seen, high, low and close of the last, sums of movement up, down and of the range]."""
        movement = (self._up, self._down, self._range)
        return [float(self._seen), self._high, self._low, self._close, *movement]

    def restore(self, state: State) -> None:
        """Take up a state."""
        seen, self._high, self._low, self._close, self._up, self._down, self._range = state
        self._seen = int(seen)


class PlusDi(Directional):
    """+DI(n): 100 * movement up / true range, 0 where there was none; 0 to 100; n + 1 bars.

    Source: as Directional; TA-Lib's PLUS_DI.
    """

    __slots__ = ()

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        if not self._advance(bar):
            return MISSING
        return 100.0 * (self._up / self._range) if self._range else 0.0


class MinusDi(Directional):
    """-DI(n): 100 * movement down / true range, 0 where there was none; 0 to 100; n + 1 bars.

    Source: as Directional; TA-Lib's MINUS_DI.
    """

    __slots__ = ()

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        if not self._advance(bar):
            return MISSING
        return 100.0 * (self._down / self._range) if self._range else 0.0


class Adx(Directional):
    """ADX(n): the Wilder average of 100 * |up - down| / (up + down), with both DI; 0 to 100; 2n bars.

    Seeded by the mean of the first n; a bar without any movement or range leaves it as it was.
    Source: as Directional; TA-Lib's ADX.
    """

    OUTPUTS: ClassVar[tuple[str, ...]] = ("adx", "plus_di", "minus_di")
    __slots__ = ("_sum", "adx", "minus_di", "plus_di")

    def __init__(self, period: int) -> None:
        super().__init__(period)
        self.warmup = 2 * period
        self._sum = 0.0  # of the values of the seed
        self.adx = self.plus_di = self.minus_di = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        if not self._advance(bar):
            return MISSING
        up, down, span = self._up, self._down, self._range
        moved = up + down if span else 0.0
        if self.adx != self.adx:
            self._sum += 100.0 * (abs(up - down) / moved) if moved else 0.0
            if self._seen < self.warmup:
                return MISSING
            self.adx = self._sum / self._period
        elif moved:
            period = self._period
            self.adx = (self.adx * (period - 1.0) + 100.0 * (abs(up - down) / moved)) / period
        self.plus_di = 100.0 * (up / span) if span else 0.0
        self.minus_di = 100.0 * (down / span) if span else 0.0
        return self.adx

    def state(self) -> State:
        """Return [adx, +DI, -DI, sum of the seed, then the state of the movement]."""
        return [self.adx, self.plus_di, self.minus_di, self._sum, *super().state()]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.adx, self.plus_di, self.minus_di, self._sum = state[:4]
        super().restore(state[4:])
