"""Levels: prices at which the market turned more than once."""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State, parts
from engine.strategy.structures.swings import Peaks


class Level(NamedTuple):
    """A price, and how many swings turned there."""

    price: float
    touches: int


def levels_of(swings: Iterable[float], width: float, touches: int) -> list[Level]:
    """Group prices into levels, from low to high; those with fewer touches do not count.

    A level begins with the lowest price that is in none yet and takes in those up to `width` (a part of it)
    above; its price is their mean, summed from low to high.
    """
    found: list[Level] = []
    group: list[float] = []
    for price in sorted(swings):
        if group and price > group[0] + abs(group[0]) * width:
            found.append(Level(sum(group) / len(group), len(group)))
            group = []
        group.append(price)
    if group:
        found.append(Level(sum(group) / len(group), len(group)))
    return [level for level in found if level.touches >= touches]


class Support:
    """support(left, right, width, touches, swings): the nearest level not above the close.

    A level is where `touches` or more of the last `swings` swings, high or low, lie within `width` percent.
    It changes only where a swing is confirmed. `.touches` counts its swings; missing where there is none.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("level", "touches")
    __slots__ = ("_highs", "_least", "_levels", "_lows", "_swings", "_width", "level", "touches", "warmup")

    def __init__(
        self, left: int = 3, right: int = 3, width: float = 0.5, touches: int = 2, swings: int = 20
    ) -> None:
        self._highs, self._lows = Peaks(left, right), Peaks(left, right)
        self.warmup = self._highs.warmup
        self._width, self._least = width / 100.0, touches
        self._swings: deque[float] = deque(maxlen=swings)
        self._levels: list[Level] = []
        self.level = self.touches = MISSING

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        high, low = self._highs.update(bar.high), self._lows.update(-bar.low)
        if high:
            self._swings.append(self._highs.level)
        if low:
            self._swings.append(-self._lows.level)
        if high or low:
            self._levels = levels_of(self._swings, self._width, self._least)
        found = self._nearest(bar.close)
        self.level, self.touches = (found.price, float(found.touches)) if found else (MISSING, MISSING)
        return self.level

    def _nearest(self, close: float) -> Level | None:
        return next((level for level in reversed(self._levels) if level.price <= close), None)

    def state(self) -> State:
        """Return [level, touches, how many swings, the swings], then the states of highs and lows."""
        own = [self.level, self.touches, float(len(self._swings)), *self._swings]
        return [*own, *parts.states((self._highs, self._lows))]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.level, self.touches, count = state[:3]
        end = 3 + int(count)
        self._swings = deque(state[3:end], maxlen=self._swings.maxlen)
        self._levels = levels_of(self._swings, self._width, self._least)
        parts.restore((self._highs, self._lows), state[end:])


class Resistance(Support):
    """resistance(left, right, width, touches, swings): the nearest level above the close; see support."""

    __slots__ = ()

    def _nearest(self, close: float) -> Level | None:
        return next((level for level in self._levels if level.price > close), None)
