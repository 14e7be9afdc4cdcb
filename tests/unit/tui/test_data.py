"""What `trader-tui data` prints: figures and a chart, what came of a fetch, how an interruption is told."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from engine.api import TraderError
from engine.runtime.datafetch import FetchProgress, FetchReport
from tests.architecture.test_imports import loaded_by
from tests.unit.venues.data_files import write, write_bars
from tui import data
from tui.cli import cli, main

FETCH = (
    "data",
    "fetch",
    "--venue",
    "bybit",
    "--symbol",
    "BTCUSDT",
    "--timeframe",
    "1m",
    "--since",
    "2024-01-01",
)
REPORT = FetchReport(
    file="x.csv.gz",
    instrument_file="x.instrument.yaml",
    venue="bybit",
    symbol="BTCUSDT",
    timeframe="1m",
    rows=5_000,
    fetched=1_200,
    first_ns=1_704_067_200 * 10**9,
    last_ns=1_704_067_260 * 10**9,
    gaps=2,
    missing=17,
    notes=("x.instrument.yaml keeps tick 0.5; bybit now says 0.1",),
)


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """Bars with a gap and a quirk."""
    rows = ("0,10,11,10,10.5,1", "60000,12,12.5,10,12,1", "120000,8,12,9,9,1", "240000,9,11,9,11,1")
    return write_bars(tmp_path / "v_btcusdt_1m.csv", *rows)


def shown(*words: object) -> str:
    """Run a command without a terminal and return its output."""
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_file_of_bars_is_shown_in_lines(bars: Path):
    lines = shown("data", "show", bars).splitlines()
    assert lines[:11] == [
        f"file    {bars}",
        "kind    bars",
        "rows    4",
        "first   1970-01-01 00:00:00 UTC (the open)",
        "last    1970-01-01 00:04:00 UTC, 4m 00s later",
        "step    1m 00s",
        "price   9 .. 12.5, from 10.5 to 11 (+4.76%)",
        "volume  4",
        "gaps    1 lacking 1 bar",
        "        1970-01-01 00:02:00 .. 1970-01-01 00:04:00  2m 00s, 1 bar",
        "quirk   1 bars open outside of their own low and high",
    ]
    assert lines[11].startswith(
        "rules   BTCUSDT linear, BTC/USDT settled in USDT; tick 0.1, lot 0.01, least 0.01 and 0"
    )
    assert "derived tick 0.1, from the prices' decimals" in lines
    stated = bars.with_name("v_btcusdt_1m.instrument.yaml")
    assert f"note    what is derived wrongly, state in {stated}" in lines
    assert not any("⠀" <= char <= "⣿" for line in lines for char in line)


def test_an_answer_for_programs_is_one_object(bars: Path):
    answer = json.loads(shown("data", "show", bars, "--json", "--bar-ts", "close"))
    assert (answer["rows"], answer["gaps"], answer["price_high"], answer["bar_ts"]) == (4, 1, "12.5", "close")
    assert answer["longest_gaps"] == [{"after_ns": 120 * 10**9, "until_ns": 240 * 10**9, "missing": 1}]
    assert answer["chart"] == []


def test_quotes_and_recordings_say_that_they_are_not_replayed(tmp_path: Path):
    quotes = write(tmp_path / "q.csv", "ts_ms,bid,ask", "1000,5,6", "1500,5,6")
    lines = shown("data", "show", quotes).splitlines()
    assert lines[-1] == "note    quotes can be looked at, not replayed: plays need bars or trades"
    assert "silence the longest:" in lines
    assert lines[-2].endswith("  0.5s")
    many = tmp_path / "r.jsonl"
    many.write_text("".join(f'{{"ts": 1, "stream": "s{n}"}}\n' for n in range(14)) + '{"ts": 1}\n')
    text = shown("data", "show", many)
    assert "stream  1  s0" in text
    assert "        and 3 more streams" in text


def test_flat_volume_and_no_gap_are_said_in_words(tmp_path: Path):
    text = shown("data", "show", write_bars(tmp_path / "w.csv", "1,1,1,1,0", "1,1,1,1,0"))
    assert "gaps    none" in text
    assert "quirk   the volume is 0 everywhere" in text


class Terminal:
    """A terminal that keeps what is written to it."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, encoding: str = "utf-8") -> Terminal:
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    return terminal


@pytest.mark.parametrize("columns", [40, 80, 300])
def test_a_terminal_gets_a_chart_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch, bars: Path, columns: int):
    terminal = on_terminal(monkeypatch, columns)
    assert data.show(bars, bar_ts=None, as_json=False) == 0
    *chart, axis = terminal.text.splitlines()[-data.CHART_ROWS - 1 :]
    assert chart[0].startswith("12 ")
    assert chart[-1].startswith(" 9 ")
    assert max(map(len, chart)) <= columns
    assert axis.split() == ["1970-01-01", "00:00:00", "1970-01-01", "00:04:00"]
    assert data.show(bars, bar_ts=None, as_json=True) == 0
    assert json.loads(terminal.text.splitlines()[-1])["chart"] == []


def test_a_terminal_that_cannot_write_braille_gets_no_chart(monkeypatch: pytest.MonkeyPatch, bars: Path):
    terminal = on_terminal(monkeypatch, 80, "ascii")
    data.show(bars, bar_ts=None, as_json=False)
    terminal.text.encode("ascii")


def fetching(monkeypatch: pytest.MonkeyPatch, act: Callable[..., FetchReport]) -> list[dict[str, Any]]:
    """Let `act` stand in for the engine; return what it is called with."""
    calls: list[dict[str, Any]] = []

    def fetch_bars(**options: Any) -> FetchReport:
        calls.append(options)
        return act(options["tell"])

    monkeypatch.setattr(data, "fetch_bars", fetch_bars)
    return calls


def test_a_fetch_says_what_came_of_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    calls = fetching(monkeypatch, lambda tell: REPORT)
    assert _main(*FETCH, "--until", "2024-02-01", "--out", "x.csv.gz", "--host", "http://127.0.0.1:1") == 0
    asked = {name: value for name, value in calls[0].items() if name != "tell"}
    assert asked == {
        "venue": "bybit",
        "symbol": "BTCUSDT",
        "timeframe": "1m",
        "since": 1_704_067_200 * 10**9,
        "until": 1_706_745_600 * 10**9,
        "out": Path("x.csv.gz"),
        "host": "http://127.0.0.1:1",
    }
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "x.csv.gz: 5,000 bars of BTCUSDT 1m from bybit, 2024-01-01 00:00:00 .. 2024-01-01 00:01:00 UTC",
        "fetched now: 1,200 bars, 2 gaps lacking 17 bars among them",
        "instrument: x.instrument.yaml",
    ]
    assert told.err == "trader-tui: x.instrument.yaml keeps tick 0.5; bybit now says 0.1\n"


def test_a_fetch_answers_programs_with_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    fetching(monkeypatch, lambda tell: REPORT)
    assert _main(*FETCH, "--json") == 0
    assert json.loads(capsys.readouterr().out)["missing"] == 17


@pytest.mark.parametrize(
    ("fetched", "gaps", "told"), [(0, 0, "nothing new"), (1, 0, "1 bar, no gaps among them")]
)
def test_a_fetch_says_when_there_was_nothing_or_nothing_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fetched: int, gaps: int, told: str
):
    report = msgspec.structs.replace(REPORT, fetched=fetched, gaps=gaps)
    fetching(monkeypatch, lambda tell: report)
    assert _main(*FETCH) == 0
    assert capsys.readouterr().out.splitlines()[1] == f"fetched now: {told}"


def test_waiting_is_told_on_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def act(tell: Callable[[FetchProgress], None]) -> FetchReport:
        tell(FetchProgress(note="bybit cannot be reached: [x]; asking again in 1.0 s"))
        tell(FetchProgress(file=Path("x.csv.gz"), rows=7, start_ms=1_000, at_ms=2_000, end_ms=9_000))
        return REPORT

    fetching(monkeypatch, act)
    assert _main(*FETCH) == 0
    assert capsys.readouterr().err.splitlines()[0] == (
        "trader-tui: bybit cannot be reached: [x]; asking again in 1.0 s"
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, "trader-tui: interrupted\n"),
        (0, "trader-tui: interrupted\n"),
        (
            2_000,
            (
                "trader-tui: interrupted; 2,000 bars kept in x.csv.gz.part,"
                " the same command goes on from there\n"
            ),
        ),
    ],
)
def test_an_interruption_says_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: int | None, message: str
):
    def act(tell: Callable[[FetchProgress], None]) -> FetchReport:
        if rows is not None:
            tell(FetchProgress(file=Path("x.csv.gz"), rows=rows))
        raise KeyboardInterrupt

    fetching(monkeypatch, act)
    assert _main(*FETCH) == 130
    assert capsys.readouterr() == ("", message)


def test_a_failure_is_one_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def act(tell: Callable[[FetchProgress], None]) -> FetchReport:
        raise TraderError("bybit refuses: no")

    fetching(monkeypatch, act)
    assert _main(*FETCH) == 1
    assert capsys.readouterr() == ("", "trader-tui: bybit refuses: no\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("data", "show"), "Missing argument 'FILE'"),
        (("data", "shwo"), "No such command 'shwo'"),
        (("data", "show", "none.csv"), "none.csv: no such file"),
        (FETCH[:-2], "Missing option '--since'"),
        ((*FETCH[:-1], "soon"), "--since: 'soon' is no time"),
        ((*FETCH, "--until", "2023-01-01"), "--until: it must lie after --since (2024-01-01)"),
    ],
)
def test_wrong_use_is_one_message_and_code_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
):
    assert _main(*words) == 2
    assert message in capsys.readouterr().err


def test_a_bar_moves_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    def act(tell: Callable[[FetchProgress], None]) -> FetchReport:
        tell(
            FetchProgress(file=Path("x.csv.gz"), rows=700, start_ms=0, at_ms=50 * 60_000, end_ms=100 * 60_000)
        )
        return REPORT

    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes any stream for a terminal
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setitem(os.environ, "TERM", "xterm-256color")
    fetching(monkeypatch, act)
    assert _main(*FETCH) == 0
    drawn = capfd.readouterr().err
    assert "x.csv.gz" in drawn
    assert "50%" in drawn


def test_neither_the_commands_nor_a_look_at_a_file_load_an_exchange():
    assert loaded_by("tui.data", "ccxt", "aiohttp", "numpy") == []
    assert loaded_by("engine.runtime.datasummary", "ccxt", "aiohttp") == []


def _main(*words: str) -> int:
    """Run the command line as the program does."""
    try:
        return main(words)
    except SystemExit as end:
        return int(end.code or 0)
