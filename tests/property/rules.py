"""Rules by chance, and what they mean: read off their tree, bar by bar, with None for missing.

The reading is slow and plain: whole columns over lists of bars, coarse bars by grouping, nothing kept from
one bar to the next. Indicators alone are the real ones, on each stream of bars anew.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from hypothesis import strategies as st

from engine.domain.market import NS_PER_DAY, Bar
from engine.strategy.functions import Argument, ArgumentKind, Function
from engine.strategy.syntax import (
    TIME,
    Arithmetic,
    BarsSince,
    Call,
    Clock,
    Coarse,
    CoarseTest,
    Comparison,
    Condition,
    Extent,
    Forecast,
    Known,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Numeric,
    Previous,
    Series,
    Streak,
    WithinLast,
    canonical,
    is_constant,
    legs_of,
    previous,
    timeframes_of,
)
from engine.strategy.timeframes import step_of
from engine.strategy.vocabulary import CROSSES, FIELDS, FUNCTIONS, MEANS

LEGS = ("btc", "eth")
OTHER = LEGS[1]
FRAMES = ("2m", "3m", "5m")
Column = list[float | None]
Truth = list[bool | None]

# Rules by chance

small = st.integers(min_value=1, max_value=4)
constants = st.one_of(
    st.integers(min_value=0, max_value=50).map(float),
    st.floats(min_value=0, max_value=1e100, allow_subnormal=True),
).map(Number)
clocks = st.integers(min_value=0, max_value=1_440).map(Clock)


def legs(draw: st.DrawFn, several: bool) -> str:
    return draw(st.sampled_from(["", OTHER])) if several else ""


def argument(draw: st.DrawFn, wanted: Argument) -> float:
    if wanted.kind is ArgumentKind.NUMBER:
        return draw(st.sampled_from([max(wanted.least, 0.25), min(wanted.most, 1.5)]))
    if wanted.kind is ArgumentKind.CLOCK:
        return draw(st.integers(int(wanted.least), int(wanted.most)))
    return draw(st.integers(int(wanted.least), int(wanted.least) + 4))


def called(draw: st.DrawFn, function: Function, source: Numeric | None, leg: str) -> Call:
    values = tuple(argument(draw, wanted) for wanted in function.arguments)
    output = draw(st.sampled_from(["", *function.outputs[1:]]))
    return Call(function.name, source, values, output, leg)


OF_BARS = [function for function in FUNCTIONS.values() if not function.series]
OF_SERIES = [function for function in FUNCTIONS.values() if function.series]


@st.composite
def leaves(draw: st.DrawFn, *, several: bool) -> Numeric:
    leg = legs(draw, several)
    kind = draw(st.sampled_from(["constant", "series", "time", "bars", "of series"]))
    if kind == "constant":
        return draw(constants)
    if kind == "time":
        return Series(draw(st.sampled_from(["hour", "minute", "weekday"])))
    if kind == "bars":
        return called(draw, draw(st.sampled_from(OF_BARS)), None, leg)
    series = Series(draw(st.sampled_from([*FIELDS, *MEANS])), leg)
    if kind == "series":
        return series
    return called(draw, draw(st.sampled_from(OF_SERIES)), series, leg="")


def may_be_coarse(node: Node) -> bool:
    return not is_constant(node) and len(legs_of(node)) == 1 and not timeframes_of(node)


@st.composite
def call_of(draw: st.DrawFn, numbers: st.SearchStrategy[Numeric]) -> Numeric:
    source = draw(numbers.filter(lambda number: not _folds(number)))
    return called(draw, draw(st.sampled_from(OF_SERIES)), source, leg="")


def _folds(node: Numeric) -> bool:
    """Whether a node is made of constants alone: it would be taken for an argument."""
    match node:
        case Negative():
            return _folds(node.operand)
        case Arithmetic():
            return _folds(node.left) and _folds(node.right)
        case _:
            return is_constant(node)


def larger_numbers(numbers: st.SearchStrategy[Numeric]) -> st.SearchStrategy[Numeric]:
    return st.one_of(
        call_of(numbers),
        st.builds(previous, numbers, small),
        st.builds(Negative, numbers),
        st.builds(Arithmetic, st.sampled_from("+-*/"), numbers, numbers),
        st.builds(Extent, st.just("abs"), st.tuples(numbers)),
        st.builds(Extent, st.sampled_from(["min", "max"]), st.tuples(numbers, numbers)),
        st.builds(Coarse, numbers.filter(may_be_coarse), st.sampled_from(FRAMES)),
        st.builds(BarsSince, comparisons(numbers)),
    )


def comparisons(numbers: st.SearchStrategy[Numeric]) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(
            Comparison, st.sampled_from(["<", "<=", ">", ">=", "==", "!=", *CROSSES]), numbers, numbers
        ),
        st.builds(Comparison, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.just(TIME), clocks),
    )


def conditions(numbers: st.SearchStrategy[Numeric]) -> st.SearchStrategy[Condition]:
    simple = st.one_of(
        comparisons(numbers),
        st.builds(Known, numbers),
        st.builds(Streak, st.sampled_from(["rising", "falling"]), numbers, small),
    )
    return st.recursive(
        simple,
        lambda smaller: st.one_of(
            st.builds(Not, smaller),
            st.builds(Logic, st.sampled_from(["and", "or"]), smaller, smaller),
            st.builds(WithinLast, smaller, small),
            st.builds(CoarseTest, smaller.filter(may_be_coarse), st.sampled_from(FRAMES)),
            st.builds(
                lambda condition, bars: Comparison("<", BarsSince(condition), Number(float(bars))),
                smaller,
                small,
            ),
        ),
        max_leaves=4,
    )


rules = conditions(st.recursive(leaves(several=False), larger_numbers, max_leaves=5))
leg_rules = conditions(st.recursive(leaves(several=True), larger_numbers, max_leaves=5))


# What they mean


class Reading:
    """The meaning of rules on the bars of each leg, which are sorted by time; the first leg's name is ''."""

    def __init__(self, bars: Mapping[str, Sequence[Bar]]) -> None:
        self._bars = {(leg, ""): list(each) for leg, each in bars.items()}
        self._numbers: dict[tuple[str, str, str], Column] = {}

    def bars(self, leg: str = "", frame: str = "") -> list[Bar]:
        """The bars of a stream."""
        if (leg, frame) not in self._bars:
            self._bars[leg, frame] = [bar for bar, _ in coarse_bars(self._bars[leg, ""], step_of(frame))]
        return self._bars[leg, frame]

    def column(self, node: Numeric, leg: str = "", frame: str = "") -> Column:
        """A number on every bar of a stream."""
        key = canonical(node), leg, frame
        if key not in self._numbers:
            away = self._away(node, leg)
            if away is None:
                self._numbers[key] = self._column(node, leg, frame)
            else:
                self._numbers[key] = self._seen(self.column(node, away), away)
        return self._numbers[key]

    def _away(self, node: Node, leg: str) -> str | None:
        """The other leg that a node is of alone."""
        found = legs_of(node)
        return OTHER if found == {OTHER} and not leg else None

    def _seen(self, column: list, away: str) -> list:
        """What the first leg sees of another one: what it said at the same close."""
        by_time = {bar.ts: value for bar, value in zip(self.bars(away), column, strict=True)}
        return [by_time.get(bar.ts) for bar in self.bars()]

    def _spread(self, column: list, leg: str, frame: str) -> list:
        """What a coarse stream said last, on each bar of its leg."""
        closed = [number for _, number in coarse_bars(self.bars(leg), step_of(frame))]
        spread = []
        for number in range(len(self.bars(leg))):
            last = sum(at <= number for at in closed)
            spread.append(column[last - 1] if last else None)
        return spread

    def _column(self, node: Numeric, leg: str, frame: str) -> Column:
        assert not isinstance(node, Forecast), "no model is drawn"
        bars = self.bars(leg, frame)
        match node:
            case Number():
                return [node.value for _ in bars]
            case Clock():
                return [float(node.minute) for _ in bars]
            case Series():
                return [of_bar(node.name, b) for b in bars]
            case Call():
                return self._call(node, leg, frame)
            case Previous():
                if is_constant(node.operand):
                    return self.column(node.operand, leg, frame)
                return ([None] * node.bars + self.column(node.operand, leg, frame))[: len(bars)]
            case Negative():
                return [None if x is None else -x for x in self.column(node.operand, leg, frame)]
            case Arithmetic():
                pairs = [self.column(side, leg, frame) for side in (node.left, node.right)]
                return [joined(ARITHMETIC[node.operator], *pair) for pair in zip(*pairs, strict=True)]
            case Extent():
                columns = [self.column(operand, leg, frame) for operand in node.operands]
                return [joined(EXTENT[node.function], *row) for row in zip(*columns, strict=True)]
            case BarsSince():
                return ages(self.truth(node.condition, leg, frame))
            case Coarse():
                return self._spread(self.column(node.operand, leg, node.timeframe), leg, node.timeframe)
            case _:
                assert_never(node)

    def _call(self, node: Call, leg: str, frame: str) -> Column:
        indicator: Any = FUNCTIONS[node.function].make(node.arguments)
        values: Column = []
        source = self.bars(leg, frame) if node.source is None else self.column(node.source, leg, frame)
        for x in source:
            first = known(indicator.update(math.nan if x is None else x))
            values.append(
                known(getattr(indicator, node.output)) if node.output and first is not None else first
            )
        return values

    def truth(self, rule: Condition, leg: str = "", frame: str = "") -> Truth:
        """A condition on every bar of a stream, None where it is neither true nor false."""
        match rule:
            case Not():
                return [None if x is None else not x for x in self.truth(rule.operand, leg, frame)]
            case Logic():
                sides = [self.truth(side, leg, frame) for side in (rule.left, rule.right)]
                return [either(row, deciding=rule.operator == "or") for row in zip(*sides, strict=True)]
            case Comparison():
                left, right = self.column(rule.left, leg, frame), self.column(rule.right, leg, frame)
                before = (self.column(previous(side, 1), leg, frame) for side in (rule.left, rule.right))
                return [compared(rule.operator, *row) for row in zip(left, right, *before, strict=True)]
            case Known():
                return [x is not None for x in self.column(rule.operand, leg, frame)]
            case Streak() | WithinLast() | CoarseTest() if self._away(rule, leg) is not None:
                return self._seen(self.truth(rule, OTHER), OTHER)
            case WithinLast():
                return windows(self.truth(rule.condition, leg, frame), rule.bars, deciding=True)
            case Streak():
                column = self.column(rule.operand, leg, frame)
                steps = [moved(rule.function, *pair) for pair in zip(column, [None, *column], strict=False)]
                return windows(steps, rule.bars, deciding=False)
            case CoarseTest():
                return self._spread(self.truth(rule.operand, leg, rule.timeframe), leg, rule.timeframe)
            case _:
                assert_never(rule)


def coarse_bars(bars: Sequence[Bar], step_ns: int) -> list[tuple[Bar, int]]:
    """The whole coarse bars of a stream, each with the number of the bar that it is known at."""
    found = []
    ends = [-(-bar.ts // step_ns) * step_ns for bar in bars]
    for end in sorted(set(ends)):
        inside = [bar for bar, its in zip(bars, ends, strict=True) if its == end]
        last = inside[-1]
        at = max(number for number, bar in enumerate(bars) if bar is last) + (last.ts < end)
        begun = inside[0].ts - inside[0].step_ns <= end - step_ns
        if at < len(bars) and (begun or end != ends[0]):
            volume = 0.0
            for bar in inside:
                volume += bar.volume
            high, low = max(bar.high for bar in inside), min(bar.low for bar in inside)
            merged = Bar(end, last.symbol, inside[0].open, high, low, last.close, volume, step_ns)
            found.append((merged, at))
    return found


def of_bar(name: str, bar: Bar) -> float:
    minutes = bar.ts % NS_PER_DAY // 60_000_000_000
    times = {"time": minutes, "hour": minutes // 60, "minute": minutes % 60}
    if name in times:
        return float(times[name])
    if name == "weekday":
        return float((bar.ts // NS_PER_DAY + 3) % 7 + 1)
    fields = MEANS.get(name, (name,))
    return float(sum(getattr(bar, field) for field in fields)) / len(fields)


def ages(truth: Truth) -> Column:
    found: Column = []
    for value in truth:
        before = found[-1] if found else None
        found.append(0.0 if value else None if before is None else before + 1.0)
    return found


def windows(truth: Truth, bars: int, *, deciding: bool) -> Truth:
    padded: Truth = [*([None] * (bars - 1)), *truth]
    return [either(tuple(padded[at : at + bars]), deciding=deciding) for at in range(len(truth))]


def either(row: tuple[bool | None, ...], *, deciding: bool) -> bool | None:
    if deciding in row:
        return deciding
    return None if None in row else not deciding


def moved(word: str, now: float | None, before: float | None) -> bool | None:
    if now is None or before is None or math.isnan(now - before):
        return None
    return now > before if word == "rising" else now < before


ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else math.nan,
}
EXTENT: dict[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}
COMPARISON: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def known(x: float) -> float | None:
    return None if math.isnan(x) else x


def joined(function: Callable[..., float], *row: float | None) -> float | None:
    return None if None in row else known(function(*row))


def compared(
    operator: str, a: float | None, b: float | None, a_before: float | None, b_before: float | None
) -> bool | None:
    if a is None or b is None:
        return None
    if operator in COMPARISON:
        return COMPARISON[operator](a, b)
    if a_before is None or b_before is None:
        return None
    return a_before <= b_before and a > b if operator == "crosses_above" else a_before >= b_before and a < b
