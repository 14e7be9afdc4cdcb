"""What closing is estimated to cost."""

from decimal import Decimal

import msgspec
import pytest

from engine.api import OrderRole, OrderState, Side
from tests import console_fakes as fakes
from tests.console_positions import position
from tui.costs import Cost, Estimate, close_all, worst_case


def shown(**sections):
    return fakes.snapshot(**sections)


def with_tick(**changes):
    first, *rest = fakes.ticks()
    return shown(ticks=(msgspec.structs.replace(first, **changes), *rest))


LONG = position("canary", "BTCUSDT", "2", "100", 100.0, "0")
SHORT = position("canary", "BTCUSDT", "-2", "100", 100.0, "0")


@pytest.mark.parametrize(("row", "worth", "spread"), [(LONG, 198.0, 2.0), (SHORT, 202.0, 2.0)])
def test_a_close_pays_the_far_side_of_the_spread_and_the_takers_fee(row, worth, spread):
    cost = Estimate(with_tick(price=100.0, bid=99.0, ask=101.0)).close(row)
    assert (cost.worth, cost.spread, cost.unpriced) == (200.0, spread, ())
    assert cost.fees == pytest.approx(worth * 0.0005)
    assert cost.total == pytest.approx(cost.spread + cost.fees)


def test_a_spread_that_nobody_knows_is_named_and_not_guessed():
    cost = Estimate(with_tick(price=100.0, bid=0.0, ask=0.0)).close(LONG)
    assert (cost.worth, cost.spread, cost.unpriced) == (200.0, 0.0, ("BTCUSDT",))
    assert cost.fees == pytest.approx(0.1)


def test_a_position_without_a_tick_counts_at_its_mark_and_without_rates_no_fee():
    snapshot = fakes.snapshot(ticks=(), fees=())
    assert Estimate(snapshot).close(LONG) == Cost(200.0, 0.0, 0.0, ("BTCUSDT",))


def test_costs_add_up():
    both = close_all(shown(), fakes.POSITIONS)
    each = [Estimate(shown()).close(row) for row in fakes.POSITIONS]
    assert both.total == pytest.approx(sum(cost.total for cost in each))
    assert close_all(shown(), ()) == Cost()


def entry(**changes):
    facts = {"price": Decimal(103), "qty": Decimal(3), "filled_qty": Decimal(1)} | changes
    return fakes.order(1, OrderState.ACKNOWLEDGED, "BTCUSDT", Side.BUY, OrderRole.ENTRY, **facts)


def test_the_worst_case_fills_every_open_entry_first_and_closes_it_too():
    snapshot = with_tick(price=100.0, bid=99.0, ask=101.0)
    worst = worst_case(snapshot, (), (entry(),))
    entered, closed = 2 * 103 * 0.0005, 2 * 99 * 0.0005
    assert worst.fees == pytest.approx(entered + closed)
    assert worst.spread == pytest.approx(2 * 3 + 2 * 1), "bought above the mark, sold below it"


def test_an_entry_below_the_market_is_counted_as_if_it_filled_at_the_mark():
    snapshot = with_tick(price=100.0, bid=99.0, ask=101.0)
    assert worst_case(snapshot, (), (entry(price=Decimal(90)),)).spread == pytest.approx(2.0)
    assert worst_case(snapshot, (), (entry(price=None),)).spread == pytest.approx(2.0)


@pytest.mark.parametrize("changes", [{"role": OrderRole.STOP}, {"state": OrderState.FILLED}])
def test_what_is_no_open_entry_does_not_count(changes):
    order = msgspec.structs.replace(entry(), **changes)
    assert worst_case(shown(), (), (order,)) == Cost()
