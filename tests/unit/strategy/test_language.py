"""The wider language: times of day, functions with more arguments and outputs, the past, timeframes, legs."""

import pytest

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S
from engine.strategy.expression import canonical_rule, parse_definition, parse_rule
from engine.strategy.scope import Named, Scope
from engine.strategy.syntax import (
    TIME,
    Arithmetic,
    BarsSince,
    Call,
    Clock,
    Coarse,
    CoarseTest,
    Comparison,
    Extent,
    Logic,
    Negative,
    Number,
    Numeric,
    Previous,
    Series,
    Streak,
    WithinLast,
)

CLOSE, OPEN = Series("close"), Series("open")
LEGS = ("btc", "eth")
NAMES = {
    "fast": Named(Number(12.0)),
    "low": Named(Negative(Number(0.5)), 2),
    "part": Named(Number(2.5)),
    "up": Named(Comparison(">", CLOSE, OPEN), 3),
    "long": Named(Comparison(">", CLOSE, OPEN), 397),
}
SCOPE = Scope(legs=LEGS, names=NAMES)
RISE = Comparison(">", CLOSE, OPEN)


def number(text: str) -> Numeric:
    node = parse_definition(text, SCOPE)
    assert isinstance(node, Numeric)
    return node


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("macd()", Call("macd", CLOSE, (12, 26, 9))),
        ("macd(5).signal", Call("macd", CLOSE, (5, 26, 9), "signal")),
        ("macd(open, 5, 6, 7).macd", Call("macd", OPEN, (5, 6, 7))),
        ("bbands(20, 2.5).upper", Call("bbands", CLOSE, (20, 2.5), "upper")),
        ("bbands(20, 5 / 2).upper", Call("bbands", CLOSE, (20, 2.5), "upper")),
        ("ema(2 * $fast + 1)", Call("ema", CLOSE, (25,))),
        ("ema($fast)[$fast - 10]", Previous(Call("ema", CLOSE, (12,)), 2)),
        ("close * $low", Arithmetic("*", CLOSE, Negative(Number(0.5)))),
        ("adx(14).plus_di", Call("adx", None, (14,), "plus_di")),
        ("vwap()", Call("vwap", None, ())),
        ("abs(close - open)", Extent("abs", (Arithmetic("-", CLOSE, OPEN),))),
        ("min(close, open)", Extent("min", (CLOSE, OPEN))),
        ("max(close, 5)", Extent("max", (CLOSE, Number(5.0)))),
        ("bars_since($up)", BarsSince(RISE)),
        ("ema(bars_since(close > open), 3)", Call("ema", BarsSince(RISE), (3,))),
        ("ema(200)@1h", Coarse(Call("ema", CLOSE, (200,)), "1h")),
        ("ema(200)@60m", Coarse(Call("ema", CLOSE, (200,)), "1h")),
        ("close[2]@1d", Coarse(Previous(CLOSE, 2), "1d")),
        ("(close@1d)[2]", Previous(Coarse(CLOSE, "1d"), 2)),
        ("-close@1d", Negative(Coarse(CLOSE, "1d"))),
        ("sma(close@90s, 5)", Call("sma", Coarse(CLOSE, "90s"), (5,))),
        ("btc.close", CLOSE),
        ("eth.close", Series("close", "eth")),
        ("eth.ema(20)", Call("ema", Series("close", "eth"), (20,))),
        ("eth.ema(high, 20)", Call("ema", Series("high", "eth"), (20,))),
        (
            "eth.ema(high + btc.low, 20)",
            Call("ema", Arithmetic("+", Series("high", "eth"), Series("low")), (20,)),
        ),
        ("ema(eth.close, 20)", Call("ema", Series("close", "eth"), (20,))),
        ("eth.atr(14)", Call("atr", None, (14,), "", "eth")),
        ("btc.atr(14)", Call("atr", None, (14,))),
        ("eth.macd().signal@4h", Coarse(Call("macd", Series("close", "eth"), (12, 26, 9), "signal"), "4h")),
        (
            "eth.ema(20) - ema(20)",
            Arithmetic("-", Call("ema", Series("close", "eth"), (20,)), Call("ema", CLOSE, (20,))),
        ),
        ("session_high(08:00, 16:30)", Call("session_high", None, (480, 990))),
        ("session_low(london).before", Call("session_low", None, (480, 1_020), "before")),
        ("swing_high(5).age", Call("swing_high", None, (5, 3), "age")),
        ("support(3, 3, 0.25)", Call("support", None, (3, 3, 0.25, 2, 20))),
    ],
)
def test_numbers(text, tree):
    assert number(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("time >= 08:30", Comparison(">=", TIME, Clock(510))),
        ("8:05 < time", Comparison("<", Clock(485), TIME)),
        (
            "time between 08:00 and 16:30",
            Logic("and", Comparison(">=", TIME, Clock(480)), Comparison("<=", TIME, Clock(990))),
        ),
        (
            "time between 22:00 and 06:00",
            Logic("or", Comparison(">=", TIME, Clock(1320)), Comparison("<=", TIME, Clock(360))),
        ),
        (
            "in_session(asia)",
            Logic("and", Comparison(">=", TIME, Clock(0)), Comparison("<=", TIME, Clock(540))),
        ),
        (
            "in_session(23:00, 24:00)",
            Logic("and", Comparison(">=", TIME, Clock(1380)), Comparison("<=", TIME, Clock(1440))),
        ),
        (
            "close between 1 and 2",
            Logic("and", Comparison(">=", CLOSE, Number(1.0)), Comparison("<=", CLOSE, Number(2.0))),
        ),
        (
            "close between open - 1 and open + 1 and $up",
            Logic(
                "and",
                Logic(
                    "and",
                    Comparison(">=", CLOSE, Arithmetic("-", OPEN, Number(1.0))),
                    Comparison("<=", CLOSE, Arithmetic("+", OPEN, Number(1.0))),
                ),
                RISE,
            ),
        ),
        ("weekday <= friday", Comparison("<=", Series("weekday"), Number(5.0))),
        ("hour == 8 ", Comparison("==", Series("hour"), Number(8.0))),
        ("rising(close, 3)", Streak("rising", CLOSE, 3)),
        ("falling(ema(20), $fast)", Streak("falling", Call("ema", CLOSE, (20,)), 12)),
        ("within_last($up, 5)", WithinLast(RISE, 5)),
        ("$up@1h", CoarseTest(RISE, "1h")),
        ("rising(close, 3)@1h", CoarseTest(Streak("rising", CLOSE, 3), "1h")),
        ("(close > open)@1h", CoarseTest(RISE, "1h")),
    ],
)
def test_conditions(text, tree):
    assert parse_rule(text, SCOPE) == tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("macd() > 0", "macd(12, 26, 9) > 0"),
        ("bbands(20, 2).middle > 0", "bbands(20, 2) > 0"),
        ("eth.ema(20) > btc.close", "ema(eth.close, 20) > close"),
        ("eth.atr(14)@60m > 1", "eth.atr(14)@1h > 1"),
        ("$up and close * $low > 1", "close > open and close * -0.5 > 1"),
        ("in_session(london)", "time >= 08:00 and time <= 17:00"),
        ("session_high(london) > 1", "session_high(08:00, 17:00) > 1"),
        ("((close@1d)[2]) > (close[2])@1d", "(close@1d)[2] > close[2]@1d"),
        ("(not close > open)@1h", "(not close > open)@1h"),
        ("-(close@1h) > (-close)@1h", "-close@1h > (-close)@1h"),
        ("not (rising(close,3))@1h", "not rising(close, 3)@1h"),
        ("weekday == sunday", "weekday == 7"),
        ("ema(-1 + 5) > 0", "ema(4) > 0"),
    ],
)
def test_a_rule_has_one_canonical_text(text, expected):
    assert canonical_rule(text, SCOPE).text == expected
    assert canonical_rule(expected, SCOPE).text == expected


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("close[-1] > 1", 7, "[-1] looks ahead, at a bar that has not closed yet; [n] counts bars back"),
        ("close[1.5] > 1", 7, "the n of [n] is a whole number from 1 to 100,000, and is 1.5"),
        ("close[open] > 1", 7, "the n of [n] is a whole number from 1 to 100,000"),
        ("close[$part] > 1", 7, "the n of [n] is a whole number from 1 to 100,000, and is 2.5"),
        ("ema($part) > 1", 5, "the period of ema is a whole number from 1 to 100,000, and is 2.5"),
        ("ema(1 / 0) > 1", 1, "ema needs its period, as in ema(20)"),
        ("bbands(20, -1) > 1", 12, "the deviations of bbands is a number from 0 to 1,000, and is -1"),
        (
            "bbands(20, 1e200 * 1e200) > 1",
            12,
            "the deviations of bbands is a number from 0 to 1,000, and is inf",
        ),
        ("macd > 0", 1, "macd is a function, as in macd(12, 26, 9)"),
        ("macd().signla > 0", 8, "macd has no .signla; did you mean 'signal'?"),
        ("macd().zzz > 0", 8, "macd has no .zzz; it has .macd, .signal, .histogram"),
        ("ema(3).upper > 0", 8, "ema has one value, and no .upper"),
        ("macd(1, 2, 3, 4) > 0", 15, "macd is written macd(SERIES, fast, slow, signal)"),
        ("vwap(1) > 0", 6, "vwap is written vwap()"),
        ("ema(20,) > 0", 8, "')' cannot stand here"),
        ("ema(08:00, 3) > 0", 5, "ema takes a series of numbers, and '08:00' is a time of day"),
        ("ema(time, 3) > 0", 5, "ema takes a series of numbers, and 'time' is a time of day"),
        ("session_high(1, 2) > 0", 14, "the start of session_high is a time of day such as 08:30, and is 1"),
        ("session_high(08:00) > 0", 1, "session_high needs its end, as in"),
        (
            "session_high(close, 3) > 0",
            14,
            "session_high is written session_high(start, end), and has no place for",
        ),
        ("ema(london, 3) > 0", 5, "ema takes a series of numbers, and '08:00' is a time of day"),
        ("time > 5", 8, "time is compared with a time of day such as 08:30, and '5' is a number"),
        ("time > close > 5", 8, "time is compared with a time of day such as 08:30, and 'close' is a number"),
        ("close > 08:30", 9, "'>' takes numbers, and '08:30' is a time of day"),
        ("time crosses_above 08:30", 1, "'crosses_above' takes numbers, and 'time' is a time of day"),
        ("time + 1 > 08:30", 1, "'+' takes numbers, and 'time' is a time of day"),
        ("time[1] > 08:30", 1, "[n] takes a number, and 'time' is a time of day"),
        ("time", 1, "a rule is a condition, and 'time' is a time of day"),
        ("time > 25:00", 8, "25:00 is no time of day from 00:00 to 24:00"),
        ("time > 08:75", 8, "08:75 is no time of day from 00:00 to 24:00"),
        ("hour(3) > 1", 5, "'(' cannot stand here"),
        ("close between 1", 16, "'between' takes two ends, as in rsi(14) between 40 and 60"),
        ("close between 1 or 2", 17, "'between' takes two ends"),
        ("close between 1 and", 20, "the rule ends where a value should follow"),
        (
            "time between 1 and 2",
            14,
            "time is compared with a time of day such as 08:30, and '1' is a number",
        ),
        ("close > 1 between 1 and 2", 11, "comparisons do not chain; write a < b and b < c, or between"),
        ("between 1 and 2", 1, "'between' cannot stand here"),
        ("in_session(1, 2)", 12, "in_session is written in_session(london) or in_session(08:00, 16:30)"),
        ("in_session(paris)", 12, "there is no 'paris'"),
        ("in_session(08:00)", 1, "in_session is written in_session(london) or in_session(08:00, 16:30)"),
        ("rising(close) and $up", 1, "rising is written rising(close, 3)"),
        ("rising > 3", 1, "rising is a function, as in rising(close, 3)"),
        ("rising(close > open, 3)", 8, "rising takes a number, and 'close > open' is a condition"),
        ("rising(close, 0)", 15, "the n of rising is a whole number from 1 to 100,000, and is 0"),
        ("within_last(close, 3)", 13, "within_last takes a condition, and 'close' is a number"),
        ("within_last($up, close)", 18, "the n of within_last is a whole number from 1 to 100,000"),
        ("bars_since(close) > 1", 12, "bars_since takes a condition, and 'close' is a number"),
        ("abs(1, 2) > 1", 1, "abs is written abs(close - open)"),
        ("min(close, $up) > 1", 12, "min takes numbers, and 'close > open' is a condition"),
        ("close@1w > 1", 6, "a timeframe must be a whole number and s, m, h or d, as in @1h, up to @30d"),
        ("close@ > 1", 6, "a timeframe must be a whole number and s, m, h or d"),
        ("close@0m > 1", 6, "a timeframe must be"),
        ("close@31d > 1", 6, "a timeframe must be a whole number and s, m, h or d, as in @1h, up to @30d"),
        ("5@1h > 1", 1, "'5' is the same on every timeframe"),
        ("08:00@1h < time", 1, "'08:00' is the same on every timeframe"),
        ("hour@1h > 1", 1, "'hour' is the same on every timeframe"),
        ("sma(close@1h, 3)@1d > 1", 17, "'sma(close@1h, 3)' has a timeframe already"),
        ("close@1h@1d > 1", 9, "'@1d' cannot stand here"),
        ("(close@1h)@1d > 1", 11, "'close@1h' has a timeframe already"),
        (
            "(close - eth.close)@1h > 1",
            20,
            "a timeframe is one leg's; write it on each, as in close@1h / eth.close@1h",
        ),
        (
            "ema(20)@1h[1] > 1",
            11,
            "which bar is meant? write x[n]@1h to go back bars of 1h, (ema(20)@1h)[n] to go",
        ),
        ("eth > 1", 1, "eth is a leg; write eth.close or eth.ema(20)"),
        ("eth.emma(3) > 1", 5, "there is no 'emma'; did you mean 'ema'?"),
        ("eth.hour > 1", 5, "'hour' cannot stand here"),
        ("eth.5 > 1", 1, "eth is a leg; write eth.close or eth.ema(20)"),
        ("eth. > 1", 6, "'>' cannot stand here"),
        ("eht.close > 1", 1, "there is no leg 'eht'; there is btc, eth"),
        ("eht > 1", 1, "there is no 'eht'; did you mean 'eth'?"),
        ("fast > 1", 1, "there is no 'fast'; did you mean $fast?"),
        ("$fsat > 1", 1, "there is no $fsat; did you mean '$fast'?"),
        ("$zzz > 1", 1, "there is no $zzz; name it under params: or define:"),
        ("$up + 1 > 2", 1, "'+' takes numbers, and 'close > open' is a condition"),
        (
            "$long and $up",
            11,
            "with what $up stands for, the rule has more than 400 words, numbers and marks",
        ),
        ("close > 1 $fast", 11, "'$fast' cannot stand here"),
    ],
)
def test_a_mistake_is_named_with_its_place(text, column, message):
    with pytest.raises(ConfigError) as caught:
        parse_rule(text, SCOPE)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == (1, column)


def test_without_legs_there_is_none():
    with pytest.raises(ConfigError, match="there is no leg 'eth'; there is none: name them under legs:"):
        parse_rule("eth.close > 1")


@pytest.mark.parametrize(
    ("text", "fits"), [("close@15m > 1", True), ("close@5m > 1", True), ("close@7m > 1", False)]
)
def test_a_timeframe_is_made_of_the_plays_own_bars(text, fits):
    scope = Scope(step_ns=300 * NS_PER_S)
    if fits:
        parse_rule(text, scope)
        return
    with pytest.raises(ConfigError) as caught:
        parse_rule(text, scope)
    assert caught.value.column == 6
    assert (
        caught.value.message
        == "bars of 7m cannot be made of the play's bars of 5m: it must be a multiple of that"
    )
