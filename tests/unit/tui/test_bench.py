"""`trader-tui bench parity`: a line each pair, the first difference with both states, and the exit code."""

import json

import pytest

from engine.api import FirstDifference, ParityOutcome, ParityReport, ParityVerdict
from engine.runtime.parity.report import Row
from tui import bench

SAME = ParityOutcome(
    play="canary",
    data="btc",
    verdict=ParityVerdict.IDENTICAL,
    bars=3_000,
    signals=120,
    trades=59,
    signal_hash="a" * 64,
    trade_hash="b" * 64,
)
UNFIT = ParityOutcome(play="pair", data="btc", verdict=ParityVerdict.UNFIT, text="needs 2 markets")
FOUND = FirstDifference(
    ts=1,
    at="2020-01-01T00:01:00Z",
    bar="BTC open 1.0",
    rows=(Row("decided", "entry buy BTC", "nothing"), Row("equity", "1", "1")),
    text="it does not come again",
)
APART = ParityOutcome(
    play="canary",
    data="eth",
    verdict=ParityVerdict.DIFFERENT,
    text="replay is not backtest",
    difference=FOUND,
)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    def go(*outcomes, idle=(), skipped=(), as_json=False):
        def run_parity(wish, program, tell):
            assert program[1:] == ("-P", "-m", "tui")
            assert (wish.folder, wish.rows) == (tmp_path, 5_000)
            for outcome in outcomes:
                tell(outcome)
            return ParityReport(outcomes=outcomes, skipped=skipped, idle=idle)

        monkeypatch.setattr(bench, "bench_parity", run_parity)
        code = bench.parity(tmp_path, plays=(), files=(), rows=5_000, jobs=1, as_json=as_json)
        return code, capsys.readouterr().out

    return go


def test_identical_pairs_are_a_line_each(run):
    code, words = run(SAME, UNFIT, skipped=("quotes.csv",))
    assert code == 0
    lines = words.splitlines()
    assert lines[0].split() == [
        *("identical", "canary", "btc:", "3,000", "bars,", "120", "signals,", "59", "trades;"),
        *("a" * 12, "b" * 12),
    ]
    assert lines[1].endswith("btc: needs 2 markets")
    assert lines[-2:] == ["pairs: 1 identical, 1 unfit", "neither bars nor trades: quotes.csv"]


def test_a_difference_is_shown_with_both_states_and_marked(run):
    code, words = run(SAME, APART)
    assert code == 4
    assert "the first bar that differs closes at 2020-01-01T00:01:00Z: BTC open 1.0" in words
    assert "it does not come again" in words
    marked = [line for line in words.splitlines() if line.startswith("!")]
    assert len(marked) == 1
    assert "entry buy BTC" in marked[0]
    assert "nothing" in marked[0]


def test_a_play_that_traded_nowhere_is_exit_code_4(run):
    code, words = run(UNFIT, idle=("pair",))
    assert code == 4
    assert "NOTHING WAS TRADED with pair" in words


def test_json_is_one_object(run):
    code, words = run(SAME, APART, as_json=True)
    assert code == 4
    told = json.loads(words)
    assert [outcome["verdict"] for outcome in told["outcomes"]] == ["identical", "DIFFERENT"]
    assert told["outcomes"][1]["difference"]["rows"][0]["replay"] == "nothing"
