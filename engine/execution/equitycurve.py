"""Equity over time in few points: each holds an interval, and intervals double as the run grows longer."""

from collections.abc import Iterable

import msgspec

from engine.domain.market import NS_PER_S

POINTS_MAX = 480


class EquityPoint(msgspec.Struct, frozen=True, array_like=True):
    """Equity in one interval: when it was seen last (ns UTC), the last, the lowest and the highest of it."""

    ts: int
    last: float
    low: float
    high: float


class EquityState(msgspec.Struct, frozen=True):
    """The curve as a checkpoint holds it."""

    points: tuple[EquityPoint, ...] = ()
    step_ns: int = NS_PER_S


class EquityCurve:
    """Keeps between POINTS_MAX / 2 and POINTS_MAX points once there are so many, extremes included.

    Every fill of a backtest passes here: the interval under way is plain numbers, a point once it is over.
    """

    def __init__(self) -> None:
        self._over: list[EquityPoint] = []
        self._step_ns = NS_PER_S
        self._ts = self._end = 0  # of the interval under way; no end: there is none yet
        self._last = self._low = self._high = 0.0

    def add(self, now: int, equity: float) -> None:
        """Take what equity is now."""
        if now >= self._end:
            self._begin(now, equity)
            return
        self._last = equity
        if now > self._ts:  # noqa: PLR1730 - every fill passes here, and max() takes longer
            self._ts = now
        if equity < self._low:
            self._low = equity
        elif equity > self._high:
            self._high = equity

    def _begin(self, now: int, equity: float) -> None:
        """Begin an interval."""
        if self._end:
            self._over.append(self._under_way())
        self._ts, self._last, self._low, self._high = now, equity, equity, equity
        if len(self._over) >= POINTS_MAX:
            self._thin()
        self._end = (self._ts // self._step_ns + 1) * self._step_ns

    def _thin(self) -> None:
        """Double the intervals until there are few enough."""
        points = [*self._over, self._under_way()]
        while len(points) > POINTS_MAX:
            self._step_ns *= 2
            points = _thinned(points, self._step_ns)
        self._take(points)

    def _take(self, points: Iterable[EquityPoint]) -> None:
        """Take points, the last one for the interval under way."""
        *self._over, now = points
        self._ts, self._last, self._low, self._high = now.ts, now.last, now.low, now.high
        self._end = (now.ts // self._step_ns + 1) * self._step_ns

    def _under_way(self) -> EquityPoint:
        return EquityPoint(self._ts, self._last, self._low, self._high)

    def points(self) -> tuple[EquityPoint, ...]:
        """Return the curve, oldest first."""
        return (*self._over, self._under_way()) if self._end else ()

    def state(self) -> EquityState:
        """Return all that a checkpoint needs."""
        return EquityState(self.points(), self._step_ns)

    def restore(self, state: EquityState) -> None:
        """Take up a checkpoint's state."""
        self._over, self._step_ns, self._end = [], state.step_ns, 0
        if state.points:
            self._take(state.points)


def _thinned(points: Iterable[EquityPoint], step_ns: int) -> list[EquityPoint]:
    """Join the points of each interval."""
    found: list[EquityPoint] = []
    for point in points:
        if found and found[-1].ts // step_ns == point.ts // step_ns:
            found[-1] = _joined(found[-1], point)
        else:
            found.append(point)
    return found


def _joined(first: EquityPoint, second: EquityPoint) -> EquityPoint:
    return EquityPoint(second.ts, second.last, min(first.low, second.low), max(first.high, second.high))
