"""No rule that can be written looks ahead: what is said of a bar never depends on a later one."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.market import Bar
from engine.domain.orders import OrderKind
from engine.domain.play import Distance, DistanceKind, EntryOrder, LadderStep, Level, StopLevel
from engine.strategy.lookahead import answers_of, find_leak
from engine.strategy.syntax import Condition, canonical
from tests.property.rules import LEGS, leg_rules, rules
from tests.property.test_expression import pairs, tapes
from tests.unit.strategy.bar_builders import SYMBOL, play

slow = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)


atr = Distance(DistanceKind.ATR, 1.5, 3)
parts: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {
            "entry": EntryOrder(OrderKind.LIMIT, atr),
            "stop_level": StopLevel(Level("lowest(4)", "vwap()"), atr),
        },
        {"entry": EntryOrder(OrderKind.STOP, at=Level("highest(3)@5m", "lowest(3)"))},
        {
            "ladder": (
                LadderStep(atr, Decimal(40)),
                LadderStep(Distance(DistanceKind.PERCENT, 1.0), Decimal(60)),
            )
        },
    ]
)


@slow
@given(entry=rules, exit_=rules, more=parts, bars=tapes(), data=st.data())
def test_no_play_on_one_symbol_looks_ahead(
    entry: Condition, exit_: Condition, more: dict[str, Any], bars: list[Bar], data: st.DataObject
):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    named = {"long_entry": canonical(entry), "long_exit": canonical(exit_), "short_entry": canonical(exit_)}
    spec = play(**named, **more)
    assert find_leak(answers_of(spec, SYMBOL), bars, [cut]) is None


@slow
@given(rule=leg_rules, bars=pairs(), data=st.data())
def test_no_play_on_two_symbols_looks_ahead(rule: Condition, bars: list[Bar], data: st.DataObject):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    spec = play(long_entry=canonical(rule), legs=LEGS)
    assert find_leak(answers_of(spec, *LEGS), bars, [cut]) is None
