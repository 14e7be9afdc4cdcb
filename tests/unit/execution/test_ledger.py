"""Positions, realised profit, fees, marks and days: the ledger's arithmetic."""

from decimal import Decimal

import pytest

from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.domain.positions import Position
from engine.execution.ledger import Ledger, apply_fill
from tests.builders import BTC, BUY, DAY0, ETH, PLAY, SELL, T0, fill

FLAT = Position(play=PLAY, symbol=BTC)


def position(*fills: tuple[str, str, str]) -> Position:
    """Return what (side, quantity, price) lead to."""
    after = FLAT
    for number, (side, qty, price) in enumerate(fills):
        trade = fill(qty=qty, price=price, side=BUY if side == "buy" else SELL, ts=T0 + number)
        after = apply_fill(after, trade)
    return after


@pytest.mark.parametrize(
    ("fills", "qty", "entry_notional", "realized"),
    [
        ([("buy", "2", "100")], "2", "200", "0"),
        ([("buy", "2", "100"), ("buy", "1", "130")], "3", "330", "0"),
        ([("buy", "2", "100"), ("sell", "1", "110")], "1", "100", "10"),
        ([("buy", "2", "100"), ("sell", "2", "90")], "0", "0", "-20"),
        ([("sell", "2", "100")], "-2", "-200", "0"),
        ([("sell", "2", "100"), ("buy", "1", "90")], "-1", "-100", "10"),
        ([("sell", "2", "100"), ("buy", "2", "110")], "0", "0", "-20"),
        ([("buy", "2", "100"), ("sell", "3", "110")], "-1", "-110", "20"),  # through zero
        ([("sell", "2", "100"), ("buy", "5", "90")], "3", "270", "20"),
        ([("buy", "3", "100"), ("sell", "1", "100"), ("sell", "2", "103")], "0", "0", "6"),
    ],
)
def test_a_position_is_what_its_fills_add_up_to(fills, qty, entry_notional, realized):
    after = position(*fills)
    assert after.qty == Decimal(qty)
    assert after.entry_notional == Decimal(entry_notional)
    assert after.realized == Decimal(realized)
    assert after.is_flat is (after.qty == 0)


def test_fees_add_up_whatever_the_direction():
    after = apply_fill(FLAT, fill(fee=Decimal("0.1")))
    assert apply_fill(after, fill(side=SELL, fee=Decimal("0.2"))).fees == Decimal("0.3")


def test_a_position_is_as_old_as_its_opening():
    assert position(("buy", "1", "1")).opened == T0
    assert position(("buy", "1", "1"), ("buy", "1", "1")).opened == T0
    assert position(("buy", "2", "1"), ("sell", "1", "1")).opened == T0
    assert position(("buy", "1", "1"), ("sell", "2", "1")).opened == T0 + 1
    assert position(("buy", "1", "1"), ("sell", "1", "1"), ("buy", "1", "1")).opened == T0 + 2


def traded(*steps: tuple[str, str, str, str]) -> Ledger:
    """Return a ledger after (symbol, side, quantity, price), with a fee of 1 each."""
    ledger = Ledger(Decimal(1000))
    for number, (symbol, side, qty, price) in enumerate(steps):
        trade = fill(
            qty=qty,
            price=price,
            symbol=symbol,
            side=BUY if side == "buy" else SELL,
            fee=Decimal(1),
            trade_id=str(number),
        )
        ledger.book(PLAY, trade)
    return ledger


def test_equity_is_start_plus_realised_minus_fees_plus_open():
    ledger = traded((BTC, "buy", "2", "100"), (BTC, "sell", "1", "110"), (ETH, "sell", "1", "50"))
    ledger.mark(BTC, 120.0, T0)
    ledger.mark(ETH, 40.0, T0)
    assert (ledger.realized, ledger.fees, ledger.fills) == (Decimal(10), Decimal(3), 3)
    assert ledger.unrealized() == 30.0
    assert ledger.equity() == 1037.0
    assert ledger.exact_equity() == Decimal(1037)


def test_the_open_profit_does_not_depend_on_the_order_of_positions():
    steps = [(f"S{n}", "buy", "0.1", f"{n}.{n}") for n in range(1, 8)]
    one, other = traded(*steps), traded(*reversed(steps))
    for symbol, *_ in steps:
        one.mark(symbol, 3.3, T0)
        other.mark(symbol, 3.3, T0)
    assert one.unrealized() == other.unrealized()


def test_net_quantity_adds_up_plays_and_leaves_other_symbols_out():
    ledger = Ledger(Decimal(1000))
    ledger.book("a", fill(qty="3"))
    ledger.book("b", fill(qty="1", side=SELL))
    ledger.book("a", fill(symbol=ETH))
    assert ledger.net_qty(BTC) == 2
    assert ledger.net_qty("XRPUSDT") == 0
    assert ledger.position("c", BTC) == Position(play="c", symbol=BTC)


def test_a_trade_counts_when_a_position_ends_or_turns():
    assert traded((BTC, "buy", "2", "1")).trades == 0
    assert traded((BTC, "buy", "2", "1"), (BTC, "sell", "1", "1")).trades == 0
    assert traded((BTC, "buy", "2", "1"), (BTC, "sell", "2", "1")).trades == 1
    assert traded((BTC, "buy", "2", "1"), (BTC, "sell", "3", "1"), (BTC, "buy", "1", "1")).trades == 2


def test_closed_positions_are_remembered_and_not_open():
    ledger = traded((BTC, "buy", "1", "1"), (BTC, "sell", "1", "1"))
    assert not ledger.has_open
    assert ledger.open_positions() == ()
    assert [p.qty for p in ledger.positions()] == [0]
    assert ledger.unrealized() == 0.0


def test_open_positions_come_in_the_same_order_after_a_restart():
    ledger = traded(
        (BTC, "buy", "1", "1"), (ETH, "buy", "1", "1"), (BTC, "sell", "1", "1"), (BTC, "buy", "1", "1")
    )
    again = Ledger(Decimal(1000))
    again.restore(ledger.state())
    assert [p.symbol for p in again.open_positions()] == [p.symbol for p in ledger.open_positions()]


def test_a_mark_is_the_last_price_seen():
    ledger = Ledger(Decimal(1000))
    assert ledger.mark_of(BTC) == 0.0
    ledger.mark(BTC, 99.5, T0)
    assert ledger.mark_of(BTC) == 99.5
    ledger.book(PLAY, fill(price="101"))
    assert ledger.mark_of(BTC) == 101.0


def test_the_days_profit_begins_anew_at_midnight():
    ledger = traded((BTC, "buy", "1", "100"))
    ledger.mark(BTC, 100.0, DAY0 + NS_PER_S)
    ledger.mark(BTC, 90.0, DAY0 + NS_PER_DAY - 1)
    assert ledger.day_pnl() == -10.0
    ledger.mark(BTC, 95.0, DAY0 + NS_PER_DAY)
    assert ledger.day_pnl() == 0.0
    ledger.mark(BTC, 97.0, DAY0 + NS_PER_DAY + 1)
    assert ledger.day_pnl() == 2.0


def test_drawdown_is_measured_from_the_peak():
    ledger = traded((BTC, "buy", "1", "100"))
    ledger.mark(BTC, 201.0, T0)  # equity 1100
    ledger.mark(BTC, 91.0, T0)  # equity 990
    assert ledger.drawdown() == pytest.approx(0.1)
    ledger.mark(BTC, 151.0, T0)
    assert ledger.drawdown() == pytest.approx(1 - 1050 / 1100)
    assert ledger.drawdown_max == pytest.approx(0.1)


def test_without_money_there_is_no_drawdown():
    ledger = Ledger(Decimal(0))
    ledger.book(PLAY, fill(fee=Decimal(1)))
    ledger.mark(BTC, 100.0, T0)
    assert (ledger.drawdown(), ledger.drawdown_max) == (0.0, 0.0)


def test_a_restored_ledger_goes_on_with_the_same_numbers():
    ledger = traded((BTC, "buy", "2", "100"), (ETH, "sell", "1", "50"), (BTC, "sell", "2", "101"))
    ledger.mark(ETH, 49.0, T0)
    again = Ledger(Decimal(1000))
    again.restore(ledger.state())
    assert again.state() == ledger.state()
    for one in (ledger, again):
        one.mark(ETH, 30.0, T0 + NS_PER_DAY)
        one.mark(ETH, 55.0, T0 + NS_PER_DAY + 1)
    assert again.state() == ledger.state()
    assert (again.equity(), again.day_pnl()) == (ledger.equity(), ledger.day_pnl())
