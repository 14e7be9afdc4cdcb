"""Bars hold what the trades inside them held, whichever way they are built."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import Bar, Instrument, MarketEvent, Trade
from engine.venues.barbuilder import BarBuilder
from engine.venues.datafile import BarColumns, Quirks, TradeColumns
from engine.venues.replay import FileFeed, MergedFeed, Tape

S = 1_000_000_000
BASE = 5 * S
STEPS = (15 * S, 60 * S)
QTY_DIGITS = 3

Print = tuple[int, int, int, int]  # ns since the last, price in cents, quantity in thousandths, side
prints = st.lists(
    st.tuples(
        st.one_of(st.just(0), st.integers(0, 3 * S), st.integers(0, 90 * S), st.just(5 * S)),
        st.integers(1, 10_000),
        st.integers(0, 10**6),
        st.sampled_from([-1, 0, 1]),
    ),
    min_size=1,
    max_size=60,
)


def instrument(symbol: str) -> Instrument:
    cent = Decimal("0.01")
    return Instrument(
        symbol=symbol,
        tick=cent,
        lot=Decimal("0.001"),
        qty_min=Decimal("0.001"),
        notional_min=Decimal(0),
        base="X",
        quote="USD",
        settle="USD",
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
        price_digits=2,
        qty_digits=QTY_DIGITS,
    )


def tape_of_trades(rows: list[Print], symbol: str = "X") -> Tape:
    gaps, prices, quantities, sides = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    columns = TradeColumns(
        np.cumsum(gaps) + 7 * S, prices / 100, quantities / 10.0**QTY_DIGITS, sides.astype(np.int8)
    )
    quirks = Quirks(rows=len(rows), first=0, last=0, base_step_ns=BASE)
    return Tape(Path(symbol), "", instrument(symbol), columns, quirks, ())


def tape_of_bars(rows: list[Print], symbol: str = "X") -> Tape:
    """Bars of 5 s with some missing; open, high and low are spread around the price."""
    gaps, prices, quantities, _ = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    price = prices / 100
    columns = BarColumns(
        np.cumsum(gaps // BASE + 1) * BASE,
        price + 0.5,
        price + 1,
        price,
        price + 0.25,
        quantities / 10.0**QTY_DIGITS,
        quantities % 7,
    )
    quirks = Quirks(rows=len(rows), first=0, last=0, base_step_ns=BASE)
    return Tape(Path(symbol), "", instrument(symbol), columns, quirks, ())


def built_live(events: Sequence[Trade | Bar]) -> list[MarketEvent]:
    """Build the bars of a tape's rows as a live feed does: one event at a time."""
    base = BarBuilder("X", BASE, QTY_DIGITS)
    coarser = [BarBuilder("X", step, QTY_DIGITS) for step in STEPS]
    told: list[MarketEvent] = []

    def tell(bar: Bar | None) -> None:
        if bar is not None:
            told.append(bar)

    for event in events:
        match event:
            case Trade():
                for builder in (base, *coarser):
                    tell(builder.add_trade(event))
                told.append(event)
            case Bar():
                for builder in coarser:
                    tell(builder.add_bar(event))
                told.append(event)
                for builder in coarser:
                    tell(builder.close_at(event.ts))
    ended = filter(None, (each.flush() for each in (base, *coarser)))
    return told + sorted(ended, key=lambda bar: (bar.ts, bar.step_ns))


def grouped(trades: list[Trade], step: int) -> list[tuple[int, list[Trade]]]:
    """Sort trades into intervals, named by their ends."""
    return [
        (end, list(inside)) for end, inside in groupby(trades, lambda trade: (trade.ts // step + 1) * step)
    ]


@given(prints)
def test_a_bar_of_trades_is_exactly_what_its_trades_were(rows: list[Print]):
    feed = FileFeed(tape_of_trades(rows), STEPS)
    events = list(feed.events())
    trades = [event for event in events if isinstance(event, Trade)]
    for step in (BASE, *STEPS):
        bars = [event for event in events if isinstance(event, Bar) and event.step_ns == step]
        groups = grouped(trades, step)
        assert [bar.ts for bar in bars] == [end for end, _ in groups]
        for bar, (_, inside) in zip(bars, groups, strict=True):
            prices = [trade.price for trade in inside]
            assert (bar.open, bar.close) == (prices[0], prices[-1])
            assert (bar.high, bar.low, bar.count) == (max(prices), min(prices), len(inside))
            total = sum((instrument("X").qty(trade.qty) for trade in inside), Decimal(0))
            assert instrument("X").qty(bar.volume) == total


@given(prints)
def test_a_bar_comes_before_the_first_trade_at_or_past_its_end(rows: list[Print]):
    events = list(FileFeed(tape_of_trades(rows), STEPS).events())
    assert all(before.ts <= after.ts for before, after in pairwise(events))
    for before, after in pairwise(events):
        if isinstance(before, Trade) and isinstance(after, Bar):
            assert before.ts < after.ts


@given(prints, st.sampled_from([tape_of_trades, tape_of_bars]))
def test_files_and_live_feeds_build_the_same_bars(rows: list[Print], make):
    tape = make(rows)
    row = Bar if make is tape_of_bars else Trade
    raw = [event for event in FileFeed(tape).events() if isinstance(event, row)]
    told = list(FileFeed(tape, STEPS).events())
    assert sorted(map(repr, built_live(raw))) == sorted(map(repr, told))
    assert built_live(raw) == told


@given(prints, st.sampled_from([tape_of_trades, tape_of_bars]), st.data())
def test_a_tape_taken_up_at_an_offset_goes_on_with_the_same_events(
    rows: list[Print], make, data: st.DataObject
):
    feed = FileFeed(make(rows), STEPS)
    whole = list(feed.events())
    assert len(whole) == len(feed)
    offset = data.draw(st.integers(0, len(whole) + 2))
    assert list(feed.events(offset)) == whole[offset:]


@given(st.lists(prints, min_size=2, max_size=3), st.data())
def test_several_tapes_play_as_one_in_order_and_from_any_offset(
    tapes: list[list[Print]], data: st.DataObject
):
    made = [
        (tape_of_trades if number % 2 else tape_of_bars)(rows, f"S{number}")
        for number, rows in enumerate(tapes)
    ]
    feed = MergedFeed(made, STEPS)
    whole = list(feed.events())
    keys = [(event.ts, isinstance(event, Trade)) for event in whole]
    assert keys == sorted(keys)
    for tape in made:
        symbol = tape.instrument.symbol
        assert [event for event in whole if event.symbol == symbol] == list(FileFeed(tape, STEPS).events())
    offset = data.draw(st.integers(0, len(whole) + 2))
    assert list(feed.events(offset)) == whole[offset:]
