"""How far back numbers look is what they depend on, and no more than a billionth beyond."""

import math
import random

import pytest

from engine.strategy.evaluator import Evaluator
from engine.strategy.expression import parse_definition, parse_rule
from engine.strategy.lookback import ENDLESS, EVERYTHING, lookback, streams
from engine.strategy.scope import Scope
from engine.strategy.vocabulary import FUNCTIONS, INDICATORS
from tests.unit.strategy.bar_builders import SYMBOL, bar, play

SCOPE = Scope(legs=("btc", "eth"))


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("close", 1),
        ("5", 0),
        ("hl2 * 2 - open", 1),
        ("close[3]", 4),
        ("sma(20)", 20),
        ("sma(20)[1]", 21),
        ("sma(high - low[2], 20)", 22),
        ("highest(sma(5), 10)", 14),
        ("zscore(close / open, 30)", 30),
        ("ema(1)", 1),
        ("ema(12)", 12 + 125),
        ("rsi(14)", 15 + 280),
        ("max(sma(3), sma(7))", 7),
        ("abs(close)", 1),
        ("-sma(4)", 4),
        ("sma(5)@1h", 1),
        ("bars_since(close > open)", EVERYTHING),
        ("obv()", EVERYTHING),
        ("swing_high(3, 3)", EVERYTHING),
        ("sma(obv(), 3)", EVERYTHING),
        ("close > sma(5)", 5),
        ("not close > sma(5)", 5),
        ("close > 1 and open > sma(5)", 5),
        ("close crosses_above sma(5)", 6),
        ("rising(close, 3)", 4),
        ("within_last(close > sma(5), 3)", 7),
        ("known(sma(5))", 5),
        ("(close > sma(5))@1h", 1),
        ("time >= 08:00", 1),
    ],
)
def test_the_lookback_of_a_rule(text, bars):
    assert lookback(parse_definition(text, SCOPE)) == bars


def test_each_stream_is_looked_at_for_itself():
    rule = parse_rule("sma(5) > eth.sma(7) and sma(9)@1h > eth.sma(3)[1]@4h - 1", SCOPE)
    found: dict[tuple[str, str], float] = {}
    for stream, bars in streams(rule):
        found[stream] = max(found.get(stream, 0), bars)
    assert found == {("", ""): 5, ("eth", ""): 7, ("", "1h"): 9, ("eth", "4h"): 4}


def values(text: str, closes: list[float]) -> float:
    evaluator = Evaluator(play(long_entry=f"{text} > 1e99"), SYMBOL)
    for number, close in enumerate(closes):
        spread = 0.001 * close * (1 + number % 3)
        candle = bar(close, high=close + spread, low=close - spread, volume=1.0 + number % 5, number=number)
        evaluator.update(candle, 0)
    ((_, value),) = evaluator.values()
    return value


def walk(seed: int, count: int, start: float = 100.0) -> list[float]:
    chance = random.Random(seed)
    closes = [start]
    for _ in range(count):
        closes.append(closes[-1] * (1 + chance.gauss(0, 0.002)))
    return closes


@pytest.mark.parametrize("name", [name for name in INDICATORS if name not in ENDLESS])
def test_what_is_further_back_weighs_less_than_a_billionth(name: str):
    """Two pasts that end in the same bars give the same number, once there are as many as it needs."""
    text = FUNCTIONS[name].example
    needed = lookback(parse_definition(text, Scope()))
    assert math.isfinite(needed)
    common = walk(3, int(needed) + 2)
    first, second = ([*walk(seed, 299)[:-1], 101.0] for seed in (1, 2))
    a, b = values(text, first + common), values(text, second + common)
    assert a == pytest.approx(b, rel=5e-9, abs=5e-9 * 100)
