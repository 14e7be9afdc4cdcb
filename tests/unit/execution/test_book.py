"""The book moves orders by the table only, books a trade once, and remembers what it must."""

from decimal import Decimal

import pytest

from engine.domain.ids import OrderRole
from engine.domain.orders import Order, OrderState, OrderTrigger
from engine.execution import book as book_module
from engine.execution.book import OrderBook
from tests.builders import BTC, ETH, T0, fill, request


def book_with(*client_ids: str) -> OrderBook:
    book = OrderBook()
    for client_id in client_ids:
        book.add(request(client_id))
    return book


def get(book: OrderBook, client_id: str = "c1") -> Order:
    order = book.get(client_id)
    assert order is not None
    return order


def test_a_new_order_is_pending_and_open():
    book = book_with("c1")
    assert get(book).state is OrderState.PENDING
    assert get(book).updated == T0
    assert len(book) == 1
    assert book.get("unknown") is None


def test_a_client_id_is_never_used_twice():
    book = book_with("c1")
    with pytest.raises(AssertionError, match="c1 is used twice"):
        book.add(request("c1"))
    book.move(get(book), OrderTrigger.REJECT, T0)
    with pytest.raises(AssertionError, match="c1 is used twice"):
        book.add(request("c1"))


def test_select_looks_at_role_play_and_symbol():
    book = OrderBook()
    book.add(request("a"))
    book.add(request("b", role=OrderRole.STOP))
    book.add(request("c", play="other"))
    book.add(request("d", symbol=ETH))

    def ids(*roles, **where):
        return [order.client_id for order in book.select(*roles, **where)]

    assert ids(OrderRole.ENTRY) == ["a", "c", "d"]
    assert ids(OrderRole.ENTRY, OrderRole.STOP, symbol=BTC) == ["a", "b", "c"]
    assert ids(OrderRole.ENTRY, play="other") == ["c"]
    assert ids(OrderRole.TARGET) == []


def test_an_order_that_ends_leaves_the_open_ones_and_is_still_found():
    book = book_with("c1", "c2")
    book.move(get(book), OrderTrigger.CANCEL, T0 + 1, reason="WHY", venue_id="v1")
    ended = get(book)
    assert (ended.state, ended.reason, ended.venue_id) == (OrderState.CANCELED, "WHY", "v1")
    assert [o.client_id for o in book.open_orders()] == ["c2"]
    assert [o.client_id for o in book.ended_orders()] == ["c1"]


def test_only_the_newest_ended_orders_are_kept(monkeypatch):
    monkeypatch.setattr(book_module, "ENDED_MAX", 2)
    book = book_with("a", "b", "c")
    for order in book.open_orders():
        book.move(order, OrderTrigger.REJECT, T0)
    assert [o.client_id for o in book.ended_orders()] == ["b", "c"]
    assert book.get("a") is None


def test_fills_add_up_to_the_order():
    book = book_with("c1")
    part = book.fill(get(book), fill(qty="0.4", price="100", fee=Decimal("0.1"), venue_id="v9"), T0 + 1)
    assert part is not None
    assert (part.state, part.filled_qty, part.remaining_qty) == (
        OrderState.PARTIALLY_FILLED,
        Decimal("0.4"),
        Decimal("0.6"),
    )
    rest = book.fill(get(book), fill(qty="0.6", price="110", fee=Decimal("0.2"), trade_id="t2"), T0 + 2)
    assert rest is not None
    assert (rest.state, rest.filled_qty, rest.filled_notional) == (
        OrderState.FILLED,
        Decimal(1),
        Decimal(106),
    )
    assert (rest.fees, rest.venue_id, rest.updated) == (Decimal("0.3"), "v9", T0 + 2)


def test_a_trade_is_booked_once():
    book = book_with("c1")
    assert book.fill(get(book), fill(qty="0.4"), T0) is not None
    assert book.fill(get(book), fill(qty="0.4"), T0) is None
    assert get(book).filled_qty == Decimal("0.4")


def test_a_trade_between_two_of_our_orders_is_booked_to_both():
    book = book_with("c1", "c2")
    assert book.fill(get(book, "c1"), fill("c1"), T0) is not None
    assert book.fill(get(book, "c2"), fill("c2"), T0) is not None


def test_equal_trade_ids_of_two_symbols_are_two_trades():
    book = OrderBook()
    book.add(request("c1", qty=Decimal(2)))
    assert book.fill(get(book), fill(), T0) is not None
    assert book.fill(get(book), fill(symbol=ETH), T0) is not None


def test_the_oldest_trade_ids_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(book_module, "TRADE_IDS_MAX", 2)
    book = book_with("c1")
    for number in range(3):
        book.fill(get(book), fill(qty="0.1", trade_id=f"t{number}"), T0)
    assert book.fill(get(book), fill(qty="0.1", trade_id="t2"), T0) is None
    assert book.fill(get(book), fill(qty="0.1", trade_id="t0"), T0) is not None


def test_a_fill_after_a_cancel_is_booked_and_leaves_the_order_ended():
    book = book_with("c1")
    book.move(get(book), OrderTrigger.CANCEL, T0)
    late = book.fill(get(book), fill(qty="0.4"), T0 + 1)
    assert late is not None
    assert (late.state, late.filled_qty, len(book)) == (OrderState.CANCELED, Decimal("0.4"), 0)
    full = book.fill(get(book), fill(qty="0.6", trade_id="t2"), T0 + 2)
    assert full is not None
    assert full.state is OrderState.FILLED


def test_a_fill_proves_a_rejected_order_alive_and_it_can_be_canceled_again():
    book = book_with("c1")
    book.mark_cancel_requested(get(book), T0)
    book.move(get(book), OrderTrigger.REJECT, T0)
    alive = book.fill(get(book), fill(qty="0.4"), T0 + 1)
    assert alive is not None
    assert (alive.state, alive.cancel_requested) == (OrderState.PARTIALLY_FILLED, False)
    assert [o.client_id for o in book.open_orders()] == ["c1"]
    assert book.ended_orders() == ()


def test_a_cancel_can_be_asked_for_again():
    book = book_with("c1")
    assert book.mark_cancel_requested(get(book), T0 + 1).cancel_requested
    assert not book.allow_cancel_again(get(book), T0 + 2).cancel_requested
    assert get(book).updated == T0 + 2


def test_a_restored_book_is_the_same_book():
    book = book_with("c1", "c2", "c3")
    book.fill(get(book, "c1"), fill("c1", "0.5"), T0)
    book.move(get(book, "c2"), OrderTrigger.CANCEL, T0)
    again = OrderBook()
    again.restore(book.state())
    assert again.state() == book.state()
    assert again.fill(get(again, "c1"), fill("c1", "0.5"), T0) is None
