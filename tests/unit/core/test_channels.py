"""What adapters report of their channels: breakers open and close, hold, alarm and latch."""

from decimal import Decimal

import msgspec
import pytest

from engine.core.view import view
from engine.domain.commands import CancelOrder, Command, SaveSignal, SetTimer
from engine.domain.events import (
    Action,
    CallOutcome,
    Channel,
    ChannelReport,
    FeedChanged,
    FeedState,
)
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.modes import Hold, Holder, RiskMode, Rung
from engine.domain.reasons import Reason
from engine.domain.signals import Signal, SignalKind
from engine.risk.breaker import BreakerState
from tests.builders import BUY, ENTER_LONG, ETH, EXIT_LONG, PLAY, of, setup, submitted
from tests.fakes import Hand

OK, TRANSIENT, LIMITED, AUTH = CallOutcome
CLOSED, OPEN, HALF_OPEN = BreakerState
MARKET, PRIVATE, ORDERS, QUERIES = Channel
TRIP = 5
WATCHED = setup(stale_check_ns=NS_PER_S, stale_after_s=3600.0, mode_dwell_s=0.0)


def tell(
    world: Hand, channel: Channel, outcome: CallOutcome, times: int = 1, text: str = "timed out"
) -> list[Command]:
    """Let an adapter report."""
    commands = []
    for _ in range(times):
        commands += world.take(ChannelReport(world.now, "bybit", channel, outcome, text))
    return commands


def states(world: Hand) -> dict[Channel, BreakerState]:
    return {row.channel: row.state for row in view(world.machine, world.now).breakers}


def held(world: Hand) -> list[Hold]:
    return [hold for hold in world.machine.authority.holds.all if hold.holder is Holder.BREAKER]


def risk(world: Hand) -> RiskMode:
    return world.machine.authority.operator.risk_mode


def tripped(*channels: Channel) -> Hand:
    world = Hand(WATCHED)
    for channel in channels:
        tell(world, channel, TRANSIENT, TRIP)
    return world


# the breaker of orders


def test_failures_within_the_window_open_the_breaker_and_hold_entries():
    world = Hand(setup())
    tell(world, ORDERS, TRANSIENT, TRIP - 1)
    assert (states(world), world.rung()) == ({ORDERS: CLOSED}, Rung.FULL)
    commands = tell(world, ORDERS, TRANSIENT)
    assert of(SetTimer, commands) == [SetTimer("breaker.bybit orders", world.now + 15 * NS_PER_S)]
    assert (states(world), world.rung()) == ({ORDERS: OPEN}, Rung.REDUCE)
    assert [hold.detail for hold in held(world)] == ["bybit/orders"]


def test_failures_far_apart_open_nothing():
    world = Hand(setup())
    for _ in range(3 * TRIP):
        tell(world, ORDERS, TRANSIENT)
        world.wait(8)
    assert states(world) == {ORDERS: CLOSED}


def test_a_storm_of_rate_limits_opens_it_too():
    world = Hand(setup())
    tell(world, ORDERS, LIMITED, TRIP, text="")
    (row,) = view(world.machine, world.now).breakers
    assert (row.state, row.text, row.failures, row.broken_since) == (OPEN, "rate limited", TRIP, world.now)


def test_after_its_rest_one_success_closes_it():
    world = tripped(ORDERS)
    world.wait(15)
    assert (states(world), world.rung()) == ({ORDERS: HALF_OPEN}, Rung.FULL)
    tell(world, ORDERS, OK)
    assert states(world) == {ORDERS: CLOSED}


def test_after_its_rest_one_failure_opens_it_again():
    world = tripped(ORDERS)
    world.wait(15)
    (timer,) = of(SetTimer, tell(world, ORDERS, TRANSIENT))
    assert timer.at == world.now + 15 * NS_PER_S
    assert (states(world), world.rung()) == ({ORDERS: OPEN}, Rung.REDUCE)


def test_a_success_while_it_rests_closes_it_at_the_end_of_the_rest():
    world = tripped(ORDERS)
    tell(world, ORDERS, OK)
    assert states(world) == {ORDERS: OPEN}
    world.wait(15)
    assert (states(world), world.rung()) == ({ORDERS: CLOSED}, Rung.FULL)


def test_successes_alone_change_nothing_but_are_shown():
    world = Hand(setup())
    tell(world, ORDERS, OK)
    assert states(world) == {ORDERS: CLOSED}
    assert world.alarms() == {}


def test_a_channel_that_rested_is_tried_by_one_order_at_a_time():
    world = tripped(ORDERS)
    world.wait(15)
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    signal = Signal(world.now, PLAY, ETH, BUY, SignalKind.ENTRY, ENTER_LONG)
    one = Decimal(1)
    assert world.machine.trading.entering.facts(signal, entry.request.qty, one, 0.0, world.now).trying
    (row,) = [gate for gate in view(world.machine, world.now).gates if gate.name == "breaker"]
    assert (row.status, row.value) == ("veto", "trying again, one order tries it")
    world.ack(entry)
    (row,) = [gate for gate in view(world.machine, world.now).gates if gate.name == "breaker"]
    assert (row.status, row.value) == ("pass", "trying again")


# what an open breaker leaves alone


def test_an_open_breaker_cancels_entries_and_lets_exits_and_protection_pass():
    world = Hand(setup())
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    world.fill(entry, "0.4")
    seen = len(world.commands)
    tell(world, ORDERS, TRANSIENT, TRIP)
    assert [c.client_id for c in of(CancelOrder, world.commands[seen:])] == [entry.client_id]
    world.fill(entry, "0.2")
    assert ("stop", "sell", "0.6") in submitted(world.commands[seen:])
    commands = world.bar(EXIT_LONG)
    assert [order[0] for order in submitted(commands)] == ["exit"]


def test_an_open_breaker_does_not_keep_a_flatten():
    world = Hand(WATCHED)
    world.enter_long()
    for channel in Channel:
        tell(world, channel, TRANSIENT, TRIP)
    assert [order[0] for order in submitted(world.flatten())] == ["flatten"]


def test_market_data_goes_on_into_indicators_while_everything_is_held():
    world, free = tripped(*Channel), Hand(WATCHED)
    for each in (world, free):
        each.bars(100.0, 101.0, 102.0)
    assert msgspec.msgpack.encode(world.machine.market.state()) == msgspec.msgpack.encode(
        free.machine.market.state()
    )
    (runner,), (other,) = world.machine.trading.runners, free.machine.trading.runners
    assert runner.evaluator.state() == other.evaluator.state()
    (signal,) = of(SaveSignal, world.bar(ENTER_LONG))
    assert signal.veto is not None
    assert signal.veto.reason is Reason.LADDER


# the other channels


@pytest.mark.parametrize("channel", [PRIVATE, QUERIES])
def test_a_channel_that_tries_by_itself_holds_until_it_works_again(channel):
    world = tripped(channel)
    assert world.rung() is Rung.REDUCE
    world.wait(15)
    assert (states(world), world.rung()) == ({channel: HALF_OPEN}, Rung.REDUCE)
    tell(world, channel, OK)
    assert (states(world), world.rung()) == ({channel: CLOSED}, Rung.FULL)


def test_a_broken_channel_of_market_data_holds_nothing_for_silence_does():
    world = tripped(MARKET)
    assert (states(world), world.rung()) == ({MARKET: OPEN}, Rung.FULL)


def test_the_hold_names_every_channel_and_lets_go_with_the_last():
    world = tripped(ORDERS, QUERIES)
    assert [hold.detail for hold in held(world)] == ["bybit/orders bybit/queries"]
    tell(world, QUERIES, OK)
    world.wait(15)
    assert (held(world), world.rung()) == ([], Rung.FULL)


# keys that the venue refuses


@pytest.mark.parametrize("channel", list(Channel))
def test_refused_keys_latch_observe_at_once_until_a_person_says_why(channel):
    world = Hand(WATCHED)
    tell(world, channel, AUTH, text="10003 invalid key")
    assert (risk(world), world.rung()) == (RiskMode.OBSERVE, Rung.HOLD)
    assert "bybit refuses our keys" in world.alarms()["risk:observe"]
    assert states(world) == {channel: CLOSED}, "no breaker: it does not pass by itself"
    tell(world, channel, OK)
    assert risk(world) is RiskMode.OBSERVE
    world.ask(Action.RISK_MODE, "normal")
    assert risk(world) is RiskMode.OBSERVE
    world.ask(Action.RISK_MODE, "normal", "new keys")
    assert (risk(world), world.alarms()) == (RiskMode.NORMAL, {})


def test_refused_keys_are_told_once():
    world = Hand(WATCHED)
    tell(world, QUERIES, AUTH)
    assert tell(world, QUERIES, AUTH, 3) == []


# outages


def test_a_channel_that_is_gone_for_a_minute_is_an_alarm_that_ends_with_it():
    world = tripped(QUERIES)
    for _ in range(13):
        world.wait(5)
        tell(world, QUERIES, TRANSIENT)
    assert "gone for more than 60 s: timed out" in world.alarms()["gone:bybit queries"]
    tell(world, QUERIES, OK)
    assert world.alarms() == {}


def test_a_channel_that_is_gone_for_ten_minutes_latches_reduce():
    world = tripped(QUERIES)
    for _ in range(119):
        world.wait(5)
        tell(world, QUERIES, TRANSIENT)
    assert risk(world) is RiskMode.NORMAL
    for _ in range(2):
        world.wait(5)
        tell(world, QUERIES, TRANSIENT)
    assert risk(world) is RiskMode.REDUCE
    tell(world, QUERIES, OK)
    world.wait(15)
    assert (held(world), risk(world)) == ([], RiskMode.REDUCE), "that it is back frees nothing"
    assert "gone for more than 600 s" in world.alarms()["risk:reduce"]


def test_orders_nobody_sends_are_no_outage():
    world = tripped(ORDERS)
    world.wait(3600)
    assert (risk(world), world.alarms()) == (RiskMode.NORMAL, {})
    tell(world, ORDERS, TRANSIENT)
    assert risk(world) is RiskMode.REDUCE, "the first word after an hour: it still does not work"


def test_an_outage_does_not_raise_a_lower_risk_mode():
    world = tripped(QUERIES)
    world.ask(Action.RISK_MODE, "observe")
    world.wait(700)
    tell(world, QUERIES, TRANSIENT, 2)
    assert risk(world) is RiskMode.OBSERVE


def test_a_feed_that_is_gone_alarms_and_latches_too():
    world = Hand(WATCHED)
    world.take(FeedChanged(world.now, "bybit linear", FeedState.DISCONNECTED, "reset"))
    world.wait(30)
    world.take(FeedChanged(world.now, "bybit linear", FeedState.DISCONNECTED, "refused"))
    assert "gone:bybit linear" not in world.alarms()
    world.wait(31)
    assert "bybit linear has been gone for more than 60 s: reset" in world.alarms()["gone:bybit linear"]
    world.wait(540)
    assert risk(world) is RiskMode.REDUCE
    world.take(FeedChanged(world.now, "bybit linear", FeedState.CONNECTED))
    assert set(world.alarms()) == {"risk:reduce"}


def test_a_feed_that_comes_back_in_time_leaves_nothing():
    world = Hand(WATCHED)
    world.take(FeedChanged(world.now, "f", FeedState.DISCONNECTED))
    world.wait(59)
    world.take(FeedChanged(world.now, "f", FeedState.CONNECTED))
    world.wait(1000)
    assert (world.alarms(), risk(world)) == ({}, RiskMode.NORMAL)


# restarts


def test_the_same_run_goes_on_where_it_was():
    world = tripped(ORDERS, QUERIES)
    world.take(FeedChanged(world.now, "f", FeedState.DISCONNECTED, "reset"))
    before = world.machine.channels.state()
    world.restart()
    assert world.machine.channels.state() == before
    world.wait(15)
    assert states(world) == {ORDERS: HALF_OPEN, QUERIES: HALF_OPEN}


def test_a_new_run_looks_at_channels_and_feeds_afresh_and_keeps_the_latch():
    world = tripped(ORDERS, QUERIES)
    world.take(FeedChanged(world.now, "f", FeedState.DISCONNECTED, "reset"))
    world.wait(700)
    assert {"gone:f", "risk:reduce"} <= set(world.alarms())
    tell(world, ORDERS, TRANSIENT)
    world.restart(new_run=True)
    assert (states(world), held(world)) == ({}, [])
    assert set(world.alarms()) == {"risk:reduce"}
    assert risk(world) is RiskMode.REDUCE
    world.wait(16)
    assert states(world) == {}, "a rest of the run before wakes nothing"
