"""The parabolic stop and reverse."""

from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State


class Psar:
    """psar(step, maximum): a stop that nears the extreme of a trend, s += a * (extreme - s), until it is met.

    Then the trend turns. a grows by step with each new extreme, up to maximum; the stop never enters the
    range of the last two bars. The first trend is down where the low fell by more than the high rose, from
    the first bar's high; else up, from its low. In price units; 2 bars.
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib's SAR.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = (
        "_bottom",
        "_extreme",
        "_limit",
        "_seen",
        "_side",
        "_speed",
        "_step",
        "_stop",
        "_top",
        "warmup",
    )

    def __init__(self, step: float = 0.02, maximum: float = 0.2) -> None:
        self.warmup = 2
        self._step = min(step, maximum)
        self._limit = maximum
        self._seen = 0
        # All prices are kept as a rising trend sees them: in a falling one (side -1) their signs are turned.
        self._side = 1.0
        self._top = self._bottom = self._extreme = self._stop = self._speed = 0.0

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        if self._seen < 2:
            self._seen += 1
            if self._seen == 1:
                self._top, self._bottom = bar.high, bar.low
                return MISSING
            self._start(bar)
        top, bottom = (bar.high, bar.low) if self._side > 0.0 else (-bar.low, -bar.high)
        if bottom > self._stop:
            return self._follow(top, bottom)
        return self._turn(top, bottom)

    def _start(self, bar: Bar) -> None:
        """Choose the first trend from two bars; the second counts as its own predecessor."""
        fall, rise = self._bottom - bar.low, bar.high - self._top
        if fall > 0.0 and fall > rise:
            self._side, self._stop = -1.0, -self._top
            self._top, self._bottom = -bar.low, -bar.high
        else:
            self._stop = self._bottom
            self._top, self._bottom = bar.high, bar.low
        self._extreme = self._top
        self._speed = self._step

    def _follow(self, top: float, bottom: float) -> float:
        stop = self._stop
        if top > self._extreme:
            self._extreme = top
            self._speed = min(self._speed + self._step, self._limit)
        self._stop = min(stop + self._speed * (self._extreme - stop), self._bottom, bottom)
        self._top, self._bottom = top, bottom
        return self._side * stop

    def _turn(self, top: float, bottom: float) -> float:
        """Reverse: what was the extreme becomes the stop, outside of the last two bars."""
        self._side = -self._side
        low_before, low, high = -self._top, -top, -bottom
        stop = min(-self._extreme, low_before, low)
        self._extreme = high
        self._speed = self._step
        self._stop = min(stop + self._speed * (high - stop), low_before, low)
        self._top, self._bottom = high, low
        return self._side * stop

    def state(self) -> State:
        """Return [bars seen, side, top and bottom of the last bar, extreme, stop, acceleration]."""
        trend = (self._side, self._top, self._bottom, self._extreme, self._stop, self._speed)
        return [float(self._seen), *trend]

    def restore(self, state: State) -> None:
        """Take up a state."""
        seen, self._side, self._top, self._bottom, self._extreme, self._stop, self._speed = state
        self._seen = int(seen)
