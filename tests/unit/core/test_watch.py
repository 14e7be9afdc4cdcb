"""What is measured of orders, venue and clock, and the risk mode that it latches."""

from typing import Any

import pytest

from engine.core.view import view
from engine.domain.commands import SaveTransition
from engine.domain.events import (
    Action,
    CallOutcome,
    Channel,
    ChannelReport,
    ClockChecked,
    OrderRejected,
    OrderSent,
    OrderTimedOut,
)
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.modes import RiskMode
from engine.domain.orders import Order
from engine.domain.reasons import Reason
from tests.builders import BTC, ENTER_LONG, ETH, QUIET, of, setup, trade
from tests.fakes import Hand


def world_of(**limits: Any) -> Hand:
    return Hand(setup(mode_dwell_s=0.0, **limits))


def risk_mode(world: Hand) -> RiskMode:
    return world.machine.authority.operator.risk_mode


def latched(world: Hand) -> list[str]:
    return [f"{cause.cause}: {cause.text}" for cause in world.machine.authority.operator.causes]


def row(world: Hand, cause: str) -> tuple[str, str, float]:
    (found,) = [row for row in view(world.machine, world.now).risk.causes if row.cause == cause]
    return found.value, found.limit, round(found.used, 3)


def send(world: Hand, order: Order) -> None:
    world.take(OrderSent(world.now, order.client_id))


def entry(world: Hand) -> Order:
    world.bar(ENTER_LONG)
    order = world.order(OrderRole.ENTRY)
    send(world, order)
    return order


def reject(world: Hand, order: Order, reason: Reason = Reason.VENUE_REFUSED) -> None:
    world.take(OrderRejected(world.now, order.client_id, reason))


def test_fills_that_are_worse_than_the_mark_at_the_submit_latch():
    world = world_of(slippage_max_bps=20.0, slippage_fills=2)
    order = entry(world)
    world.fill(order, "0.5", price="111.1")
    assert row(world, "slippage") == ("-", "20.0bps", -1.0)
    assert risk_mode(world) is RiskMode.NORMAL
    world.fill(world.order(OrderRole.ENTRY), price="111.7")
    assert latched(world) == ["slippage: slippage=36.0bps over 2 fills limit=20bps"]
    assert risk_mode(world) is RiskMode.REDUCE
    assert row(world, "slippage") == ("36.0bps", "20.0bps", 1.802)


def test_a_stop_is_held_against_its_trigger_and_a_target_against_nothing():
    world = world_of(slippage_max_bps=20.0, slippage_fills=1)
    world.bar(ENTER_LONG)
    world.fill(world.order(OrderRole.ENTRY))
    assert latched(world) == [], "nobody saw it leave: it was sent before a crash"
    world.fill(world.order(OrderRole.TARGET), "0.5", price="100")
    assert latched(world) == []
    world.fill(world.orders(OrderRole.STOP)[0], "0.5", price="99.0")
    assert latched(world) == ["slippage: slippage=90.1bps over 1 fills limit=20bps"]


def test_a_person_begins_the_count_anew():
    world = world_of(slippage_max_bps=20.0, slippage_fills=1)
    world.fill(entry(world), "0.5", price="115")
    world.ask(Action.RISK_MODE, "normal", "news, the book was thin")
    assert (risk_mode(world), latched(world)) == (RiskMode.NORMAL, [])
    assert row(world, "slippage")[0] == "-"


def test_an_order_that_ends_is_expected_nothing_of_any_more():
    world = world_of(slippage_max_bps=20.0, slippage_fills=1)
    world.cancel(entry(world))
    assert world.machine.risk.state().watch.expected == {}


def test_orders_that_the_venue_refuses_latch_and_those_it_may_refuse_do_not():
    world = world_of(reject_max_percent=60.0, reject_orders=3)
    world.ack(entry(world))
    world.cancel(world.order(OrderRole.ENTRY))
    reject(world, entry(world))
    reject(world, entry(world), Reason.POST_ONLY_WOULD_TAKE)
    assert row(world, "rejects") == ("-", "60.0%", -1.0)
    reject(world, entry(world))
    assert latched(world) == ["rejects: rejects=67% of 3 orders limit=60%"]


def test_calls_that_fail_within_the_window_latch():
    world = world_of(retries_max=3, retries_window_s=60.0)
    failed = CallOutcome.TRANSIENT, CallOutcome.RATE_LIMITED
    for channel, outcome in ((Channel.QUERIES, failed[0]), (Channel.MARKET, failed[0])):
        world.take(ChannelReport(world.now, "v", channel, outcome))
    world.wait(61)
    world.take(ChannelReport(world.now, "v", Channel.ORDERS, failed[1]))
    world.take(OrderTimedOut(world.now, entry(world).client_id))
    assert row(world, "retries") == ("1", "3", 0.333)
    world.take(ChannelReport(world.now, "v", Channel.QUERIES, CallOutcome.OK))
    for _ in range(2):
        world.take(ChannelReport(world.now, "v", Channel.QUERIES, failed[0]))
    assert latched(world) == ["retries: retries=3 in 60s limit=3"]


def test_an_unknown_order_that_stays_so_latches():
    world = world_of(unknown_order_max_s=120.0, stale_check_ns=NS_PER_S, stale_after_s=3600.0)
    world.take(OrderTimedOut(world.now, entry(world).client_id))
    world.wait(119)
    assert (risk_mode(world), row(world, "unknown_order")) == (RiskMode.NORMAL, ("119s", "120s", 0.992))
    world.wait(1)
    assert latched(world) == ["unknown_order: age=120s limit=120s"]


def test_silence_that_lasts_latches():
    world = world_of(data_silence_max_s=300.0, stale_check_ns=NS_PER_S)
    world.market(trade(QUIET, world.now))
    world.wait(200)
    world.market(trade(QUIET, world.now, ETH))
    world.wait(99)
    assert risk_mode(world) is RiskMode.NORMAL
    world.wait(1)
    assert latched(world) == ["stale_data: age=300s limit=300s"]
    world.market(trade(QUIET, world.now, BTC))
    world.wait(1)
    assert risk_mode(world) is RiskMode.REDUCE, "it is latched"


def test_books_that_nobody_compared_for_long_latch():
    world = world_of(reconcile_lag_max_s=60.0, reconcile_ns=20 * NS_PER_S, stale_check_ns=NS_PER_S)
    world.wait(30)
    world.report(complete=False)
    world.wait(10)
    world.report()
    world.wait(1)
    assert row(world, "reconcile_lag") == ("1s", "60s", 0.017)
    world.wait(59)
    assert latched(world) == ["reconcile_lag: age=60s limit=60s"]


def test_a_clock_that_is_off_latches():
    world = world_of(clock_offset_max_ms=1000.0)
    world.take(ClockChecked(world.now, "bybit", -999.0))
    assert row(world, "clock_offset") == ("999ms", "1000ms", 0.999)
    world.take(ClockChecked(world.now, "bybit", -1000.0))
    assert latched(world) == ["clock_offset: offset=-1000ms limit=1000ms: set the clock of this machine"]


def test_without_limits_all_is_measured_and_nothing_latched():
    world = Hand(setup(stale_check_ns=NS_PER_S, reconcile_ns=60 * NS_PER_S))
    world.report()
    order = entry(world)
    world.fill(order, "0.5", price="200")
    reject(world, world.orders(OrderRole.STOP)[0])
    world.take(ChannelReport(world.now, "v", Channel.QUERIES, CallOutcome.TRANSIENT))
    world.take(ClockChecked(world.now, "bybit", 60_000.0))
    world.wait(1000)
    assert latched(world) == []


def test_each_cause_is_told_once_and_none_raises_the_mode():
    world = world_of(clock_offset_max_ms=10.0, retries_max=1)
    world.take(ChannelReport(world.now, "v", Channel.ORDERS, CallOutcome.AUTH, "keys"))
    assert risk_mode(world) is RiskMode.OBSERVE
    commands = world.take(*[ClockChecked(world.now, "v", 50.0)] * 3)
    assert of(SaveTransition, commands) == [], "the mode did not change"
    assert [cause.split(":")[0] for cause in latched(world)] == ["auth", "clock_offset"]
    assert risk_mode(world) is RiskMode.OBSERVE
    assert "auth: " in world.alarms()["risk:observe"]
    assert "clock_offset: " in world.alarms()["risk:observe"]
    world.ask(Action.RISK_MODE, "reduce", "new keys")
    assert len(latched(world)) == 2, "what latched stands until the mode is NORMAL"


@pytest.mark.parametrize("new_run", [False, True])
def test_what_latched_and_what_was_measured_outlive_a_restart(new_run):
    world = world_of(clock_offset_max_ms=10.0, slippage_fills=1, stale_check_ns=NS_PER_S)
    world.fill(entry(world), "0.5", price="115")
    world.take(ClockChecked(world.now, "v", 50.0))
    world.wait(2)
    before = world.loop.state()
    world.restart(new_run=new_run)
    assert latched(world) == ["clock_offset: offset=+50ms limit=10ms: set the clock of this machine"]
    assert risk_mode(world) is RiskMode.REDUCE
    assert row(world, "slippage")[0] == "360.4bps"
    assert (world.loop.state() == before) is not new_run
