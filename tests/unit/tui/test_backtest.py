"""`trader-tui backtest`: one object, or a report that fits the terminal; kept runs, and two compared."""

import io
import json
import threading

import pytest
from rich.cells import cell_len
from rich.console import Console

from engine.api import SHEET, ConfigError, load_settings, run_backtest
from tui import backtest, backtest_report, comparison
from tui.offline import Span
from tui.progress import RunProgress


def test_a_backtest_is_one_object(short_tape, capsys):
    assert backtest.run(short_tape, Span(), out=None, as_json=True) == 0
    (line,) = capsys.readouterr().out.splitlines()
    facts = json.loads(line)
    assert (facts["play"], facts["bars"]) == ("canary", 100)
    assert facts["months"][0]["month"] == "2020-01"
    assert facts["sharpe"] is None, "a run of one day has none"


def test_a_bar_belongs_to_the_span_in_which_it_lies(short_tape, capsys):
    span = Span.of("2020-01-31T00:10", "2020-01-31T00:30")
    backtest.run(short_tape, span, out=None, as_json=True)
    facts = json.loads(capsys.readouterr().out)
    assert facts["bars"] == 20
    assert facts["origin"]["settings"]["from"] == "2020-01-31T00:10:00Z"


def test_a_run_is_kept_and_compared_with_itself(short_tape, own_place, capsys):
    for name in ("a", "b"):
        assert backtest.run(short_tape, Span(), out=own_place / name, as_json=False) == 0
    assert "kept    " in capsys.readouterr().out
    assert backtest.compare(own_place / "a", own_place / "b", as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["differences"], found["reproduced"]) == ([], True)


def test_a_folder_of_others_is_refused_before_the_run(short_tape, own_place, capsys):
    (own_place / "out").mkdir()
    (own_place / "out" / "mine").write_text("")
    with pytest.raises(ConfigError, match="which no backtest wrote"):
        backtest.run(short_tape, Span(), out=own_place / "out", as_json=False)
    assert capsys.readouterr().out == ""


def shown(width, draw, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    draw(Console(file=file, width=width, highlight=False))
    file.seek(0)
    return file.read().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_report_fits_and_says_every_figure(short_tape, tmp_path, width):
    study = run_backtest(short_tape)
    lines = shown(width, lambda console: backtest_report.show(console, study, None))
    assert max(map(cell_len, lines)) <= width
    words = "\n".join(lines)
    for group in SHEET:
        assert all(line.label in words for line in group.lines)
    assert "n/a" in words
    assert study.run.trade_hash[:16] in words
    assert any("\u2800" < char < "\u2900" for char in words), "the equity is drawn"


def test_the_report_needs_no_braille(short_tape):
    study = run_backtest(short_tape)
    lines = shown(80, lambda console: backtest_report.show(console, study, None), "ascii")
    assert "Result" in "\n".join(lines)


def compared(own_place, short_tape, capsys, changed):
    backtest.run(short_tape, Span(), out=own_place / "a", as_json=True)
    backtest.run(changed, Span(), out=own_place / "b", as_json=True)
    capsys.readouterr()
    code = backtest.compare(own_place / "a", own_place / "b", as_json=False)
    return code, capsys.readouterr().out


def test_what_differs_comes_first(short_tape, own_place, capsys):
    data = str(short_tape.data[0].path)
    changed = load_settings(
        {"mode": "backtest", "plays": ("ema_cross",), "data": (data,), "account.equity": "9000"}
    )
    code, words = compared(own_place, short_tape, capsys, changed)
    assert code == 0
    differences, _, figures = words.partition("other signals, other trades")
    assert "A canary" in differences
    assert "B ema_cross" in differences
    assert "account.equity" in differences
    assert "data      the same" in differences
    assert "final equity" in figures


def test_a_run_that_is_not_reproduced_is_exit_code_4(short_tape, own_place, capsys):
    backtest.run(short_tape, Span(), out=own_place / "a", as_json=True)
    backtest.run(short_tape, Span(), out=own_place / "b", as_json=True)
    summary = own_place / "b" / "summary.json"
    facts = json.loads(summary.read_text())
    for name, told in (
        ("trade_hash", "the trades are not"),
        ("signal_hash", "the signals and trades are not"),
    ):
        facts[name] = "0" * 64
        summary.write_text(json.dumps(facts))
        capsys.readouterr()
        assert backtest.compare(own_place / "a", own_place / "b", as_json=False) == 4
        assert told in " ".join(capsys.readouterr().out.split())


def test_the_same_trades_of_other_inputs_are_said(short_tape, own_place, capsys):
    changed = short_tape.model_copy(
        update={"simulated": short_tape.simulated.model_copy(update={"latency_ms": 51.0})}
    )
    code, words = compared(own_place, short_tape, capsys, changed)
    assert code == 0
    assert "the same signals and trades" in words
    assert "simulated.latency_ms" in words


def test_months_of_one_side_leave_the_other_empty(short_tape, own_place, capsys):
    for name in ("a", "b"):
        backtest.run(short_tape, Span(), out=own_place / name, as_json=True)
    summary = own_place / "b" / "summary.json"
    facts = json.loads(summary.read_text())
    facts["months"] = []
    facts["signal_hash"], facts["origin"]["seed"] = "0", 1
    summary.write_text(json.dumps(facts))
    capsys.readouterr()
    assert backtest.compare(own_place / "a", own_place / "b", as_json=False) == 0
    words = capsys.readouterr().out
    assert "other signals, the same trades" in words
    facts["trade_hash"], facts["signal_hash"] = (
        "0",
        json.loads((own_place / "a/summary.json").read_text())["signal_hash"],
    )
    summary.write_text(json.dumps(facts))
    backtest.compare(own_place / "a", own_place / "b", as_json=False)
    assert "the same signals, other trades" in capsys.readouterr().out


def test_gains_and_losses_are_coloured_by_what_is_better():
    line = {line.name: line for group in SHEET for line in group.lines}
    assert comparison.change_of(line["max_drawdown"], 0.1).style == comparison.LOSS
    assert comparison.change_of(line["sharpe"], 0.1).style == comparison.GAIN
    assert comparison.change_of(line["turnover"], -5.0).style == ""
    assert comparison.change_of(line["risk_mode"], None).plain == ""
    assert comparison.change_of(line["trades"], 0.0).plain == "="
    assert comparison.change_of(line["average_hold_s"], -90.0).plain == "-1m 30s"


class Halfway:
    """A run that is asked how far it is, and says that it was."""

    rows = 1_000

    def __init__(self, asked):
        self.asked = asked

    def progress(self):
        self.asked.release()
        return 0.5


@pytest.mark.parametrize("terminal", [True, False])
def test_a_run_that_lasts_shows_how_far_it_is_on_a_terminal_only(terminal):
    out = io.StringIO()
    asked = threading.Semaphore(0)
    console = Console(file=out, force_terminal=terminal, width=80)
    with RunProgress(console, patience_s=0.0) as progress:
        progress.begin(Halfway(asked))
        assert asked.acquire(timeout=10) is terminal if terminal else True
    assert ("50%" in out.getvalue()) is terminal


def test_a_short_run_shows_nothing():
    out = io.StringIO()
    with RunProgress(Console(file=out, force_terminal=True), patience_s=3600.0) as progress:
        progress.begin(Halfway(threading.Semaphore()))
    assert out.getvalue() == ""
