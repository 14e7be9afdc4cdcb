"""What open positions stand to lose: only stops that the venue confirmed count."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.openrisk import OpenRisk, guarded, open_risk, stops_of
from engine.core.view import view
from engine.domain.ids import OrderRole
from engine.domain.money import ZERO
from engine.domain.orders import Order, OrderKind, OrderRequest, OrderState
from engine.domain.positions import Position
from engine.domain.signals import Side
from engine.execution.book import OrderBook
from engine.execution.ledger import Ledger
from tests.builders import BTC, ENTER_LONG, World

_WORKING = OrderState.ACKNOWLEDGED


def position(qty: str, entry: str) -> Position:
    return Position(play="p", symbol=BTC, qty=Decimal(qty), entry_notional=Decimal(qty) * Decimal(entry))


def stop(
    trigger: str | None, qty: str = "2", state: OrderState = _WORKING, *, leaving: bool = False
) -> Order:
    request = OrderRequest(
        client_id=f"s{trigger}{state}",
        cycle_id="",
        play="p",
        symbol=BTC,
        side=Side.SELL,
        role=OrderRole.STOP,
        kind=OrderKind.STOP if trigger else OrderKind.MARKET,
        qty=Decimal(qty),
        ts=5,
        trigger=Decimal(trigger) if trigger else None,
        reduce_only=True,
    )
    return Order(request=request, state=state, cancel_requested=leaving)


def test_a_stop_under_a_long_position():
    guard = guarded(position("2", "100"), [stop("95")], 110.0)
    assert (guard.bare, guard.to_stop, guard.at_stop) == (ZERO, Decimal(-30), Decimal(-10))
    assert guard.distance == pytest.approx(15 / 110)


def test_a_stop_over_a_short_position():
    guard = guarded(position("-2", "100"), [stop("105")], 90.0)
    assert (guard.bare, guard.to_stop, guard.at_stop) == (ZERO, Decimal(-30), Decimal(-10))


def test_without_a_confirmed_stop_all_is_bare():
    for orders in ([], [stop("95", state=OrderState.SUBMITTED)], [stop("95", state=OrderState.UNKNOWN)]):
        guard = guarded(position("2", "100"), orders, 110.0)
        assert (guard.bare, guard.to_stop, guard.at_stop, guard.distance) == (Decimal(2), ZERO, None, 0.0)


def test_a_stop_that_is_canceled_counts_only_while_another_takes_its_place():
    leaving = stop("95", leaving=True)
    assert guarded(position("2", "100"), [leaving], 110.0).bare == 2
    both = [leaving, stop("97", state=OrderState.PENDING)]
    assert guarded(position("2", "100"), both, 110.0).bare == 0
    confirmed = [leaving, stop("97")]
    assert guarded(position("2", "100"), confirmed, 110.0).at_stop == Decimal(-6)


def test_the_worst_of_several_stops_counts_first():
    guard = guarded(position("2", "100"), [stop("99"), stop("90", qty="1"), stop("98")], 100.0)
    assert guard.to_stop == Decimal(-12)
    assert guard.distance == pytest.approx(0.1)


def test_a_part_without_a_stop_is_bare():
    guard = guarded(position("3", "100"), [stop("95")], 110.0)
    assert (guard.bare, guard.at_stop) == (Decimal(1), Decimal(-10))


def test_a_stop_at_market_and_one_that_was_passed_lose_nothing_from_here():
    assert guarded(position("2", "100"), [stop(None)], 110.0).to_stop == 0
    assert guarded(position("2", "100"), [stop("112")], 110.0).to_stop == 0


def test_before_the_first_mark_there_is_no_distance():
    assert guarded(position("2", "100"), [stop("95")], 0.0).distance == 0.0


@given(
    st.lists(st.tuples(st.integers(50, 150), st.integers(1, 5)), max_size=5),
    st.integers(1, 9),
    st.sampled_from([1, -1]),
    st.integers(60, 140),
)
def test_bare_and_covered_add_up_and_stops_never_promise_a_gain(
    stops: list[tuple[int, int]], size: int, sign: int, mark: int
) -> None:
    orders = [stop(str(trigger), qty=str(qty)) for trigger, qty in stops]
    guard = guarded(position(str(size * sign), "100"), orders, float(mark))
    assert guard.bare == max(0, size - sum(qty for _, qty in stops))
    assert guard.to_stop <= 0
    assert (guard.at_stop is None) is (not stops)


def test_nothing_open_is_no_risk():
    assert open_risk(Ledger(Decimal(100)), OrderBook()) == OpenRisk()
    assert open_risk(Ledger(Decimal(0)), OrderBook()).worst_ratio == 0.0


def test_a_machine_at_work():
    world = World()
    world.bars(ENTER_LONG, 112.0, 115.0)
    shown = view(world.machine, world.now)
    risk, (row,) = shown.open_risk, shown.positions
    assert (risk.positions, risk.bare_positions, risk.bare_notional, risk.unknown) == (1, 0, ZERO, 0)
    assert risk.worst == row.to_stop < 0
    assert risk.worst_ratio == pytest.approx(float(row.to_stop) / float(shown.account.equity))
    book = world.machine.desk.book
    assert stops_of(book.open_orders()).keys() == {(row.play, row.symbol)}
    resting = world.order(OrderRole.STOP)
    book.open[resting.client_id] = msgspec.structs.replace(resting, state=OrderState.UNKNOWN)
    shown = view(world.machine, world.now)
    risk, (row,) = shown.open_risk, shown.positions
    assert (risk.bare_positions, risk.bare_notional, risk.worst) == (1, abs(row.qty) * 115, ZERO)
    assert (risk.unknown, risk.unknown_since) == (1, resting.request.ts)
    assert (row.bare, row.at_stop) == (row.qty, None)
