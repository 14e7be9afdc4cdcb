"""A play taken apart: rules as trees, the data it needs, and how much of it before the first signal."""

import pytest

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S
from engine.strategy.explain import StreamFacts, Tree, explain, tree_of
from engine.strategy.expression import parse_definition
from engine.strategy.scope import Scope
from tests.unit.strategy.bar_builders import distance, play

MINUTE = 60 * NS_PER_S
SCOPE = Scope(legs=("btc", "eth"))


def drawn(tree: Tree) -> str:
    """A tree in one line."""
    return f"{tree.label}({', '.join(map(drawn, tree.parts))})" if tree.parts else tree.label


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close > 5", ">(close, 5)"),
        ("close > -5", ">(close, -5)"),
        ("close > -(close + 1)", ">(close, -(+(close, 1)))"),
        ("not close > 5", "not(>(close, 5))"),
        ("close > 1 and open > 1 and low > 1", "and(>(close, 1), >(open, 1), >(low, 1))"),
        ("close > 1 and (open > 1 or low > 1)", "and(>(close, 1), or(>(open, 1), >(low, 1)))"),
        ("ema(12) crosses_above ema(26)[1]", "crosses_above(ema(12), 1 bar before(ema(26)))"),
        ("close[2] > 1", ">(close[2], 1)"),
        ("sma(ema(12), 3) > 1", ">(sma(3) of(ema(12)), 1)"),
        ("macd(high - low).signal > 1", ">(macd(12, 26, 9).signal of(-(high, low)), 1)"),
        ("eth.ema(3) > eth.atr(3)", ">(ema(eth.close, 3), eth.atr(3))"),
        ("ema(12)@1h > 1", ">(as of the last closed 1h(ema(12)), 1)"),
        ("rising(close, 3)@1h", "as of the last closed 1h(rising for 3 bars(close))"),
        ("within_last(close > 1, 5)", "within the last 5 bars(>(close, 1))"),
        ("bars_since(close > 1) < 3", "<(bars since(>(close, 1)), 3)"),
        ("max(open, close) > abs(low)", ">(max(open, close), abs(low))"),
        ("known(trend(3, 3))", "known(trend(3, 3))"),
        ("time >= 08:00", ">=(time, 08:00)"),
    ],
)
def test_a_rule_is_drawn_as_it_was_understood(text, expected):
    assert drawn(tree_of(parse_definition(text, SCOPE))) == expected


def test_what_a_play_needs():
    spec = play(
        long_entry="ema(20)@1h > ema(50)@1h and rsi(14) < 30 and eth.obv() > 0",
        long_exit="rsi(14) > 70",
        legs=("btc", "eth"),
        timeframe="5m",
        stop_loss=distance("atr 2 30"),
        take_profit=distance("percent 3"),
    )
    facts = explain(spec)
    assert (facts.name, facts.hash, facts.legs, facts.symbols) == ("probe", spec.hash, ("btc", "eth"), ())
    assert facts.fields == ("close", "open", "high", "low", "volume")
    assert facts.indicators == ("ema(20)@1h", "ema(50)@1h", "rsi(14)", "eth.obv()", "atr(30)")
    assert facts.streams == (
        StreamFacts("", "", 31, 643),
        StreamFacts("", "1h", 50, 569),
        StreamFacts("eth", "", 1, None),
    )
    assert facts.warmup_bars == 51 * 12 - 1
    assert [rule.name for rule in facts.rules] == ["long_entry", "long_exit"]


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("close > 1", ("close",)),
        ("hl2 > 1", ("close", "high", "low")),
        ("sma(volume, 3) > 1", ("close", "volume")),
        ("hour > 1", ("close",)),
        ("atr(3) > 1", ("close", "open", "high", "low")),
    ],
)
def test_only_the_fields_in_use_are_named(rule, fields):
    assert explain(play(long_entry=rule)).fields == fields


def test_the_length_of_the_datas_bars_may_be_told():
    spec = play(long_entry="sma(3)@1h > 0")
    assert explain(spec).warmup_bars == 3
    assert explain(spec, 15 * MINUTE).warmup_bars == 4 * 4 - 1
    with pytest.raises(ConfigError, match="bars of 1h cannot be made of the play's bars of 7m"):
        explain(spec, 7 * MINUTE)
