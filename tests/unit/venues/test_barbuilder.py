"""Bars from trades and from finer bars, one event at a time."""

import msgspec

from engine.domain.market import Bar, Trade
from engine.venues.barbuilder import BarBuilder, BuilderState
from tests.unit.venues.data_files import MINUTE, S


def trade(ts_s: float, price: float, qty: float = 1.0, **more: float) -> Trade:
    return Trade(
        int(ts_s * S),
        "X",
        price,
        qty,
        1,
        more.get("high", price),
        more.get("low", price),
        int(more.get("count", 1)),
    )


def bar(end_s: int, price: float, step_s: int = 60, count: int = 1) -> Bar:
    return Bar(end_s * S, "X", price, price + 1, price - 1, price + 0.5, 0.1, step_s * S, count)


def test_a_bar_closes_when_a_trade_comes_at_or_past_its_end():
    builder = BarBuilder("X", 5 * S, 2)
    assert builder.add_trade(trade(1, 10.0, 0.1)) is None
    assert builder.add_trade(trade(2, 12.0, 0.2)) is None
    assert builder.add_trade(trade(4.999, 9.0, 0.01)) is None
    assert builder.add_trade(trade(5, 11.0)) == Bar(5 * S, "X", 10.0, 12.0, 9.0, 9.0, 0.31, 5 * S, 3)


def test_empty_intervals_have_no_bar():
    builder = BarBuilder("X", 5 * S, 0)
    builder.add_trade(trade(1, 10.0))
    closed = builder.add_trade(trade(100, 11.0))
    assert closed is not None
    assert closed.ts == 5 * S
    assert builder.close_at(104 * S) is None
    assert builder.close_at(105 * S) == Bar(105 * S, "X", 11.0, 11.0, 11.0, 11.0, 1.0, 5 * S, 1)
    assert builder.close_at(200 * S) is None


def test_a_conflated_trade_brings_its_extremes_and_count():
    builder = BarBuilder("X", 5 * S, 0)
    builder.add_trade(trade(1, 10.0, 3.0, high=15.0, low=5.0, count=4))
    assert builder.flush() == Bar(5 * S, "X", 10.0, 15.0, 5.0, 10.0, 3.0, 5 * S, 4)


def test_a_late_trade_changes_no_closed_bar():
    builder = BarBuilder("X", 5 * S, 0)
    builder.add_trade(trade(1, 10.0))
    builder.close_at(5 * S)
    assert builder.add_trade(trade(4, 99.0)) is None
    assert builder.late == 1
    assert builder.flush() is None


def test_finer_bars_become_a_coarser_one_when_the_last_of_them_came():
    builder = BarBuilder("X", 3 * MINUTE, 1)
    for minute, price in ((1, 10.0), (2, 20.0)):
        assert builder.add_bar(bar(minute * 60, price)) is None
        assert builder.close_at(minute * MINUTE) is None
    assert builder.add_bar(bar(180, 15.0)) is None
    assert builder.close_at(3 * MINUTE) == Bar(3 * MINUTE, "X", 10.0, 21.0, 9.0, 15.5, 0.3, 3 * MINUTE, 3)


def test_a_missing_finer_bar_lets_the_next_one_close_the_coarser():
    builder = BarBuilder("X", 3 * MINUTE, 1)
    builder.add_bar(bar(60, 10.0))
    ended = builder.add_bar(bar(240, 30.0))
    assert ended is not None
    assert (ended.ts, ended.close) == (3 * MINUTE, 10.5)
    assert builder.add_bar(bar(180, 1.0)) is None
    assert builder.late == 1


def test_volumes_add_up_without_float_error():
    builder = BarBuilder("X", MINUTE, 1)
    for number in range(10):
        builder.add_trade(trade(number, 1.0, 0.1))
    closed = builder.flush()
    assert closed is not None
    assert closed.volume == 1.0


def test_a_restored_builder_goes_on_as_if_nothing_had_happened():
    first, second = BarBuilder("X", 5 * S, 2), BarBuilder("X", 5 * S, 2)
    for each in (trade(1, 10.0, 0.5), trade(6, 12.0), trade(3, 1.0), trade(7, 13.0, 0.25)):
        first.add_trade(each)
    stored = msgspec.json.encode(first.state())
    second.restore(msgspec.json.decode(stored, type=BuilderState))
    assert second.state() == first.state()
    assert second.late == 1
    assert second.add_trade(trade(10, 14.0)) == first.add_trade(trade(10, 14.0))
