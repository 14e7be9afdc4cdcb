"""Backtest, replay through the live path and an interrupted replay give one hash, on recorded data."""

import sys
from pathlib import Path

import pytest

from engine.config.packaged import data_path
from engine.runtime.parity.pairs import Case, facts_of, head
from engine.runtime.parity.report import Verdict
from engine.runtime.parity.ways import Ways

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PROGRAM = (sys.executable, "-P", "-m", "tui")
SLICE_ROWS = 5_000
# A play for each file, so that every file and many of the language's features are in a slice.
CASES = (
    (("bars/bitmex_xbtusd_1m_2020",), "ema_cross"),
    (("bars/bitmex_xbtusd_1m_2020",), "turtle_pyramid"),
    (("bars/bitmex_xbtusd_1m_2020",), "dip_ladder"),
    (("bars/bitfinex_btcusd_1m_2016",), "donchian_breakout"),
    (("bars/btcperp_1m_20211231_20220201",), "rsi_pullback"),
    (("bars/fxcm_gbpusd_1m_bid_2012", "bars/fxcm_gbpusd_1m_ask_2012"), "pair_reversion"),
    (("bars/fxcm_gbpusd_1m_ask_2012",), "structure_break"),
    (("bars/freqtrade_unittestbtc_1m_2017",), "volatility_squeeze"),
    (("bars/binance_ethbtc_5m_201801",), "trend_pullback"),
    (("trades/binance_usdm_btcusdt_20240808_trades",), "canary"),
    (("trades/binance_usdm_btcusdt_20240808_trades",), "tape_reader"),
    (("trades/binance_usdm_ethusdt_20240808_trades",), "canary"),
    (("trades/binance_spot_btcusdt_20240809_trades",), "canary"),
    (("trades/binance_coinm_btcusdperp_20240808_trades",), "canary"),
    (("trades/binance_xrpeth_trades_20191011",), "canary"),
)

pytestmark = [
    pytest.mark.process,
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.exists(), reason=f"no market data at {DATA}"),
]


def proven(names: tuple[str, ...], play: str, work: Path, rows: int | None = None) -> str:
    """Try a case; return what is wrong with it."""
    files = [DATA / f"{name}.csv.gz" for name in names]
    if rows is not None:
        files = [head(file, work / "data", rows) for file in files]
    facts = tuple(each for file in files if (each := facts_of(file)) is not None)
    outcome = Ways(PROGRAM).compare(Case(play=data_path(f"configs/plays/{play}.yaml"), data=facts), work)
    return (
        ""
        if outcome.verdict is Verdict.IDENTICAL
        else f"{outcome.verdict}: {outcome.text} {outcome.difference}"
    )


@pytest.mark.parametrize(
    ("names", "play"), CASES, ids=lambda part: Path(part[0]).name if type(part) is tuple else part
)
def test_a_slice_of_every_file_gives_one_hash_three_ways(
    names: tuple[str, ...], play: str, tmp_path: Path
) -> None:
    assert proven(names, play, tmp_path, SLICE_ROWS) == ""


@pytest.mark.whole
def test_a_whole_file_gives_one_hash_three_ways(tmp_path: Path) -> None:
    assert proven(("bars/binance_ethbtc_5m_201801",), "canary", tmp_path) == ""
