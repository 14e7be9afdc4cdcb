"""What remembers conditions from bar to bar. A condition comes as TRUE, FALSE or missing; see operators."""

from engine.strategy.indicators import MISSING, State
from engine.strategy.operators import FALSE, TRUE

_NEVER = -1.0


class Since:
    """bars_since(c): how many bars ago c was true last; missing before it ever was."""

    __slots__ = ("_age", "warmup")

    def __init__(self) -> None:
        self.warmup = 1
        self._age = _NEVER

    def update(self, truth: float) -> float:
        """Take what the condition is on the next bar; return its age."""
        if truth == TRUE:
            self._age = 0.0
        elif self._age == _NEVER:
            return MISSING
        else:
            self._age += 1.0
        return self._age

    def state(self) -> State:
        """Return [age]."""
        return [self._age]

    def restore(self, state: State) -> None:
        """Take up a state."""
        (self._age,) = state


class Within:
    """within_last(c, n): c or c[1] or ... c[n - 1], in three-valued logic."""

    __slots__ = ("_true_age", "_unknown_age", "warmup")

    def __init__(self, bars: int) -> None:
        self.warmup = bars
        self._true_age = float(bars)
        self._unknown_age = 0.0  # what was before the first bar is unknown

    def update(self, truth: float) -> float:
        """Take what the condition is on the next bar; return what this one is."""
        self._true_age = 0.0 if truth == TRUE else self._true_age + 1.0
        self._unknown_age = self._unknown_age + 1.0 if truth == truth else 0.0  # noqa: PLR0124 - NaN is not itself
        if self._true_age < self.warmup:
            return TRUE
        return MISSING if self._unknown_age < self.warmup else FALSE

    def state(self) -> State:
        """Return [bars since true, bars since unknown]."""
        return [self._true_age, self._unknown_age]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._true_age, self._unknown_age = state


class Steps:
    """rising(x, n) or falling(x, n): x > x[1] and x[1] > x[2] and ..., n times, in three-valued logic."""

    __slots__ = ("_false_age", "_last", "_sign", "_unknown_age", "warmup")

    def __init__(self, bars: int, *, rising: bool) -> None:
        self.warmup = bars + 1
        self._sign = 1.0 if rising else -1.0
        self._last = MISSING
        self._false_age = float(bars)
        self._unknown_age = 0.0

    def update(self, x: float) -> float:
        """Take the next value, NaN for a missing one; return what the condition is."""
        step = (x - self._last) * self._sign
        self._last = x
        self._false_age = 0.0 if step <= 0.0 else self._false_age + 1.0
        self._unknown_age = self._unknown_age + 1.0 if step == step else 0.0  # noqa: PLR0124 - NaN is not itself
        bars = self.warmup - 1
        if self._false_age < bars:
            return FALSE
        return MISSING if self._unknown_age < bars else TRUE

    def state(self) -> State:
        """Return [last value, bars since a step the wrong way, bars since an unknown one]."""
        return [self._last, self._false_age, self._unknown_age]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._last, self._false_age, self._unknown_age = state
