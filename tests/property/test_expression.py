"""What holds for every rule: it reads back as it was written, and compiled it means what its tree says."""

import math
from collections.abc import Callable
from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import ConfigError
from engine.domain.market import Bar
from engine.strategy.evaluator import Evaluator
from engine.strategy.expression import canonical_rule, parse_rule
from engine.strategy.indicators import BarIndicator
from engine.strategy.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Logic,
    Negative,
    Not,
    Number,
    Numeric,
    Previous,
    Series,
    canonical,
    is_constant,
    previous,
)
from engine.strategy.vocabulary import CROSSES, FUNCTIONS, MEANS, SERIES, WORDS, BarFunction, SeriesFunction
from tests.unit.strategy.bar_builders import SYMBOL, bar, play

constants = st.one_of(
    st.integers(min_value=0, max_value=50).map(float),
    st.floats(min_value=0, max_value=1e100, allow_subnormal=True),
).map(Number)
small = st.integers(min_value=1, max_value=4)
series_functions = st.sampled_from([n for n, f in FUNCTIONS.items() if isinstance(f, SeriesFunction)])
bar_functions = st.sampled_from([n for n, f in FUNCTIONS.items() if isinstance(f, BarFunction)])
leaves = st.one_of(
    constants,
    st.sampled_from(SERIES).map(Series),
    st.builds(Call, bar_functions, st.none(), small),
    st.builds(Call, series_functions, st.sampled_from(SERIES).map(Series), small),
)


def larger(numbers: st.SearchStrategy[Numeric]) -> st.SearchStrategy[Numeric]:
    series = numbers.filter(lambda number: not is_constant(number))
    return st.one_of(
        st.builds(Call, series_functions, series, small),
        st.builds(previous, numbers, small),
        st.builds(Negative, numbers),
        st.builds(Arithmetic, st.sampled_from("+-*/"), numbers, numbers),
    )


numbers: st.SearchStrategy[Numeric] = st.recursive(leaves, larger, max_leaves=5)
comparisons = st.builds(
    Comparison, st.sampled_from(["<", "<=", ">", ">=", "==", "!=", *CROSSES]), numbers, numbers
)
rules: st.SearchStrategy[Condition] = st.recursive(
    comparisons,
    lambda conditions: st.one_of(
        st.builds(Not, conditions),
        st.builds(Logic, st.sampled_from(["and", "or"]), conditions, conditions),
    ),
    max_leaves=4,
)
words = st.sampled_from([*WORDS, *"()[],<>+-*/", "<=", "==", "!=", "1", "20", "0.5", "@", "=", "emma", "\n"])


@given(rules)
def test_a_rule_reads_back_as_it_was_written(rule: Condition):
    text = canonical(rule)
    assert parse_rule(text) == rule
    assert canonical_rule(f" ({text.replace(' ', '  ')})\n").text == text


@given(st.one_of(st.text(max_size=40), st.lists(words, max_size=15).map(" ".join)))
def test_any_text_is_a_rule_or_a_named_mistake(text: str):
    lines = text.split("\n")
    try:
        rule = canonical_rule(text)
    except ConfigError as error:
        named = error.message and 1 <= error.column <= len(lines[error.line - 1]) + 1
    else:
        named = canonical_rule(rule.text) == rule
    assert named


class Reference:
    """A rule's meaning, read off its tree bar by bar with None for missing: slow, and plainly right."""

    def __init__(self, bars: list[Bar]) -> None:
        self.bars = bars
        self._columns: dict[str, list[float | None]] = {}

    def column(self, node: Numeric) -> list[float | None]:
        """A number on every bar."""
        name = canonical(node)
        if name not in self._columns:
            self._columns[name] = self._column(node)
        return self._columns[name]

    def _column(self, node: Numeric) -> list[float | None]:
        match node:
            case Number():
                return [node.value for _ in self.bars]
            case Series():
                fields = MEANS.get(node.name, (node.name,))
                return [sum(getattr(b, field) for field in fields) / len(fields) for b in self.bars]
            case Call():
                return self._call(node)
            case Previous():
                if is_constant(node.operand):
                    return self.column(node.operand)
                return ([None] * node.bars + self.column(node.operand))[: len(self.bars)]
            case Negative():
                return [None if x is None else -x for x in self.column(node.operand)]
            case Arithmetic():
                pairs = zip(self.column(node.left), self.column(node.right), strict=True)
                return [present(pair, ARITHMETIC[node.operator]) for pair in pairs]
            case _:
                assert_never(node)

    def _call(self, node: Call) -> list[float | None]:
        function = FUNCTIONS[node.function]
        if isinstance(function, BarFunction):
            indicator: BarIndicator = function.make(node.period)
            return [known(indicator.update(b.high, b.low, b.close)) for b in self.bars]
        assert node.source is not None
        series = function.make(node.period)
        return [
            known(series.update(x)) if x is not None and abs(x) < 1e200 else None
            for x in self.column(node.source)
        ]

    def truth(self, rule: Condition) -> list[bool | None]:
        """A condition on every bar, None where it is neither true nor false."""
        match rule:
            case Not():
                return [None if x is None else not x for x in self.truth(rule.operand)]
            case Logic():
                pairs = zip(self.truth(rule.left), self.truth(rule.right), strict=True)
                deciding = rule.operator == "or"
                return [joined(pair, deciding=deciding) for pair in pairs]
            case Comparison():
                left, right = self.column(rule.left), self.column(rule.right)
                before = (self.column(previous(side, 1)) for side in (rule.left, rule.right))
                return [compared(rule.operator, *row) for row in zip(left, right, *before, strict=True)]
            case _:
                assert_never(rule)


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else math.nan,
}
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


def present(
    pair: tuple[float | None, float | None], function: Callable[[float, float], float]
) -> float | None:
    a, b = pair
    return None if a is None or b is None else known(function(a, b))


def joined(pair: tuple[bool | None, bool | None], *, deciding: bool) -> bool | None:
    if deciding in pair:
        return deciding
    return None if None in pair else not deciding


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


prices = st.integers(min_value=1, max_value=6).map(float)
bar_lists = st.lists(
    st.builds(
        lambda a, b, c, volume: bar(a, high=max(a, b), low=min(a, b), open_=c, volume=volume),
        prices,
        prices,
        prices,
        st.sampled_from([0.0, 1.0, 2.5]),
    ),
    min_size=1,
    max_size=12,
)


@given(rule=rules, bars=bar_lists)
def test_a_compiled_rule_means_what_its_tree_says(rule: Condition, bars: list[Bar]):
    evaluator = Evaluator(play(long_entry=canonical(rule)), SYMBOL)
    reference = Reference(bars)
    for number, (b, expected) in enumerate(zip(bars, reference.truth(rule), strict=True), start=1):
        fired = evaluator.update(b, 0) is not None
        assert fired is (expected is True and number >= evaluator.warmup_bars)
        for name, value in evaluator.values():
            assert known(value) == pytest.approx(reference.column(number_of(name))[number - 1], abs=0, rel=0)


def number_of(name: str) -> Numeric:
    rule = parse_rule(f"{name} > 0")
    assert isinstance(rule, Comparison)
    return rule.left


@given(rule=rules, bars=bar_lists, data=st.data())
def test_a_restart_at_any_bar_changes_no_signal(rule: Condition, bars: list[Bar], data: st.DataObject):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    spec = play(long_entry=canonical(rule))
    whole, before, resumed = (Evaluator(spec, SYMBOL) for _ in range(3))
    expected = [whole.update(b, 0) for b in bars]
    first = [before.update(b, 0) for b in bars[:cut]]
    resumed.restore(before.state())
    assert first + [resumed.update(b, 0) for b in bars[cut:]] == expected
    assert resumed.state() == whole.state()
