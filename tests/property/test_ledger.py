"""Whatever trades: the ledger is what its fills add up to."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.money import ZERO
from engine.domain.positions import Fill, Position
from engine.execution.ledger import COST_STEP, Ledger, apply_fill
from tests.builders import BTC, DAY0, ETH, T0, fill

START = Decimal(10_000)
PLAYS, SYMBOLS = ("a", "b"), (BTC, ETH)
NEARLY = 30 * COST_STEP  # a rounding for each fill, at most

lots = st.integers(1, 1000).map(lambda n: Decimal(n) / 100)
prices = st.integers(1, 10_000).map(lambda n: Decimal(n) / 10)
fees = st.integers(-50, 500).map(lambda n: Decimal(n) / 1000)
sides = st.sampled_from(["buy", "sell"])


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    return fill(
        qty=draw(lots),
        price=draw(prices),
        fee=draw(fees),
        side=draw(st.sampled_from(list(type(fill().side)))),
        symbol=draw(st.sampled_from(SYMBOLS)),
    )


bookings = st.lists(st.tuples(st.sampled_from(PLAYS), fills()), max_size=15)
marks = st.fixed_dictionaries({symbol: st.integers(1, 10_000).map(lambda n: n / 8) for symbol in SYMBOLS})


def booked(entries: list[tuple[str, Fill]]) -> Ledger:
    ledger = Ledger(START)
    for play, trade in entries:
        ledger.book(play, trade)
    return ledger


@given(bookings)
def test_positions_are_rebuilt_from_their_fills(entries):
    ledger = booked(entries)
    for play in PLAYS:
        for symbol in SYMBOLS:
            rebuilt = Position(play=play, symbol=symbol)
            for owner, trade in entries:
                if (owner, trade.symbol) == (play, symbol):
                    rebuilt = apply_fill(rebuilt, trade)
            assert ledger.position(play, symbol) == rebuilt
    assert ledger.realized == sum((p.realized for p in ledger.positions()), ZERO)
    assert ledger.fees == sum((trade.fee for _, trade in entries), ZERO)
    assert ledger.fills == len(entries)


@given(bookings, marks)
def test_equity_is_the_money_that_moved_plus_what_is_open(entries, at):
    """Start minus what was paid plus what was received minus fees, plus the open quantity at the mark."""
    ledger = booked(entries)
    for symbol, price in at.items():
        ledger.mark(symbol, price, T0)
    moved = sum((-t.side.sign * t.qty * t.price - t.fee for _, t in entries), ZERO)
    open_value = sum((ledger.net_qty(symbol) * Decimal(repr(at[symbol])) for symbol in SYMBOLS), ZERO)
    assert abs(ledger.exact_equity() - (START + moved + open_value)) < NEARLY
    assert abs(Decimal(ledger.equity()) - ledger.exact_equity()) < Decimal("1e-6")


@given(bookings, marks)
def test_realised_and_open_profit_minus_fees_is_all_there_is(entries, at):
    ledger = booked(entries)
    for symbol, price in at.items():
        ledger.mark(symbol, price, T0)
    opened = ledger.exact_equity() - START - ledger.realized + ledger.fees
    expected = sum(
        (p.qty * Decimal(repr(at[p.symbol])) - p.entry_notional for p in ledger.open_positions()), ZERO
    )
    assert abs(opened - expected) < NEARLY
    assert abs(Decimal(ledger.unrealized()) - expected) < Decimal("1e-6")


@given(bookings, st.integers(0, 14), st.integers(1, 99))
def test_splitting_a_fill_in_two_changes_nothing_but_rounding(entries, index, percent):
    if not entries:
        return
    index %= len(entries)
    play, trade = entries[index]
    first = (trade.qty * percent / 100).quantize(Decimal("0.0001"))
    if not 0 < first < trade.qty:
        return
    halves = [
        (play, fill(qty=q, price=trade.price, fee=f, side=trade.side, symbol=trade.symbol))
        for q, f in ((first, ZERO), (trade.qty - first, trade.fee))
    ]
    whole, parts = booked(entries), booked([*entries[:index], *halves, *entries[index + 1 :]])
    for one, other in zip(whole.positions(), parts.positions(), strict=True):
        assert (one.play, one.symbol, one.qty, one.fees) == (other.play, other.symbol, other.qty, other.fees)
        assert abs(one.realized - other.realized) < NEARLY
        assert abs(one.entry_notional - other.entry_notional) < NEARLY


@given(bookings)
def test_a_flat_position_costs_nothing_and_an_open_one_costs_on_its_own_side(entries):
    for position in booked(entries).positions():
        if position.is_flat:
            assert position.entry_notional == 0
        else:
            assert (position.entry_notional > 0) is (position.qty > 0)


@given(bookings, marks, bookings)
def test_a_restart_in_the_middle_changes_nothing(before, at, after):
    straight = booked(before)
    restarted = Ledger(START)
    for symbol, price in at.items():
        straight.mark(symbol, price, DAY0)
    restarted.restore(straight.state())
    for ledger in (straight, restarted):
        for number, (play, trade) in enumerate(after):
            ledger.book(play, trade)
            ledger.mark(trade.symbol, float(trade.price), T0 + number)
    assert restarted.state() == straight.state()
    assert restarted.open_positions() == straight.open_positions()
    assert restarted.equity() == straight.equity()
