"""What holds for every rule: it reads back as it was written, and compiled it means what its tree says."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.errors import ConfigError
from engine.domain.market import Bar
from engine.domain.signals import Signal
from engine.strategy.evaluator import Evaluator
from engine.strategy.expression import canonical_rule, parse_definition, parse_rule
from engine.strategy.legs import evaluator_of
from engine.strategy.reading import miss_of, read_rules
from engine.strategy.scope import Scope
from engine.strategy.syntax import Condition, canonical
from engine.strategy.vocabulary import WORDS
from tests.property.rules import LEGS, OTHER, Reading, known, leg_rules, rules
from tests.unit.strategy.bar_builders import STEP_NS, SYMBOL, bar, play

SCOPE = Scope(legs=LEGS)
words = st.sampled_from(
    [
        *WORDS,
        *LEGS,
        *"()[],.<>+-*/",
        "<=",
        "==",
        "!=",
        "1",
        "20",
        "0.5",
        "@1h",
        "@",
        "$a",
        "=",
        "08:30",
        "emma",
        "\n",
    ]
)
slow = settings(suppress_health_check=[HealthCheck.too_slow])


@slow
@given(leg_rules)
def test_a_rule_reads_back_as_it_was_written(rule: Condition):
    text = canonical(rule)
    assert parse_rule(text, SCOPE) == rule
    assert canonical_rule(f" ({text.replace(' ', '  ')})\n", SCOPE).text == text


@given(st.one_of(st.text(max_size=40), st.lists(words, max_size=15).map(" ".join)))
def test_any_text_is_a_rule_or_a_named_mistake(text: str):
    lines = text.split("\n")
    try:
        rule = canonical_rule(text, SCOPE)
    except ConfigError as error:
        named = error.message and 1 <= error.column <= len(lines[error.line - 1]) + 1
    else:
        named = canonical_rule(rule.text, SCOPE) == rule
    assert named


prices = st.integers(min_value=1, max_value=6).map(float)
candles = st.builds(
    lambda a, b, c, volume: bar(a, high=max(a, b), low=min(a, b), open_=c, volume=volume),
    prices,
    prices,
    prices,
    st.sampled_from([0.0, 1.0, 2.5]),
)


@st.composite
def tapes(draw: st.DrawFn, symbol: str = SYMBOL, first: int = 0) -> list[Bar]:
    """Bars of a symbol with minutes missing here and there."""
    number = first or draw(st.integers(min_value=1_430, max_value=1_445))
    tape = []
    for candle in draw(st.lists(candles, min_size=1, max_size=24)):
        tape.append(msgspec.structs.replace(candle, ts=number * STEP_NS, symbol=symbol))
        number += draw(st.sampled_from([1, 1, 1, 1, 2, 4]))
    return tape


def run(evaluator: Evaluator, bars: Sequence[Bar]) -> list[Signal | None]:
    return [evaluator.update(b, 0) for b in bars]


@slow
@given(rule=rules, bars=tapes())
def test_a_compiled_rule_means_what_its_tree_says(rule: Condition, bars: list[Bar]):
    evaluator = Evaluator(play(long_entry=canonical(rule)), SYMBOL)
    reading = Reading({"": bars})
    for number, (b, expected) in enumerate(zip(bars, reading.truth(rule), strict=True)):
        fired = evaluator.update(b, 0) is not None
        assert fired is (expected is True and evaluator.is_warm)
        (told,) = read_rules(evaluator)
        assert told.reading.truth is expected
        miss = miss_of(told)
        assert (miss is None) is (expected is True)
        assert miss is None or (miss.lacking and all(lack.truth is not True for lack in miss.lacking))
        for name, value in evaluator.values():
            node = parse_definition(name, SCOPE)
            assert known(value) == pytest.approx(reading.column(node)[number], abs=0, rel=0)  # type: ignore[arg-type]


@st.composite
def pairs(draw: st.DrawFn) -> list[Bar]:
    """Bars of two symbols as a feed tells them: by time, at one time in any order."""
    first = draw(st.integers(min_value=1_430, max_value=1_445))
    both = [*draw(tapes(LEGS[0], first)), *draw(tapes(LEGS[1], first))]
    return sorted(draw(st.permutations(both)), key=lambda b: b.ts)


@slow
@given(rule=leg_rules, bars=pairs())
def test_a_rule_on_two_legs_is_asked_once_a_close_and_means_what_its_tree_says(
    rule: Condition, bars: list[Bar]
):
    evaluator = evaluator_of(play(long_entry=canonical(rule), legs=LEGS), *LEGS)
    traded = [b for b in bars if b.symbol == LEGS[0]]
    reading = Reading({"": traded, OTHER: [b for b in bars if b.symbol == OTHER]})
    truth = {b.ts: value for b, value in zip(traded, reading.truth(rule), strict=True)}
    evaluated = 0
    for b in bars:
        before = evaluator.bars
        signal = evaluator.update(b, 0)
        assert evaluator.bars - before in (0, 1)
        if evaluator.bars > before:
            assert (signal is not None) is (truth[traded[evaluated].ts] is True and evaluator.is_warm)
            assert signal is None or signal.ts == traded[evaluated].ts
            evaluated += 1
        else:
            assert signal is None
    assert evaluated in (len(traded), len(traded) - 1)  # the last one may still wait


@slow
@given(rule=leg_rules, bars=pairs(), data=st.data())
def test_a_restart_at_any_bar_changes_no_bit(rule: Condition, bars: list[Bar], data: st.DataObject):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    spec = play(long_entry=canonical(rule), short_entry=canonical(rule), legs=LEGS)
    whole, before, resumed = (evaluator_of(spec, *LEGS) for _ in range(3))
    expected = run(whole, bars)
    first = run(before, bars[:cut])
    resumed.restore(before.state())
    assert resumed.state() == before.state()
    assert first + run(resumed, bars[cut:]) == expected
    assert resumed.state() == whole.state()
