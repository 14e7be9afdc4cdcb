"""No rule that can be written looks ahead: what is said of a bar never depends on a later one."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.market import Bar
from engine.strategy.lookahead import answers_of, find_leak
from engine.strategy.syntax import Condition, canonical
from tests.property.rules import LEGS, leg_rules, rules
from tests.property.test_expression import pairs, tapes
from tests.unit.strategy.bar_builders import SYMBOL, play

slow = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)


@slow
@given(entry=rules, exit_=rules, bars=tapes(), data=st.data())
def test_no_play_on_one_symbol_looks_ahead(
    entry: Condition, exit_: Condition, bars: list[Bar], data: st.DataObject
):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    spec = play(long_entry=canonical(entry), long_exit=canonical(exit_), short_entry=canonical(exit_))
    assert find_leak(answers_of(spec, SYMBOL), bars, [cut]) is None


@slow
@given(rule=leg_rules, bars=pairs(), data=st.data())
def test_no_play_on_two_symbols_looks_ahead(rule: Condition, bars: list[Bar], data: st.DataObject):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    spec = play(long_entry=canonical(rule), legs=LEGS)
    assert find_leak(answers_of(spec, *LEGS), bars, [cut]) is None
