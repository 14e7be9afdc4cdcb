"""A backtest comes to what a replay of the same tape comes to, and says what that is."""

import gc

import pytest

from engine.domain.commands import SaveFill
from engine.domain.errors import ConfigError
from engine.runtime import backtest
from engine.runtime.backtest import run_backtest
from tests.unit.runtime.rig import MINUTE_MS, START_MS, run_engine, tape_settings

SAME = ("signals", "orders", "fills", "trades", "bars", "rows", "signal_hash", "trade_hash")
MONEY = ("start_equity", "final_equity", "fees", "max_drawdown", "play_hash", "data", "vetoed", "risk_mode")


async def test_a_backtest_comes_to_what_a_replay_comes_to(tmp_path):
    backtested = run_backtest(tape_settings(tmp_path, mode="backtest"))
    replayed = (await run_engine(tape_settings(tmp_path))).run
    assert replayed is not None
    for name in SAME + MONEY:
        assert getattr(backtested, name) == getattr(replayed, name), name
    assert backtested.trades > 10


def test_a_report_says_what_was_done_and_how_fast(tmp_path):
    report = run_backtest(tape_settings(tmp_path, mode="backtest"))
    assert (report.play, report.rows, report.bars, report.events) == ("zigzag", 300, 300, 300)
    assert report.signals >= report.trades
    assert report.start_equity == "50000"
    assert float(report.final_equity) < 50_000, "fees alone see to that"
    assert 0 < report.max_drawdown < 1
    assert report.load_s > 0
    assert report.wall_s > 0
    assert report.events_per_s == pytest.approx(report.rows / report.wall_s, rel=0.2)


def test_a_backtest_can_be_cut_short(tmp_path):
    settings = tape_settings(tmp_path, mode="backtest")
    assert run_backtest(settings, limit=100).bars == 100


def test_a_backtest_can_be_kept_to_a_span_of_time(tmp_path):
    settings = tape_settings(tmp_path, mode="backtest")
    since, until = ((START_MS + minute * MINUTE_MS) * 1_000_000 for minute in (50, 150))
    assert run_backtest(settings, since=since, until=until).bars == 100
    assert run_backtest(settings, since=since).bars == 250
    assert run_backtest(settings, until=since).bars == 50


def test_the_collector_is_given_back_however_a_backtest_ends(tmp_path, monkeypatch):
    settings = tape_settings(tmp_path, mode="backtest")
    run_backtest(settings, limit=10)
    assert gc.isenabled()

    def fail(*_):
        assert not gc.isenabled()
        raise RuntimeError("no good")

    monkeypatch.setattr(backtest, "_drive", fail)
    with pytest.raises(RuntimeError):
        run_backtest(settings)
    assert gc.isenabled()
    gc.disable()
    try:
        with pytest.raises(RuntimeError):
            run_backtest(settings)
        assert not gc.isenabled(), "it was off before"
    finally:
        gc.enable()


def test_a_backtest_without_data_says_what_it_needs(tmp_path):
    settings = tape_settings(tmp_path, mode="backtest").model_copy(update={"data": ()})
    with pytest.raises(ConfigError, match="give --data FILE"):
        run_backtest(settings)


class Seen:
    """A watch that keeps what it is told."""

    def __init__(self):
        self.begun = []
        self.commands = []

    def begins(self, tapes, config, loop):
        self.begun.append((tapes, config, loop))

    def takes(self, batch):
        self.commands += batch


def test_whoever_watches_sees_every_fill_and_changes_nothing(tmp_path):
    settings = tape_settings(tmp_path, mode="backtest")
    seen = Seen()
    watched, alone = run_backtest(settings, watch=seen), run_backtest(settings)
    ((tapes, config, loop),) = seen.begun
    assert [tape.instrument.symbol for tape in tapes] == ["BTCUSDT"]
    assert config.setup.start_equity == loop.machine.ledger.start_equity
    assert sum(type(command) is SaveFill for command in seen.commands) == watched.fills
    assert (watched.trade_hash, watched.signal_hash) == (alone.trade_hash, alone.signal_hash)
