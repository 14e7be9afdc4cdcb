"""Compiled rules: what is computed once, when values are missing, and what a rule is then."""

import math

import pytest

from engine.domain.market import NS_PER_S, Bar
from engine.strategy.compiler import Compiler
from engine.strategy.evaluator import bars_needed
from engine.strategy.expression import parse_rule


def compiled(*rules: str) -> Compiler:
    compiler = Compiler()
    for rule in rules:
        compiler.test(parse_rule(rule))
    return compiler


def truth(rule: str, **fields: float) -> bool:
    """A rule's answer on the first bar, for fields given by name."""
    compiler = Compiler()
    test = compiler.test(parse_rule(rule))
    compiler.seal()
    names = ("open", "high", "low", "close", "volume")
    opened, high, low, close, volume = (fields.get(name, math.nan) for name in names)
    compiler.main.run(Bar(0, "X", opened, high, low, close, volume, NS_PER_S))
    return test()


def test_each_number_is_computed_once():
    compiler = compiled("ema(12) > ema(26) and close > ema(12)", "ema(close, 12) < sma(ema(12), 3)")
    assert list(compiler.shown) == ["ema(12)", "ema(26)", "sma(ema(12), 3)"]
    assert len(compiler.main.steps) == len(compiler.main.memories) == 3


def test_constants_take_no_step():
    assert not compiled("close > 5 and close < -5").main.steps


@pytest.mark.parametrize(
    ("rule", "bars"),
    [
        ("close > 1", 1),
        ("ema(12) > sma(26)", 26),
        ("rsi(14) > 1", 15),
        ("atr(14) > 1", 15),
        ("highest(20)[1] < close", 21),
        ("close[7] < close", 8),
        ("ema(12) crosses_above ema(26)", 27),
        ("close[1] crosses_above open", 3),
        ("ema(sma(5), 10) > 1", 14),
        ("ema(atr(4)[2], 10) > 1", 16),
        ("close - open * sma(9) > 1", 9),
        ("-sma(4) > 1", 4),
    ],
)
def test_the_warm_up_is_derived(rule, bars):
    assert bars_needed(compiled(rule), 0) == bars


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("close < 3", True),
        ("close < 2", False),
        ("close <= 2", True),
        ("close <= 1", False),
        ("close > 1", True),
        ("close > 2", False),
        ("close >= 2", True),
        ("close >= 3", False),
        ("close == 2", True),
        ("close == 3", False),
        ("close != 3", True),
        ("close != 1", True),
        ("close != 2", False),
        ("close + 1 == 3", True),
        ("close - 1 == 1", True),
        ("close * 3 == 6", True),
        ("close / 4 == 0.5", True),
        ("-close == -2", True),
        ("-(close + 1) == -3", True),
        ("hl2 == 3", True),
        ("hlc3 == (5 + 1 + 2) / 3", True),
        ("ohlc4 == (4 + 5 + 1 + 2) / 4", True),
    ],
)
def test_rules_on_numbers_that_are_there(rule, expected):
    fields = {"close": 2.0, "open": 4.0, "high": 5.0, "low": 1.0}
    assert truth(rule, **fields) is expected
    assert truth(f"not {rule}", **fields) is not expected
    assert truth(f"not not {rule}", **fields) is expected


TRUE, FALSE, UNKNOWN = "close > 1", "close < 1", "open > 1"


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!=", "crosses_above", "crosses_below"])
def test_a_comparison_with_a_missing_number_is_neither_true_nor_false(operator):
    assert not truth(f"close {operator} open", close=2.0)
    assert not truth(f"not close {operator} open", close=2.0)


@pytest.mark.parametrize(
    ("left", "right", "conjunction", "disjunction"),
    [
        (TRUE, TRUE, True, True),
        (TRUE, FALSE, False, True),
        (FALSE, FALSE, False, False),
        (TRUE, UNKNOWN, None, True),
        (FALSE, UNKNOWN, False, None),
        (UNKNOWN, UNKNOWN, None, None),
    ],
)
def test_missing_goes_through_and_or_not_in_three_valued_logic(left, right, conjunction, disjunction):
    for operator, expected in (("and", conjunction), ("or", disjunction)):
        for pair in (f"{left} {operator} {right}", f"{right} {operator} {left}"):
            assert truth(pair, close=2.0) is (expected is True)
            assert truth(f"not ({pair})", close=2.0) is (expected is False)


def test_a_division_by_zero_is_missing():
    assert not truth("close / open > 0 or not close / open > 0", close=1.0, open=0.0)


def test_a_mean_wants_all_its_fields():
    assert not truth("hl2 > 0 or not hl2 > 0", high=1.0)


def test_what_is_not_finite_is_missing_for_an_indicator():
    assert not truth("sma(close * 1e200, 1) > 0", close=1e200)
