"""Closed trades from flat to flat, their totals by play, and the newest fills."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import NS_PER_DAY
from engine.domain.money import ZERO
from engine.domain.positions import Fill
from engine.domain.signals import Side
from engine.execution.blotter import FILLS_MAX, TRADES_MAX, BlotterState, TradeTotals
from engine.execution.ledger import Ledger, LedgerState

BTC, PLAY = "BTCUSDT", "p"
T0 = 20_000 * NS_PER_DAY


def traded(*steps: tuple[str, str], fee: str = "0", ledger: Ledger | None = None, ts: int = T0) -> Ledger:
    """Book (signed quantity, price) one after the other, a nanosecond apart."""
    books = ledger or Ledger(Decimal(1000))
    for number, (qty, price) in enumerate(steps):
        amount = Decimal(qty)
        books.book(
            PLAY,
            Fill(
                ts=ts + number,
                client_id="c",
                trade_id=str(number),
                symbol=BTC,
                side=Side.BUY if amount > 0 else Side.SELL,
                price=Decimal(price),
                qty=abs(amount),
                fee=Decimal(fee),
            ),
        )
    return books


def test_a_trade_runs_from_flat_to_flat_with_mean_prices():
    books = traded(("1", "100"), ("1", "110"), ("-1", "120"), ("-1", "130"), fee="1")
    (trade,) = books.blotter.trades()
    assert (trade.side, trade.qty, trade.entry_price, trade.exit_price) == (
        Side.BUY,
        Decimal(2),
        Decimal(105),
        Decimal(125),
    )
    assert (trade.pnl, trade.fees, trade.opened, trade.closed) == (Decimal(36), Decimal(4), T0, T0 + 3)


def test_a_short_trade_gains_when_the_price_falls():
    (trade,) = traded(("-2", "100"), ("2", "90")).blotter.trades()
    assert (trade.side, trade.entry_price, trade.exit_price, trade.pnl) == (
        Side.SELL,
        Decimal(100),
        Decimal(90),
        Decimal(20),
    )


def test_what_turns_over_ends_one_trade_and_begins_another():
    books = traded(("1", "100"), ("-3", "110"), ("2", "105"))
    first, second = books.blotter.trades()
    assert (first.pnl, second.pnl) == (Decimal(10), Decimal(10))
    assert (second.side, second.qty, second.entry_price) == (Side.SELL, Decimal(2), Decimal(110))


def test_totals_count_wins_gains_losses_and_fees_by_play():
    books = traded(("1", "100"), ("-1", "110"), ("1", "100"), ("-1", "95"), ("1", "7"), ("-1", "7"))
    (totals,) = books.blotter.session()
    assert totals == TradeTotals(PLAY, 3, 1, Decimal(10), Decimal(5), ZERO)
    assert (totals.pnl, totals.profit_factor) == (Decimal(5), 2.0)
    assert books.blotter.today(T0 + 10) == (totals,)
    assert TradeTotals("q", gain=Decimal(1)).profit_factor is None


def test_today_ends_at_midnight_and_the_run_does_not():
    books = traded(("1", "100"), ("-1", "110"))
    assert books.blotter.today(T0 + NS_PER_DAY) == ()
    traded(("1", "100"), ("-1", "101"), ledger=books, ts=T0 + NS_PER_DAY)
    (today,) = books.blotter.today(T0 + NS_PER_DAY)
    (session,) = books.blotter.session()
    assert (today.trades, session.trades) == (1, 2)
    books.blotter.begin_anew()
    assert books.blotter.session() == ()
    assert len(books.blotter.trades()) == 2


def test_what_is_kept_is_bounded_and_the_totals_are_not():
    books = traded(*(("1", "100"), ("-1", "101")) * (TRADES_MAX + 5))
    assert (len(books.blotter.trades()), len(books.blotter.fills())) == (TRADES_MAX, FILLS_MAX)
    assert books.blotter.session()[0].trades == TRADES_MAX + 5


def test_a_checkpoint_from_before_there_was_a_blotter_still_ends_its_trade():
    books = traded(("2", "100"), fee="1")
    state = msgspec.structs.replace(books.state(), blotter=BlotterState())
    again = Ledger(Decimal(1000))
    again.restore(state)
    traded(("1", "106"), ("-3", "110"), ledger=again)
    (trade,) = again.blotter.trades()
    assert (trade.qty, trade.entry_price) == (Decimal(3), Decimal(102))
    other = Ledger(Decimal(1000))
    other.restore(state)
    traded(("-2", "110"), ledger=other)
    assert other.blotter.trades()[0].pnl == Decimal(20)


STEPS = st.lists(
    st.tuples(st.integers(-3, 3).filter(bool).map(str), st.integers(90, 110).map(str)), max_size=25
)


@given(STEPS, st.integers(0, 25))
def test_trades_add_up_to_the_books_and_a_restart_changes_nothing(steps: list[tuple[str, str]], at: int):
    whole = traded(*steps, fee="0.1")
    first = traded(*steps[:at], fee="0.1")
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(first.state()), type=LedgerState)
    again = Ledger(Decimal(1000))
    again.restore(state)
    assert again.state() == state
    traded(*steps[at:], fee="0.1", ledger=again, ts=T0 + len(steps[:at]))
    assert again.state() == whole.state()
    position = whole.position(PLAY, BTC)
    total = sum((totals.pnl for totals in whole.blotter.session()), ZERO)
    if position.is_flat:
        assert total == pytest.approx(position.realized - position.fees)
    assert len(whole.blotter.trades()) == whole.trades
