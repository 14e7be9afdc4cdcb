"""The volume-weighted moving average."""

from collections import deque
from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State
from engine.strategy.indicators.exact import SCALE, unscaled, window


class Vwma:
    """VWMA(n): the mean close of the last n bars, weighted by volume; n inputs, in price units.

    Missing where none of the n bars has volume; n = 1 is the close. Both sums are exact.
    Source: TA-Lib's VWMA, which there divides what rounding left of its sums.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_left", "_ring", "_value", "_volume", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._left = period
        self._ring = deque([(0, 0)] * period, maxlen=period)  # (close * volume, volume), scaled
        self._value = 0
        self._volume = 0

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        close, volume = bar.close, bar.volume
        number, weight = int(close * volume * SCALE), int(volume * SCALE)
        ring = self._ring
        old_number, old_weight = ring[0]
        ring.append((number, weight))
        self._value = total = self._value + number - old_number
        self._volume = divisor = self._volume + weight - old_weight
        if self._left:
            self._left -= 1
            if self._left:
                return MISSING
        if self.warmup == 1:
            return close
        return total / float(divisor) if divisor else MISSING

    def state(self) -> State:
        """Return value and volume of each bar in the window, oldest first."""
        return unscaled(number for pair in list(self._ring)[self._left :] for number in pair)

    def restore(self, state: State) -> None:
        """Take up a state."""
        values, volumes = window(state[0::2], self.warmup), window(state[1::2], self.warmup)
        self._ring = deque(zip(values, volumes, strict=True), maxlen=self.warmup)
        self._left = self.warmup - len(state) // 2
        self._value, self._volume = sum(values), sum(volumes)
