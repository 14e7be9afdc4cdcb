"""Stops and targets: where they rest, that they follow their position, and that none rests too long."""

from decimal import Decimal

import pytest

from engine.domain.commands import CancelOrder, Command, SubmitOrder
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.orders import OrderKind, OrderTrigger
from engine.domain.positions import Position
from engine.execution.desk import Desk
from engine.execution.ledger import Ledger
from engine.execution.protect import Plan, protect, resting_price, wanted_orders
from tests.builders import BTC, BUY, PLAY, SELL, T0, fill, instrument, of

RULES = instrument(tick=Decimal("0.5"))


def held(qty: str, entry: str = "100") -> Position:
    return Position(play=PLAY, symbol=BTC, qty=Decimal(qty), entry_notional=Decimal(qty) * Decimal(entry))


def wanted(position: Position, stop: float | None, target: float | None) -> list[tuple[str, str, str, str]]:
    orders = wanted_orders(position, Plan(stop, target), RULES)
    return [(o.role.value, o.side.value, str(o.qty), str(o.price)) for o in orders]


@pytest.mark.parametrize(
    ("position", "stop", "target", "expected"),
    [
        (held("2"), 5.0, 8.0, [("stop", "sell", "2", "95.0"), ("target", "sell", "2", "108.0")]),
        (held("-2"), 5.0, 8.0, [("stop", "buy", "2", "105.0"), ("target", "buy", "2", "92.0")]),
        # rounded away from the entry: a long's stop down, its target up; a short's the other way round
        (held("1"), 5.2, 8.2, [("stop", "sell", "1", "94.5"), ("target", "sell", "1", "108.5")]),
        (held("-1"), 5.2, 8.2, [("stop", "buy", "1", "105.5"), ("target", "buy", "1", "91.5")]),
        (held("1"), 5.0, None, [("stop", "sell", "1", "95.0")]),
        (held("1"), None, 5.0, [("target", "sell", "1", "105.0")]),
        (held("1"), None, None, []),
        # a price of nothing or less cannot rest
        (held("1"), 100.0, 5.0, [("target", "sell", "1", "105.0")]),
        (held("-1"), 5.0, 99.9, [("stop", "buy", "1", "105.0")]),
    ],
)
def test_where_protection_should_rest(position, stop, target, expected):
    assert wanted(position, stop, target) == expected


@pytest.mark.parametrize(
    ("qty", "last", "passed"),
    [("2", 95.0, True), ("2", 94.5, True), ("2", 95.5, False), ("-2", 105.0, True), ("-2", 104.5, False)],
)
def test_a_stop_is_passed_where_the_market_is_at_it_and_a_target_never(qty, last, passed):
    stop, target = wanted_orders(held(qty), Plan(5.0, 8.0), RULES)
    assert stop.is_passed(last) is passed
    assert not target.is_passed(last)


def test_the_entry_is_the_average_price():
    position = Position(play=PLAY, symbol=BTC, qty=Decimal(3), entry_notional=Decimal(310))
    assert wanted(position, 10.0, None) == [("stop", "sell", "3", "93.0")]  # 103.33 - 10, down to the tick


class Bench:
    """A desk with what it was made to say."""

    def __init__(self) -> None:
        self.said: list[Command] = []
        ledger = Ledger(Decimal(1000))
        self.desk = Desk(IdSpace(1, "test"), {BTC: RULES}, ledger, self.said)

    def protect(self, qty: str, entry: str = "100", stop: float = 5.0, target: float = 8.0) -> list[Command]:
        self.said.clear()
        protect(self.desk, held(qty, entry), Plan(stop, target), T0, "cycle")
        return list(self.said)


def test_protection_is_asked_for_once_and_reduces_only():
    bench = Bench()
    stop, target = (command.request for command in of(SubmitOrder, bench.protect("2")))
    assert (stop.kind, stop.trigger, stop.price) == (OrderKind.STOP, Decimal(95), None)
    assert (target.kind, target.trigger, target.price) == (OrderKind.LIMIT, None, Decimal(108))
    assert stop.reduce_only
    assert target.reduce_only
    assert bench.protect("2") == []


def test_protection_that_no_longer_fits_is_replaced_the_new_order_first():
    bench = Bench()
    bench.protect("2")
    old = [order.client_id for order in bench.desk.book.open_orders()]
    commands = bench.protect("3")
    assert [type(command) for command in commands] == [SubmitOrder, CancelOrder, SubmitOrder, CancelOrder]
    assert [command.client_id for command in of(CancelOrder, commands)] == old
    assert [command.request.qty for command in of(SubmitOrder, commands)] == [3, 3]
    assert bench.protect("3") == []


def test_what_moves_is_replaced_and_what_fits_stays():
    bench = Bench()
    bench.protect("2", stop=5.0, target=8.0)
    (submit,) = of(SubmitOrder, bench.protect("2", stop=6.0, target=8.0))
    assert (submit.request.role, submit.request.trigger) == (OrderRole.STOP, Decimal(94))


def test_a_target_that_filled_in_part_fits_the_rest_of_its_position():
    bench = Bench()
    bench.protect("2")
    (target,) = bench.desk.book.select(OrderRole.TARGET)
    bench.desk.book.fill(target, fill(target.client_id, "0.5", "108", side=SELL), T0)
    (submit,) = of(SubmitOrder, bench.protect("1.5"))
    assert (submit.request.role, submit.request.qty) == (OrderRole.STOP, Decimal("1.5"))


def test_an_order_on_the_wrong_side_protects_nothing():
    bench = Bench()
    bench.protect("1", entry="100", stop=5.0)  # a sell stop at 95
    stops = [c for c in of(SubmitOrder, bench.protect("-1", entry="90", stop=5.0)) if c.request.trigger]
    assert [(c.request.side, c.request.trigger) for c in stops] == [(BUY, Decimal(95))]


def test_the_resting_price_is_shown_until_its_cancel_is_asked_for():
    bench = Bench()
    position = held("2")
    assert resting_price(bench.desk, position, OrderRole.STOP) is None
    bench.protect("2")
    assert resting_price(bench.desk, position, OrderRole.STOP) == 95
    assert resting_price(bench.desk, position, OrderRole.TARGET) == 108
    (stop,) = bench.desk.book.select(OrderRole.STOP)
    bench.desk.cancel(stop, T0)
    assert resting_price(bench.desk, position, OrderRole.STOP) is None
    (target,) = bench.desk.book.select(OrderRole.TARGET)
    bench.desk.book.move(target, OrderTrigger.CANCEL, T0)
    assert resting_price(bench.desk, position, OrderRole.TARGET) is None
