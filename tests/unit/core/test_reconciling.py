"""Reconciliation in the core: when it asks, what it takes, what it holds back, and what it never touches."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.core.reconciling import FAILURES_MAX, FOREIGN_MAX, PROBES_MAX
from engine.domain.commands import CancelOrder, QueryOrder, QueryVenue, SaveFill, SubmitOrder
from engine.domain.events import (
    Channel,
    FeedChanged,
    FeedState,
    OrderReport,
    OrderTimedOut,
    VenueOrder,
    VenuePosition,
    VenueReport,
)
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.modes import Holder, Rung
from engine.domain.orders import Order, OrderState
from engine.domain.positions import Fill
from engine.domain.signals import Side
from engine.execution.flatten import PLAY as FLATTEN_PLAY
from tests.builders import BTC, ETH, PLAY, STEP, fill, of, setup
from tests.fakes import Hand, listed

EVERY_S = 100.0


@pytest.fixture
def world() -> Hand:
    """An armed world that compares its books now and then; the first comparison is over."""
    world = Hand(setup(reconcile_ns=int(EVERY_S * NS_PER_S)))
    world.report()
    return world


def at_venue(order: Order, **changes: Any) -> VenueOrder:
    """Return an order of ours as the venue lists it when all is well."""
    request = order.request
    facts: dict[str, Any] = {"symbol": request.symbol, "side": request.side, "filled_qty": order.filled_qty}
    return listed(order.client_id, str(request.qty), **(facts | changes))


def answer(
    world: Hand, *fills: Fill, missing: tuple[str, ...] = (), complete: bool = True, **held: str
) -> None:
    """Let the venue answer the last question: all of our open orders but some, these trades, positions."""
    orders = tuple(at_venue(order) for order in world.orders() if order.client_id not in missing)
    positions = tuple(VenuePosition(symbol, Decimal(qty)) for symbol, qty in held.items())
    asked = world.silent.queries[-1]
    world.take(VenueReport(world.now, asked, orders, positions, complete, fills))


def client_id_of(world: Hand, play: str) -> str:
    """Return an id that the flatten of this engine could have used."""
    return IdSpace(world.machine.setup.birth_s, world.machine.setup.instance).client_id(
        play, OrderRole.FLATTEN, 1_000
    )


def alarms(world: Hand) -> list[str]:
    return [alarm.id for alarm in world.machine.board.alarms()]


def notices(world: Hand, kind: str) -> list[str]:
    return [notice.text for notice in world.machine.board.notices if notice.kind == kind]


def test_nothing_enters_before_books_and_venue_were_compared():
    world = Hand(setup(reconcile_ns=NS_PER_S))
    assert world.silent.queries == [-1]
    assert world.rung() is Rung.REDUCE
    assert [hold.holder for hold in world.machine.authority.holds.all] == [Holder.RECONCILING]
    world.report()
    assert world.rung() is Rung.FULL


def test_without_an_interval_nobody_asks():
    world = Hand()
    world.bar(111.0)
    order = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, order.client_id), FeedChanged(world.now, "x", FeedState.CONNECTED))
    world.wait(100)
    assert (len(world.silent.queries), len(world.silent.asked_about)) == (0, 0)


def test_it_asks_at_intervals_and_after_a_reconnect(world):
    assert of(QueryVenue, world.wait(EVERY_S)) == [QueryVenue(-2)]
    world.report()
    assert world.rung() is Rung.FULL
    assert of(QueryVenue, world.take(FeedChanged(world.now, "x", FeedState.CONNECTED))) == [QueryVenue(-3)]
    assert world.rung() is Rung.REDUCE
    world.report(request_id=-2)
    assert world.rung() is Rung.REDUCE, "an answer to an older question"
    world.report()
    assert world.rung() is Rung.FULL
    world.report()
    assert world.rung() is Rung.FULL, "an answer that comes twice"


def test_a_venue_that_does_not_answer_sensibly_is_no_flat_one(world):
    world.enter_long()
    for number in range(FAILURES_MAX):
        assert "reconcile" not in alarms(world)
        world.wait(EVERY_S)
        if number % 2:
            answer(world, complete=False)
    world.wait(EVERY_S)
    assert "reconcile" in alarms(world)
    assert world.rung() is Rung.REDUCE
    assert world.qty() == 1
    answer(world, BTCUSDT="1")
    assert "reconcile" not in alarms(world)
    assert world.rung() is Rung.FULL


def test_a_fill_that_did_not_reach_us_is_taken_from_the_report(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    world.wait(EVERY_S)
    fill = world_fill(world, entry)
    answer(world, fill, missing=(entry.client_id,), BTCUSDT="1")
    assert world.qty() == 1
    assert world.order(OrderRole.STOP).request.qty == 1, "what it protects with is sent at once"
    assert any("Fill" in text for text in notices(world, "reconcile"))
    assert of(SaveFill, world.take(fill)) == [], "the stream tells it once more"


def world_fill(world: Hand, order: Order, trade_id: str = "t77") -> Fill:
    return Fill(
        ts=world.now,
        client_id=order.client_id,
        trade_id=trade_id,
        symbol=order.request.symbol,
        side=order.request.side,
        price=Decimal(111),
        qty=order.request.qty,
        fee=Decimal(0),
    )


def test_an_order_without_an_answer_is_asked_about_within_a_budget_and_then_told(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    asked = of(QueryOrder, world.take(OrderTimedOut(world.now, entry.client_id)))
    assert asked == [QueryOrder(entry.client_id, BTC)]
    for _ in range(2 * PROBES_MAX):
        world.take(OrderReport(world.now, entry.client_id, None))
        world.wait(2.0)
        if world.machine.reconciler.state.answered is False:
            answer(world, missing=(entry.client_id,))
    assert world.silent.asked_about == [entry.client_id] * PROBES_MAX
    assert f"unsettled:{entry.client_id}" in alarms(world)
    assert world.order(OrderRole.ENTRY).state is OrderState.UNKNOWN, "no timer ends it"
    assert world.rung(BTC) is Rung.REDUCE
    world.take(OrderReport(world.now, entry.client_id, at_venue(entry)))
    assert world.order(OrderRole.ENTRY).state is OrderState.ACKNOWLEDGED
    assert f"unsettled:{entry.client_id}" not in alarms(world)
    assert world.rung(BTC) is Rung.FULL


def test_an_order_that_settles_meanwhile_is_not_asked_about_again(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, entry.client_id))
    world.cancel(entry)
    world.take(OrderReport(world.now, entry.client_id, None))
    assert world.machine.reconciler.state.probes == {}
    world.arm("again")
    world.bar(90.0)
    world.bar(111.0)
    other = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, other.client_id))
    world.cancel(other)
    assert of(QueryOrder, world.wait(2.0)) == []


def test_a_cancel_that_did_not_arrive_is_asked_for_again(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    world.ask("disarm")
    assert world.silent.canceled == [entry.client_id]
    world.wait(EVERY_S)
    answer(world)
    assert world.silent.canceled == [entry.client_id] * 2


def test_an_order_that_filled_before_its_cancel_arrived_needs_no_other_cancel(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    world.ask("disarm")
    world.wait(EVERY_S)
    answer(world, world_fill(world, entry), BTCUSDT="1")
    assert world.qty() == 1
    assert world.silent.canceled == [entry.client_id]


def test_orders_of_others_are_told_once_and_left_alone(world):
    foreign = listed("somebody")
    for _ in range(2):
        world.wait(EVERY_S)
        world.report(foreign)
    assert notices(world, "foreign") == ["order v-somebody at the venue is not ours; it is left alone"]
    assert of(CancelOrder, world.commands) == []
    for number in range(FOREIGN_MAX + 5):
        world.wait(EVERY_S)
        world.report(listed(f"other{number}"))
    assert len(world.machine.reconciler.state.foreign) == FOREIGN_MAX


def test_an_order_of_ours_that_our_books_do_not_know_is_an_alarm(world):
    world.bar(111.0)
    known = world.order(OrderRole.ENTRY).client_id
    stray = known[:-4] + "9999"
    world.wait(EVERY_S)
    world.report(at_venue(world.order(OrderRole.ENTRY)), listed(stray))
    assert f"stray:{stray}" in alarms(world)
    assert of(CancelOrder, world.commands) == []


def test_the_alarm_of_a_stray_ends_when_the_venue_lists_it_no_more(world):
    world.bar(111.0)
    known = world.order(OrderRole.ENTRY)
    strays = [known.client_id[:-4] + "9999", known.client_id[:-4] + "9998"]
    for left in (strays, strays[:1], []):
        world.wait(EVERY_S)
        world.report(at_venue(known), *map(listed, left))
        assert [alarm for alarm in alarms(world) if alarm.startswith("stray:")] == [
            f"stray:{i}" for i in left
        ]


def test_positions_are_compared_less_often_than_orders():
    world = Hand(setup(reconcile_ns=10 * NS_PER_S, reconcile_positions_ns=60 * NS_PER_S))
    world.report()
    since = world.now
    while f"position:{BTC}" not in alarms(world):
        world.wait(10)
        world.report(BTCUSDT="1")
    assert world.now - since == 60 * NS_PER_S
    world.wait(10)
    world.report()
    assert f"position:{BTC}" not in alarms(world), "a difference is looked at with every report"


def test_positions_are_compared_at_once_after_a_reconnect():
    world = Hand(setup(reconcile_ns=10 * NS_PER_S, reconcile_positions_ns=60 * NS_PER_S))
    world.report()
    world.wait(1)
    world.take(FeedChanged(world.now, "x", FeedState.CONNECTED))
    world.report(BTCUSDT="1")
    assert f"position:{BTC}" in alarms(world)


def test_a_position_that_may_still_move_is_compared_with_the_next_report():
    world = Hand(setup(reconcile_ns=100 * NS_PER_S, reconcile_positions_ns=300 * NS_PER_S))
    world.report()
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.take(FeedChanged(world.now, "x", FeedState.CONNECTED))
    world.fill(entry)
    answer(world)
    assert alarms(world) == [], "the report may be older than the fill"
    world.wait(100)
    answer(world)
    assert alarms(world) == [f"position:{BTC}"]


def test_a_position_that_was_closed_by_hand_is_written_off_after_two_reports(world):
    world.enter_long()
    world.wait(EVERY_S)
    answer(world)
    assert f"position:{BTC}" in alarms(world)
    assert world.qty() == 1, "one report may be older than a fill"
    world.wait(EVERY_S)
    answer(world)
    assert world.qty() == 0
    assert {order.request.role for order in world.orders() if order.cancel_requested} == {
        OrderRole.STOP,
        OrderRole.TARGET,
    }
    assert any("written off" in text for text in notices(world, "adjustment"))
    world.wait(EVERY_S)
    answer(world)
    assert f"position:{BTC}" not in alarms(world)


def test_what_is_left_of_a_position_keeps_its_protection_in_its_size(world):
    world.enter_long()
    for _ in range(2):
        world.wait(EVERY_S)
        answer(world, BTCUSDT="0.4")
    assert world.qty() == Decimal("0.4")
    assert [o.request.qty for o in world.orders(OrderRole.STOP) if not o.cancel_requested] == [Decimal("0.4")]


def test_a_fill_that_reaches_the_books_after_a_flatten_closed_it_nets_with_what_the_flatten_holds(world):
    world.enter_long()
    closed = fill(client_id_of(world, FLATTEN_PLAY), "0.4", trade_id="flatten", side=Side.SELL)
    world.machine.desk.correct_by(FLATTEN_PLAY, closed)
    assert world.qty() == 1
    world.wait(EVERY_S)
    answer(world, BTCUSDT="0.6")
    assert world.qty() == Decimal("0.6")
    assert world.machine.ledger.position(FLATTEN_PLAY, BTC).is_flat
    assert any("a flatten closed it before its fill" in text for text in notices(world, "adjustment"))
    assert alarms(world) == []
    assert [o.request.qty for o in world.orders(OrderRole.STOP) if not o.cancel_requested] == [Decimal("0.6")]


def test_a_position_that_a_flatten_closed_altogether_needs_no_orders_any_more(world):
    world.enter_long()
    closed = fill(client_id_of(world, FLATTEN_PLAY), "3", trade_id="flatten", side=Side.SELL)
    world.machine.desk.correct_by(FLATTEN_PLAY, closed)
    world.wait(EVERY_S)
    answer(world, BTCUSDT="-2")
    assert world.qty() == 0
    assert world.machine.ledger.position(FLATTEN_PLAY, BTC).qty == -2
    assert all(order.cancel_requested for order in world.orders())


def test_a_position_beyond_ours_is_told_and_left_alone(world):
    world.enter_long()
    for _ in range(3):
        world.wait(EVERY_S)
        answer(world, BTCUSDT="5")
    assert world.qty() == 1
    assert f"position:{BTC}" in alarms(world)


def test_a_position_on_the_other_side_is_not_ours(world):
    world.enter_long()
    for _ in range(2):
        world.wait(EVERY_S)
        answer(world, BTCUSDT="-2")
    assert world.qty() == 0


def test_a_difference_that_may_pass_is_no_gap(world):
    world.enter_long()
    world.wait(EVERY_S)
    stop = world.order(OrderRole.STOP)
    world.fill(stop)
    answer(world, BTCUSDT="1")
    assert f"position:{BTC}" not in alarms(world), "the report is older than the fill"
    world.bar(90.0)
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, entry.client_id))
    for _ in range(3):
        world.wait(EVERY_S)
        answer(world, missing=(entry.client_id,), BTCUSDT="1")
    assert world.qty() == 0
    assert f"position:{BTC}" not in alarms(world), "the order without an answer explains it"


def test_a_position_whose_stop_is_gone_gets_a_new_one(world):
    stop = world.enter_long()
    world.wait(EVERY_S)
    answer(world, missing=(stop.client_id,), BTCUSDT="1")
    gone = msgspec.structs.replace(at_venue(stop), state=OrderState.CANCELED)
    (again,) = of(SubmitOrder, world.take(OrderReport(world.now, stop.client_id, gone)))
    assert (again.request.role, again.request.trigger) == (OrderRole.STOP, stop.request.trigger)
    assert f"unprotected:{PLAY}:{BTC}" in alarms(world), "until the venue has it"
    world.ack(world.order(OrderRole.STOP))
    assert f"unprotected:{PLAY}:{BTC}" not in alarms(world)


def test_a_restart_goes_on_asking(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.take(OrderTimedOut(world.now, entry.client_id))
    world.restart()
    assert world.machine.reconciler.state.probes == {entry.client_id: 1}
    assert of(QueryOrder, world.wait(2.0)) == [QueryOrder(entry.client_id, BTC)]
    assert of(QueryVenue, world.wait(EVERY_S)) == [QueryVenue(-2)]


def test_symbols_that_nobody_trades_do_not_matter(world):
    world.wait(EVERY_S)
    world.report(DOGEUSDT="5", **{ETH: "0"})
    assert alarms(world) == []


# while the stream of our orders is gone


def stream(world: Hand, state: FeedState, text: str = "") -> None:
    """Let the adapter say how the stream of orders and fills is."""
    world.take(FeedChanged(world.now, "orders", state, text, Channel.PRIVATE))


def lost(world: Hand) -> None:
    stream(world, FeedState.DISCONNECTED, "reset")


def at_start(world: Hand) -> None:
    stream(world, FeedState.CONNECTING)


def stands(world: Hand) -> None:
    stream(world, FeedState.CONNECTED)


def market_back(world: Hand) -> None:
    world.take(FeedChanged(world.now, "bybit linear", FeedState.CONNECTED))


def market_lost(world: Hand) -> None:
    world.take(FeedChanged(world.now, "bybit linear", FeedState.DISCONNECTED))


def whole(world: Hand) -> None:
    answer(world)


def in_part(world: Hand) -> None:
    answer(world, complete=False)


def stale(world: Hand) -> None:
    world.report(request_id=world.silent.queries[-2])


@pytest.mark.parametrize(
    ("happens", "rung"),
    [
        ([lost], Rung.REDUCE),
        ([at_start], Rung.REDUCE),
        ([lost, whole], Rung.REDUCE),
        ([lost, lost, whole], Rung.REDUCE),
        ([lost, market_back, whole], Rung.REDUCE),
        ([lost, stands], Rung.REDUCE),
        ([lost, stands, stale], Rung.REDUCE),
        ([lost, stands, in_part], Rung.REDUCE),
        ([lost, stands, whole, lost], Rung.REDUCE),
        ([lost, stands, lost, whole], Rung.REDUCE),
        ([at_start, whole, stands], Rung.REDUCE),
        ([lost, stands, whole], Rung.FULL),
        ([at_start, stands, whole], Rung.FULL),
        ([lost, whole, stands, whole], Rung.FULL),
        ([market_lost], Rung.FULL),
    ],
)
def test_nothing_enters_until_the_stream_stands_and_a_whole_comparison_answered(world, happens, rung):
    for happening in happens:
        happening(world)
    assert world.rung() is rung
    world.restart()
    assert world.rung() is rung
    world.bar(111.0)
    assert bool(world.orders()) is (rung is Rung.FULL)


def test_a_lost_stream_is_named_cancels_entries_and_leaves_the_market_and_exits_alone(world):
    world.bar(111.0)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    lost(world)
    assert [h.detail for h in world.machine.authority.holds.all] == ["orders and fills are not heard: reset"]
    assert world.machine.desk.book.get(entry.client_id).cancel_requested
    before = len(world.machine.market.window(BTC, STEP))
    world.bar(112.0)
    assert len(world.machine.market.window(BTC, STEP)) == before + 1
    world.fill(entry)
    assert world.orders(OrderRole.STOP), "what reduces passes"


# reduce-only orders that the venue trimmed


def test_a_trimmed_stop_is_what_the_venue_shows_and_holds_nothing(world):
    stop = world.enter_long()
    rest = [at_venue(o) for o in world.orders() if o.client_id != stop.client_id]
    world.wait(EVERY_S)
    trimmed = msgspec.structs.replace(at_venue(stop), qty=Decimal("0.6"))
    world.report(trimmed, *rest, BTCUSDT="1")
    assert (world.rung(), alarms(world)) == (Rung.FULL, [])
    assert notices(world, "trimmed") == ["stop sell 1 BTCUSDT was trimmed by the venue to 0.6"]
    assert world.machine.desk.book.get(stop.client_id).qty == Decimal("0.6")
    assert any(o.remaining_qty == 1 for o in world.orders(OrderRole.STOP)), "the position is protected whole"
    world.restart()


def test_an_order_that_ended_trimmed_is_over_with_the_word_about_it(world):
    stop = world.enter_long()
    world.fill(stop, "0.6", "90")
    assert world.machine.desk.book.get(stop.client_id).state is OrderState.PARTIALLY_FILLED
    ended = msgspec.structs.replace(
        at_venue(stop), qty=Decimal("0.6"), filled_qty=Decimal("0.6"), state=OrderState.FILLED
    )
    world.take(OrderReport(world.now, stop.client_id, ended))
    assert world.machine.desk.book.get(stop.client_id).state is OrderState.FILLED
