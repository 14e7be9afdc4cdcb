"""An order without an answer: held until the venue gives evidence, never ended by a timer."""

import pytest

from engine.domain.commands import SaveOrder, SaveSignal
from engine.domain.events import CancelRejected, OrderAcked, OrderCanceled, OrderRejected, OrderTimedOut
from engine.domain.ids import OrderRole
from engine.domain.intents import IntentState
from engine.domain.modes import Rung
from engine.domain.orders import OrderState
from engine.domain.reasons import Reason
from tests.builders import BTC, ENTER_LONG, ETH, STEP, bar, fill, of, setup, spec, submitted
from tests.fakes import Hand

ALARM = f"unknown:{BTC}"


@pytest.fixture
def lost() -> Hand:
    """A world whose entry got no answer."""
    world = Hand(setup(spec(), spec("other"), stale_check_ns=STEP // 60))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, entry.client_id))
    return world


def test_no_answer_holds_the_orders_symbol_and_raises_an_alarm(lost):
    entry = lost.order(OrderRole.ENTRY)
    assert entry.state is OrderState.UNKNOWN
    assert (lost.rung(BTC), lost.rung(ETH), lost.rung()) == (Rung.REDUCE, Rung.FULL, Rung.FULL)
    assert entry.client_id in lost.alarms()[ALARM]
    assert of(SaveOrder, lost.commands)[-1].intent is IntentState.UNKNOWN
    assert entry.cancel_requested, "REDUCE cancels entries, this one too"


def test_other_symbols_go_on_trading(lost):
    assert submitted(lost.market(bar(ENTER_LONG, lost.now + 1, ETH))) == [("entry", "buy", "1")]


@pytest.mark.parametrize("evidence", ["ack", "fill", "part", "cancel", "reject"])
def test_evidence_of_any_kind_ends_the_hold(lost, evidence):
    entry = lost.order(OrderRole.ENTRY)
    now, client_id = lost.now, entry.client_id
    event = {
        "ack": OrderAcked(now, client_id, "v1"),
        "fill": fill(client_id),
        "part": fill(client_id, "0.5"),
        "cancel": OrderCanceled(now, client_id),
        "reject": OrderRejected(now, client_id, Reason.OFF_TICK),
    }[evidence]
    lost.take(event)
    assert lost.rung(BTC) is Rung.FULL
    assert ALARM not in lost.alarms()


def test_a_refused_cancel_is_no_evidence(lost):
    entry = lost.order(OrderRole.ENTRY)
    lost.take(CancelRejected(lost.now, entry.client_id, Reason.ORDER_NOT_FOUND))
    assert lost.order(OrderRole.ENTRY).state is OrderState.UNKNOWN
    assert lost.rung(BTC) is Rung.REDUCE


def test_no_timer_ends_an_unknown_order(lost):
    for _ in range(10):
        lost.wait(60)
    assert [order.state for order in lost.orders()] == [OrderState.UNKNOWN]
    assert lost.rung(BTC) is Rung.REDUCE


def test_the_hold_stands_until_the_last_unknown_order_is_settled(lost):
    first = lost.order(OrderRole.ENTRY)
    second = lost.machine.desk.submit(
        role=OrderRole.STOP,
        play="x",
        symbol=BTC,
        side=first.request.side,
        qty=first.request.qty,
        now=lost.now,
        cycle_id="x",
    )
    lost.take(OrderTimedOut(lost.now, second.client_id))
    assert first.client_id in lost.alarms()[ALARM]
    assert second.client_id in lost.alarms()[ALARM], "it names every one of them"
    lost.take(OrderCanceled(lost.now, first.client_id))
    assert lost.rung(BTC) is Rung.REDUCE
    assert first.client_id not in lost.alarms()[ALARM]
    lost.take(OrderAcked(lost.now, second.client_id, "v2"))
    assert lost.rung(BTC) is Rung.FULL


def test_the_hold_survives_a_restart(lost):
    lost.restart()
    assert lost.rung(BTC) is Rung.REDUCE
    lost.take(fill(lost.order(OrderRole.ENTRY).client_id))
    assert lost.rung(BTC) is Rung.FULL


def test_an_entry_that_proves_alive_while_held_is_canceled():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, entry.client_id))
    world.take(CancelRejected(world.now, entry.client_id, Reason.ORDER_NOT_FOUND))
    other = world.machine.desk.submit(
        role=OrderRole.STOP,
        play="x",
        symbol=BTC,
        side=entry.request.side,
        qty=entry.request.qty,
        now=world.now,
        cycle_id="x",
    )
    world.take(OrderTimedOut(world.now, other.client_id))
    world.take(OrderAcked(world.now, entry.client_id, "v1"))
    assert world.order(OrderRole.ENTRY).cancel_requested


def test_a_timeout_after_the_answer_holds_nothing():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    assert world.take(OrderTimedOut(world.now, entry.client_id), OrderTimedOut(world.now, "stranger")) == []
    assert world.rung(BTC) is Rung.FULL


def test_new_entries_wait_for_the_evidence(lost):
    lost.take(fill(lost.order(OrderRole.ENTRY).client_id))
    stop = lost.order(OrderRole.STOP)
    lost.take(OrderTimedOut(lost.now, stop.client_id))
    lost.bar(104.0)
    lost.fill(lost.order(OrderRole.EXIT))
    (signal,) = of(SaveSignal, lost.bar(ENTER_LONG))
    assert signal.veto is not None
    assert signal.veto.reason is Reason.LADDER
    assert "unknown_order" in signal.veto.values["value"]
    lost.cancel(stop)
    assert submitted(lost.bar(ENTER_LONG)) == [("entry", "buy", "1")]


def test_an_exit_without_an_answer_stops_no_other_exit():
    world = Hand()
    world.enter_long()
    world.bar(104.0)
    world.take(OrderTimedOut(world.now, world.order(OrderRole.EXIT).client_id))
    assert submitted(world.bar(104.0)) == [("exit", "sell", "1")]
