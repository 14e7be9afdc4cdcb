"""The ladder: who holds which rung, where, since when."""

import pytest

from engine.core.holds import Holds
from engine.core.operator import OperatorState
from engine.core.snapshot import Phase
from engine.domain.events import OnStop
from engine.domain.modes import HOLDERS, Hold, Holder, RiskMode, Rung
from tests.builders import BTC, ETH, T0

# The design's ladder: which rung each holder holds.
RUNGS = {
    Holder.DISARMED: Rung.REDUCE,
    Holder.PAUSED: Rung.REDUCE,
    Holder.RISK_REDUCE: Rung.REDUCE,
    Holder.STALE: Rung.REDUCE,
    Holder.BLACKOUT: Rung.REDUCE,
    Holder.BREAKER: Rung.REDUCE,
    Holder.RECONCILING: Rung.REDUCE,
    Holder.UNKNOWN_ORDER: Rung.REDUCE,
    Holder.RISK_OBSERVE: Rung.HOLD,
    Holder.STOPPING: Rung.HOLD,
    Holder.HALTED: Rung.HOLD,
    Holder.STORAGE: Rung.REDUCE,
    Holder.FAULT: Rung.HOLD,
    Holder.FLATTENING: Rung.FLATTEN,
}


def test_every_holder_has_its_rung():
    assert {holder: rule.rung for holder, rule in HOLDERS.items()} == RUNGS
    assert set(RUNGS) == set(Holder)


def test_with_nobody_holding_all_is_free():
    holds = Holds()
    assert holds.rung() is Rung.FULL
    assert holds.rung(BTC) is Rung.FULL
    assert holds.all == ()


@pytest.mark.parametrize("holder", Holder)
@pytest.mark.parametrize("other", Holder)
def test_the_lowest_rung_counts(holder, other):
    holds = Holds()
    holds.set(holder, T0)
    holds.set(other, T0)
    assert holds.rung() is min(RUNGS[holder], RUNGS[other])
    holds.set(other, T0, held=False)
    assert holds.rung() is (Rung.FULL if other is holder else RUNGS[holder])


@pytest.mark.parametrize("holder", Holder)
def test_a_hold_on_a_symbol_holds_that_symbol_only(holder):
    holds = Holds()
    holds.set(holder, T0, symbol=BTC)
    assert (holds.rung(BTC), holds.rung(ETH), holds.rung()) == (RUNGS[holder], Rung.FULL, Rung.FULL)


def test_set_says_whether_anything_changed():
    holds = Holds()
    assert not holds.set(Holder.STALE, T0, held=False)
    assert holds.set(Holder.STALE, T0, detail="a")
    assert not holds.set(Holder.STALE, T0 + 1, detail="a")
    assert holds.set(Holder.STALE, T0 + 2, detail="b")
    assert holds.all == (Hold(Holder.STALE, "", T0, "b"),), "a hold is as old as its beginning"
    assert holds.set(Holder.STALE, T0, held=False)
    assert not holds.all


@pytest.mark.parametrize(
    ("operator", "holders"),
    [
        (OperatorState(phase=Phase.ARMED), set()),
        (OperatorState(phase=Phase.DISARMED), {Holder.DISARMED}),
        (OperatorState(phase=Phase.FLATTENING), {Holder.FLATTENING}),
        (OperatorState(phase=Phase.HALTED), {Holder.HALTED}),
        (OperatorState(phase=Phase.ARMED, paused=True), {Holder.PAUSED}),
        (OperatorState(phase=Phase.ARMED, risk_mode=RiskMode.REDUCE), {Holder.RISK_REDUCE}),
        (OperatorState(phase=Phase.ARMED, risk_mode=RiskMode.OBSERVE), {Holder.RISK_OBSERVE}),
        (OperatorState(phase=Phase.ARMED, stopping=OnStop.KEEP), {Holder.STOPPING}),
        (
            OperatorState(phase=Phase.FLATTENING, paused=True, stopping=OnStop.FLATTEN),
            {Holder.FLATTENING, Holder.PAUSED, Holder.STOPPING},
        ),
    ],
)
def test_what_the_operator_set_is_held_and_nothing_else_of_his(operator, holders):
    holds = Holds()
    holds.follow(OperatorState(phase=Phase.DISARMED, paused=True, risk_mode=RiskMode.OBSERVE), T0)
    holds.set(Holder.STALE, T0, symbol=BTC)
    holds.follow(operator, T0)
    assert {hold.holder for hold in holds.all} == holders | {Holder.STALE}


def test_restored_holds_are_the_same_holds():
    holds = Holds()
    holds.set(Holder.STALE, T0, symbol=BTC, detail="no data")
    holds.set(Holder.PAUSED, T0 + 1)
    again = Holds()
    again.restore(holds.all)
    assert again.all == holds.all
    assert not again.set(Holder.STALE, T0 + 5, symbol=BTC, detail="no data")
    assert again.set(Holder.PAUSED, T0, held=False)
