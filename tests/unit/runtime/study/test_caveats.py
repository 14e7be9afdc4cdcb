"""What a reader of a backtest is told before its figures are believed."""

import io
from pathlib import Path

from rich.console import Console

from engine.config.settings import Settings
from engine.runtime.study.page import page
from engine.runtime.study.study import study
from tests.unit.runtime.study.runs import bars_settings
from tui.backtest_report import show


def with_facts(folder: Path, text: str) -> Settings:
    """Settings of a run over bars whose instrument file says `text`."""
    settings = bars_settings(folder)
    data = Path(settings.data[0].path)
    data.with_name(data.name.partition(".")[0] + ".instrument.yaml").write_text(text)
    return settings


def test_what_is_assumed_of_an_instrument_is_told_everywhere_a_run_is_shown(tmp_path: Path):
    found = study(with_facts(tmp_path, "settle: BTC\nkind: inverse\nvolume_unit: quote\n"))
    assert [note.partition(": ")[2] for note in found.notes[:2]] == [
        "inverse is simulated as linear, with profits in USDT",
        "fills are not capped by volume: it is 0 or not in base units",
    ]
    assert "trades as BTCUSDT, as --data says; derived: base, quote, tick," in found.notes[2]
    assert found.summary()["notes"] == found.notes
    assert found.currency == "USDT"
    assert "inverse is simulated as linear" in page(found)
    out = io.StringIO()
    show(Console(file=out, width=120), found, None)
    assert "note    BTCUSDT: inverse is simulated as linear" in out.getvalue()


def test_a_settle_currency_that_stands_for_the_prices_own_is_told(tmp_path: Path):
    found = study(with_facts(tmp_path, "settle: USDC\nvolume_unit: base\n"))
    assert found.currency == found.origin.settings["account"]["currency"] == "USDC"
    assert found.notes[0] == "BTCUSDT: priced in USDT, counted as USDC one to one"


def test_an_instrument_of_which_all_is_stated_needs_no_note(tmp_path: Path):
    stated = (
        "symbol: BTCUSDT\nbase: BTC\nquote: USDT\ntick: 0.1\nlot: 0.001\nqty_min: 0.001\nnotional_min: 5\n"
        "maker_fee: 0\ntaker_fee: 0\nbar_ts: open\nvolume_unit: base\n"
    )
    assert study(with_facts(tmp_path, stated)).notes == ()


def test_a_play_that_the_data_is_too_short_for_says_so(tmp_path: Path):
    settings = bars_settings(tmp_path)
    play = tmp_path / "slow.yaml"
    play.write_text("name: slow\nsize: {notional: 100}\nlong:\n  enter: close > sma(5000)\n")
    found = study(settings.model_copy(update={"plays": (play,)}))
    assert found.notes[-1].startswith("slow: no signal: it warms up for 5,000 bars and the data has")
