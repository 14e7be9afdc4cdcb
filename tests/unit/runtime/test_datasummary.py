"""The figures of a data file: of small files counted by hand, of the real ones as their README has them."""

import re
from ast import literal_eval
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.runtime.datasummary import CHART_POINTS_MAX, Gap, summarize
from tests.unit.venues.data_files import MINUTE, SHARED, TRADE_HEADER, write, write_bars


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """Six bars of a minute with two gaps, the second of three bars; two open outside of their range."""
    rows = {
        0: "10.5,11,10,10.5",
        1: "12,11,10,10.6",
        2: "10,11,10,10.7",
        4: "9,11,10,11",
        8: "10,12.25,9.5,9.5",
    }
    lines = [f"{minute * 60_000},{row},0.5" for minute, row in {**rows, 9: "10,11,10,10.9"}.items()]
    return write_bars(tmp_path / "v_btcusdt_1m.csv", *lines)


def test_bars_are_summed_up(bars: Path):
    summary = summarize(bars)
    assert (summary.kind, summary.rows, summary.base_step_ns) == ("bars", 6, MINUTE)
    assert (summary.first_ns, summary.last_ns) == (0, 9 * MINUTE)
    assert (summary.gaps, summary.missing) == (2, 4)
    assert summary.longest_gaps == (Gap(4 * MINUTE, 8 * MINUTE, 3), Gap(2 * MINUTE, 4 * MINUTE, 1))
    assert summary.quirks == {"open_outside": 2}
    assert (summary.price_low, summary.price_high) == ("9.5", "12.25")
    assert (summary.price_first, summary.price_last, summary.volume) == ("10.5", "10.9", "3")
    assert summary.instrument is not None
    assert (summary.instrument.symbol, str(summary.instrument.tick)) == ("BTCUSDT", "0.01")
    assert (summary.bar_ts, summary.chart) == ("open", ())
    assert summarize(bars, bar_ts="close").bar_ts == "close"


def test_trades_have_silences_instead_of_gaps(tmp_path: Path):
    rows = ["1000,5.5,2,buy,1", "1000,5.6,1,,2", "9000,5.4,0.25,sell,3"]
    summary = summarize(write(tmp_path / "x_ethusdt.csv", TRADE_HEADER, *rows))
    assert (summary.kind, summary.rows, summary.base_step_ns, summary.gaps) == ("trades", 3, 0, 0)
    assert summary.longest_gaps == (Gap(1_000_000_000, 9_000_000_000),)
    assert summary.quirks == {"side_unknown": 1}
    assert (summary.price_low, summary.price_high, summary.volume) == ("5.4", "5.6", "3.25")
    assert summary.bar_ts == ""


def test_quotes_and_recordings_are_summed_up_without_an_instrument(tmp_path: Path):
    rows = ["1000,5,1,6,1,900", "3000,7,1,7,1,3000", "2000,5,1,6,1,2000"]
    quotes = summarize(write(tmp_path / "q.csv", "ts_ms,bid,bid_qty,ask,ask_qty,recv_ms", *rows), points=2)
    assert (quotes.kind, quotes.rows, quotes.instrument) == ("quotes", 3, None)
    assert quotes.quirks == {"backward": 1, "crossed": 1, "recv_behind": 1}
    assert (quotes.price_low, quotes.price_high, quotes.price_first) == ("5", "7", "5.5")
    (tmp_path / "r.jsonl").write_text('{"ts": 2.5, "stream": "a"}\n{"ts": 1.5, "stream": "a"}\n')
    recording = summarize(tmp_path / "r.jsonl", points=2)
    assert (recording.kind, recording.rows, recording.streams) == ("recording", 2, {"a": 2})
    assert (recording.quirks, recording.price_low, recording.chart) == ({"backward": 1}, "", ())


def test_a_chart_has_the_last_price_of_each_stretch_of_time(bars: Path):
    assert summarize(bars, points=1).chart == (10.9,)
    assert summarize(bars, points=2).chart == (11.0, 10.9)
    assert summarize(bars, points=5).chart == (10.6, 10.7, 11.0, None, 10.9)
    every = (10.5, 10.6, 10.7, None, 11.0, None, None, None, 9.5, 10.9)
    assert summarize(bars, points=10).chart == summarize(bars, points=10**9).chart == every


def test_between_trades_the_last_price_stands(tmp_path: Path):
    rows = ["0,5.5,2,buy,1", "300,5.6,1,buy,2", "1000,5.4,1,sell,3"]
    path = write(tmp_path / "x_ethusdt.csv", TRADE_HEADER, *rows)
    assert summarize(path, points=5).chart == (5.5, 5.6, 5.6, 5.6, 5.4)
    assert len(summarize(path, points=10**9).chart) == CHART_POINTS_MAX


def readme() -> list[tuple[str, int, str, dict[str, int]]]:
    """Return name, rows, period and checks of every file in the README's table."""
    path = SHARED / "README.md"
    if not path.exists():
        return []
    cells = [line.strip("| ").split(" | ") for line in path.read_text().splitlines() if ".gz | " in line]
    return [(row[0], int(row[2]), row[3], literal_eval(row[5])) for row in cells]


TABLE = readme()


@pytest.mark.shared
def test_the_readme_has_a_row_for_every_real_file():
    if not TABLE:
        pytest.skip(f"{SHARED} is not there: the real files were NOT read")
    assert {name for name, *_ in TABLE} == {str(path.relative_to(SHARED)) for path in SHARED.glob("*/*.gz")}


@pytest.mark.shared
@pytest.mark.parametrize(("name", "rows", "period", "checks"), TABLE, ids=[name for name, *_ in TABLE])
def test_real_files_have_the_figures_of_their_readme(
    name: str, rows: int, period: str, checks: dict[str, int]
):
    summary = summarize(SHARED / name)
    quirks = summary.quirks
    outside = quirks.get("open_outside", 0) + quirks.get("close_outside", 0)
    assert summary.rows == rows == checks["rows"]
    assert quirks.get("backward", 0) == checks["backward"] == 0
    assert quirks.get("crossed", 0) == checks.get("crossed", 0)
    if "1m" in name:  # what the README counts in bars of one minute
        assert (summary.gaps, outside) == (checks["gaps"], checks["ohlc_outside"])
    first, last = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", period)
    assert (_time(summary.first_ns), _time(summary.last_ns)) == (first, last)
    assert sum(summary.streams.values()) == (rows if summary.kind == "recording" else 0)


def _time(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
