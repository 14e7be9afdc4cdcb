"""Trades from flat to flat: partial fills, adding, what goes through zero, and books that add up."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.commands import SaveFill
from engine.domain.ids import OrderRole
from engine.domain.money import ZERO
from engine.domain.positions import Fill
from engine.domain.signals import Side
from engine.execution.ledger import Ledger
from engine.runtime.study.roundtrips import RoundTrips

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


class Desk:
    """A ledger whose fills are also made trades of."""

    def __init__(self):
        self.ledger, self.trips, self.ts = Ledger(D(10_000)), RoundTrips(), 0

    def fill(self, side, qty, price, fee="0", role=OrderRole.ENTRY, slippage=ZERO):
        self.ts += 60_000_000_000
        fill = Fill(
            ts=self.ts,
            client_id="o",
            trade_id=str(self.ts),
            symbol="X",
            side=side,
            price=D(price),
            qty=D(qty),
            fee=D(fee),
        )
        self.trips.add(SaveFill(fill, self.ledger.book("p", fill)), role, slippage)


def test_a_trade_in_parts_is_one_trade():
    desk = Desk()
    desk.fill(BUY, "1", "100", "0.1", slippage=D("0.5"))
    desk.fill(BUY, "3", "104", "0.3")
    desk.fill(SELL, "2", "110", "0.2", OrderRole.TARGET, slippage=D("-0.25"))
    assert desk.trips.closed == []
    desk.fill(SELL, "2", "90", "0.2", OrderRole.STOP)
    (trade,) = desk.trips.closed
    assert (trade.side, trade.qty, trade.entry_price, trade.exit_price) == (BUY, D(4), D(103), D(100))
    assert (trade.gross, trade.fees, trade.net) == (D(-12), D("0.8"), D("-12.8"))
    assert trade.ratio == float(D("-12.8") / D(412))
    assert (trade.fills, trade.ended_by, trade.slippage) == (4, "stop", D("0.25"))
    assert (trade.opened, trade.closed) == (60_000_000_000, 240_000_000_000)


def test_what_goes_through_zero_is_two_trades_that_share_the_fee():
    desk = Desk()
    desk.fill(SELL, "1", "100")
    desk.fill(BUY, "4", "90", "0.4", OrderRole.EXIT)
    (first,) = desk.trips.closed
    assert (first.side, first.gross, first.fees) == (SELL, D(10), D("0.1"))
    (left,) = desk.trips.open({"X": D(95)})
    assert (left.side, left.qty, left.gross, left.fees) == (BUY, D(3), D(15), D("0.3"))
    assert (left.closed, left.exit_price, left.ended_by) == (0, None, "")


def test_a_fill_of_no_known_order_still_counts():
    desk = Desk()
    desk.fill(BUY, "1", "100", role=None)
    desk.fill(SELL, "1", "101", role=None)
    assert desk.trips.closed[0].ended_by == ""
    assert desk.trips.open({}) == []


fills = st.lists(
    st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 5), st.integers(50, 150), st.integers(0, 9)),
    max_size=40,
)


@given(fills=fills)
def test_trades_add_up_to_the_books(fills):
    desk = Desk()
    for side, qty, price, fee in fills:
        desk.fill(side, qty, price, D(fee) / 8)
    left = desk.trips.open({"X": D(100)})
    desk.ledger.mark("X", 100.0, desk.ts)
    every = [*desk.trips.closed, *left]
    assert sum((t.fees for t in every), ZERO) == desk.ledger.fees
    assert sum((t.net for t in every), ZERO) == desk.ledger.exact_equity() - 10_000
    assert len(desk.trips.closed) == desk.ledger.trades
