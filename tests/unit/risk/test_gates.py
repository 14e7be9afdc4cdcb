"""Every gate lets through what it should and stops what it should, with its reason and its numbers."""

from decimal import Decimal
from math import inf
from typing import Any

import msgspec
import pytest

from engine.domain.limits import Limits
from engine.domain.modes import HOLDERS, Hold, Holder, Rung
from engine.domain.reasons import Reason
from engine.risk.breaker import BreakerState
from engine.risk.gates import GATES, EntryFacts, Gate, Verdict, ask, ask_all
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
    cycle_notional_after=Decimal(300),
    symbol_notional_after=400.0,
    gross_notional_after=1000.0,
    leverage_after=2.0,
    capital_left=50.0,
    price_off_percent=1.5,
    recent_entries=4,
    repeats=2,
    drawdown_percent=4.99,
    losses_in_a_row=2,
)
LIMITS = Limits(
    order_notional_max=Decimal(100),
    position_notional_max=Decimal(200),
    daily_loss_max=Decimal(10),
    open_orders_max=4,
    stale_after_s=1.0,
    cycle_notional_max=Decimal(300),
    symbol_notional_max=Decimal(400),
    leverage_max=2.0,
    cash_reserve_min=Decimal(50),
    price_collar_percent=1.5,
    order_rate_max=5,
    repeat_entries_max=3,
    drawdown_max_percent=5.0,
    losses_in_a_row_max=3,
)
NAMES = (
    "takes orders",
    "venue checked",
    "lock",
    "ladder",
    "data fresh",
    "breaker",
    "daily loss",
    "drawdown",
    "losses in a row",
    "repeats",
    "order rate",
    "price collar",
    "order cap",
    "cycle cap",
    "position cap",
    "symbol cap",
    "leverage",
    "cash reserve",
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
    ({"breaker": BreakerState.OPEN}, "breaker", Reason.BREAKER, "not working", "working"),
    ({"day_pnl": -10.01}, "daily loss", Reason.DAILY_LOSS, "10.01", "10"),
    ({"drawdown_percent": 5.0}, "drawdown", Reason.DRAWDOWN_MAX, "5.00%", "5%"),
    ({"losses_in_a_row": 3}, "losses in a row", Reason.LOSSES_IN_A_ROW, "3", "3"),
    ({"repeats": 3}, "repeats", Reason.REPEATED_ENTRIES, "3", "3 in 600s"),
    ({"recent_entries": 5}, "order rate", Reason.ORDER_RATE_MAX, "5", "5 in 60s"),
    ({"price_off_percent": 1.51}, "price collar", Reason.PRICE_COLLAR, "1.51%", "1.5%"),
    ({"order_notional": Decimal("100.01")}, "order cap", Reason.ORDER_NOTIONAL_MAX, "100.01", "100"),
    (
        {"cycle_notional_after": Decimal("300.01")},
        "cycle cap",
        Reason.CYCLE_NOTIONAL_MAX,
        "300.01",
        "300",
    ),
    (
        {"position_notional_after": Decimal("200.01")},
        "position cap",
        Reason.POSITION_NOTIONAL_MAX,
        "200.01",
        "200",
    ),
    ({"symbol_notional_after": 400.01}, "symbol cap", Reason.SYMBOL_NOTIONAL_MAX, "400.01", "400"),
    ({"leverage_after": 2.01}, "leverage", Reason.LEVERAGE_MAX, "2.01x", "2x"),
    ({"capital_left": 49.99}, "cash reserve", Reason.CASH_RESERVE, "49.99 left", "50"),
    ({"open_orders": 4}, "open orders", Reason.OPEN_ORDERS_MAX, "4", "4"),
    ({"play_hash": "ab" * 32}, "play approved", Reason.PLAY_NOT_APPROVED, "ab" * 6, "promoted"),
]


def with_facts(**changes: object) -> EntryFacts:
    return msgspec.structs.replace(FACTS, **changes)


def test_all_gates_pass_an_order_on_every_limit():
    assert ask(FACTS, LIMITS) is None
    assert tuple(result.name for result in ask_all(FACTS, LIMITS)) == NAMES
    assert len(GATES) == len(NAMES)


def test_a_play_that_was_promoted_passes():
    assert ask(with_facts(play_hash="ab" * 32, approved=("cd" * 32, "ab" * 32)), LIMITS) is None


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
    assert (stopped.reason, stopped.value) == (Reason.BREAKER, "trying again, one order tries it")


def test_a_play_that_was_stopped_for_repeating_itself_stays_stopped_without_a_limit():
    stopped = ask(with_facts(repeats=0, repeats_stopped=True), Limits())
    assert stopped is not None
    assert (stopped.reason, stopped.value) == (Reason.REPEATED_ENTRIES, "0, stopped")


def test_without_trading_capital_no_leverage_is_allowed():
    stopped = ask(with_facts(leverage_after=inf), Limits(leverage_max=125.0))
    assert stopped is not None
    assert (stopped.reason, stopped.value) == (Reason.LEVERAGE_MAX, "infx")


def test_limits_that_are_not_set_do_not_apply():
    huge = with_facts(
        order_notional=Decimal(10**12),
        position_notional_after=Decimal(10**12),
        cycle_notional_after=Decimal(10**12),
        symbol_notional_after=1e12,
        leverage_after=inf,
        capital_left=-1e12,
        price_off_percent=1e6,
        recent_entries=10**6,
        repeats=10**6,
        drawdown_percent=100.0,
        losses_in_a_row=10**6,
        day_pnl=-1e12,
    )
    assert ask(huge, Limits()) is None
    shown = {r.name: r.limit for r in ask_all(huge, Limits())}
    assert [name for name, limit in shown.items() if limit == "none"] == list(NAMES[6:-2])


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


def test_a_gate_whose_subject_does_not_exist_says_so():
    unbuilt = Gate("later", "", None, None, lambda _: "-", lambda _: "-")
    assert unbuilt.result(FACTS, LIMITS).verdict is Verdict.NOT_BUILT
