"""What only the journal or the venue knows after a crash comes into the books; nothing is booked twice."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.domain.commands import QueryOrder, SaveFill, SubmitOrder
from engine.domain.events import Recalled, VenueOrder, VenuePosition, VenueReport
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.modes import Holder
from engine.domain.orders import Order, OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.domain.signals import EntryPlan, Part, Signal, SignalKind
from engine.execution.desk import ADJUSTMENT
from tests.builders import BTC, BUY, PLAY, SELL, fill, notices, of, request, rich, setup, submitted
from tests.fakes import Hand, listed


@pytest.fixture
def world() -> Hand:
    """A world that has just come back, and knows nothing."""
    return Hand(setup(reconcile_ns=100 * NS_PER_S))


def client_id(sequence: int, role: OrderRole = OrderRole.ENTRY, play: str = PLAY) -> str:
    return IdSpace(1_700_000_000, "test").client_id(play, role, sequence)


def stored(sequence: int = 5, state: OrderState = OrderState.PENDING, **changes: Any) -> Order:
    """Return an order as the journal holds it."""
    facts = {name: changes.pop(name) for name in ("role", "side", "reduce_only") if name in changes}
    asked = request(client_id(sequence, facts.get("role", OrderRole.ENTRY)), **facts)
    return Order(request=asked, state=state, **({"updated": asked.ts} | changes))


def recall(world: Hand, *orders: Order, fills: tuple[Fill, ...] = (), sequence: int = 5) -> None:
    world.take(Recalled(world.now, orders, fills, sequence))


def answer(world: Hand, *orders: VenueOrder, fills: tuple[Fill, ...] = (), held: str = "0") -> VenueReport:
    positions = (VenuePosition(BTC, Decimal(held)),) if held != "0" else ()
    report = VenueReport(world.now, world.silent.queries[-1], orders, positions, fills=fills)
    world.take(report)
    return report


def test_an_intent_that_nobody_answered_is_unknown_holds_its_symbol_and_is_asked_about(world):
    order = stored()
    recall(world, order)
    assert world.order(OrderRole.ENTRY).state is OrderState.UNKNOWN
    assert Holder.UNKNOWN_ORDER in {hold.holder for hold in world.machine.authority.holds.all}
    assert [query.client_id for query in of(QueryOrder, world.commands)] == [order.client_id]
    assert "1 orders of the last moments" in notices(world.commands, "recovery")[0]


def test_an_order_that_the_venue_had_taken_is_open_and_one_that_ended_is_not(world):
    recall(
        world,
        stored(3, OrderState.ACKNOWLEDGED, venue_id="v3"),
        stored(4, OrderState.CANCELED, reason="RESOLVED_BY_OPERATOR"),
        stored(5, OrderState.REJECTED, reason=Reason.OFF_TICK.value),
        stored(6, OrderState.REJECTED, reason="what an older version said"),
    )
    (order,) = world.orders()
    assert (order.state, order.venue_id) == (OrderState.ACKNOWLEDGED, "v3")
    ended = {o.client_id: (o.state, o.reason) for o in world.machine.desk.book.ended_orders()}
    assert ended == {
        client_id(4): (OrderState.CANCELED, "RESOLVED_BY_OPERATOR"),
        client_id(5): (OrderState.REJECTED, "OFF_TICK"),
        client_id(6): (OrderState.REJECTED, "ENDED_AT_VENUE"),
    }


def test_fills_of_the_journal_are_booked_once(world):
    order = stored(5, OrderState.FILLED, venue_id="v5")
    traded = fill(order.client_id, "1", "101")
    recall(world, order, fills=(traded, fill("somebody else's")))
    assert world.qty() == 1
    assert world.orders(OrderRole.ENTRY) == []
    recall(world, order, fills=(traded,))
    world.take(traded)
    assert world.qty() == 1


def test_corrections_of_the_books_are_taken_as_they_were_stored_and_not_made_again(world):
    """A write-off and what took it back: the late fill explains nothing any more."""
    entry = stored(5, OrderState.FILLED)
    recall(world, entry, fills=(fill(entry.client_id),))
    gone = fill(client_id(6, OrderRole.FLATTEN), trade_id=ADJUSTMENT, side=SELL)
    late = stored(7, OrderState.FILLED, role=OrderRole.EXIT, side=SELL)
    back = fill(client_id(8, OrderRole.FLATTEN), trade_id=ADJUSTMENT)
    foreign = fill("somebody else's", trade_id=ADJUSTMENT)
    traded = fill(late.client_id, trade_id="t2", side=SELL)
    recall(world, late, fills=(gone, traded, back, foreign), sequence=9)
    assert world.qty() == 0
    saved = [save.fill for save in of(SaveFill, world.commands)]
    assert [f.client_id for f in saved if f.trade_id == ADJUSTMENT] == [gone.client_id, back.client_id]
    recall(world, fills=(gone, back), sequence=9)
    assert world.qty() == 0


def test_an_order_in_the_books_takes_the_end_that_the_journal_knows(world):
    recall(world, stored(5, OrderState.ACKNOWLEDGED))
    recall(world, stored(5, OrderState.EXPIRED))
    assert world.orders() == []


def test_ids_go_on_after_those_of_the_journal(world):
    recall(world, sequence=77)
    recall(world, sequence=7)
    answer(world)
    world.bar(111.0)
    assert world.order(OrderRole.ENTRY).client_id == client_id(78)


def test_orders_of_others_are_left_alone(world):
    recall(world, Order(request=request("theirs")))
    assert world.orders() == []


def test_a_reduction_that_only_the_venue_knows_is_taken_into_the_books(world):
    entry = stored(5, OrderState.FILLED)
    recall(world, entry, fills=(fill(entry.client_id, "1", "100"),))
    stop, close = client_id(8, OrderRole.STOP), client_id(9, OrderRole.EXIT)
    trades = tuple(
        fill(close, part, "90", trade_id=f"t{part}", side=SELL, ts=world.now) for part in ("0.25", "0.5")
    )
    answer(world, listed(stop, "1", side=SELL), fills=trades, held="0.25")
    assert world.qty() == Decimal("0.25")
    assert world.order(OrderRole.STOP).client_id == stop
    closed = world.machine.desk.book.get(close)
    assert closed is not None
    assert (closed.state, closed.request.qty) == (OrderState.FILLED, Decimal("0.75"))
    assert len(notices(world.commands, "reconcile")) >= 2
    assert world.alarms().keys() & {f"stray:{stop}", f"position:{BTC}"} == set()


@pytest.mark.parametrize(
    "unknown",
    [client_id(8), client_id(8, OrderRole.STOP, "no play of ours"), "tt" + "x" * 23, "somebody-else"],
)
def test_entries_and_what_is_not_ours_are_not_taken_into_the_books(world, unknown):
    answer(world, listed(unknown, "1"))
    assert world.orders() == []


def test_a_trade_that_was_booked_long_ago_brings_no_order_back(world):
    entry, close = stored(5, OrderState.FILLED), stored(6, OrderState.FILLED, role=OrderRole.EXIT, side=SELL)
    trades = (fill(entry.client_id), fill(close.client_id, trade_id="t2", side=SELL))
    recall(world, entry, close, fills=trades)
    book = world.machine.desk.book
    book.restore(msgspec.structs.replace(book.state(), ended=()))
    answer(world, fills=trades)
    assert world.orders() == []
    assert world.qty() == 0


def test_what_is_recalled_survives_a_checkpoint(world):
    recall(world, stored(3, OrderState.ACKNOWLEDGED), stored(4))
    before = world.machine.state()
    world.restart()
    assert world.machine.state() == before


def test_what_an_entry_opens_is_protected_as_it_was_planned():
    world = Hand(setup(rich(), reconcile_ns=100 * NS_PER_S))
    answer(world)
    plan = EntryPlan(price=110.0, stop=104.0, ladder=(Part(5.0, Decimal(100)),))
    wish = Signal(world.now, PLAY, BTC, BUY, SignalKind.ENTRY, 111.0, plan=plan)
    further = msgspec.structs.replace(wish, kind=SignalKind.SCALE_IN, plan=None)
    impossible = msgspec.structs.replace(wish, plan=msgspec.structs.replace(plan, stop=120.0))
    entry = stored(5, OrderState.FILLED)
    told = (impossible, wish, further, msgspec.structs.replace(wish, play="another"))
    world.take(Recalled(world.now, (entry,), (fill(entry.client_id, "1", "110"),), 5, told))
    assert sorted(submitted(world.commands)) == [("stop", "sell", "1"), ("target", "sell", "1")]
    assert world.order(OrderRole.STOP).request.trigger == 104
    assert world.alarms() == {}


def test_a_position_whose_plan_is_lost_is_an_alarm(world):
    entry = stored(5, OrderState.FILLED)
    recall(world, entry, fills=(fill(entry.client_id),))
    assert world.orders(OrderRole.STOP) == []
    assert "planned for it is lost" in world.alarms()[f"unprotected:{PLAY}:{BTC}"]


def test_a_position_without_protection_gets_it_when_its_plan_is_known():
    world = Hand(setup(reconcile_ns=100 * NS_PER_S))
    answer(world)
    stop = world.enter_long()
    recall(world, msgspec.structs.replace(stop, state=OrderState.CANCELED))
    assert submitted(of(SubmitOrder, world.commands))[-1] == ("stop", "sell", "1")
