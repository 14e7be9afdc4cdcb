"""The closures that compiled rules are made of. All take missing numbers as NaN and never raise.

They read a row by slot: `a`, `b` are slots of `row`.
"""

from collections.abc import Callable

from engine.strategy.indicators import MISSING, BarIndicator, SeriesIndicator
from engine.strategy.vocabulary import FIELDS

FINITE_MAX = 1e200  # what is beyond counts as missing: no price is, and sums of it would overflow

Row = list[float]
Function = Callable[[float], float]
Test = Callable[[], bool]


def mean_of(row: Row, slots: tuple[int, ...]) -> Function:
    """Return the mean of some slots, whatever the argument, summed in their order."""

    def mean(_: float) -> float:
        total = 0.0
        for slot in slots:
            total += row[slot]
        return total / len(slots)

    return mean


def of_bars(row: Row, indicator: BarIndicator) -> Function:
    """Feed the bar in a row to an indicator of bars, whatever the argument."""
    close, high, low = (FIELDS.index(name) for name in ("close", "high", "low"))
    update = indicator.update

    def of_bar(_: float) -> float:
        return update(row[high], row[low], row[close])

    return of_bar


def present_only(indicator: SeriesIndicator) -> Function:
    """Feed what is present to an indicator; where the input is missing, so is the result."""
    update = indicator.update

    def of_present(x: float) -> float:
        return update(x) if -FINITE_MAX < x < FINITE_MAX else MISSING

    return of_present


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


ARITHMETIC: dict[str, Callable[[Row, int], Function]] = {"+": _plus, "-": _minus, "*": _times, "/": _over}


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
        return present and not (now > upper and before <= upper_before)

    return stays


def both(left: Test, right: Test) -> Test:
    """True where both tests are."""
    return lambda: left() and right()


def either(left: Test, right: Test) -> Test:
    """True where one of the tests is."""
    return lambda: left() or right()


def never() -> bool:
    """The test of a rule that is absent."""
    return False
