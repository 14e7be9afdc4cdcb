"""The exchange without sockets: matching, conditional orders, protection, account, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.money import ZERO
from engine.domain.signals import Side
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.orders import (
    Executed,
    Force,
    OrderChanged,
    PositionChanged,
    Rising,
    Status,
    WalletChanged,
)
from engine.venues.bybit_server.refusals import RefusedError
from tests.unit.venues.bybit_server.floor import START, SYMBOL, exchange, place, quote, ticket, trade

BUY, SELL = Side.BUY, Side.SELL
LATER = START + 1


def position(made: Exchange) -> Decimal:
    return made.account.holdings[SYMBOL].qty


def refused(code: int) -> Any:
    return pytest.raises(RefusedError, match=f"^{code}:")


# taking


def test_a_market_order_takes_level_by_level():
    made = exchange(size=1.0)
    order = place(made, BUY, "2.5")
    assert (order.status, order.filled) == (Status.FILLED, Decimal("2.5"))
    prices = [fill.price for fill in made.blotter.executions]
    assert prices == sorted(prices)
    assert (prices[0], len(prices) > 1) == (Decimal("100.5"), True)
    assert made.account.holdings[SYMBOL].entry == order.value / order.filled


def test_what_was_taken_is_missing_until_the_market_quotes_anew():
    made = exchange(size=1.0)
    place(made, BUY, "1")
    assert place(made, BUY, "0.1").value / Decimal("0.1") > Decimal("100.5")
    made.on_quote(quote(100.0, 100.5))
    assert place(made, BUY, "0.1").value / Decimal("0.1") == Decimal("100.5")


def test_a_crossing_limit_takes_up_to_its_price_and_rests_with_the_remainder():
    made = exchange(size=1.0)
    order = place(made, BUY, "3", "100.5")
    assert (order.status, order.filled, order.leaves) == (Status.PARTIALLY_FILLED, Decimal(1), Decimal(2))
    made.on_trade(trade(100.5, 0.5))
    assert order.filled == Decimal("1.5")
    assert [fill.is_maker for fill in made.blotter.executions] == [False, True]
    made.on_trade(trade(100.0, 5.0))
    assert (order.status, order.order_id in made.blotter.open) == (Status.FILLED, False)


@pytest.mark.parametrize(
    ("force", "qty", "filled", "reason"),
    [
        (Force.IOC, "3", "1", "EC_NoImmediateQtyToFill"),
        (Force.FOK, "3", "0", "EC_NoEnoughQtyToFill"),
        (Force.FOK, "1", "1", "EC_NoError"),
        (Force.IOC, "0.5", "0.5", "EC_NoError"),
    ],
)
def test_immediate_orders_take_or_end(force: Force, qty: str, filled: str, reason: str):
    made = exchange(size=1.0)
    order = place(made, BUY, qty, "100.5", force=force)
    assert (order.filled, order.reject_reason) == (Decimal(filled), reason)
    assert not order.status.is_open
    assert made.blotter.open == {}


def test_fill_or_kill_may_take_several_levels():
    made = exchange(size=1.0)
    order = place(made, BUY, "1.5", "110", force=Force.FOK)
    assert (order.status, len(made.blotter.executions) > 1) == (Status.FILLED, True)


def test_fill_or_kill_that_may_only_reduce_is_killed_where_the_position_is_smaller():
    made = exchange(size=5.0)
    place(made, SELL, "1")
    order = place(made, BUY, "2", "101", force=Force.FOK, reduce_only=True)
    assert (order.status, order.filled, order.reject_reason) == (
        Status.CANCELLED,
        ZERO,
        "EC_NoEnoughQtyToFill",
    )


def test_post_only_that_would_take_is_taken_and_canceled():
    made = exchange()
    order = place(made, BUY, "1", "100.5", force=Force.POST_ONLY)
    assert (order.status, order.reject_reason) == (Status.CANCELLED, "EC_PostOnlyWillTakeLiquidity")
    assert place(made, BUY, "1", "100", force=Force.POST_ONLY).status is Status.NEW


def test_a_resting_order_fills_by_parts_as_the_market_trades():
    made = exchange()
    order = place(made, SELL, "1", "101")
    assert order.status is Status.NEW
    made.on_trade(trade(101.0, 0.4, LATER))
    assert (order.status, order.filled) == (Status.PARTIALLY_FILLED, Decimal("0.4"))
    made.on_trade(trade(102.0, 0.7, LATER))
    assert (order.status, position(made)) == (Status.FILLED, Decimal(-1))
    assert {fill.price for fill in made.blotter.executions} == {Decimal(101)}


# amending and canceling


def test_amend_changes_price_and_quantity_and_crosses_where_it_does():
    made = exchange(size=5.0)
    order = place(made, BUY, "1", "99")
    made.amend(order, LATER, qty=Decimal(2), price=Decimal("99.5"), trigger=None)
    assert (order.qty, order.price, order.status) == (Decimal(2), Decimal("99.5"), Status.NEW)
    made.amend(order, LATER, qty=None, price=Decimal(101), trigger=None)
    assert (order.status, order.value) == (Status.FILLED, Decimal(201))


def test_amend_refuses_what_changes_nothing_or_does_not_fit():
    made = exchange()
    order = place(made, BUY, "1", "99")
    for change in (
        {"qty": Decimal(1)},
        {"price": Decimal("99.1")},
        {"qty": Decimal("0.0001")},
    ):
        with refused(10001):
            made.amend(order, LATER, **{"qty": None, "price": None, "trigger": None, **change})
    made.on_trade(trade(99.0, 0.5))
    with refused(10001):
        made.amend(order, LATER, qty=Decimal("0.5"), price=None, trigger=None)
    assert (order.qty, order.price) == (Decimal(1), Decimal(99))


def test_a_post_only_amended_to_cross_is_canceled():
    made = exchange()
    order = place(made, BUY, "1", "99", force=Force.POST_ONLY)
    made.amend(order, LATER, qty=None, price=Decimal("100.5"), trigger=None)
    assert (order.status, order.filled) == (Status.CANCELLED, ZERO)


def test_cancel_ends_an_order_once():
    made = exchange()
    order = place(made, BUY, "1", "99", link_id="mine")
    assert made.blotter.find_open(SYMBOL, "", "mine") is order
    made.cancel(order, LATER)
    assert (order.status, order.cancel_type) == (Status.CANCELLED, "CancelByUser")
    with refused(110001):
        made.blotter.find_open(SYMBOL, order.order_id, "")
    made.on_trade(trade(90.0, 10.0))
    assert position(made) == 0


def test_cancel_all_takes_what_is_asked_for():
    made = exchange()
    active = place(made, BUY, "1", "99")
    waiting = place(made, BUY, "1", trigger=Decimal(110), rising=Rising.UP)
    assert made.cancel_all([SYMBOL], LATER, waiting=False, active=True) == [active]
    assert made.cancel_all([SYMBOL], LATER, waiting=True, active=True) == [waiting]
    assert waiting.status is Status.DEACTIVATED


# conditional orders


@pytest.mark.parametrize(
    ("rising", "trigger", "short_of", "reached"),
    [(Rising.UP, "105", 104.5, 105.0), (Rising.DOWN, "95", 95.5, 95.0)],
)
def test_a_conditional_order_waits_for_the_last_price(
    rising: Rising, trigger: str, short_of: float, reached: float
):
    made = exchange(size=5.0)
    order = place(made, BUY, "1", trigger=Decimal(trigger), rising=rising)
    assert (order.status, order.stop_kind) == (Status.UNTRIGGERED, "Stop")
    made.on_trade(trade(short_of))
    assert order.status is Status.UNTRIGGERED
    made.on_trade(trade(reached))
    assert (order.status, position(made)) == (Status.FILLED, Decimal(1))


def test_a_triggered_limit_rests():
    made = exchange()
    order = place(made, BUY, "1", "98", trigger=Decimal(95), rising=Rising.DOWN)
    made.on_quote(quote(98.5, 99.0))
    made.on_trade(trade(95.0))
    assert order.status is Status.NEW
    made.on_trade(trade(98.0, 1.0))
    assert order.filled == 1


def test_a_trigger_can_be_amended():
    made = exchange()
    order = place(made, BUY, "1", trigger=Decimal(105), rising=Rising.UP)
    made.amend(order, LATER, qty=None, price=None, trigger=Decimal(110))
    made.on_trade(trade(106.0))
    assert order.status is Status.UNTRIGGERED
    with refused(110092):
        made.amend(order, LATER, qty=None, price=None, trigger=Decimal(105))


@pytest.mark.parametrize(
    ("rising", "trigger", "code"), [(Rising.UP, "99", 110092), (Rising.DOWN, "101", 110093)]
)
def test_a_trigger_behind_the_market_is_refused(rising: Rising, trigger: str, code: int):
    with refused(code):
        place(exchange(), BUY, "1", trigger=Decimal(trigger), rising=rising)


def test_a_reduce_only_stop_without_a_position_ends_when_it_triggers():
    made = exchange()
    order = place(made, SELL, "1", trigger=Decimal(95), rising=Rising.DOWN, reduce_only=True)
    made.on_trade(trade(94.0))
    assert (order.status, order.cancel_type) == (Status.CANCELLED, "CancelByReduceOnly")
    assert position(made) == 0


# the position and its protection


def test_reduce_only_closes_no_more_than_there_is():
    made = exchange(size=5.0)
    with refused(110017):
        place(made, SELL, "1", reduce_only=True)
    place(made, BUY, "1")
    order = place(made, SELL, "3", reduce_only=True)
    assert (order.qty, order.filled, order.status) == (Decimal(1), Decimal(1), Status.FILLED)
    assert position(made) == 0


def test_a_resting_reduce_only_order_is_trimmed_when_it_is_larger_than_the_position():
    made = exchange(size=5.0)
    place(made, BUY, "2")
    resting = place(made, SELL, "3", "110", reduce_only=True)
    assert (resting.qty, resting.status) == (Decimal(2), Status.NEW)
    place(made, SELL, "0.5")
    assert (resting.qty, resting.status) == (Decimal("1.5"), Status.NEW)
    place(made, BUY, "1")
    assert resting.qty == Decimal("1.5"), "it does not grow again"
    for _ in range(2):
        made.on_trade(trade(111.0))
    assert (resting.filled, resting.status) == (Decimal("1.5"), Status.FILLED)
    assert position(made) == 1


def test_a_reduce_only_stop_is_trimmed_when_it_triggers():
    made = exchange(size=5.0)
    place(made, BUY, "1")
    stop = place(made, SELL, "3", trigger=Decimal(95), rising=Rising.DOWN, reduce_only=True)
    assert stop.qty == 3
    made.on_trade(trade(94.0))
    assert (stop.qty, position(made)) == (Decimal(1), Decimal(0))


def test_resting_reduce_only_orders_go_with_the_position():
    made = exchange(size=5.0)
    place(made, BUY, "1")
    resting = place(made, SELL, "1", "110", reduce_only=True)
    place(made, SELL, "1")
    assert (resting.status, resting.cancel_type) == (Status.CANCELLED, "CancelByReduceOnly")


def test_a_position_turns_through_zero():
    made = exchange(size=5.0)
    place(made, BUY, "1")
    place(made, SELL, "3")
    assert position(made) == -2
    assert made.blotter.executions[-1].closed == 1
    assert made.account.holdings[SYMBOL].entry == Decimal(100)


def test_take_profit_and_stop_loss_protect_all_of_the_position():
    made = exchange(size=5.0)
    with refused(10001):
        made.protect(SYMBOL, LATER, take_profit=Decimal(110), stop_loss=None)
    place(made, BUY, "1")
    made.protect(SYMBOL, LATER, take_profit=Decimal(110), stop_loss=Decimal(95))
    place(made, BUY, "1")
    waiting = {order.stop_kind: order for order in made.listings[SYMBOL].waiting.values()}
    assert {kind: order.qty for kind, order in waiting.items()} == {"TakeProfit": 2, "StopLoss": 2}
    made.on_quote(quote(94.5, 95.0, 5.0))
    made.on_trade(trade(95.0, ts=LATER))
    assert (position(made), waiting["StopLoss"].status) == (ZERO, Status.FILLED)
    assert (waiting["TakeProfit"].status, waiting["TakeProfit"].cancel_type) == (
        Status.DEACTIVATED,
        "CancelByTpSlTsClear",
    )
    holding = made.account.holdings[SYMBOL]
    assert [holding.take_profit, holding.stop_loss] == [0, 0]


def test_a_position_that_turns_loses_its_protection():
    made = exchange(size=5.0)
    place(made, BUY, "1")
    made.protect(SYMBOL, LATER, take_profit=Decimal(110), stop_loss=Decimal(95))
    place(made, SELL, "3")
    holding = made.account.holdings[SYMBOL]
    assert [holding.qty, holding.take_profit, holding.stop_loss] == [-2, 0, 0]
    assert made.listings[SYMBOL].waiting == {}


def test_protection_can_be_moved_and_removed():
    made = exchange(size=5.0)
    place(made, SELL, "1")
    made.protect(SYMBOL, LATER, take_profit=None, stop_loss=Decimal(110))
    made.protect(SYMBOL, LATER, take_profit=None, stop_loss=Decimal(108))
    (order,) = made.listings[SYMBOL].waiting.values()
    assert (order.trigger, order.ticket.side) == (Decimal(108), BUY)
    with refused(110092):
        made.protect(SYMBOL, LATER, take_profit=None, stop_loss=Decimal(99))
    with refused(10001):
        made.protect(SYMBOL, LATER, take_profit=None, stop_loss=Decimal("108.1"))
    made.protect(SYMBOL, LATER, take_profit=None, stop_loss=Decimal(0))
    assert made.listings[SYMBOL].waiting == {}


def test_a_positions_own_orders_are_not_amended_and_tell_of_it_when_canceled():
    made = exchange(size=5.0)
    place(made, BUY, "1")
    made.protect(SYMBOL, LATER, take_profit=None, stop_loss=Decimal(90))
    (order,) = made.listings[SYMBOL].waiting.values()
    with refused(10001):
        made.amend(order, LATER, qty=None, price=None, trigger=Decimal(91))
    made.blotter.drain()
    made.cancel(order, LATER)
    assert PositionChanged(SYMBOL) in made.blotter.drain()
    assert made.account.holdings[SYMBOL].stop_loss == 0


def test_an_order_brings_its_protection_along():
    made = exchange(size=5.0)
    place(made, BUY, "1", take_profit=Decimal(120), stop_loss=Decimal(90))
    holding = made.account.holdings[SYMBOL]
    assert [holding.take_profit, holding.stop_loss] == [120, 90]
    assert len(made.listings[SYMBOL].waiting) == 2
    (first, *_) = made.listings[SYMBOL].waiting.values()
    made.cancel(first, LATER)
    assert holding.take_profit == 0


# the account


def test_fees_profit_and_margin_add_up():
    made = exchange(size=10.0)
    place(made, BUY, "2", "100.5")
    paid = Decimal(201) * Decimal("0.0005")
    assert made.account.wallet == 10_000 - paid
    made.on_trade(trade(110.0))
    assert made.account.equity(made.marks()) == 10_000 - paid + 19
    assert made.account.positions_margin(made.marks()) == 22
    before = made.available()
    place(made, BUY, "1", "90")
    assert made.available() == before - 9
    made.set_leverage(SYMBOL, Decimal(20))
    assert made.account.positions_margin(made.marks()) == 11
    with refused(110043):
        made.set_leverage(SYMBOL, Decimal(20))
    with refused(110013):
        made.set_leverage(SYMBOL, Decimal(101))
    with refused(10001):
        made.set_leverage(SYMBOL, Decimal("0.5"))


def test_an_order_that_cannot_be_paid_is_refused_but_for_what_reduces():
    made = exchange(size=1_500.0)
    with refused(110007):
        place(made, BUY, "1000", "100.5")
    place(made, BUY, "900", "100.5")
    assert place(made, SELL, "900").status is Status.FILLED


# refusals


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (ticket(BUY, "1.0005", "99"), 10001),
        (ticket(BUY, "1", "99.3"), 10001),
        (ticket(BUY, "0.001", "99"), 110094),
    ],
)
def test_steps_and_minimums_are_kept(order: Any, code: int):
    made = exchange()
    with refused(code):
        made.create(order, START)
    assert made.blotter.orders == {}


def test_an_id_is_used_once_for_ever():
    made = exchange()
    made.cancel(place(made, BUY, "1", "99", link_id="mine"), LATER)
    with refused(110072):
        place(made, BUY, "1", "99", link_id="mine")


def test_there_is_room_for_so_many_orders():
    made = exchange()
    for _ in range(10):
        place(made, BUY, "0.1", trigger=Decimal(110), rising=Rising.UP)
    with refused(110009):
        place(made, BUY, "0.1", trigger=Decimal(110), rising=Rising.UP)
    for _ in range(500):
        place(made, BUY, "0.1", "90")
    with refused(110020):
        place(made, BUY, "0.1", "90")


def test_unknown_symbols_are_refused():
    with refused(10001):
        exchange().listing("NOPE")


# what is told


def test_what_changed_is_told_once_and_in_order():
    made = exchange(size=5.0)
    place(made, BUY, "1")
    kinds = [type(change) for change in made.blotter.drain()]
    assert kinds == [Executed, OrderChanged, PositionChanged, WalletChanged]
    assert made.blotter.drain() == []


def test_the_same_calls_give_the_same_ids():
    ids = [place(exchange(), BUY, "1").order_id for _ in range(2)]
    assert ids[0] == ids[1]
