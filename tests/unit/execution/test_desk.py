"""The desk books each answer of the venue once, stores what is new and says what a person should know."""

from decimal import Decimal

import pytest

from engine.domain.commands import (
    CancelOrder,
    Command,
    Notice,
    NoticeLevel,
    SaveFill,
    SaveOrder,
    SaveVeto,
    SubmitOrder,
)
from engine.domain.ids import IdSpace, OrderRole, sequence_of
from engine.domain.intents import IntentState
from engine.domain.orders import Order, OrderKind, OrderState
from engine.domain.reasons import Reason
from engine.execution.desk import Desk, describe
from engine.execution.intents import intent_state_of
from engine.execution.ledger import Ledger
from tests.builders import BTC, BUY, PLAY, SELL, T0, fill, instrument, notices, of, request

IDS = IdSpace(1_700_000_000, "test")


class Bench:
    """A desk, its ledger, and what it has said since it was last asked."""

    def __init__(self) -> None:
        self._outbox: list[Command] = []
        self.ledger = Ledger(Decimal(1000))
        self.desk = Desk(IDS, {BTC: instrument()}, self.ledger, self._outbox)

    def order(self, role: OrderRole = OrderRole.ENTRY, qty: str = "1") -> Order:
        order = self.desk.submit(
            role=role, play=PLAY, symbol=BTC, side=BUY, qty=Decimal(qty), now=T0, cycle_id="c"
        )
        self.said()
        return order

    def now(self, order: Order) -> Order:
        found = self.desk.book.get(order.client_id)
        assert found is not None
        return found

    def said(self) -> list[Command]:
        commands = list(self._outbox)
        self._outbox.clear()
        return commands


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_orders_are_numbered_and_only_entries_may_increase(bench):
    for number, role in enumerate(OrderRole, start=1):
        bench.desk.submit(role=role, play=PLAY, symbol=BTC, side=BUY, qty=Decimal(1), now=T0, cycle_id="c")
        (submit,) = of(SubmitOrder, bench.said())
        assert sequence_of(submit.request.client_id) == number
        assert IDS.owns(submit.request.client_id)
        assert submit.increases is (role is OrderRole.ENTRY)
        assert submit.request.reduce_only is not submit.increases
        assert submit.request.kind is OrderKind.MARKET


def test_a_cancel_is_asked_for_once_until_the_venue_answers(bench):
    order = bench.order()
    bench.desk.on_ack(order.client_id, "v1", T0)
    bench.said()
    bench.desk.cancel(bench.now(order), T0)
    assert bench.said() == [CancelOrder(order.client_id, "v1", BTC)]
    bench.desk.cancel(bench.now(order), T0)
    assert bench.said() == []
    assert bench.desk.on_cancel_rejected(order.client_id, T0) is not None
    bench.desk.cancel(bench.now(order), T0)
    assert len(bench.said()) == 1


def test_cancel_all_takes_the_roles_it_is_given(bench):
    entry, stop = bench.order(), bench.order(OrderRole.STOP)
    assert bench.desk.cancel_all(T0, OrderRole.STOP, play=PLAY, symbol=BTC) == 1
    assert [c.client_id for c in of(CancelOrder, bench.said())] == [stop.client_id]
    assert bench.desk.cancel_all(T0, OrderRole.ENTRY, OrderRole.STOP) == 2
    assert [c.client_id for c in of(CancelOrder, bench.said())] == [entry.client_id]


def test_sending_is_not_stored_for_the_intent_already_is(bench):
    order = bench.order()
    bench.desk.on_sent(order.client_id, T0 + 1)
    assert bench.now(order).state is OrderState.SUBMITTED
    assert bench.said() == []


def test_an_acknowledged_order_has_the_venues_id(bench):
    order = bench.order()
    acked = bench.desk.on_ack(order.client_id, "v1", T0 + 1)
    assert acked is not None
    assert (acked.state, acked.venue_id, acked.updated) == (OrderState.ACKNOWLEDGED, "v1", T0 + 1)
    assert bench.said() == [SaveOrder(acked, IntentState.COMMITTED)]


def test_an_ack_after_the_first_fill_brings_the_venues_id_and_moves_nothing(bench):
    order = bench.order(qty="2")
    bench.desk.on_fill(fill(order.client_id), T0)
    bench.said()
    bench.desk.on_ack(order.client_id, "v1", T0 + 1)
    assert bench.now(order).state is OrderState.PARTIALLY_FILLED
    assert bench.now(order).venue_id == "v1"
    assert len(of(SaveOrder, bench.said())) == 1


def test_no_answer_makes_an_order_unknown(bench):
    order = bench.order()
    unknown = bench.desk.on_timeout(order.client_id, T0 + 1)
    assert unknown is not None
    assert (unknown.state, unknown.reason) == (OrderState.UNKNOWN, Reason.NO_ANSWER.value)
    assert bench.said() == [SaveOrder(unknown, IntentState.UNKNOWN)]


def test_a_rejection_is_stored_with_its_reason_and_said(bench):
    order = bench.order()
    rejected = bench.desk.on_reject(order.client_id, Reason.OFF_TICK, "price 1", T0 + 1)
    assert rejected is not None
    assert (rejected.state, rejected.reason) == (OrderState.REJECTED, "OFF_TICK")
    said = bench.said()
    (veto,) = of(SaveVeto, said)
    assert (veto.veto.reason, veto.veto.play, veto.veto.symbol) == (Reason.OFF_TICK, PLAY, BTC)
    assert veto.veto.values == {"client_id": order.client_id, "text": "price 1"}
    assert of(SaveOrder, said) == [SaveOrder(rejected, IntentState.FAILED)]
    (text,) = notices(said, "rejected")
    assert text.startswith(f"entry buy 1 {BTC} rejected: OFF_TICK")


def test_a_rejection_without_a_text_has_none(bench):
    order = bench.order()
    bench.desk.on_reject(order.client_id, Reason.LATCHED, "", T0)
    (veto,) = of(SaveVeto, bench.said())
    assert veto.veto.values == {"client_id": order.client_id}


@pytest.mark.parametrize(("reason", "stored"), [(None, ""), (Reason.IOC_REMAINDER, "IOC_REMAINDER")])
def test_a_cancel_is_stored_and_said(bench, reason, stored):
    order = bench.order()
    canceled = bench.desk.on_cancel(order.client_id, reason, T0 + 1)
    assert canceled is not None
    assert (canceled.state, canceled.reason) == (OrderState.CANCELED, stored)
    said = bench.said()
    assert of(SaveOrder, said) == [SaveOrder(canceled, IntentState.COMMITTED)]
    assert notices(said, "canceled") == [f"entry buy 1 {BTC} canceled"]


def test_a_fill_reaches_order_ledger_and_store(bench):
    order = bench.order(qty="2")
    trade = fill(order.client_id, "0.5", "101.50", fee=Decimal("0.1"))
    booked = bench.desk.on_fill(trade, T0 + 1)
    assert booked is not None
    filled, position = booked
    assert (filled.state, filled.filled_qty) == (OrderState.PARTIALLY_FILLED, Decimal("0.5"))
    assert bench.ledger.position(PLAY, BTC) == position
    assert position.qty == Decimal("0.5")
    said = bench.said()
    assert of(SaveFill, said) == [SaveFill(trade, position)]
    assert of(SaveOrder, said) == [SaveOrder(filled, IntentState.COMMITTED)]
    assert notices(said, "fill") == [f"entry buy 2 {BTC} filled 0.5 at 101.5"]


def test_a_fill_that_comes_twice_is_booked_once(bench):
    order = bench.order(qty="2")
    bench.desk.on_fill(fill(order.client_id), T0)
    bench.said()
    assert bench.desk.on_fill(fill(order.client_id), T0 + 1) is None
    assert bench.said() == []
    assert bench.ledger.position(PLAY, BTC).qty == 1


def test_a_fill_of_an_order_we_do_not_know_is_said_and_not_booked(bench):
    assert bench.desk.on_fill(fill("stranger"), T0) is None
    (notice,) = of(Notice, bench.said())
    assert "belongs to no order of ours: stranger" in notice.text
    assert bench.ledger.positions() == ()


def test_more_than_was_ordered_is_booked_and_said(bench):
    order = bench.order()
    bench.desk.on_fill(fill(order.client_id, "1.5"), T0)
    assert bench.ledger.position(PLAY, BTC).qty == Decimal("1.5")
    assert bench.now(order).remaining_qty == 0
    (veto,) = of(SaveVeto, bench.said())
    assert veto.veto.reason is Reason.OVERFILL
    assert veto.veto.values == {"ordered": "1", "filled": "1.5"}


def test_answers_for_orders_we_do_not_know_change_nothing(bench):
    desk = bench.desk
    desk.on_sent("x", T0)
    assert desk.on_ack("x", "v", T0) is None
    assert desk.on_timeout("x", T0) is None
    assert desk.on_reject("x", Reason.OFF_TICK, "", T0) is None
    assert desk.on_cancel("x", None, T0) is None
    assert desk.on_cancel_rejected("x", T0) is None
    assert bench.said() == []


@pytest.mark.parametrize("end", ["fill", "cancel", "reject"])
def test_news_that_comes_after_the_end_is_no_news(bench, end):
    """A venue repeats and reorders itself: nothing is stored, said or explained a second time."""
    order = bench.order()
    if end == "fill":
        bench.desk.on_fill(fill(order.client_id), T0)
    elif end == "cancel":
        bench.desk.on_cancel(order.client_id, None, T0)
    else:
        bench.desk.on_reject(order.client_id, Reason.OFF_TICK, "", T0)
    before = bench.now(order)
    bench.said()
    assert bench.desk.on_reject(order.client_id, Reason.OFF_LOT, "late", T0 + 1) is None
    assert bench.desk.on_cancel(order.client_id, Reason.IOC_REMAINDER, T0 + 1) is None
    assert bench.desk.on_timeout(order.client_id, T0 + 1) is None
    assert bench.desk.on_cancel_rejected(order.client_id, T0 + 1) is None
    bench.desk.on_sent(order.client_id, T0 + 1)
    assert bench.said() == []
    assert bench.now(order) == before


def test_a_timeout_after_the_ack_is_no_news(bench):
    order = bench.order()
    bench.desk.on_ack(order.client_id, "v1", T0)
    bench.said()
    assert bench.desk.on_timeout(order.client_id, T0 + 1) is None
    assert bench.now(order).reason == ""
    assert bench.said() == []


@pytest.mark.parametrize(
    ("state", "intent"),
    [
        (OrderState.PENDING, IntentState.PENDING),
        (OrderState.SUBMITTED, IntentState.PENDING),
        (OrderState.UNKNOWN, IntentState.UNKNOWN),
        (OrderState.REJECTED, IntentState.FAILED),
        (OrderState.ACKNOWLEDGED, IntentState.COMMITTED),
        (OrderState.PARTIALLY_FILLED, IntentState.COMMITTED),
        (OrderState.FILLED, IntentState.COMMITTED),
        (OrderState.CANCELED, IntentState.COMMITTED),
        (OrderState.EXPIRED, IntentState.COMMITTED),
    ],
)
def test_how_an_orders_intent_stands(state, intent):
    assert intent_state_of(Order(request=request(), state=state)) is intent


def test_a_restored_desk_numbers_on(bench):
    bench.order()
    bench.order()
    again = Bench()
    again.desk.restore(bench.desk.state())
    assert again.desk.state() == bench.desk.state()
    assert sequence_of(again.order().client_id) == 3


def test_orders_are_described_in_a_few_words():
    assert describe(request(side=SELL, role=OrderRole.STOP, qty=Decimal("1.50"))) == f"stop sell 1.5 {BTC}"


def test_a_position_that_is_gone_is_written_off_at_the_mark_and_stored(bench):
    order = bench.order(qty="2")
    bench.desk.on_fill(fill(order.client_id, "2", "100"), T0)
    bench.ledger.mark(BTC, 98.0, T0)
    bench.said()
    bench.desk.write_off(bench.ledger.position(PLAY, BTC), T0 + 1, T0)
    said = bench.said()
    (saved,) = of(SaveFill, said)
    assert (saved.fill.price, saved.fill.qty, saved.fill.side) == (Decimal(98), Decimal(2), SELL)
    assert saved.position.is_flat
    assert bench.ledger.realized == -4
    assert notices(said, "adjustment") == [f"2 {BTC} of {PLAY} written off: the venue does not show it"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_late_fill_takes_back_what_was_written_off_for_it(bench, restart):
    """In the end quantity and profit are what they would be had the fill come in time."""
    entry = bench.order(qty="2")
    bench.desk.on_fill(fill(entry.client_id, "2", "100"), T0)
    close = bench.desk.submit(
        role=OrderRole.FLATTEN, play=PLAY, symbol=BTC, side=SELL, qty=Decimal(2), now=T0, cycle_id="c"
    )
    bench.desk.on_cancel(close.client_id, Reason.REDUCE_ONLY_WOULD_INCREASE, T0)
    bench.ledger.mark(BTC, 98.0, T0)
    bench.desk.write_off(bench.ledger.position(PLAY, BTC), T0, T0)
    bench.said()
    if restart:
        bench.desk.restore(bench.desk.state())
    booked = bench.desk.on_fill(fill(close.client_id, "2", "101", trade_id="late", side=SELL), T0 + 5)
    assert booked is not None
    assert booked[1].is_flat
    assert bench.ledger.realized == 2
    said = bench.said()
    assert len(of(SaveFill, said)) == 2
    assert notices(said, "adjustment") == [f"{BTC}: a late fill explains 2 of what was written off"]


@pytest.mark.parametrize(
    ("role", "has_position", "reason"),
    [
        (OrderRole.STOP, False, Reason.POSITION_CLOSED),
        (OrderRole.TARGET, False, Reason.POSITION_CLOSED),
        (OrderRole.EXIT, False, Reason.POSITION_CLOSED),
        (OrderRole.STOP, True, Reason.REDUCE_ONLY_WOULD_INCREASE),
        (OrderRole.FLATTEN, False, Reason.REDUCE_ONLY_WOULD_INCREASE),
    ],
)
def test_a_reduction_that_came_after_its_position_is_told_as_unneeded(bench, role, has_position, reason):
    if has_position:
        bench.desk.on_fill(fill(bench.order().client_id), T0)
    order = bench.order(role)
    bench.desk.on_reject(order.client_id, Reason.REDUCE_ONLY_WOULD_INCREASE, "finds a position of 0", T0)
    assert (bench.now(order).state, bench.now(order).reason) == (OrderState.REJECTED, reason.value)
    said = bench.said()
    assert [saved.veto.reason for saved in of(SaveVeto, said)] == [reason]
    (notice,) = of(Notice, said)
    unneeded = reason is Reason.POSITION_CLOSED
    assert (notice.kind, notice.level) == (
        ("unneeded", NoticeLevel.INFO) if unneeded else ("rejected", NoticeLevel.WARNING)
    )
    assert ("its position has closed" in notice.text) is unneeded


def written_off(bench, qty="2"):
    """Return a stop that rests at the venue, whose position the venue's report of T0 did not show."""
    entry = bench.order(qty=qty)
    bench.desk.on_fill(fill(entry.client_id, qty, "100"), T0)
    stop = bench.order(OrderRole.STOP, qty=qty)
    bench.desk.write_off(bench.ledger.position(PLAY, BTC), T0 + 9, T0, Decimal("0.5"))
    bench.said()
    return stop


def test_what_an_order_trades_after_the_report_is_news_and_explains_nothing(bench):
    """Somebody sold 0.5 by hand; our stop, which rested all the time, trades later."""
    stop = written_off(bench)
    booked = bench.desk.on_fill(fill(stop.client_id, "1", "90", side=SELL, ts=T0 + 1, trade_id="t2"), T0 + 9)
    assert booked is not None
    assert booked[1].qty == Decimal("0.5")
    assert notices(bench.said(), "adjustment") == []


def test_late_fills_explain_no_more_than_was_written_off(bench):
    stop = written_off(bench)
    for number, held in enumerate(("1.5", "1.2", "0.8"), 2):
        sold = fill(stop.client_id, "0.4", "90", side=SELL, ts=T0, trade_id=f"t{number}")
        booked = bench.desk.on_fill(sold, T0 + 9)
        assert booked is not None
        assert str(booked[1].qty) == held
        bench.desk.restore(bench.desk.state())


def test_a_late_fill_to_the_other_side_explains_nothing(bench):
    written_off(bench)
    entry = next(o for o in bench.desk.book.ended_orders() if o.request.role is OrderRole.ENTRY)
    booked = bench.desk.on_fill(fill(entry.client_id, "1", "90", trade_id="over"), T0 + 9)
    assert booked is not None
    assert booked[1].qty == Decimal("2.5")


def test_what_two_reports_do_not_show_is_explained_together(bench):
    stop = written_off(bench)
    bench.desk.write_off(bench.ledger.position(PLAY, BTC), T0 + 20, T0 + 10, Decimal("0.5"))
    booked = bench.desk.on_fill(fill(stop.client_id, "1", "90", side=SELL, ts=T0 + 5, trade_id="t2"), T0 + 21)
    assert booked is not None
    assert booked[1].qty == Decimal("1.0")


def test_fills_of_later_orders_are_none_of_a_write_offs_business(bench):
    entry = bench.order(qty="2")
    bench.desk.on_fill(fill(entry.client_id, "2", "100"), T0)
    bench.desk.write_off(bench.ledger.position(PLAY, BTC), T0, T0)
    fresh = bench.order()
    assert bench.desk.was_written_off(bench.now(entry))
    assert not bench.desk.was_written_off(fresh)
    booked = bench.desk.on_fill(fill(fresh.client_id, trade_id="t2"), T0)
    assert booked is not None
    assert booked[1].qty == 1
