"""A position without its stop, and a stop that was triggered and does not fill: alarms, and what follows."""

from decimal import Decimal
from typing import Any

import pytest

from engine.core.snapshot import Phase
from engine.domain.commands import CancelOrder, Command, SubmitOrder
from engine.domain.events import (
    Action,
    OrderRejected,
    OrderTimedOut,
    VenueReport,
)
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.orders import OrderKind
from engine.domain.reasons import Reason
from engine.risk.stops import OnMissing, OnStuck, StopPolicy
from tests.builders import BTC, PLAY, SELL, notices, of, quote, setup, spec, submitted, vetoes
from tests.fakes import Hand, listed

BARE, STUCK = f"unprotected:{PLAY}:{BTC}", f"stuck:{PLAY}:{BTC}"
MISSING_S, STUCK_S = 5.0, 10.0


def world_of(missing: OnMissing = OnMissing.PROTECT, stuck: OnStuck = OnStuck.ALARM, **changes: Any) -> Hand:
    """Return an armed world that looks at its stops every second."""
    policy = StopPolicy(missing=missing, stuck=stuck)
    facts: dict[str, Any] = {"stale_check_ns": NS_PER_S, "stale_after_s": 10_000.0, "stops": policy}
    return Hand(setup(spec(), **(facts | changes)))


def bare(missing: OnMissing, lost: str = "rejected", **changes: Any) -> Hand:
    """Return a world whose long position has no stop at rest."""
    world = world_of(missing, **changes)
    world.bar(111.0)
    world.fill(world.order(OrderRole.ENTRY))
    world.ack(world.order(OrderRole.TARGET))
    stop = world.order(OrderRole.STOP)
    match lost:
        case "rejected":
            world.take(OrderRejected(world.now, stop.client_id, Reason.OFF_TICK))
        case "canceled":
            world.ack(stop)
            world.cancel(stop)
        case "unknown":
            world.take(OrderTimedOut(world.now, stop.client_id))
        case _:
            pass  # nobody ever answers it
    return world


def at_market(commands: list[Command]) -> list[tuple[str, str, Decimal, bool]]:
    """Return what was asked for at market."""
    return [
        (c.request.role.value, c.request.side.value, c.request.qty, c.request.reduce_only)
        for c in of(SubmitOrder, commands)
        if c.request.kind is OrderKind.MARKET
    ]


# missing


@pytest.mark.parametrize(
    ("lost", "action", "again", "closes"),
    [
        ("rejected", OnMissing.PROTECT, 1, False),
        ("canceled", OnMissing.PROTECT, 1, False),
        ("unknown", OnMissing.PROTECT, 0, False),  # it may be live: a second one could close twice
        ("silent", OnMissing.PROTECT, 0, False),
        ("rejected", OnMissing.ALARM, 0, False),
        ("canceled", OnMissing.ALARM, 0, False),
        ("unknown", OnMissing.ALARM, 0, False),
        ("silent", OnMissing.ALARM, 0, False),
        ("rejected", OnMissing.CLOSE, 0, True),
        ("canceled", OnMissing.CLOSE, 0, True),
        ("unknown", OnMissing.CLOSE, 0, True),
        ("silent", OnMissing.CLOSE, 0, False),  # not before its cancel is answered
    ],
)
def test_a_position_without_its_stop_is_an_alarm_and_what_the_settings_say(lost, action, again, closes):
    world = bare(action, lost)
    world.wait(MISSING_S)
    assert submitted(world.wait(0.5)) == [], "it may be on its way for so long"
    commands = world.wait(1)
    world.cancel(*world.orders(OrderRole.TARGET) if action is OnMissing.CLOSE else ())
    commands += world.wait(1)
    assert BARE in world.alarms()
    stops = [c for c in of(SubmitOrder, commands) if c.request.role is OrderRole.STOP]
    assert len(stops) == again
    assert at_market(commands) == ([("exit", "sell", Decimal(1), True)] if closes else [])
    assert vetoes(commands) == (["STOP_MISSING"] if closes else [])
    assert len(notices(commands, "stop")) == closes


def test_a_stop_that_comes_to_rest_in_time_is_no_alarm():
    world = bare(OnMissing.CLOSE, "silent")
    world.wait(MISSING_S - 1)
    world.ack(world.order(OrderRole.STOP))
    world.wait(60)
    assert world.alarms() == {}


def test_the_alarm_ends_with_the_stop_at_rest():
    world = bare(OnMissing.PROTECT)
    world.wait(MISSING_S + 1)
    world.ack(world.order(OrderRole.STOP))
    world.wait(1)
    assert BARE not in world.alarms()
    assert world.machine._stops.state.bare == {}


def test_a_stop_for_a_part_of_the_position_is_not_enough():
    world = world_of(OnMissing.ALARM)
    world.enter_long()
    entry = world.machine.desk.book.ended_orders()[0]
    world.fill(entry, "0.5")
    world.wait(MISSING_S + 2)
    assert "covers 1.5" in world.alarms()[BARE], "the new stop was never answered"


def test_a_stop_is_asked_for_again_at_intervals_not_every_second():
    world = bare(OnMissing.PROTECT)
    for _ in range(20):
        world.wait(1)
        for order in world.orders(OrderRole.STOP):
            world.take(OrderRejected(world.now, order.client_id, Reason.OFF_TICK))
    asked = [c for c in of(SubmitOrder, world.commands) if c.request.role is OrderRole.STOP]
    assert len(asked) == 1 + 3


def test_a_stop_that_the_market_has_passed_meanwhile_closes_at_market():
    world = bare(OnMissing.PROTECT)
    world.market(quote(94.0, 96.0, world.now + 1))
    commands = world.wait(MISSING_S + 2)
    assert at_market(commands) == [("stop", "sell", Decimal(1), True)]
    assert vetoes(commands) == ["STOP_PASSED"]


def test_a_play_without_a_stop_misses_none():
    world = Hand(setup(spec(stop_loss=None), stale_check_ns=NS_PER_S, stale_after_s=10_000.0))
    world.bar(111.0)
    world.fill(world.order(OrderRole.ENTRY))
    world.wait(60)
    assert world.alarms() == {}


def test_a_position_whose_plan_is_lost_is_closed_where_that_is_wanted():
    world = bare(OnMissing.CLOSE)
    world.machine.trading.following.plans.clear()
    world.cancel(*world.orders(OrderRole.TARGET))
    assert at_market(world.wait(MISSING_S + 2)) == [("exit", "sell", Decimal(1), True)]


# stuck


def triggered(stuck: OnStuck) -> Hand:
    """Return a world whose long position has a stop that the market has passed."""
    world = world_of(stuck=stuck)
    world.enter_long()
    world.market(quote(94.0, 96.0, world.now + 1))
    return world


def test_a_stop_that_the_market_passed_and_that_does_not_fill_is_an_alarm():
    world = triggered(OnStuck.ALARM)
    world.wait(STUCK_S)
    assert STUCK not in world.alarms()
    world.wait(2)
    assert "is triggered and does not fill" in world.alarms()[STUCK]
    assert of(SubmitOrder, world.wait(30)) == []
    world.market(quote(110.0, 112.0, world.now + 1))
    world.wait(1)
    assert STUCK not in world.alarms(), "the market came back"


def test_a_stop_that_the_venue_shows_as_triggered_is_stuck_wherever_the_market_is():
    world = world_of()
    stop = world.enter_long()
    shown = listed(stop.client_id, side=SELL, triggered=True)
    for _ in range(2):
        world.take(VenueReport(world.now, 0, (shown,), ()))
    world.restart()
    world.wait(STUCK_S + 2)
    assert STUCK in world.alarms()
    world.fill(world.order(OrderRole.STOP))
    world.wait(1)
    assert STUCK not in world.alarms()
    assert world.machine._stops.state.triggered == ()


def test_a_stop_that_fills_bit_by_bit_is_not_stuck():
    world = triggered(OnStuck.CLOSE)
    for _ in range(5):
        world.wait(STUCK_S - 1)
        world.fill(world.order(OrderRole.STOP), "0.1", "95")
        for order in world.orders(OrderRole.STOP, OrderRole.TARGET):
            world.ack(order)
    assert STUCK not in world.alarms()
    assert vetoes(world.commands) == []


def test_a_stuck_stop_is_canceled_first_and_then_closed_at_market_once():
    world = triggered(OnStuck.CLOSE)
    commands = world.wait(STUCK_S + 2)
    stop, target = world.order(OrderRole.STOP), world.order(OrderRole.TARGET)
    assert {c.client_id for c in of(CancelOrder, commands)} == {stop.client_id, target.client_id}
    assert of(SubmitOrder, world.wait(30)) == [], "not while one of them may still close it"
    world.cancel(stop, target)
    commands = world.wait(1)
    assert at_market(commands) == [("exit", "sell", Decimal(1), True)]
    assert vetoes(commands) == ["STOP_STUCK"]
    assert of(SubmitOrder, world.wait(60)) == [], "one is on its way"
    world.fill(world.order(OrderRole.EXIT), price="94")
    world.wait(1)
    assert world.qty() == 0
    assert world.orders() == []
    assert world.alarms() == {}
    assert world.machine._stops.state.closing == {}


def test_a_stop_that_fills_while_it_is_canceled_closes_and_nothing_else_does():
    world = triggered(OnStuck.CLOSE)
    world.wait(STUCK_S + 2)
    world.fill(world.order(OrderRole.STOP), price="94")
    commands = world.wait(30)
    assert at_market(commands) == []
    assert world.qty() == 0


def test_a_close_that_was_refused_is_tried_again_in_a_while():
    world = triggered(OnStuck.CLOSE)
    world.wait(STUCK_S + 2)
    world.cancel(*world.orders())
    world.wait(1)
    world.take(OrderRejected(world.now, world.order(OrderRole.EXIT).client_id, Reason.NO_MARKET_YET))
    assert at_market(world.wait(MISSING_S - 1)) == []
    assert len(at_market(world.wait(2))) == 1


def test_a_close_without_an_answer_is_not_sent_twice():
    world = triggered(OnStuck.CLOSE)
    world.wait(STUCK_S + 2)
    world.cancel(*world.orders())
    world.wait(1)
    world.take(OrderTimedOut(world.now, world.order(OrderRole.EXIT).client_id))
    assert of(SubmitOrder, world.wait(60)) == []


def test_nothing_is_protected_anew_while_it_closes_also_after_a_restart():
    world = triggered(OnStuck.CLOSE)
    world.wait(STUCK_S + 2)
    world.cancel(*world.orders(OrderRole.STOP))
    world.restart()
    world.machine.trading.following.reprotect(world.now)
    assert of(SubmitOrder, world.machine._outbox) == []
    world.cancel(*world.orders(OrderRole.TARGET))
    assert len(at_market(world.wait(2))) == 1


def test_a_flatten_takes_over():
    world = triggered(OnStuck.CLOSE)
    world.wait(STUCK_S + 2)
    world.ask(Action.FLATTEN)
    world.wait(2)
    assert world.phase() is Phase.FLATTENING
    assert world.machine._stops.state.closing == {}
    assert STUCK not in world.alarms()
