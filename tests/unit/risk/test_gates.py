"""Every gate lets through what it should and stops what it should, with its reason and its numbers."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.domain.modes import HOLDERS, Hold, Holder, Rung
from engine.domain.reasons import Reason
from engine.risk.breaker import BreakerState
from engine.risk.gates import GATES, EntryFacts, Verdict, ask, ask_all
from engine.risk.limits import Limits
from tests.builders import BTC, ETH

FACTS = EntryFacts(
    symbol=BTC,
    takes_orders=True,
    lock_held=True,
    holds=(),
    data_age_s=1.0,
    order_notional=Decimal(100),
    position_notional_after=Decimal(200),
    open_orders=3,
    day_pnl=-10.0,
)
LIMITS = Limits(
    order_notional_max=Decimal(100),
    position_notional_max=Decimal(200),
    daily_loss_max=Decimal(10),
    open_orders_max=4,
    stale_after_s=1.0,
)
NAMES = (
    "takes orders",
    "venue checked",
    "lock",
    "ladder",
    "data fresh",
    "breaker",
    "daily loss",
    "order cap",
    "position cap",
    "open orders",
    "play approved",
)
PAUSED = Hold(Holder.PAUSED, "", 0)

# What stops an entry: the changed fact, the gate that stops it, its reason, the value and limit it names.
VETOES: list[tuple[dict[str, Any], str, Reason, str, str]] = [
    ({"takes_orders": False}, "takes orders", Reason.VENUE_TAKES_NO_ORDERS, "no", "yes"),
    ({"venue_checked": False}, "venue checked", Reason.VENUE_NOT_CHECKED, "no", "yes"),
    ({"lock_held": False}, "lock", Reason.LOCK_NOT_HELD, "lost", "held"),
    ({"holds": (PAUSED,)}, "ladder", Reason.LADDER, "REDUCE by paused", "FULL"),
    ({"data_age_s": 1.01}, "data fresh", Reason.DATA_STALE, "1.0s", "1s"),
    ({"breaker": BreakerState.OPEN}, "breaker", Reason.BREAKER, "open", "closed"),
    ({"day_pnl": -10.01}, "daily loss", Reason.DAILY_LOSS, "10.01", "10"),
    ({"order_notional": Decimal("100.01")}, "order cap", Reason.ORDER_NOTIONAL_MAX, "100.01", "100"),
    (
        {"position_notional_after": Decimal("200.01")},
        "position cap",
        Reason.POSITION_NOTIONAL_MAX,
        "200.01",
        "200",
    ),
    ({"open_orders": 4}, "open orders", Reason.OPEN_ORDERS_MAX, "4", "4"),
]


def with_facts(**changes: object) -> EntryFacts:
    return msgspec.structs.replace(FACTS, **changes)


def test_all_gates_pass_an_order_on_every_limit():
    assert ask(FACTS, LIMITS) is None
    assert tuple(result.name for result in ask_all(FACTS, LIMITS)) == NAMES
    assert len(GATES) == len(NAMES)


def test_gates_whose_subject_is_not_built_say_so_and_do_not_pass():
    verdicts = {result.name: result.verdict for result in ask_all(FACTS, LIMITS)}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.NOT_BUILT} == {
        "play approved",
    }
    assert set(verdicts.values()) == {Verdict.PASS, Verdict.NOT_BUILT}


@pytest.mark.parametrize(("change", "gate", "reason", "value", "limit"), VETOES)
def test_each_gate_stops_what_it_should(change, gate, reason, value, limit):
    stopped = ask(with_facts(**change), LIMITS)
    assert stopped is not None
    assert (stopped.name, stopped.verdict, stopped.reason) == (gate, Verdict.VETO, reason)
    assert (stopped.value, stopped.limit) == (value, limit)
    others = [r for r in ask_all(with_facts(**change), LIMITS) if r.name != gate]
    assert all(result.verdict is not Verdict.VETO and result.reason is None for result in others)


def test_the_first_gate_in_order_names_the_reason():
    everything = {name: value for change, *_ in VETOES for name, value in change.items()}
    reasons = []
    for change, *_ in VETOES:
        stopped = ask(with_facts(**everything), LIMITS)
        assert stopped is not None
        reasons.append(stopped.reason)
        everything = {name: value for name, value in everything.items() if name not in change}
    assert reasons == [reason for _, _, reason, _, _ in VETOES]


def test_one_order_at_a_time_tries_a_channel_that_rested():
    assert ask(with_facts(breaker=BreakerState.HALF_OPEN), LIMITS) is None
    stopped = ask(with_facts(breaker=BreakerState.HALF_OPEN, trying=True), LIMITS)
    assert stopped is not None
    assert (stopped.reason, stopped.value) == (Reason.BREAKER, "half open and tried")


def test_limits_that_are_not_set_do_not_apply():
    huge = with_facts(order_notional=Decimal(10**12), position_notional_after=Decimal(10**12), day_pnl=-1e12)
    assert ask(huge, Limits()) is None
    assert {r.name: r.limit for r in ask_all(huge, Limits())}["order cap"] == "none"


def test_a_profit_today_is_no_loss():
    results = {r.name: r for r in ask_all(with_facts(day_pnl=50.0), LIMITS)}
    assert (results["daily loss"].verdict, results["daily loss"].value) == (Verdict.PASS, "0.00")


@pytest.mark.parametrize("holder", Holder)
def test_every_holder_keeps_entries_back(holder):
    for symbol in ("", BTC):
        stopped = ask(with_facts(holds=(Hold(holder, symbol, 0),)), LIMITS)
        assert stopped is not None
        assert stopped.value == f"{HOLDERS[holder].rung.name} by {holder}"
        assert HOLDERS[holder].rung < Rung.FULL


def test_a_hold_on_another_symbol_does_not_count():
    assert ask(with_facts(holds=(Hold(Holder.STALE, ETH, 0),)), LIMITS) is None


def test_the_ladder_names_every_holder_that_counts():
    holds = (Hold(Holder.STALE, BTC, 0), PAUSED, Hold(Holder.STALE, ETH, 0), Hold(Holder.HALTED, "", 0))
    stopped = ask(with_facts(holds=holds), LIMITS)
    assert stopped is not None
    assert stopped.value == "HOLD by halted,paused,stale"
