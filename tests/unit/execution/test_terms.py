"""The terms of an entry: which order at which price, and the plan for its position."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.orders import OrderKind, TimeInForce
from engine.domain.play import Distance, DistanceKind, EntryOrder, PlaySpec
from engine.domain.reasons import Reason
from engine.domain.signals import EntryPlan, Part, Side, Signal, SignalKind
from engine.execution.protect import Plan
from engine.execution.terms import Terms, terms_of
from engine.risk.sizing import Refusal
from tests.builders import BTC, BUY, PLAY, SELL, T0, instrument, percent, spec

LIMIT, STOP = OrderKind.LIMIT, OrderKind.STOP


def terms(side: Side, order: EntryOrder | None = None, **planned: Any) -> Terms | Refusal:
    kind = planned.pop("kind", SignalKind.ENTRY)
    stop = planned.pop("distance", None)
    signal = Signal(T0, PLAY, BTC, side, kind, 100.0, stop, plan=EntryPlan(**planned) if planned else None)
    return terms_of(signal, play(order), instrument())


def play(order: EntryOrder | None) -> PlaySpec:
    return spec(entry=order)


def test_without_an_entry_order_it_is_one_at_market():
    found = terms(BUY, distance=10.0)
    assert isinstance(found, Terms)
    assert (found.order, found.price) == (EntryOrder(OrderKind.MARKET), Decimal(100))
    assert (found.limit, found.trigger, found.order.tif) == (None, None, TimeInForce.GTC)
    assert (found.plan, found.stop_distance) == (Plan(10.0, None), Decimal("10.0"))


@pytest.mark.parametrize(
    ("side", "kind", "price", "expected"),
    [
        (BUY, LIMIT, 99.57, "99.5"),
        (SELL, LIMIT, 100.43, "100.5"),
        (BUY, STOP, 100.43, "100.5"),
        (SELL, STOP, 99.57, "99.5"),
    ],
)
def test_a_price_is_rounded_away_from_the_market(side, kind, price, expected):
    found = terms(side, EntryOrder(kind, percent(1.0)), price=price)
    assert isinstance(found, Terms)
    own, other = (found.limit, found.trigger) if kind is LIMIT else (found.trigger, found.limit)
    assert (own, other, found.price) == (Decimal(expected), None, Decimal(expected))


@pytest.mark.parametrize(
    ("side", "kind", "expected"),
    [(BUY, LIMIT, "99.7"), (SELL, LIMIT, "100.3"), (BUY, STOP, "100.3"), (SELL, STOP, "99.7")],
)
def test_ticks_are_those_of_the_instrument(side, kind, expected):
    found = terms(side, EntryOrder(kind, Distance(DistanceKind.TICKS, 3.0)), price=100.0)
    assert isinstance(found, Terms)
    assert found.price == Decimal(expected)


@pytest.mark.parametrize(("side", "price"), [(BUY, 100.0), (BUY, 99.0), (SELL, 100.0), (SELL, 101.0)])
def test_a_stop_entry_that_the_market_has_passed_is_refused(side, price):
    found = terms(side, EntryOrder(STOP, percent(1.0)), price=price)
    assert isinstance(found, Refusal)
    assert (found.reason, found.values["price"]) == (Reason.TRIGGER_PASSED, "100")


def test_an_entry_without_a_price_is_refused():
    for kind in (LIMIT, STOP):
        found = terms(BUY, EntryOrder(kind, percent(1.0)), price=0.0)
        assert found == Refusal(Reason.PRICE_UNKNOWN, {"of": "entry", "price": "0"})
    far = EntryOrder(LIMIT, Distance(DistanceKind.TICKS, 1_000.0))
    assert isinstance(terms(BUY, far, price=100.0), Refusal)


@pytest.mark.parametrize(
    ("side", "stop", "level", "distance"),
    [(BUY, 95.27, "95.2", "4.8"), (SELL, 104.73, "104.8", "4.8")],
)
def test_a_stop_at_a_price_is_rounded_away_and_measured_from_the_entry(side, stop, level, distance):
    found = terms(side, stop=stop)
    assert isinstance(found, Terms)
    assert (found.plan.level, found.stop_distance) == (Decimal(level), Decimal(distance))


def test_a_stop_is_measured_from_where_the_entry_rests():
    found = terms(BUY, EntryOrder(LIMIT, percent(1.0)), price=99.0, stop=95.0)
    assert isinstance(found, Terms)
    assert found.stop_distance == 4


@pytest.mark.parametrize(("side", "stop"), [(BUY, 100.0), (BUY, 104.0), (SELL, 100.0), (SELL, 96.0)])
def test_a_stop_on_the_wrong_side_is_no_entry(side, stop):
    found = terms(side, stop=stop)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.STOP_WRONG_SIDE
    assert found.values["price"] == "100"


def test_a_missing_stop_is_no_entry_but_a_further_one_does_not_ask():
    assert terms(BUY, stop=0.0) == Refusal(Reason.PRICE_UNKNOWN, {"of": "stop", "price": "0"})
    assert isinstance(terms(BUY, stop=0.0, kind=SignalKind.SCALE_IN), Terms)


def test_a_ladder_is_planned_as_it_was_signaled():
    parts = (Part(1.0, Decimal(40)), Part(2.0, Decimal(60)))
    found = terms(BUY, ladder=parts)
    assert isinstance(found, Terms)
    assert found.plan.ladder == parts
