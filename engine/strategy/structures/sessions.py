"""The range of a session: of a part of each day, between two times of day UTC."""

from typing import ClassVar

from engine.domain.market import NS_PER_DAY, NS_PER_S, Bar
from engine.strategy.indicators import BAR, MISSING, State

_NS_PER_MINUTE = 60 * NS_PER_S
_MINUTES_PER_DAY = 1_440
_NEVER = -1


class Session:
    """Tells the bars of a session that comes every day; one that ends before it starts ends the next day.

    A bar belongs to it where it closes after the start and not after the end. The first one counts only if it
    was seen from its start. `opened` tells whether the last bar was the first of its session.
    """

    __slots__ = ("_began", "_fresh", "_ignored", "_length", "_start", "opened")

    def __init__(self, start: int, end: int) -> None:
        self._start = start * _NS_PER_MINUTE
        self._length = ((end - start - 1) % _MINUTES_PER_DAY + 1) * _NS_PER_MINUTE
        self._began = _NEVER  # the start of the last session, ns UTC
        self._ignored = _NEVER  # the start of one that was not seen
        self._fresh = True
        self.opened = False

    def holds(self, bar: Bar) -> bool:
        """Take the next bar; tell whether it belongs to a session that counts."""
        start = (bar.ts - 1 - self._start) // NS_PER_DAY * NS_PER_DAY + self._start
        inside = bar.ts - start <= self._length
        if self._fresh:
            self._fresh = False
            if inside and bar.ts - bar.step_ns > start:
                self._ignored = start
        counts = inside and start != self._ignored
        self.opened = counts and start != self._began
        if self.opened:
            self._began = start
        return counts

    def state(self) -> State:
        """Return [whether no bar came yet, start of the last session, start of one not seen]."""
        return [float(self._fresh), float(self._began), float(self._ignored)]

    def restore(self, state: State) -> None:
        """Take up a state. Times are whole minutes, which a float holds exactly."""
        fresh, began, ignored = state
        self._fresh, self._began, self._ignored = bool(fresh), int(began), int(ignored)


class SessionExtreme:
    """What high and low share: the level of the session so far, and that of the one before it."""

    TAKES: ClassVar[str] = BAR
    OUTPUTS: ClassVar[tuple[str, ...]] = ("level", "before")
    __slots__ = ("_session", "before", "level", "warmup")

    def __init__(self, start: int, end: int) -> None:
        self.warmup = 1
        self._session = Session(start, end)
        self.level = self.before = MISSING

    def state(self) -> State:
        """Return [level, before], then the state of the session."""
        return [self.level, self.before, *self._session.state()]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self.level, self.before, *session = state
        self._session.restore(session)


class SessionHigh(SessionExtreme):
    """session_high(start, end): the highest high of the session so far, and of the last one until the next.

    `.before` is that of the session before. In price units; missing before the first whole session began.
    """

    __slots__ = ()

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        if self._session.holds(bar):
            if self._session.opened:
                self.before, self.level = self.level, bar.high
            else:
                self.level = max(self.level, bar.high)
        return self.level


class SessionLow(SessionExtreme):
    """session_low(start, end): the lowest low of the session so far; see session_high."""

    __slots__ = ()

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        if self._session.holds(bar):
            if self._session.opened:
                self.before, self.level = self.level, bar.low
            else:
                self.level = min(self.level, bar.low)
        return self.level
