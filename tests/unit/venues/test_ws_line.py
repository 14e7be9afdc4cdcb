"""One symbol of a stream put into market events."""

import pytest

from engine.domain.market import Bar, MarketEvent, Quote, Trade
from engine.venues.ws_bars import series_of
from engine.venues.ws_line import Line
from engine.venues.ws_trades import Named, NumberedTrades
from tests.unit.venues.stream_builders import MINUTE, T0, instrument, trade


@pytest.fixture
def out() -> list[MarketEvent]:
    return []


@pytest.fixture
def line(out) -> Line:
    return Line(instrument(), NumberedTrades(), series_of(instrument(), [MINUTE], [MINUTE]), out)


def quote(ts: int = T0, bid: float = 99.0, ask: float = 100.0) -> Quote:
    return Quote(ts, "BTCUSDT", bid, 1.0, ask, 1.0)


def test_a_bar_goes_before_the_trade_that_closed_it(line, out):
    line.trade(1, T0, 100.0, 0.5, -1)
    line.trade(2, T0 + MINUTE, 101.0, 0.5, 1)
    assert out == [
        Trade(T0, "BTCUSDT", 100.0, 0.5, -1, 100.0, 100.0),
        Bar(T0 + MINUTE, "BTCUSDT", 100.0, 100.0, 100.0, 100.0, 0.5, MINUTE, 1),
        Trade(T0 + MINUTE, "BTCUSDT", 101.0, 0.5, 1, 101.0, 101.0),
    ]


def test_numbers_that_are_no_trades_let_others_go_on(line, out):
    line.trade(1, T0, 100.0, 0.5, 1)
    line.trade(3, T0, 100.0, 0.5, 1)
    line.no_trade(2)
    assert len(out) == 2


def test_older_and_crossed_quotes_are_not_shown(line, out):
    line.quote(5, quote())
    line.quote(5, quote())
    line.quote(4, quote())
    line.quote(6, quote(bid=100.0))
    line.quote(7, quote(bid=98.0))
    assert [each.bid for each in out] == [99.0, 98.0]


def test_quotes_without_numbers_are_shown_as_they_come(line, out):
    line.quote(0, quote())
    line.quote(0, quote())
    assert len(out) == 2


def test_the_book_s_best_is_shown_where_it_changed(line, out):
    line.book.snapshot(10, [(99.0, 1.0)], [(100.0, 1.0)])
    line.show_book(T0)
    line.show_book(T0)
    line.show_book(T0 - 1, anyhow=True)
    line.show_book(T0 + 1, anyhow=True)
    assert [each.ts for each in out] == [T0, T0 + 1]


def test_a_book_behind_the_best_price_stream_shows_nothing(line, out):
    line.quote(11, quote())
    line.book.snapshot(10, [(98.0, 1.0)], [(100.0, 1.0)])
    line.show_book(T0)
    assert len(out) == 1
    line.forget_quotes()
    line.show_book(T0)
    assert out[-1] == Quote(T0, "BTCUSDT", 98.0, 1.0, 100.0, 1.0)


def test_a_loss_puts_the_bars_it_lies_in_in_doubt(line, out):
    line.trade(1, T0, 100.0, 0.5, 1)
    line.trade(4, T0 + MINUTE, 101.0, 0.5, 1)
    assert line.fill([Named(3, trade(T0 + 5))], T0 + MINUTE)
    line.close_bars(T0 + 2 * MINUTE)
    assert not any(isinstance(event, Bar) for event in out)
    hole = line.series[0].hole(T0 + 2 * MINUTE)
    assert hole is not None
    assert (hole.first, hole.last) == (T0 + MINUTE, T0 + 2 * MINUTE)


def test_a_hole_that_is_filled_leaves_no_doubt(line, out):
    line.trade(1, T0, 100.0, 0.5, 1)
    line.trade(3, T0 + MINUTE, 101.0, 0.5, 1)
    assert not line.fill([Named(1, trade(T0)), Named(2, trade(T0 + 5, 90.0))], T0 + MINUTE)
    (closed,) = (event for event in out if isinstance(event, Bar))
    assert (closed.low, closed.count) == (90.0, 2)


def test_a_line_without_any_trade_can_be_doubted(line):
    line.begin(T0 + 1)
    line.doubt(T0, T0 + MINUTE)
    assert line.series[0].hole(T0 + 3 * MINUTE) is not None
