"""Swings: bars that stand out from those around them."""

from collections import deque
from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State
from engine.strategy.indicators.extremes import Highest


class Peaks:
    """The peaks of a series: values above the `left` before and not below the `right` after.

    Of equal values the first counts. A value stays a candidate until a larger one comes; the candidates fall
    from old to new, so each is looked at once. `level` is that of the last confirmed peak, `before` that of
    the one before it, `age` how many values ago the last one was; all are missing where there is none.
    """

    __slots__ = (
        "_candidates",
        "_highest",
        "_left",
        "_right",
        "_seen",
        "_top",
        "age",
        "before",
        "level",
        "warmup",
    )

    def __init__(self, left: int, right: int) -> None:
        self.warmup = left + right + 1
        self._left, self._right = left, right
        self._highest = Highest(left)
        self._top = MISSING  # the highest of the `left` values before the next
        self._candidates: deque[tuple[int, float]] = deque()  # number and value
        self._seen = 0
        self.level = self.before = self.age = MISSING

    def update(self, x: float) -> bool:
        """Take the next value; tell whether a peak was confirmed, `right` values ago."""
        self._seen = seen = self._seen + 1
        self.age += 1.0
        candidates = self._candidates
        while candidates and candidates[-1][1] < x:
            candidates.pop()
        if x > self._top:
            candidates.append((seen, x))
        self._top = self._highest.update(x)
        if not candidates or candidates[0][0] != seen - self._right:
            return False
        self.before, self.level, self.age = self.level, candidates.popleft()[1], float(self._right)
        return True

    def state(self) -> State:
        """Return what was seen, the last peaks, the highest of late, number and value of each candidate."""
        facts = [float(self._seen), self._top, self.level, self.before, self.age]
        window = self._highest.state()
        queue = [float(part) for candidate in self._candidates for part in candidate]
        return [*facts, float(len(window)), *window, *queue]

    def restore(self, state: State) -> None:
        """Take up a state."""
        seen, self._top, self.level, self.before, self.age, size = state[:6]
        self._seen, end = int(seen), 6 + int(size)
        self._highest.restore(state[6:end])
        queue = state[end:]
        numbers = (int(number) for number in queue[0::2])
        self._candidates = deque(zip(numbers, queue[1::2], strict=True))


class SwingHigh:
    """swing_high(left, right): the high of the last swing high, known `right` bars after it.

    A swing high is a high above the `left` highs before it and not below the `right` after it. `.age` counts
    the bars since it, `.before` is the swing high before that one. In price units.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("level", "age", "before")
    __slots__ = ("_peaks", "warmup")

    def __init__(self, left: int = 3, right: int = 3) -> None:
        self._peaks = Peaks(left, right)
        self.warmup = self._peaks.warmup

    @property
    def age(self) -> float:
        """How many bars ago the swing was."""
        return self._peaks.age

    @property
    def before(self) -> float:
        """The high of the swing before the last one."""
        return self._peaks.before

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        self._peaks.update(bar.high)
        return self._peaks.level

    def state(self) -> State:
        """Return the state of the peaks."""
        return self._peaks.state()

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._peaks.restore(state)


class SwingLow:
    """swing_low(left, right): the low of the last swing low, known `right` bars after it; see swing_high.

    A swing low is a low below the `left` lows before it and not above the `right` after it.
    """

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("level", "age", "before")
    __slots__ = ("_peaks", "warmup")

    def __init__(self, left: int = 3, right: int = 3) -> None:
        self._peaks = Peaks(left, right)  # of the lows turned upside down, which changes no bit
        self.warmup = self._peaks.warmup

    @property
    def age(self) -> float:
        """How many bars ago the swing was."""
        return self._peaks.age

    @property
    def before(self) -> float:
        """The low of the swing before the last one."""
        return -self._peaks.before

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        self._peaks.update(-bar.low)
        return -self._peaks.level

    def state(self) -> State:
        """Return the state of the peaks."""
        return self._peaks.state()

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._peaks.restore(state)
