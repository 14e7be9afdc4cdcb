"""An order's end is told once, after its trades, and never where trades are missing."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.events import OrderAcked, OrderCanceled, OrderRejected
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.venues import ccxt_tracker
from engine.venues.ccxt_answers import OrderAnswer, checked
from engine.venues.ccxt_tracker import Tracker

ONE = Decimal(1)


def order(status: str, filled: str = "0", **info: Any) -> OrderAnswer:
    facts = {"id": "v1", "clientOrderId": "a", "symbol": "BTC/USDT:USDT", "side": "buy", "amount": "2"}
    return checked(OrderAnswer, facts | {"filled": filled, "status": status, "info": {"x": 1} | info})


def fill(trade_id: str, qty: str = "1", client_id: str = "a") -> Fill:
    return Fill(
        ts=1,
        client_id=client_id,
        trade_id=trade_id,
        symbol="BTCUSDT",
        side=Side.BUY,
        price=Decimal(100),
        qty=Decimal(qty),
        fee=Decimal(0),
    )


def kinds(events: list[Any]) -> list[type[Any]]:
    return [type(event) for event in events]


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(lambda: 7)


def test_an_order_is_acknowledged_once(tracker: Tracker):
    assert kinds(tracker.on_order("a", order("open"), ONE)) == [OrderAcked]
    assert tracker.on_order("a", order("open", "1"), ONE) == []


def test_what_the_answer_acknowledged_is_not_told_again(tracker: Tracker):
    tracker.acked("a")
    assert tracker.on_order("a", order("open"), ONE) == []


def test_a_trade_is_told_once(tracker: Tracker):
    assert kinds(tracker.on_fill(fill("t1"), ONE)) == [Fill]
    assert tracker.on_fill(fill("t1"), ONE) == []


def test_a_cancel_waits_for_the_trades_before_it(tracker: Tracker):
    assert kinds(tracker.on_order("a", order("canceled", "2"), ONE)) == [OrderAcked]
    assert tracker.lacks_trades("a")
    assert kinds(tracker.on_fill(fill("t1"), ONE)) == [Fill]
    assert tracker.lacks_trades("a")
    assert kinds(tracker.on_fill(fill("t2"), ONE)) == [Fill, OrderCanceled]
    assert not tracker.lacks_trades("a")
    assert not tracker.is_open("a")
    assert tracker.on_order("a", order("canceled", "2"), ONE) == []


def test_an_order_whose_trades_came_first_ends_at_once(tracker: Tracker):
    tracker.on_fill(fill("t1"), ONE)
    assert kinds(tracker.on_order("a", order("canceled", "1"), ONE)) == [OrderAcked, OrderCanceled]


def test_a_filled_order_needs_no_word_but_its_trades(tracker: Tracker):
    tracker.acked("a")
    tracker.on_fill(fill("t1", "2"), ONE)
    assert tracker.on_order("a", order("closed", "2"), ONE) == []
    assert not tracker.is_open("a")


def test_contracts_are_counted_in_base_units(tracker: Tracker):
    tracker.on_fill(fill("t1", "0.02"), Decimal("0.01"))
    assert kinds(tracker.on_order("a", order("canceled", "2"), Decimal("0.01"))) == [
        OrderAcked,
        OrderCanceled,
    ]


def test_a_rejection_ends_an_order_whether_it_was_acknowledged_or_not(tracker: Tracker):
    events = tracker.on_order("a", order("rejected", rejectReason="EC_PostOnlyWillTakeLiquidity"), ONE)
    assert kinds(events) == [OrderRejected, OrderCanceled]
    assert {getattr(event, "reason", None) for event in events} == {Reason.POST_ONLY_WOULD_TAKE}


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        ({"rejectReason": "EC_NoImmediateQtyToFill"}, Reason.IOC_REMAINDER),
        ({"cancelType": "CancelByReduceOnly"}, Reason.REDUCE_ONLY_WOULD_INCREASE),
        ({"cancelType": "CancelByUser"}, None),
        ({}, None),
    ],
)
def test_a_cancel_carries_the_venues_cause(tracker: Tracker, info: dict[str, str], reason: Reason | None):
    canceled = tracker.on_order("a", order("canceled", **info), ONE)[-1]
    assert isinstance(canceled, OrderCanceled)
    assert canceled.reason is reason


def test_an_expired_order_is_canceled(tracker: Tracker):
    assert kinds(tracker.on_order("a", order("expired"), ONE)) == [OrderAcked, OrderCanceled]


def test_memory_is_bounded(tracker: Tracker, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ccxt_tracker, "TRACKED_MAX", 2)
    monkeypatch.setattr(ccxt_tracker, "TRADES_MAX", 2)
    for number in range(5):
        tracker.on_fill(fill(f"t{number}", client_id=f"c{number}"), ONE)
    assert len(tracker._tracks) == 2
    assert len(tracker._trades) == 2


def test_an_order_that_filled_with_less_than_was_sent_has_ended_at_the_venue(tracker: Tracker):
    tracker.sent("a", Decimal(3))
    tracker.acked("a")
    assert tracker.on_order("a", order("closed", "2"), ONE) == []
    events = tracker.on_fill(fill("t1", "2"), ONE)
    assert kinds(events) == [Fill, OrderCanceled]
    ended = events[1]
    assert isinstance(ended, OrderCanceled)
    assert ended.reason is Reason.ENDED_AT_VENUE
    assert tracker.on_order("a", order("closed", "2"), ONE) == []
