"""Books held against a venue's report: the venue wins, nothing is guessed, nonsense is an error."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.events import (
    Event,
    OrderAcked,
    OrderCanceled,
    OrderReport,
    VenueOrder,
    VenuePosition,
    VenueReport,
)
from engine.domain.orders import Order, OrderState, OrderTrigger
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.execution.book import OrderBook
from engine.execution.reconcile import diff, flaw, settled, trimmed_to
from tests.builders import BTC, ETH, T0, fill, request
from tests.fakes import listed

SELL = Side.SELL
ASKED = T0 + 10
LATER = T0 + 20
HELD = VenuePosition(BTC, Decimal(1))


def book_of(*triggers: OrderTrigger, filled: str = "", at: int = T0) -> OrderBook:
    """Return a book with one order `c1` of one unit, as some triggers left it."""
    book = OrderBook()
    order = book.add(request("c1"))
    for trigger in triggers:
        order = book.move(order, trigger, at, venue_id="v-c1")
    if filled:
        book.fill(order, fill("c1", filled), at)
    return book


SENT = (OrderTrigger.SEND,)
ACKED = (OrderTrigger.SEND, OrderTrigger.ACK)
UNKNOWN = (OrderTrigger.SEND, OrderTrigger.TIMEOUT)
ENDED = (OrderTrigger.SEND, OrderTrigger.ACK, OrderTrigger.CANCEL)


def report(*orders: VenueOrder, **changes: Any) -> VenueReport:
    facts: dict[str, Any] = {"positions": (), "fills": ()} | changes
    return VenueReport(LATER, -1, orders, **facts)


def ours(client_id: str) -> bool:
    return client_id.startswith("c")


ACK = OrderAcked(LATER, "c1", "v-c1")
LATE = fill("c1", ts=T0 + 5, trade_id="t9")

CASES: dict[str, tuple[OrderBook, VenueReport, tuple[Event, ...], tuple[str, ...]]] = {
    # the books, the report: what is to be taken, what is to be asked about
    "both agree": (book_of(*ACKED), report(listed("c1")), (), ()),
    "both agree on a part": (
        book_of(*ACKED, filled="0.4"),
        report(listed("c1", filled_qty=Decimal("0.4"))),
        (),
        (),
    ),
    "the answer to a submit was lost": (book_of(*SENT), report(listed("c1")), (ACK,), ()),
    "a time-out after the submit, and the order lives": (book_of(*UNKNOWN), report(listed("c1")), (ACK,), ()),
    "a pending one of before a restart lives": (book_of(), report(listed("c1")), (ACK,), ()),
    "a pending one of before a restart is not there": (book_of(), report(), (), ("c1",)),
    "not visible yet": (book_of(*UNKNOWN), report(), (), ("c1",)),
    "gone, nobody knows how": (book_of(*ACKED), report(), (), ("c1",)),
    "filled while nobody listened": (book_of(*ACKED), report(fills=(LATE,)), (LATE,), ()),
    "a fill that the stream missed": (
        book_of(*ACKED),
        report(listed("c1", filled_qty=Decimal("0.4")), fills=(fill("c1", "0.4", trade_id="t9"),)),
        (fill("c1", "0.4", trade_id="t9"),),
        (),
    ),
    "a fill without its trade": (
        book_of(*ACKED),
        report(listed("c1", filled_qty=Decimal("0.4"))),
        (),
        ("c1",),
    ),
    "a fill that is booked already": (
        book_of(*ACKED, filled="0.4"),
        report(fills=(fill("c1", "0.4"),)),
        (),
        ("c1",),
    ),
    "a fill after our books had it canceled": (book_of(*ENDED), report(fills=(LATE,)), (LATE,), ()),
    "moved since it was asked": (book_of(*ACKED, at=ASKED), report(), (), ()),
    "somebody else's trade": (book_of(*ACKED), report(listed("c1"), fills=(fill("x7"),)), (), ()),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_report_tells_beyond_the_books(case: str):
    book, seen, events, unexplained = CASES[case]
    assert flaw(seen, book) == ""
    difference = diff(book, seen, asked=ASKED, owns=ours)
    assert difference.events == events
    assert difference.unexplained == unexplained
    assert (len(difference.strays), len(difference.foreign), len(difference.uncanceled)) == (0, 0, 0)


def test_fills_are_taken_in_the_order_in_which_they_happened():
    first, second = fill("c1", "0.3", ts=T0 + 1, trade_id="b"), fill("c1", "0.3", ts=T0 + 2, trade_id="a")
    difference = diff(book_of(*ACKED), report(fills=(second, first)), asked=ASKED, owns=ours)
    assert difference.events == (first, second)


def test_a_cancel_that_did_not_arrive_is_seen():
    book = book_of(*ACKED)
    book.mark_cancel_requested(_only(book), T0)
    assert diff(book, report(listed("c1")), asked=ASKED, owns=ours).uncanceled == ("c1",)
    book.mark_cancel_requested(_only(book), ASKED)
    assert diff(book, report(listed("c1")), asked=ASKED, owns=ours).uncanceled == (), "it may be on its way"


def test_orders_of_others_are_told_apart_from_strays_of_ours():
    foreign, stray, late = listed("x1"), listed("c2"), listed("c1")
    book = book_of(*ENDED, at=ASKED)
    difference = diff(book, report(foreign, stray, late), asked=ASKED, owns=ours)
    assert difference.foreign == (foreign,)
    assert difference.strays == (stray,), "one that ended since it was asked is no stray"
    assert diff(book_of(*ENDED), report(late), asked=ASKED, owns=ours).strays == (late,)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (report(complete=False), "could not answer all of it"),
        (report(listed("c1"), listed("c1")), "v-c1 is listed twice"),
        (report(listed("c1", filled_qty=Decimal(2))), "filled 2 of 1"),
        (report(listed("c1", filled_qty=Decimal(-1))), "filled -1 of 1"),
        (report(listed("c1", symbol=ETH)), "not the one that was sent"),
        (report(listed("c1", "3")), "not the one that was sent"),
        (report(fills=(fill("c1", "0"),)), "trade t1 has quantity 0"),
        (report(fills=(fill("c1", price="0"),)), "price 0"),
    ],
)
def test_nonsense_is_an_error(seen: VenueReport, said: str):
    assert said in flaw(seen, book_of(*ACKED))


def answer(state: OrderState | None, *fills: Any, **changes: Any) -> OrderReport:
    complete = changes.pop("complete", True)
    order = None if state is None else _with(listed("c1", **changes), state)
    return OrderReport(LATER, "c1", order, fills, complete)


def _with(order: VenueOrder, state: OrderState) -> VenueOrder:
    return VenueOrder(
        order.client_id, order.venue_id, order.symbol, order.side, order.qty, order.filled_qty, state
    )


GONE = OrderCanceled(LATER, "c1", Reason.ENDED_AT_VENUE)
PART = fill("c1", "0.4", trade_id="t9")


@pytest.mark.parametrize(
    ("triggers", "told", "events"),
    [
        pytest.param(UNKNOWN, answer(None), (), id="not to be found is no evidence"),
        pytest.param(UNKNOWN, answer(OrderState.ACKNOWLEDGED, complete=False), (), id="half an answer"),
        pytest.param(UNKNOWN, answer(OrderState.ACKNOWLEDGED), (ACK,), id="it lives"),
        pytest.param(ACKED, answer(OrderState.ACKNOWLEDGED), (), id="no news"),
        pytest.param(UNKNOWN, answer(OrderState.REJECTED), (GONE,), id="it was refused"),
        pytest.param(ACKED, answer(OrderState.CANCELED), (GONE,), id="it ended"),
        pytest.param(ACKED, answer(OrderState.EXPIRED), (GONE,), id="it expired"),
        pytest.param(ACKED, answer(OrderState.FILLED, LATE, filled_qty=Decimal(1)), (LATE,), id="it filled"),
        pytest.param(
            ACKED,
            answer(OrderState.CANCELED, PART, filled_qty=Decimal("0.4")),
            (PART, GONE),
            id="it filled in part and ended",
        ),
        pytest.param(
            ACKED,
            answer(OrderState.CANCELED, filled_qty=Decimal("0.4")),
            (),
            id="it ended with a fill that nobody tells",
        ),
        pytest.param(ACKED, answer(OrderState.CANCELED, symbol=ETH), (), id="another order"),
    ],
)
def test_what_an_answer_about_one_order_amounts_to(
    triggers: tuple[OrderTrigger, ...], told: OrderReport, events: tuple[Event, ...]
):
    book = book_of(*triggers)
    assert settled(_only(book), told, book) == events


def _only(book: OrderBook) -> Order:
    (order,) = book.open_orders()
    return order


# reduce-only orders that the venue trimmed


def reducing(filled: str = "") -> tuple[OrderBook, Order]:
    """Return a book with a reduce-only order `c1` of one unit at rest, and the order."""
    book = OrderBook()
    order = book.add(request("c1", reduce_only=True, side=SELL))
    for trigger in ACKED:
        order = book.move(order, trigger, T0, venue_id="v-c1")
    if filled:
        order = book.fill(order, fill("c1", filled, side=SELL), T0) or order
    return book, order


def shown(qty: str, **changes: Any) -> VenueOrder:
    return listed("c1", qty, side=SELL, **changes)


@pytest.mark.parametrize("qty", ["0.6", "0.001"])
def test_a_smaller_quantity_of_what_only_reduces_is_believed_and_taken(qty: str):
    book, order = reducing()
    told = report(shown(qty))
    assert flaw(told, book) == ""
    difference = diff(book, told, asked=ASKED, owns=ours)
    assert [(each.client_id, each.qty) for each in difference.trimmed] == [("c1", Decimal(qty))]
    after = book.trim(order, Decimal(qty), LATER)
    assert (after.qty, after.remaining_qty, after.request.qty) == (Decimal(qty), Decimal(qty), Decimal(1))
    assert diff(book, told, asked=LATER + 1, owns=ours).trimmed == ()


@pytest.mark.parametrize("qty", ["1.1", "2"])
def test_a_larger_quantity_is_not_believed(qty: str):
    book, _ = reducing()
    assert "not the one that was sent" in flaw(report(shown(qty)), book)


def test_a_smaller_quantity_of_an_entry_is_not_believed():
    assert "not the one that was sent" in flaw(report(listed("c1", "0.6")), book_of(*ACKED))


def test_an_order_that_was_trimmed_to_what_it_filled_is_complete():
    book, order = reducing(filled="0.6")
    assert order.state is OrderState.PARTIALLY_FILLED
    after = book.trim(order, Decimal("0.6"), LATER)
    assert (after.state, after.remaining_qty) == (OrderState.FILLED, Decimal(0))
    assert len(book) == 0


def test_a_trimmed_order_is_complete_with_the_last_of_its_fills():
    book, order = reducing()
    order = book.trim(order, Decimal("0.6"), LATER)
    filled = book.fill(order, fill("c1", "0.6", side=SELL), LATER)
    assert filled is not None
    assert filled.state is OrderState.FILLED


def test_an_answer_about_one_order_trims_it_where_it_can_be_believed():
    _, order = reducing()

    def asked(listing: VenueOrder | None, *, complete: bool = True) -> Decimal | None:
        return trimmed_to(order, OrderReport(LATER, "c1", listing, (), complete))

    assert asked(shown("0.6")) == Decimal("0.6")
    assert asked(shown("1")) is None
    assert asked(shown("2")) is None
    assert asked(shown("0.6", symbol=ETH)) is None
    assert asked(shown("0.6"), complete=False) is None
    assert asked(None) is None
