"""An operator's word on an order that the venue does not settle: when it counts, and what follows."""

from decimal import Decimal
from typing import Any

import pytest

from engine.core.reconciling import PROBES_MAX
from engine.core.snapshot import Phase
from engine.domain.commands import (
    QueryOrder,
    SaveFill,
    SaveOrder,
    SaveTransition,
    SaveVeto,
    SubmitOrder,
    TransitionKind,
)
from engine.domain.events import Action, CancelRejected, OrderReport, OrderTimedOut
from engine.domain.ids import OrderRole
from engine.domain.intents import IntentState
from engine.domain.market import NS_PER_S
from engine.domain.modes import Rung
from engine.domain.orders import Order, OrderState
from engine.domain.reasons import Reason
from tests.builders import BTC, PLAY, notices, of, setup, vetoes
from tests.fakes import Hand, listed


@pytest.fixture
def world() -> Hand:
    """An armed world whose books were compared with the venue once."""
    world = Hand(setup(reconcile_ns=1000 * NS_PER_S))
    world.report()
    return world


def unanswered(world: Hand) -> Order:
    """Let an entry get no answer."""
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, entry.client_id))
    return world.order(OrderRole.ENTRY)


def resolve(world: Hand, order: Order, reason: str = "not in the order history") -> list[Any]:
    return world.ask(Action.RESOLVE, f"{order.client_id} dead", reason)


def ended(world: Hand, client_id: str) -> Order:
    (order,) = [o for o in world.machine.desk.book.ended_orders() if o.client_id == client_id]
    return order


def ask_in_vain(world: Hand, order: Order) -> None:
    """Let the venue not know an order until the questions are used up."""
    for _ in range(PROBES_MAX + 1):
        world.take(OrderReport(world.now, order.client_id, None, complete=False))
        world.wait(2.0)


def test_an_unknown_order_ends_on_the_operators_word_and_frees_its_symbol(world):
    entry = unanswered(world)
    ask_in_vain(world, entry)
    assert {f"unknown:{BTC}", f"unsettled:{entry.client_id}"} <= set(world.alarms())
    assert f"trader-tui resolve {entry.client_id} dead" in world.alarms()[f"unsettled:{entry.client_id}"]
    assert world.rung(BTC) is Rung.REDUCE
    commands = resolve(world, entry)
    assert world.orders() == []
    assert world.rung(BTC) is Rung.FULL
    assert world.alarms() == {}
    assert world.machine.reconciler.state.probes == {}
    assert world.qty() == 0
    assert of(SaveFill, commands) == []
    (told,) = notices(commands, "resolved")
    assert told.startswith(f"entry buy 1 BTCUSDT ({entry.client_id}) was unknown, is rejected: ")
    assert " (not in the order history)" in told


def test_it_is_stored_with_who_and_why(world):
    entry = unanswered(world)
    commands = resolve(world, entry, "  not there ")
    (change,) = of(SaveTransition, commands)
    client_id = entry.client_id
    assert (change.kind, change.before, change.after) == (
        TransitionKind.ORDER,
        f"{client_id} unknown",
        f"{client_id} rejected",
    )
    assert change.actor
    assert change.reason == "not there"
    (saved,) = of(SaveOrder, commands)
    assert (saved.order.state, saved.intent) == (OrderState.REJECTED, IntentState.FAILED)
    assert saved.order.reason == Reason.RESOLVED_BY_OPERATOR
    assert of(SaveVeto, commands) == [], "a command that is carried out is not answered as refused"


@pytest.mark.parametrize(
    ("argument", "reason", "code"),
    [
        ("{id} dead", " ", Reason.REASON_REQUIRED),
        ("{id} filled", "why", Reason.UNKNOWN_COMMAND),
        ("{id}", "why", Reason.UNKNOWN_COMMAND),
        ("", "why", Reason.UNKNOWN_COMMAND),
        ("nobody dead", "why", Reason.NO_SUCH_ORDER),
    ],
)
def test_what_it_needs(world, argument, reason, code):
    entry = unanswered(world)
    commands = world.ask(Action.RESOLVE, argument.format(id=entry.client_id), reason)
    assert vetoes(commands) == [code]
    assert world.order(OrderRole.ENTRY).state is OrderState.UNKNOWN
    assert world.rung(BTC) is Rung.REDUCE


def test_an_order_on_which_the_venues_word_counts_is_not_resolved(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    assert vetoes(resolve(world, entry)) == [Reason.ORDER_NOT_UNKNOWN]
    world.cancel(entry)
    assert vetoes(resolve(world, entry)) == [Reason.ORDER_NOT_UNKNOWN]
    entry = unanswered_again(world)
    resolve(world, entry)
    assert vetoes(resolve(world, entry)) == [Reason.ORDER_NOT_UNKNOWN], "once is enough"


def unanswered_again(world: Hand) -> Order:
    world.bar(90.0)
    return unanswered(world)


def test_an_order_that_was_asked_about_in_vain_is_resolved_though_it_was_acknowledged(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.4")
    world.take(CancelRejected(world.now, entry.client_id, Reason.ORDER_NOT_FOUND))
    assert vetoes(resolve(world, entry)) == [Reason.ORDER_NOT_UNKNOWN], "it is still being asked about"
    ask_in_vain(world, entry)
    resolve(world, entry)
    after = ended(world, entry.client_id)
    assert (after.state, after.filled_qty) == (OrderState.CANCELED, Decimal("0.4"))
    assert world.qty() == Decimal("0.4")
    assert f"unsettled:{entry.client_id}" not in world.alarms()
    assert of(QueryOrder, world.wait(10.0)) == []


def test_the_alarm_of_an_order_that_ended_meanwhile_resolves_nothing(world):
    entry = unanswered(world)
    ask_in_vain(world, entry)
    world.cancel(entry)
    assert vetoes(resolve(world, entry)) == [Reason.ORDER_NOT_UNKNOWN]


def test_another_unknown_order_goes_on_holding_the_symbol(world):
    stop = world.enter_long()
    world.take(CancelRejected(world.now, stop.client_id, Reason.ORDER_NOT_FOUND))
    world.bar(90.0)
    leave = world.order(OrderRole.EXIT)
    world.take(OrderTimedOut(world.now, leave.client_id))
    world.bar(111.0)
    world.bar(90.0)
    (second,) = [o for o in world.orders(OrderRole.EXIT) if o.client_id != leave.client_id]
    world.take(OrderTimedOut(world.now, second.client_id))
    resolve(world, leave)
    assert world.rung(BTC) is Rung.REDUCE
    assert f"unknown:{BTC}" in world.alarms()
    resolve(world, second)
    assert world.rung(BTC) is Rung.FULL


def test_a_stop_that_is_resolved_as_dead_is_sent_again(world):
    world.bar(111.0)
    world.fill(world.order(OrderRole.ENTRY))
    stop = world.order(OrderRole.STOP)
    world.take(OrderTimedOut(world.now, stop.client_id))
    (again,) = of(SubmitOrder, resolve(world, stop))
    assert (again.request.role, again.request.trigger) == (OrderRole.STOP, stop.request.trigger)
    assert f"unprotected:{PLAY}:{BTC}" in world.alarms(), "until the venue has it"
    world.ack(stop, "late")
    assert f"unprotected:{PLAY}:{BTC}" in world.alarms(), "the one that was resolved protects nothing"
    world.ack(world.order(OrderRole.STOP))
    assert f"unprotected:{PLAY}:{BTC}" not in world.alarms()


def test_a_late_fill_of_a_resolved_order_is_booked_and_said(world):
    entry = unanswered(world)
    resolve(world, entry)
    seen = len(world.commands)
    world.fill(entry, "0.4")
    assert world.qty() == Decimal("0.4")
    (told,) = notices(world.commands[seen:], "resolved")
    assert "was resolved as dead, and it traded" in told
    alive = world.order(OrderRole.ENTRY)
    assert alive.state is OrderState.PARTIALLY_FILLED
    assert [o.request.qty for o in world.orders(OrderRole.STOP)] == [Decimal("0.4")]
    seen = len(world.commands)
    world.fill(alive)
    assert world.qty() == 1
    assert notices(world.commands[seen:], "resolved") == [], "it is known to live by then"


def test_a_resolved_order_that_the_venue_acknowledges_is_said_once_and_stays_ended(world):
    entry = unanswered(world)
    resolve(world, entry)
    seen = len(world.commands)
    world.ack(entry)
    world.ack(entry)
    (told,) = notices(world.commands[seen:], "resolved")
    assert told.endswith("the venue holds it: cancel it there")
    assert ended(world, entry.client_id).state is OrderState.REJECTED


def test_a_resolved_order_that_a_report_lists_is_a_stray(world):
    entry = unanswered(world)
    resolve(world, entry)
    world.wait(1000)
    world.report(listed(entry.client_id))
    assert f"stray:{entry.client_id}" in world.alarms()


def test_a_flatten_goes_on_when_its_close_is_resolved(world):
    world.enter_long()
    world.flatten()
    close = world.order(OrderRole.FLATTEN)
    world.take(OrderTimedOut(world.now, close.client_id))
    assert world.phase() is Phase.FLATTENING
    resolve(world, close)
    assert world.phase() is Phase.FLATTENING, "flat is what the venue shows, not what a person says"
    assert world.order(OrderRole.STOP).state is OrderState.ACKNOWLEDGED


@pytest.mark.parametrize("new_run", [False, True])
def test_it_can_be_resolved_after_a_restart_and_stays_so_after_the_next(world, new_run):
    entry = unanswered(world)
    ask_in_vain(world, entry)
    world.restart(new_run=new_run)
    resolve(world, entry)
    assert ended(world, entry.client_id).reason == Reason.RESOLVED_BY_OPERATOR
    world.restart(new_run=new_run)
    assert world.orders() == []
    assert world.alarms() == {}
    assert world.rung(BTC) is Rung.FULL
    seen = len(world.commands)
    world.fill(entry)
    assert world.qty() == 1
    assert len(notices(world.commands[seen:], "resolved")) == 1


def test_without_comparisons_an_unknown_order_is_resolved_all_the_same():
    world = Hand()
    entry = unanswered(world)
    resolve(world, entry)
    assert world.orders() == []
    assert world.rung(BTC) is Rung.FULL
