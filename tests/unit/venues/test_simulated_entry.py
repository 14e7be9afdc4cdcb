"""What the venue takes and refuses, cancels, reports and answers late."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.events import (
    CancelRejected,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    VenueOrder,
    VenuePosition,
    VenueReport,
)
from engine.domain.orders import OrderKind, OrderRequest, OrderState, TimeInForce
from engine.domain.reasons import Reason
from engine.venues.simulated import HISTORY_MAX, MatchOn, SimulatedConfig
from tests.unit.venues.market_builders import (
    BUY,
    SELL,
    SYMBOL,
    World,
    bar,
    instrument,
    limit,
    market,
    order,
    quote,
    stop,
    told,
    trade,
)

POST: dict[str, Any] = {"post_only": True}
REDUCE: dict[str, Any] = {"reduce_only": True}


@pytest.fixture
def world() -> World:
    """A venue that has seen the price at 100."""
    world = World()
    world.market(bar(100, 100, 100, 100))
    return world


REFUSED: list[tuple[str, OrderRequest, Reason, str]] = [
    ("unknown symbol", market("a", BUY, symbol="NONE"), Reason.UNKNOWN_SYMBOL, "NONE"),
    ("limit off the tick", limit("a", BUY, "99.95"), Reason.OFF_TICK, "price 99.95"),
    ("trigger off the tick", stop("a", BUY, "99.95"), Reason.OFF_TICK, "trigger 99.95"),
    ("price of zero", limit("a", BUY, "0"), Reason.OFF_TICK, "price 0"),
    ("quantity off the lot", market("a", BUY, "1.005"), Reason.OFF_LOT, "1.005"),
    ("quantity of zero", market("a", BUY, "0"), Reason.OFF_LOT, "quantity 0"),
    ("negative quantity", market("a", BUY, "-1"), Reason.OFF_LOT, "quantity -1"),
    ("quantity under the minimum", market("a", BUY, "0.01"), Reason.VENUE_MINIMUM, "minimum 0.02"),
    ("market notional under the minimum", market("a", BUY, "0.04"), Reason.VENUE_MINIMUM, "minimum 5 USDT"),
    ("limit notional under the minimum", limit("a", BUY, "1", "1"), Reason.VENUE_MINIMUM, "notional 1 "),
    ("stop notional under the minimum", stop("a", SELL, "2", "2"), Reason.VENUE_MINIMUM, "notional 4 "),
    ("post-only buy over the last", limit("a", BUY, "100.1", **POST), Reason.POST_ONLY_WOULD_TAKE, "100.1"),
    ("post-only sell under the last", limit("a", SELL, "99.9", **POST), Reason.POST_ONLY_WOULD_TAKE, "99.9"),
    ("post-only market", market("a", BUY, **POST), Reason.POST_ONLY_WOULD_TAKE, "never rests"),
    (
        "post-only immediate",
        limit("a", BUY, "90", tif=TimeInForce.IOC, **POST),
        Reason.POST_ONLY_WOULD_TAKE,
        "never rests",
    ),
    (
        "post-only fill-or-kill",
        limit("a", BUY, "90", tif=TimeInForce.FOK, **POST),
        Reason.POST_ONLY_WOULD_TAKE,
        "a limit fok order never rests",
    ),
    ("nothing to reduce", market("a", SELL, **REDUCE), Reason.REDUCE_ONLY_WOULD_INCREASE, "position of 0"),
]


@pytest.mark.parametrize(
    ("request_", "reason", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refusals(world: World, request_: OrderRequest, reason: Reason, text: str) -> None:
    (answer,) = world.submit(request_, now=5)
    assert isinstance(answer, OrderRejected)
    assert (answer.ts, answer.client_id, answer.reason) == (5, "a", reason)
    assert text in answer.text
    assert world.open_ids() == []


@pytest.mark.parametrize(
    "request_",
    [limit("a", BUY, "100", **POST), limit("a", SELL, "100", **POST), market("a", BUY, "0.05")],
    ids=["post-only buy at the last", "post-only sell at the last", "just the minimum"],
)
def test_accepted_at_the_edge(world: World, request_: OrderRequest) -> None:
    world.accept(request_)


@pytest.mark.parametrize(("side", "price"), [(BUY, "101"), (SELL, "99")])
def test_post_only_at_the_other_sides_quote_would_take(side: Any, price: str) -> None:
    world = World(MatchOn.QUOTES)
    world.market(quote(99, 101))
    (answer,) = world.submit(limit("a", side, price, **POST))
    assert isinstance(answer, OrderRejected)
    assert answer.reason is Reason.POST_ONLY_WOULD_TAKE
    world.accept(limit("b", side, "100", **POST))


@pytest.mark.parametrize("request_", [market("a", BUY), limit("a", BUY, "100"), stop("a", BUY, "100")])
def test_no_order_enters_before_the_first_price(request_: OrderRequest) -> None:
    (answer,) = World().submit(request_)
    assert isinstance(answer, OrderRejected)
    assert answer.reason is Reason.NO_MARKET_YET


def test_a_reduce_only_order_before_the_first_price_finds_nothing_to_reduce() -> None:
    answers = World().submit(market("a", BUY, **REDUCE), limit("b", BUY, "9", **REDUCE, **POST))
    assert [getattr(answer, "reason", None) for answer in answers] == [Reason.REDUCE_ONLY_WOULD_INCREASE] * 2


def test_minimums_do_not_hold_back_a_reduction() -> None:
    world = World(rules=[instrument(notional_min=Decimal(5000), qty_min=Decimal("0.5"))])
    world.market(bar(100, 100, 100, 100))
    world.accept(limit("open", BUY, "10000", "0.5"))
    world.market(bar(100, 100, 100, 100))
    world.accept(market("a", SELL, "0.01", **REDUCE))
    assert told(world.market(bar(101, 101, 101, 101))) == ["a 0.01@101"]


@pytest.mark.parametrize("client_id", ["open", "done", "gone"])
def test_a_client_id_is_taken_once(world: World, client_id: str) -> None:
    world.accept(market("done", BUY), limit("gone", BUY, "50"))
    world.seen(world.venue.cancel("gone", SYMBOL, 0))
    world.market(bar(100, 100, 100, 100))
    world.accept(limit("open", BUY, "50"))
    (answer,) = world.submit(market(client_id, BUY))
    assert isinstance(answer, OrderRejected)
    assert answer.reason is Reason.DUPLICATE_ID


def test_a_refused_id_was_never_used(world: World) -> None:
    world.submit(market("a", BUY, "0"))
    world.accept(market("a", BUY, "1"))


def test_ids_are_remembered_up_to_a_bound_and_as_long_as_their_order_is_open() -> None:
    world = World(ids_max=2)
    world.market(bar(100, 100, 100, 100))
    world.accept(limit("open", BUY, "50"), market("old", BUY), market("new", BUY), market("newer", BUY))
    world.market(bar(100, 100, 100, 100))
    answers = world.submit(market("old", BUY), market("open", BUY), market("newer", BUY))
    assert [type(answer) for answer in answers] == [OrderAcked, OrderRejected, OrderRejected]


@pytest.mark.parametrize(
    ("held", "side"), [("1", SELL), ("-1", BUY)], ids=["long", "short"]
)  # fmt: skip
def test_reduce_only_is_cut_to_the_position_when_it_trades(world: World, held: str, side: Any) -> None:
    world.hold(held)
    world.accept(market("a", side, "5", **REDUCE))
    assert told(world.market(bar(100, 100, 100, 100))) == ["a 1@100", "a REDUCE_ONLY_WOULD_INCREASE"]
    assert world.position() == 0
    assert world.open_ids() == []


def test_reduce_only_of_the_positions_own_side_is_refused(world: World) -> None:
    world.hold("1")
    (answer,) = world.submit(market("a", BUY, **REDUCE))
    assert isinstance(answer, OrderRejected)
    assert answer.reason is Reason.REDUCE_ONLY_WOULD_INCREASE


def test_reduce_only_is_cancelled_when_the_position_is_gone_before_it_trades(world: World) -> None:
    world.hold("1")
    world.accept(market("a", SELL, **REDUCE), market("b", SELL, **REDUCE), limit("c", SELL, "110", **REDUCE))
    events = world.market(bar(100, 100, 100, 100, volume=0.01))
    assert told(events) == ["a 0.01@100"]
    assert told(world.market(bar(100, 111, 100, 100))) == [
        "a 0.99@100", "b REDUCE_ONLY_WOULD_INCREASE", "c REDUCE_ONLY_WOULD_INCREASE",
    ]  # fmt: skip


def test_reduce_only_goes_on_while_something_is_left_to_reduce(world: World) -> None:
    world.hold("2")
    world.accept(market("a", SELL, "3", **REDUCE))
    assert told(world.market(bar(100, 100, 100, 100, volume=1))) == ["a 1@100"]
    assert told(world.market(bar(100, 100, 100, 100))) == ["a 1@100", "a REDUCE_ONLY_WOULD_INCREASE"]


def test_cancel_takes_an_order_out_once(world: World) -> None:
    world.accept(limit("a", BUY, "98"))
    assert world.seen(world.venue.cancel("a", SYMBOL, 9)) == [OrderCanceled(9, "a")]
    assert world.seen(world.venue.cancel("a", SYMBOL, 9)) == [CancelRejected(9, "a", Reason.ORDER_NOT_FOUND)]
    assert world.market(bar(100, 101, 90, 100)) == []


@pytest.mark.parametrize(("client_id", "symbol"), [("never", SYMBOL), ("a", "ETHUSDT"), ("a", "NONE")])
def test_cancel_of_what_is_not_there(client_id: str, symbol: str) -> None:
    world = World(rules=[instrument(), instrument("ETHUSDT")])
    world.market(bar(100, 100, 100, 100))
    world.accept(limit("a", BUY, "98"))
    (answer,) = world.venue.cancel(client_id, symbol, 0)
    assert answer == CancelRejected(0, client_id, Reason.ORDER_NOT_FOUND)


def test_a_report_lists_open_orders_by_arrival_and_positions_that_are_not_flat() -> None:
    world = World(rules=[instrument("ETHUSDT"), instrument()])
    world.market(bar(100, 100, 100, 100))
    world.market(bar(10, 10, 10, 10, symbol="ETHUSDT"))
    world.hold("-2")
    world.accept(limit("a", BUY, "98", "2"), limit("b", SELL, "20", symbol="ETHUSDT"), stop("c", SELL, "90"))
    world.market(bar(100, 100, 97, 99, volume=0.5))
    (report,) = world.venue.query(77, 8)
    assert isinstance(report, VenueReport)
    acked, partly = OrderState.ACKNOWLEDGED, OrderState.PARTIALLY_FILLED
    zero, half, one, two = Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2)
    assert report == VenueReport(
        8,
        77,
        (
            VenueOrder("a", "sim2", SYMBOL, BUY, two, half, partly),
            VenueOrder("b", "sim3", "ETHUSDT", SELL, one, zero, acked),
            VenueOrder("c", "sim4", SYMBOL, SELL, one, zero, acked),
        ),
        (VenuePosition(SYMBOL, Decimal("-1.5")),),
        fills=report.fills,
    )
    assert [(fill.client_id, fill.qty) for fill in report.fills[-1:]] == [("a", half)]


def test_an_order_is_told_of_while_it_is_open_and_after_it_ended() -> None:
    world = World()
    world.market(bar(100, 100, 100, 100))
    world.accept(limit("a", BUY, "98", "2"), limit("b", BUY, "90"), limit("c", BUY, "80"))
    world.market(bar(100, 100, 97, 99, volume=0.5))
    assert world.told("a") == (OrderState.PARTIALLY_FILLED, [Decimal("0.5")])
    assert world.told("b") == (OrderState.ACKNOWLEDGED, [])
    world.market(bar(99, 99, 97, 99))
    world.venue.cancel("b", SYMBOL, 9)
    assert world.told("a") == (OrderState.FILLED, [Decimal("0.5"), Decimal("1.5")])
    assert world.told("b") == (OrderState.CANCELED, [])
    assert world.told("nobody") == (None, [])
    world.restart()
    assert world.told("a") == (OrderState.FILLED, [Decimal("0.5"), Decimal("1.5")])
    world.market(bar(99, 99, 79, 99, volume=0.4))
    assert world.told("c") == (OrderState.PARTIALLY_FILLED, [Decimal("0.4")]), (
        "one order, in book and history"
    )


def test_only_the_newest_orders_are_told_of() -> None:
    world = World()
    world.market(bar(100, 100, 100, 100))
    world.accept(*[limit(f"o{number}", BUY, "90") for number in range(HISTORY_MAX + 1)])
    assert world.told("o0") == (None, [])
    assert world.told("o1") == (OrderState.ACKNOWLEDGED, [])


def test_latency_delays_entry_and_answers_in_the_order_sent() -> None:
    world = World(MatchOn.TRADES, latency_ns=10)
    world.market(trade(100))
    assert world.venue.next_at() is None
    assert world.submit(limit("a", BUY, "100"), now=100) == []
    assert world.venue.cancel("a", SYMBOL, 103) == ()
    assert world.venue.query(1, 104) == ()
    assert world.venue.next_at() == 110
    assert world.venue.on_time(109) == ()
    assert world.market(trade(99)) == [], "on its way it is in no book"
    assert world.venue.on_time(110) == [OrderAcked(110, "a", "sim1")]
    assert world.venue.next_at() == 113
    assert world.venue.on_time(200) == [OrderCanceled(113, "a"), VenueReport(114, 1, (), ())]
    assert world.venue.next_at() is None


def test_a_cancel_on_its_way_may_come_too_late() -> None:
    world = World(MatchOn.TRADES, latency_ns=10)
    world.market(trade(100))
    world.submit(limit("a", BUY, "100"), now=0)
    world.venue.on_time(10)
    world.venue.cancel("a", SYMBOL, 11)
    assert told(world.market(trade(99))) == ["a 1@100"]
    assert world.venue.on_time(21) == [CancelRejected(21, "a", Reason.ORDER_NOT_FOUND)]


def test_entry_rules_are_applied_on_arrival() -> None:
    world = World(latency_ns=10)
    world.submit(market("a", BUY), now=0)
    world.market(bar(100, 100, 100, 100))
    (answer,) = world.venue.on_time(10)
    assert isinstance(answer, OrderAcked)


@pytest.mark.parametrize(
    "wrong",
    [{"latency_ns": -1}, {"participation": Decimal(0)}, {"participation": Decimal(2)}, {"ids_max": 0}],
)
def test_a_config_that_makes_no_sense_is_a_defect(wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        SimulatedConfig(**wrong)


@pytest.mark.parametrize("kind", [OrderKind.LIMIT, OrderKind.STOP])
@pytest.mark.parametrize("reduce_only", [False, True])
def test_an_order_without_its_price_is_a_defect(world: World, kind: OrderKind, reduce_only: bool) -> None:
    world.hold("1")
    with pytest.raises(AssertionError):
        world.submit(order("a", SELL, kind, reduce_only=reduce_only))
