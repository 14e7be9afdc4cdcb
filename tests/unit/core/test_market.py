"""The market as the core saw it: prices, days, windows, ages and sparklines."""

import msgspec
import pytest

from engine.core.market import HISTORY_POINTS, Market, MarketState
from engine.core.snapshot import TickRow
from engine.domain.market import NS_PER_DAY, NS_PER_S
from tests.builders import BTC, DAY0, ETH, STEP, T0, bar, instrument, quote, trade


def made(window_bars: int = 5) -> Market:
    return Market((instrument(BTC), instrument(ETH)), window_bars)


def row(market: Market, symbol: str = BTC) -> TickRow:
    return next(row for row in market.rows() if row.symbol == symbol)


def test_before_anything_was_seen():
    market = made()
    assert market.symbols() == (BTC, ETH)
    assert market.age_ns(BTC, T0) is None
    assert market.price(BTC) == 0.0
    assert market.window(BTC, STEP) == ()
    assert (row(market).change, row(market).history) == (0.0, ())


def test_every_kind_of_event_makes_a_symbol_young():
    market = made()
    market.on_bar(bar(100.0), T0)
    assert market.age_ns(BTC, T0 + 5) == 5
    market.on_trade(trade(101.0), T0 + 10)
    assert market.age_ns(BTC, T0 + 15) == 5
    market.on_quote(quote(99.0, 103.0), T0 + 20)
    assert market.age_ns(BTC, T0 + 25) == 5
    assert market.age_ns(ETH, T0) is None
    assert market.price(BTC) == 101.0, "a quote is no traded price"
    assert (row(market).bid, row(market).ask, row(market).ts) == (99.0, 103.0, T0 + 20)


def test_a_window_keeps_the_last_bars_of_each_step():
    market = made(window_bars=3)
    bars = [bar(float(n), T0 + n * STEP) for n in range(1, 6)]
    coarse = bar(9.0, T0 + 5 * STEP, step_ns=5 * STEP)
    for closed in (*bars, coarse):
        market.on_bar(closed, closed.ts)
    assert market.window(BTC, STEP) == tuple(bars[-3:])
    assert market.window(BTC, 5 * STEP) == (coarse,)
    fine = bar(7.0, T0 + 6 * STEP)
    market.on_bar(fine, fine.ts)
    assert market.window(BTC, STEP)[-1] == fine


def test_the_days_change_and_volume_begin_anew_at_midnight():
    market = made()
    market.on_bar(bar(100.0, DAY0 + STEP, open=80.0), DAY0 + STEP)
    market.on_bar(bar(120.0, DAY0 + 2 * STEP), DAY0 + 2 * STEP)
    assert row(market).change == pytest.approx(0.5)
    assert row(market).volume == 2000.0
    market.on_bar(bar(90.0, DAY0 + NS_PER_DAY, open=100.0), DAY0 + NS_PER_DAY)
    assert row(market).change == pytest.approx(-0.1)
    assert row(market).volume == 1000.0


def test_trades_count_volume_where_there_are_trades():
    market = made()
    market.on_trade(trade(100.0, DAY0, qty=2.0), DAY0)
    market.on_trade(trade(110.0, DAY0 + 1, qty=3.0), DAY0 + 1)
    market.on_bar(bar(110.0, DAY0 + STEP), DAY0 + STEP)
    assert row(market).change == pytest.approx(0.1)
    assert row(market).volume == 5.0
    market.on_trade(trade(50.0, DAY0 + NS_PER_DAY, qty=1.0), DAY0 + NS_PER_DAY)
    assert (row(market).volume, row(market).change) == (1.0, 0.0)


def test_a_sparkline_takes_a_point_a_second_and_forgets_old_ones():
    market = made()
    for tenth in range(10 * (HISTORY_POINTS + 5)):
        market.on_trade(trade(float(tenth), T0 + tenth * NS_PER_S // 10), T0)
    history = row(market).history
    assert len(history) == HISTORY_POINTS
    assert history[-2:] == (430.0, 440.0)


def test_a_sparkline_of_bars_shows_their_closes():
    market = made(window_bars=HISTORY_POINTS + 10)
    for number in range(HISTORY_POINTS + 5):
        market.on_bar(bar(float(number), T0 + number * STEP), T0)
    assert row(market).history == tuple(map(float, range(5, HISTORY_POINTS + 5)))


def test_backfill_fills_windows_and_makes_nothing_young():
    market = made(window_bars=50)
    market.backfill(tuple(bar(float(n), T0 + n * STEP) for n in range(HISTORY_POINTS + 2)))
    assert len(market.window(BTC, STEP)) == HISTORY_POINTS + 2
    assert row(market).history[-1] == HISTORY_POINTS + 1
    assert len(row(market).history) == HISTORY_POINTS
    assert market.age_ns(BTC, T0) is None


def test_a_restored_market_goes_on_alike():
    market, again = made(), made()
    for number in range(7):
        market.on_bar(bar(float(number), T0 + number * STEP), T0)
        market.on_trade(trade(3.0, T0 + number * STEP), T0)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(market.state()), type=MarketState)
    again.restore(state)
    assert again.rows() == market.rows()
    for one in (market, again):
        one.on_bar(bar(50.0, T0 + 10 * STEP), T0)
        one.on_trade(trade(51.0, T0 + 11 * STEP), T0)
    assert again.state() == market.state()
    assert again.rows() == market.rows()


def test_a_sparkline_of_bars_is_the_same_after_a_restart():
    market, again = made(), made()
    for number in range(4):
        market.on_bar(bar(float(number), T0 + number * STEP), T0)
    again.restore(market.state())
    assert again.rows() == market.rows()


def test_a_state_does_not_change_when_the_market_does():
    market = made()
    market.on_trade(trade(100.0), T0)
    state = market.state()
    before = msgspec.msgpack.encode(state)
    market.on_trade(trade(200.0, T0 + STEP), T0 + STEP)
    assert msgspec.msgpack.encode(state) == before


def test_a_restored_market_does_not_write_to_the_state_it_came_from():
    market, again = made(), made()
    market.on_trade(trade(100.0), T0)
    state = market.state()
    before = msgspec.msgpack.encode(state)
    again.restore(state)
    again.on_trade(trade(200.0, T0 + STEP), T0 + STEP)
    assert msgspec.msgpack.encode(state) == before


def test_the_last_close_of_a_symbol_and_step_is_known():
    market = made()
    assert market.last_close(BTC, STEP) == 0
    market.backfill((bar(1.0, T0), bar(2.0, T0 + STEP)))
    assert market.last_close(BTC, STEP) == T0 + STEP
    assert market.last_close(ETH, STEP) == 0


def test_a_symbol_that_is_no_longer_traded_is_not_restored():
    market, fewer = made(), Market((instrument(BTC),), 5)
    market.on_trade(trade(5.0, symbol=ETH), T0)
    fewer.restore(market.state())
    assert fewer.symbols() == (BTC,)
