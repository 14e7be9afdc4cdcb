"""The rule language: what it means, how it is written back, and what is said of mistakes."""

import pytest

from engine.domain.errors import ConfigError
from engine.strategy.expression import canonical_rule, parse_rule
from engine.strategy.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Logic,
    Negative,
    Not,
    Number,
    Previous,
    Series,
)

CLOSE, HIGH = Series("close"), Series("high")


def more(left: str, right: str) -> Comparison:
    return Comparison(">", Series(left), Series(right))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("close > open", more("close", "open")),
        ("ema(20) > 1", Comparison(">", Call("ema", CLOSE, (20,)), Number(1.0))),
        ("highest(20) > 1", Comparison(">", Call("highest", HIGH, (20,)), Number(1.0))),
        ("highest(close, 20) > 1", Comparison(">", Call("highest", CLOSE, (20,)), Number(1.0))),
        ("atr(14) > .5", Comparison(">", Call("atr", None, (14,)), Number(0.5))),
        ("close[3] > -close", Comparison(">", Previous(CLOSE, 3), Negative(CLOSE))),
        ("-close[3] > close", Comparison(">", Negative(Previous(CLOSE, 3)), CLOSE)),
        ("close[3][4] > close", Comparison(">", Previous(CLOSE, 7), CLOSE)),
        ("open crosses_below low", Comparison("crosses_below", Series("open"), Series("low"))),
        (
            "close + high * close - high > 0",
            Comparison(
                ">",
                Arithmetic("-", Arithmetic("+", CLOSE, Arithmetic("*", HIGH, CLOSE)), HIGH),
                Number(0.0),
            ),
        ),
        (
            "not close > open and low > open or high > open",
            Logic("or", Logic("and", Not(more("close", "open")), more("low", "open")), more("high", "open")),
        ),
        ("not (close > open or low > open)", Not(Logic("or", more("close", "open"), more("low", "open")))),
        ("not not close > open", Not(Not(more("close", "open")))),
    ],
)
def test_operators_bind_as_documented(text, tree):
    assert parse_rule(text) == tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  close>open ", "close > open"),
        ("((close)) > (open)", "close > open"),
        ("ema(close, 20)\n  > sma(high,20)", "ema(20) > sma(high, 20)"),
        ("close > 1.50", "close > 1.5"),
        ("close > 20.0", "close > 20"),
        ("close > 0.00002", "close > 2e-05"),
        ("close > 1e20", "close > 1e+20"),
        ("close - (open - low) > 0", "close - (open - low) > 0"),
        ("(close - open) - low > 0", "close - open - low > 0"),
        ("(close + open) * low > 0", "(close + open) * low > 0"),
        ("-(close + open) > -(5)", "-(close + open) > -5"),
        ("(-close)[2] > 0", "(-close)[2] > 0"),
        ("not ((close > open))", "not close > open"),
        ("(close > 1 or open > 1) and low > 1", "(close > 1 or open > 1) and low > 1"),
        ("ema(sma(close, 3), 5) > 0", "ema(sma(3), 5) > 0"),
    ],
)
def test_a_rule_has_one_canonical_text(text, expected):
    assert canonical_rule(text).text == expected
    assert canonical_rule(expected).text == expected


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "the rule is empty"),
        ("close", 1, "a rule is a condition, and 'close' is a number; compare it with another"),
        ("close > ", 8, "the rule ends where a value should follow"),
        ("close > > 3", 9, "'>' cannot stand here"),
        ("close > 1)", 10, "')' cannot stand here"),
        ("(close > 1", 11, "')' is missing"),
        ("close[1 > 2", 9, "']' is missing before '>'"),
        ("and > 1", 1, "'and' cannot stand here"),
        ("close > 1 andd open > 1", 11, "'andd' cannot stand here; did you mean 'and'?"),
        ("ema(12) cross_above ema(26)", 9, "did you mean 'crosses_above'?"),
        ("emaa(12) > 1", 1, "there is no 'emaa'; did you mean 'ema'?"),
        ("1 > opeen", 5, "there is no 'opeen'; did you mean 'open'?"),
        ("CLOSE > 1", 1, "there is no 'CLOSE'; did you mean 'close'?"),
        ("x > 1", 1, "there is no 'x'; series are close, open, high"),
        ("1 < close < 3", 11, "comparisons do not chain; write a < b and b < c"),
        ("close and open > 1", 1, "'and' joins conditions, and 'close' is a number"),
        ("open > 1 or close", 13, "'or' joins conditions, and 'close' is a number"),
        ("not close", 5, "'not' turns a condition round, and 'close' is a number"),
        ("1 + (close > open) > 3", 5, "'+' takes numbers, and 'close > open' is a condition"),
        ("3 > not close > 1", 5, "'>' takes numbers, and 'not close > 1' is a condition"),
        ("-(close > open) > 3", 2, "'-' takes a number, and 'close > open' is a condition"),
        ("(close > open)[1]", 1, "[n] takes a number, and 'close > open' is a condition"),
        ("ema > 3", 1, "ema is a function, as in ema(20)"),
        ("ema() > 3", 1, "ema needs its period, as in ema(20)"),
        ("ema(close) > 3", 1, "ema needs its period, as in ema(20)"),
        ("ema(20", 7, "')' is missing"),
        ("ema(20, close) > 3", 9, "ema is written ema(SERIES, period)"),
        ("ema(close, 20, 3) > 3", 16, "ema is written ema(SERIES, period)"),
        ("ema(close > open, 20) > 3", 5, "ema takes a series of numbers, and 'close > open' is a condition"),
        ("atr(close, 14) > 3", 5, "atr is written atr(period), and has no place for 'close'"),
        ("atr(14, 3) > 3", 9, "atr is written atr(period)"),
        ("close(3) > 1", 1, "close is a series and takes no parentheses"),
        ("ema(0) > 1", 5, "the period of ema is a whole number from 1 to 100,000"),
        ("ema(-5) > 1", 5, "the period of ema is a whole number from 1 to 100,000"),
        ("ema(2.5) > 1", 5, "the period of ema is a whole number from 1 to 100,000"),
        ("ema(100001) > 1", 5, "the period of ema is a whole number from 1 to 100,000"),
        ("ema(1000000000) > 1", 5, "the period of ema is a whole number from 1 to 100,000"),
        ("ema(close, open) > 1", 12, "the period of ema is a whole number from 1 to 100,000"),
        ("close[0] > 1", 7, "the n of [n] is a whole number from 1 to 100,000"),
        ("close[99999][2] > 1", 1, "[n] looks back at most 100,000 bars"),
        ("close = 3", 7, "'=' means nothing in a rule; did you mean '=='?"),
        ("close > 3 && open > 1", 11, "'&&' means nothing in a rule; did you mean 'and'?"),
        ("close > '3'", 9, '"\'" means nothing in a rule'),
        ("close > 1e300", 9, "1e300 is too large"),
        ("(" * 41 + "close", 41, "the rule is nested more than 40 deep"),
        ("-" * 41 + "close > 1", 41, "the rule is nested more than 40 deep"),
        ("x" * 4001, 4001, "a rule has at most 4,000 characters"),
        ("close > 1" + " + 1" * 199, 805, "a rule has at most 400 words, numbers and marks"),
    ],
)
def test_a_mistake_is_named_with_its_place(text, column, message):
    with pytest.raises(ConfigError) as caught:
        parse_rule(text)
    assert (caught.value.line, caught.value.column) == (1, column)
    assert message in caught.value.message


def test_places_count_lines():
    with pytest.raises(ConfigError) as caught:
        parse_rule("close > 1\n  and emma(3) > close")
    assert (caught.value.line, caught.value.column) == (2, 7)


def test_the_longest_rule_compiles():
    text = "close > 1" + " + 1" * 198
    assert canonical_rule(text).text == text
