"""The equity worked out after a run is the ledger's: at each fill, at the end, at the deepest point."""

from array import array

import numpy as np
import pytest

from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.runtime.backtest import run_backtest
from engine.runtime.study import recorder
from engine.runtime.study.curve import Moments, curve, days, longest_drawdown_ns, moments, time_in_market
from engine.runtime.study.recorder import Recorder
from tests.unit.runtime.study.runs import (
    MINUTE_MS,
    START_MS,
    bars_settings,
    pair_settings,
    trades_settings,
    watched,
)


@pytest.mark.parametrize("settings", [bars_settings, pair_settings, trades_settings])
def test_the_curve_is_the_ledgers(tmp_path, settings):
    report, seen = watched(settings(tmp_path))
    assert report.fills > 20
    at = moments(seen.tapes, seen.fills, 50_000.0)
    ledger = seen.loop.machine.ledger
    assert at.equity[-1] == pytest.approx(float(ledger.exact_equity()), abs=1e-9)
    assert at.drawdown.max() == pytest.approx(ledger.drawdown_max, abs=1e-12)
    for ts, equity in seen.told:
        assert np.isclose(at.equity[at.ts == ts], equity, rtol=0, atol=1e-9).any(), "exact at fills"
    assert (np.diff(at.ts) >= 0).all()


def test_the_curve_of_one_tape_is_the_ledgers_to_the_last_bit(tmp_path):
    _, seen = watched(bars_settings(tmp_path))
    at = moments(seen.tapes, seen.fills, 50_000.0)
    assert at.drawdown.max() == seen.loop.machine.ledger.drawdown_max
    assert at.equity[-1] == seen.loop.machine.ledger.equity()


def test_intervals_keep_the_end_and_the_extremes(tmp_path):
    _, seen = watched(bars_settings(tmp_path))
    at = moments(seen.tapes, seen.fills, 50_000.0)
    for step_ns in (60 * NS_PER_S, 3_600 * NS_PER_S, 7 * NS_PER_DAY):
        found = curve(at, step_ns)
        assert found.step_ns >= step_ns
        assert found.equity[-1] == at.equity[-1]
        assert found.drawdown.max() == at.drawdown.max()
        assert (found.low.min(), found.high.max()) == (at.equity.min(), at.equity.max())
        assert (found.low <= found.equity).all()
        assert (found.equity <= found.high).all()


def made(rows, start=100.0):
    """Moments of (day, equity, open)."""
    ts = np.array([int(day * NS_PER_DAY) for day, _, _ in rows], np.int64)
    equity = np.array([equity for _, equity, _ in rows])
    peak = np.maximum.accumulate(np.maximum(equity, start))
    is_open = np.array([is_open for _, _, is_open in rows])
    return Moments(ts, equity, 1 - equity / peak, np.zeros(ts.size), is_open)


def test_a_day_ends_at_midnight_and_a_gap_keeps_its_equity():
    at = made([(0.5, 90.0, True), (1.0, 110.0, True), (1.5, 99.0, False), (4.25, 108.9, False)])
    found = days(at, 100.0)
    assert found.day.tolist() == [0, 1, 2, 3, 4]
    assert found.equity.tolist() == [110.0, 99.0, 99.0, 99.0, 108.9]
    assert found.returns.tolist() == pytest.approx([0.1, -0.1, 0.0, 0.0, 0.1])


def test_time_in_market_counts_time_and_not_rows():
    assert time_in_market(made([(0, 1, False), (1, 1, True), (4, 1, False), (5, 1, False)])) == 0.6
    assert time_in_market(made([(2, 1, True)])) is None


def test_the_longest_drawdown_lasts_to_the_next_high_or_the_end():
    rising = [(0, 100, True), (1, 90, True), (3, 101, True), (4, 100, True), (9, 100.5, True)]
    assert longest_drawdown_ns(made(rising)) == 6 * NS_PER_DAY
    assert longest_drawdown_ns(made([(0, 100, True), (1, 90, True), (4, 102, True)])) == 4 * NS_PER_DAY
    assert longest_drawdown_ns(made([(0, 90, True), (7, 95, True)])) == 7 * NS_PER_DAY


def test_time_without_a_fall_is_no_drawdown_however_long():
    assert longest_drawdown_ns(made([(0, 100, False), (5, 100, False), (9, 101, True)])) == 0
    assert longest_drawdown_ns(made([(0, 100, False), (5, 101, True), (6, 100.5, True)])) == NS_PER_DAY
    assert longest_drawdown_ns(made([(3, 100, False)])) == 0


def test_a_run_of_years_is_cut_into_days(tmp_path):
    at = made([(day, 100.0 + day % 3, False) for day in range(0, 40_000, 7)])
    found = curve(at, NS_PER_DAY)
    assert found.step_ns == 8 * NS_PER_DAY
    assert len(found.ts) <= 5_001


def test_a_run_without_a_fill_is_a_flat_line(tmp_path):
    settings = bars_settings(tmp_path)
    _, seen = watched(settings)
    seen.fills.slots.clear()
    for name in ("ts", "slot", "price", "qty", "cost", "cash"):
        setattr(seen.fills, name, array(getattr(seen.fills, name).typecode))
    at = moments(seen.tapes, seen.fills, 50_000.0)
    assert set(at.equity.tolist()) == {50_000.0}
    assert at.drawdown.max() == 0


def test_progress_is_told_by_the_tapes_time(tmp_path):
    heard = []
    seen = Recorder(lambda run: heard.append((run.rows, run.progress())))
    run_backtest(bars_settings(tmp_path), watch=seen, limit=150)
    assert heard == [(300, 0.0)]
    assert seen.progress() == pytest.approx(0.5, abs=0.01)
    minute = (START_MS + MINUTE_MS) * 1_000_000
    run_backtest(bars_settings(tmp_path), watch=(one := Recorder()), until=minute)
    assert one.progress() == 1.0


@pytest.mark.parametrize("settings", [bars_settings, trades_settings])
def test_what_is_worked_out_on_the_way_is_what_is_worked_out_at_the_end(tmp_path, monkeypatch, settings):
    whole, parts = Recorder(), Recorder()
    run_backtest(settings(tmp_path), watch=whole)
    whole.settle()
    monkeypatch.setattr(recorder, "KEPT_MAX", 5)
    run_backtest(settings(tmp_path), watch=parts)
    parts.settle()
    assert whole.trips.closed == parts.trips.closed
    assert (whole.turnover, whole.slippage) == (parts.turnover, parts.slippage)
    assert whole.trips.closed
    assert whole.fills.cash == parts.fills.cash
