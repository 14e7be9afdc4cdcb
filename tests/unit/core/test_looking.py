"""What a console asks for while it shows it: charts with indicators, trades, equity."""

import msgspec
import pytest

from engine.core.looking import Plotter, blotted, chart_facts, curve, draw, is_on_price
from engine.core.sights import ChartWish
from engine.domain.market import NS_PER_S, Bar
from engine.domain.play import Rule
from tests.builders import BTC, ENTER_LONG, ETH, PLAY, STEP, T0, World, bar, setup, spec

AVERAGE = spec(long_entry=Rule("close crosses_above sma(3)"), short_entry=Rule("rsi(2) > 101"))


def test_no_bars_are_no_chart():
    assert chart_facts(World().machine, ChartWish(BTC)) is None


def test_a_chart_shows_bars_indicators_and_our_fills():
    world = World(setup(AVERAGE))
    world.bars(100.0, 99.0, 98.0, 104.0, 105.0, 106.0)
    facts = chart_facts(world.machine, ChartWish(BTC, bars=4))
    assert facts is not None
    assert facts.binding is not None
    plotter = Plotter(facts.binding)
    assert plotter.follow(facts.window) == 6
    chart = draw(facts, plotter)
    assert (chart.symbol, chart.play, chart.step_ns) == (BTC, PLAY, STEP)
    assert [point.close for point in chart.bars] == [98.0, 104.0, 105.0, 106.0]
    shown = {series.name: series for series in chart.series}
    assert shown["sma(3)"].values == pytest.approx((99.0, 301 / 3, 307 / 3, 105.0))
    assert shown["sma(3)"].on_price
    assert not shown["rsi(2)"].on_price
    (fill,) = chart.fills
    assert (fill.symbol, fill.play) == (BTC, PLAY)


def test_a_plotter_goes_on_where_it_was_and_begins_anew_after_a_gap():
    world = World(setup(AVERAGE))
    world.bars(100.0, 99.0, 98.0)
    facts = chart_facts(world.machine, ChartWish(BTC))
    assert facts is not None
    assert facts.binding is not None
    plotter = Plotter(facts.binding)
    assert plotter.follow(facts.window) == 3
    assert plotter.follow(facts.window) == 0
    world.bar(97.0)
    later = chart_facts(world.machine, ChartWish(BTC, play=PLAY))
    assert later is not None
    assert plotter.follow(later.window) == 1
    whole = Plotter(facts.binding)
    whole.follow(later.window)
    assert draw(later, plotter) == draw(later, whole)
    gone = tuple(bar(50.0 + n, T0 + (n + 100) * STEP) for n in range(4))
    assert plotter.follow(gone) == 4
    assert plotter.series(gone)[0].values[:2] == (None, None)
    assert plotter.series(()) == ()


def test_every_play_of_a_symbol_has_a_chart_of_its_own():
    """Those that trade it come first; one that is not there is answered with the first."""
    other = spec("other", long_entry=Rule("close crosses_above sma(2)"), short_entry=Rule("rsi(2) > 101"))
    facts = setup(AVERAGE, other)
    both = tuple(msgspec.structs.replace(binding, symbol=BTC) for binding in facts.plays)
    world = World(msgspec.structs.replace(facts, plays=both))
    world.bars(100.0, 99.0, 98.0)
    asked = {play: chart_facts(world.machine, ChartWish(BTC, play=play)) for play in ("", "other", "gone")}
    shown = {play: draw(facts, None) for play, facts in asked.items() if facts is not None}
    assert {chart.plays for chart in shown.values()} == {(PLAY, "other")}
    assert {play: chart.play for play, chart in shown.items()} == {"": PLAY, "other": "other", "gone": PLAY}


def test_a_symbol_that_no_play_looks_at_has_bars_alone():
    world = World()
    world.bars(50.0, 51.0, symbol=ETH)
    facts = chart_facts(world.machine, ChartWish(ETH))
    assert facts is not None
    chart = draw(facts, None)
    assert (chart.play, chart.plays, chart.series, len(chart.bars)) == ("", (), (), 2)


def test_an_indicator_is_on_price_by_its_unit_and_by_its_values():
    bars: list[Bar] = [bar(100.0 + n, T0 + n * STEP) for n in range(3)]
    assert is_on_price("sma(close, 3)", (None, 100.0, 101.0), bars)
    assert not is_on_price("rsi(close, 3)", (100.0, 100.0, 100.0), bars)
    assert not is_on_price("atr(14)", (1.0, 1.0, 1.0), bars)
    assert not is_on_price("sma(close, 3)", (None, None, None), bars)
    assert is_on_price("swing_high(5)", (101.0, 101.0, 101.0), bars)


def test_trades_and_equity_are_those_of_the_ledger():
    world = World(msgspec.structs.replace(setup(), stale_check_ns=NS_PER_S))
    world.bars(ENTER_LONG, 112.0, 150.0, 150.0)
    told = blotted(world.machine, world.now)
    assert len(told.trades) == 1
    assert told.session == told.today
    assert told.session[0].wins == 1
    points = curve(world.machine).points
    assert len(points) > 100
    assert points[-1].last == pytest.approx(world.machine.ledger.equity())
