"""The ladder: every holder holds a rung, and the lowest one held counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.modes import HOLDERS, RUNG_MEANING, Hold, Holder, Rung, lowest

EXPECTED = {
    Rung.REDUCE: {
        Holder.DISARMED,
        Holder.PAUSED,
        Holder.RISK_REDUCE,
        Holder.STALE,
        Holder.BREAKER,
        Holder.RECONCILING,
        Holder.UNKNOWN_ORDER,
        Holder.STORAGE,
        Holder.BLACKOUT,
    },
    Rung.HOLD: {Holder.RISK_OBSERVE, Holder.STOPPING, Holder.HALTED, Holder.FAULT},
    Rung.FLATTEN: {Holder.FLATTENING},
}

holds = st.lists(
    st.builds(Hold, st.sampled_from(Holder), st.sampled_from(["", "A", "B"]), st.just(0)), max_size=8
).map(tuple)


@pytest.mark.parametrize("holder", Holder)
def test_each_holder_holds_the_rung_of_the_design(holder):
    assert holder in EXPECTED[HOLDERS[holder].rung]
    assert Hold(holder, "", 0).rung is HOLDERS[holder].rung


def test_every_rung_is_explained_and_freedom_grows_upward():
    assert set(RUNG_MEANING) == set(Rung)
    assert sorted(Rung) == [Rung.FLATTEN, Rung.HOLD, Rung.REDUCE, Rung.FULL]


def test_nobody_holding_means_full():
    assert lowest(()) is Rung.FULL


@pytest.mark.parametrize(
    "holder",
    [Holder.STALE, Holder.BREAKER, Holder.RECONCILING, Holder.UNKNOWN_ORDER, Holder.STORAGE, Holder.FAULT],
)
def test_what_clears_itself_is_not_latched(holder):
    assert not HOLDERS[holder].latched


@pytest.mark.parametrize("holder", [Holder.PAUSED, Holder.RISK_REDUCE, Holder.RISK_OBSERVE, Holder.HALTED])
def test_a_restart_is_never_freer(holder):
    assert HOLDERS[holder].survives_restart


@given(holds, st.sampled_from(["", "A", "B", "C"]))
def test_the_lowest_rung_held_for_a_symbol_or_for_all_counts(held, symbol):
    relevant = [hold.rung for hold in held if not hold.symbol or hold.symbol == symbol]
    assert lowest(held, symbol) is min(relevant, default=Rung.FULL)


@given(holds, holds, st.sampled_from(["A", "B"]))
def test_one_holder_more_never_frees(held, more, symbol):
    assert lowest(held + more, symbol) <= lowest(held, symbol)
