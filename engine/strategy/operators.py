"""The closures that compiled rules are made of. All take missing numbers as NaN and never raise.

They read a row by slot: `a`, `b` are slots of `row`.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from engine.domain.market import NS_PER_DAY, NS_PER_S, Bar
from engine.strategy.indicators import MISSING
from engine.strategy.literals import MINUTES_PER_HOUR

Row = list[Any]  # numbers, but for the slot of the bar itself
Function = Callable[[Any], float]  # of what is in one slot
Test = Callable[[], bool]

_NS_PER_MINUTE = 60 * NS_PER_S
_EPOCH_WEEKDAY = 3  # 1970 began on a Thursday
_DAYS_PER_WEEK = 7
TRUE, FALSE = 1.0, 0.0  # a condition in a slot, MISSING where it is neither


def mean_of(row: Row, slots: tuple[int, ...]) -> Function:
    """Return the mean of some slots, whatever the argument, summed in their order."""

    def mean(_: object) -> float:
        total = 0.0
        for slot in slots:
            total += row[slot]
        return total / len(slots)

    return mean


def minute_of_day(bar: Bar) -> float:
    """Return the minutes from midnight UTC to a bar's close."""
    return float(bar.ts % NS_PER_DAY // _NS_PER_MINUTE)


def hour(bar: Bar) -> float:
    """Return the hour of a bar's close, 0 to 23 UTC."""
    return minute_of_day(bar) // MINUTES_PER_HOUR


def minute(bar: Bar) -> float:
    """Return the minute of a bar's close, 0 to 59."""
    return minute_of_day(bar) % MINUTES_PER_HOUR


def weekday(bar: Bar) -> float:
    """Return the day of a bar's close, 1 (Monday) to 7 (Sunday), UTC."""
    return float((bar.ts // NS_PER_DAY + _EPOCH_WEEKDAY) % _DAYS_PER_WEEK + 1)


OF_TIME: dict[str, Callable[[Bar], float]] = {
    "hour": hour,
    "minute": minute,
    "weekday": weekday,
    "time": minute_of_day,
}


def copied(row: Row, slot: int) -> Function:
    """Return what is in a slot of another row, whatever the argument."""
    return lambda _: row[slot]


def output_of(indicator: object, name: str) -> Function:
    """Return a further output of an indicator, missing where its first one is."""
    read = attrgetter(name)
    return lambda first: read(indicator) if first == first else MISSING  # noqa: PLR0124 - NaN is not itself


def _plus(row: Row, b: int) -> Function:
    return lambda x: x + row[b]


def _minus(row: Row, b: int) -> Function:
    return lambda x: x - row[b]


def _times(row: Row, b: int) -> Function:
    return lambda x: x * row[b]


def _over(row: Row, b: int) -> Function:
    def over(x: float) -> float:
        divisor = row[b]
        return x / divisor if divisor else MISSING

    return over


def _smaller(row: Row, b: int) -> Function:
    def smaller(x: float) -> float:
        other = row[b]
        return x if x <= other else other if other < x else MISSING

    return smaller


def _larger(row: Row, b: int) -> Function:
    def larger(x: float) -> float:
        other = row[b]
        return x if x >= other else other if other > x else MISSING

    return larger


ARITHMETIC: dict[str, Callable[[Row, int], Function]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _over,
    "min": _smaller,
    "max": _larger,
}


def _less(row: Row, a: int, b: int) -> Test:
    return lambda: row[a] < row[b]


def _at_most(row: Row, a: int, b: int) -> Test:
    return lambda: row[a] <= row[b]


def _greater(row: Row, a: int, b: int) -> Test:
    return lambda: row[a] > row[b]


def _at_least(row: Row, a: int, b: int) -> Test:
    return lambda: row[a] >= row[b]


def _equal(row: Row, a: int, b: int) -> Test:
    return lambda: row[a] == row[b]


def _unequal(row: Row, a: int, b: int) -> Test:
    """Less or greater: != alone would hold for NaN."""
    return lambda: row[a] < row[b] or row[a] > row[b]


COMPARISON: dict[str, Callable[[Row, int, int], Test]] = {
    "<": _less,
    "<=": _at_most,
    ">": _greater,
    ">=": _at_least,
    "==": _equal,
    "!=": _unequal,
}
OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def crossing(row: Row, a: int, b: int, a_before: int, b_before: int) -> Test:
    """True where a was not above b on the bar before, and is now."""
    return lambda: row[a] > row[b] and row[a_before] <= row[b_before]


def not_crossing(row: Row, a: int, b: int, a_before: int, b_before: int) -> Test:
    """True where all four numbers are present and a did not cross b from below."""

    def stays() -> bool:
        now, upper, before, upper_before = row[a], row[b], row[a_before], row[b_before]
        present = now == now and upper == upper and before == before and upper_before == upper_before  # noqa: PLR0124
        return bool(present and not (now > upper and before <= upper_before))

    return stays


def present(row: Row, a: int) -> Test:
    """True where a number is there."""
    return lambda: bool(row[a] == row[a])


def missing(row: Row, a: int) -> Test:
    """True where a number is not there."""
    return lambda: bool(row[a] != row[a])


def holding(row: Row, a: int, truth: float) -> Test:
    """True where the condition kept in a slot is as asked for, TRUE or FALSE."""
    return lambda: row[a] == truth


def truth_of(yes: Test, no: Test) -> Function:
    """Return what a condition is, as a number; `no` is the test of its negation."""
    return lambda _: TRUE if yes() else FALSE if no() else MISSING


def both(left: Test, right: Test) -> Test:
    """True where both tests are."""
    return lambda: left() and right()


def either(left: Test, right: Test) -> Test:
    """True where one of the tests is."""
    return lambda: left() or right()


def never() -> bool:
    """The test of a rule that is absent."""
    return False
