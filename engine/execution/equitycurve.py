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
    """Keeps between POINTS_MAX / 2 and POINTS_MAX points once there are so many, extremes included."""

    def __init__(self) -> None:
        self._points: list[EquityPoint] = []
        self._step_ns = NS_PER_S
        self._end = 0  # of the last point's interval

    def add(self, now: int, equity: float) -> None:
        """Take what equity is now."""
        points = self._points
        if now < self._end:
            last = points[-1]
            ts = max(last.ts, now)
            points[-1] = _joined(last, EquityPoint(ts, equity, equity, equity))
            return
        points.append(EquityPoint(now, equity, equity, equity))
        if len(points) > POINTS_MAX:
            self._thin()
        self._end = (self._points[-1].ts // self._step_ns + 1) * self._step_ns

    def _thin(self) -> None:
        """Double the interval until there are few enough."""
        while len(self._points) > POINTS_MAX:
            self._step_ns *= 2
            self._points = _thinned(self._points, self._step_ns)

    def points(self) -> tuple[EquityPoint, ...]:
        """Return the curve, oldest first."""
        return tuple(self._points)

    def state(self) -> EquityState:
        """Return all that a checkpoint needs."""
        return EquityState(self.points(), self._step_ns)

    def restore(self, state: EquityState) -> None:
        """Take up a checkpoint's state."""
        self._points, self._step_ns = list(state.points), state.step_ns
        self._end = (state.points[-1].ts // state.step_ns + 1) * state.step_ns if state.points else 0


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
