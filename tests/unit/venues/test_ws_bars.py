"""Bars of a stream: whole ones, and those that the venue is asked for."""

from engine.domain.market import NS_PER_S
from engine.venues.ws_bars import BarSeries, Hole, series_of
from tests.unit.venues.stream_builders import MINUTE, T0, bar, instrument, trade


def series(*, can_ask: bool = True) -> BarSeries:
    return BarSeries("BTCUSDT", MINUTE, 3, can_ask=can_ask)


def closes(bars) -> list[tuple[int, float]]:
    return [(each.ts - T0, each.close) for each in bars]


def test_a_bar_closes_with_the_first_trade_after_it():
    bars = series()
    assert bars.add(trade(T0, 100.0)) == ()
    assert closes(bars.add(trade(T0 + MINUTE, 101.0))) == [(MINUTE, 100.0)]


def test_a_bar_closes_when_the_venue_s_clock_is_past_its_end():
    bars = series()
    bars.add(trade(T0, 100.0))
    assert bars.close(T0 + MINUTE - 1) == ()
    assert closes(bars.close(T0 + MINUTE)) == [(MINUTE, 100.0)]
    assert bars.close(T0 + 9 * MINUTE) == ()


def test_the_bar_during_which_trades_began_is_asked_for():
    bars = series()
    bars.begin(T0 + 20 * NS_PER_S)
    bars.add(trade(T0 + 21 * NS_PER_S))
    assert bars.hole(T0 + MINUTE - 1) is None
    assert bars.close(T0 + MINUTE) == ()
    assert bars.hole(T0 + MINUTE) == Hole("BTCUSDT", MINUTE, T0 + MINUTE, T0 + MINUTE)
    assert closes(bars.fill([bar(T0 + MINUTE, close=99.0)])) == [(MINUTE, 99.0)]
    assert bars.hole(T0 + 9 * MINUTE) is None


def test_what_lies_between_the_past_and_the_first_trade_is_asked_for_too():
    bars = series()
    bars.known_until(T0)
    bars.begin(T0 + MINUTE + 5)
    assert bars.hole(T0 + 2 * MINUTE) == Hole("BTCUSDT", MINUTE, T0 + MINUTE, T0 + 2 * MINUTE)


def test_bars_that_follow_wait_for_those_that_were_asked_for():
    bars = series()
    bars.doubt(T0 + 1, T0 + 2)
    bars.add(trade(T0 + 3, 100.0))
    assert bars.add(trade(T0 + MINUTE, 101.0)) == ()
    assert bars.add(trade(T0 + 2 * MINUTE, 102.0)) == ()
    assert bars.hole(T0 + 2 * MINUTE) == Hole("BTCUSDT", MINUTE, T0 + MINUTE, T0 + 2 * MINUTE)
    filled = bars.fill([bar(T0, close=1.0), bar(T0 + MINUTE, close=99.0)])
    assert closes(filled) == [(MINUTE, 99.0), (2 * MINUTE, 101.0)]


def test_what_the_venue_does_not_tell_either_is_left_out():
    bars = series()
    bars.doubt(T0 + 1, T0 + 2)
    bars.add(trade(T0 + 3))
    bars.close(T0 + MINUTE)
    assert bars.fill(()) == []
    bars.add(trade(T0 + MINUTE, 7.0))
    assert closes(bars.close(T0 + 2 * MINUTE)) == [(2 * MINUTE, 7.0)]


def test_a_bar_that_ended_before_the_doubt_is_whole():
    bars = series()
    bars.add(trade(T0, 100.0))
    bars.doubt(T0 + MINUTE + 1, T0 + MINUTE + 2)
    assert closes(bars.close(T0 + MINUTE)) == [(MINUTE, 100.0)]


def test_doubts_add_up():
    bars = series()
    bars.doubt(T0 + 5 * MINUTE, T0 + 6 * MINUTE)
    bars.doubt(T0 + 2 * MINUTE, T0 + 3 * MINUTE)
    assert bars.hole(T0 + 9 * MINUTE) == Hole("BTCUSDT", MINUTE, T0 + 3 * MINUTE, T0 + 7 * MINUTE)


def test_without_a_venue_to_ask_bars_that_are_not_whole_are_left_out():
    bars = series(can_ask=False)
    bars.begin(T0 + 1)
    bars.add(trade(T0 + 2))
    assert bars.add(trade(T0 + MINUTE, 101.0)) == ()
    assert bars.hole(T0 + 9 * MINUTE) is None
    assert closes(bars.close(T0 + 2 * MINUTE)) == [(2 * MINUTE, 101.0)]
    bars.add(trade(T0 + 2 * MINUTE, 102.0))
    assert closes(bars.close(T0 + 3 * MINUTE)) == [(3 * MINUTE, 102.0)]


def test_late_trades_are_counted():
    bars = series()
    bars.add(trade(T0))
    bars.close(T0 + MINUTE)
    bars.add(trade(T0 + 1))
    assert bars.late == 1


def test_series_are_made_for_each_step_the_finest_first():
    made = series_of(instrument(), [5 * MINUTE, MINUTE], [MINUTE])
    assert [each.step_ns for each in made] == [MINUTE, 5 * MINUTE]
    for each in made:
        each.begin(T0 + 1)
    assert [each.hole(T0 + 9 * MINUTE) is not None for each in made] == [True, False]
