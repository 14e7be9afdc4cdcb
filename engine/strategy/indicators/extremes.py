"""The highest and the lowest of the last n values."""

from collections import deque
from typing import ClassVar

from engine.strategy.indicators import INPUT_MAX, INPUT_MIN, MISSING, SERIES, State


class Extreme:
    """What highest and lowest share: a queue of the values that may still become the extreme.

    Each value enters and leaves once, so a bar costs the same for every period.
    Source: the ascending minima algorithm (monotonic queue).
    """

    TAKES: ClassVar[str] = SERIES
    __slots__ = ("_queue", "_seen", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period
        self._seen = 0
        self._queue: deque[tuple[int, float]] = deque()  # (number of the input, value), the extreme first

    @property
    def age(self) -> int:
        """How many inputs ago the extreme was, the last time where it was met more than once."""
        return self._seen - self._queue[0][0]

    def state(self) -> State:
        """Return [inputs seen, then number and value of each in the queue]."""
        return [float(self._seen), *(float(part) for item in self._queue for part in item)]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._seen = int(state[0])
        numbers = (int(number) for number in state[1::2])
        self._queue = deque(zip(numbers, state[2::2], strict=True))


class Highest(Extreme):
    """highest(n): the largest of the last n values, the present one included; n inputs. TA-Lib's MAX."""

    __slots__ = ()

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        queue = self._queue
        self._seen = seen = self._seen + 1
        while queue and queue[-1][1] <= x:
            queue.pop()
        queue.append((seen, x))
        number, extreme = queue[0]
        if number <= seen - self.warmup:
            queue.popleft()
            extreme = queue[0][1]
        return extreme if seen >= self.warmup else MISSING


class Lowest(Extreme):
    """lowest(n): the smallest of the last n values, the present one included; n inputs. TA-Lib's MIN."""

    __slots__ = ()

    def update(self, x: float) -> float:
        """Take the next value; see SeriesIndicator."""
        if not INPUT_MIN < x < INPUT_MAX:
            return MISSING
        queue = self._queue
        self._seen = seen = self._seen + 1
        while queue and queue[-1][1] >= x:
            queue.pop()
        queue.append((seen, x))
        number, extreme = queue[0]
        if number <= seen - self.warmup:
            queue.popleft()
            extreme = queue[0][1]
        return extreme if seen >= self.warmup else MISSING
