"""When windows of the blackout calendar begin and end: arithmetic on dates, the same at every run."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date

import msgspec

from engine.domain.calendar import Calendar, Window
from engine.domain.market import NS_PER_DAY, NS_PER_S

NS_PER_MINUTE = 60 * NS_PER_S
MINUTES_PER_DAY = 1_440
DAYS_AHEAD = 8 * 366  # a window on 29 February comes again within it
FREE_WITHIN_DAYS = 8  # a calendar must leave a free moment within its longest window and so many days
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class Span(msgspec.Struct, frozen=True):
    """One coming or running occurrence of a window, ns UTC; `ends` itself is free."""

    window: Window
    begins: int
    ends: int


def running(window: Window, now: int) -> Span | None:
    """Return the occurrence that runs at a time, None where none does."""
    today, minute = _split(now)
    for back in range(window.minutes // MINUTES_PER_DAY + 2):
        if not _fits(window, today - back):
            continue
        begun = bisect_right(window.starts, minute if not back else MINUTES_PER_DAY)
        if begun:
            span = _span(window, today - back, window.starts[begun - 1])
            return span if now < span.ends else None
    return None


def coming(window: Window, now: int) -> Span | None:
    """Return the next occurrence that begins after a time, None where none ever does (30 February)."""
    today, minute = _split(now)
    for ahead in range(DAYS_AHEAD):
        if not _fits(window, today + ahead):
            continue
        passed = bisect_right(window.starts, minute) if not ahead else 0
        if passed < len(window.starts):
            return _span(window, today + ahead, window.starts[passed])
    return None


def shortest_period(window: Window, since: int) -> int:
    """Return the least time in minutes between two beginnings, within the years after a time; 0 for none."""
    gaps = [later - earlier for earlier, later in zip(window.starts, window.starts[1:], strict=False)]
    first_day = since // NS_PER_DAY
    fitting = (day for day in range(first_day, first_day + DAYS_AHEAD) if _fits(window, day))
    before: int | None = None
    for day in fitting:
        if before is not None:
            gaps.append((day - before) * MINUTES_PER_DAY + window.starts[0] - window.starts[-1])
            if day == before + 1:
                break
        before = day
    return min(gaps, default=0)


def free_from(calendar: Calendar, symbol: str, since: int) -> int | None:
    """Return when a symbol is free at or after a time, None where it is not for days on end."""
    windows = [window for window in calendar if concerns(window, symbol)]
    longest = max((window.minutes for window in windows), default=0)
    last = since + longest * NS_PER_MINUTE + FREE_WITHIN_DAYS * NS_PER_DAY
    at = since
    while at <= last:
        ends = [span.ends for window in windows if (span := running(window, at)) is not None]
        if not ends:
            return at
        at = max(ends)
    return None


def concerns(window: Window, symbol: str) -> bool:
    """Tell whether a window is about a symbol."""
    return not window.symbols or symbol in window.symbols


def symbols_of(calendar: Iterable[Window]) -> tuple[str, ...]:
    """Return the symbols that some window names, and "" for those that none does."""
    return ("", *dict.fromkeys(symbol for window in calendar for symbol in window.symbols))


def _split(now: int) -> tuple[int, int]:
    day, rest = divmod(now, NS_PER_DAY)
    return day, rest // NS_PER_MINUTE


def _fits(window: Window, day: int) -> bool:
    then = date.fromordinal(_EPOCH_DAY + day)
    if then.month not in window.months:
        return False
    in_days, in_weekdays = then.day in window.days, then.weekday() in window.weekdays
    return in_days or in_weekdays if window.either else in_days and in_weekdays


def _span(window: Window, day: int, minute: int) -> Span:
    begins = day * NS_PER_DAY + minute * NS_PER_MINUTE
    return Span(window, begins, begins + window.minutes * NS_PER_MINUTE)
