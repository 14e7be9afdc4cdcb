"""A case three ways, with a stand-in for the program: verdicts, kills, and failures of the program."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.parity import bench
from engine.runtime.parity import ways as module
from engine.runtime.parity.bench import run_parity
from engine.runtime.parity.pairs import Case, facts_of
from engine.runtime.parity.report import ParityWish, Verdict
from engine.runtime.parity.ways import Ways
from tests.unit.runtime.parity.test_pairs import LEGS
from tests.unit.runtime.rig import write_play, write_tape

RESULT = {
    "signals": 5,
    "vetoed": 1,
    "orders": 4,
    "risk_mode": "normal",
    "trades": 2,
    "fills": 4,
    "bars": 300,
    "signal_hash": "aa",
    "trade_hash": "bb",
    "final_equity": "1",
    "max_drawdown": 0.5,
}
# It tells what its file says for each way; a replay waits for its kill once, unless it is told to be quick.
PROGRAM = """
import json, os, pathlib, sys, threading
told = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
words = sys.argv[1:]
if words[0] == "backtest":
    way = "backtest"
else:
    state = pathlib.Path(words[words.index("--state-dir") + 1])
    way = "replay" if state.name == "replay" else "resumed"
    marks = state / "default" / "checkpoints"
    if way == "resumed" and not marks.exists() and not told.get("quick"):
        marks.mkdir(parents=True)
        for name in ("1", "2"):
            (marks / f"{name}.checkpoint").write_text("")
        threading.Event().wait(60)
answer = told[way]
assert os.environ["TRADER_TUI_ACCOUNT__EQUITY"] == "1000000"
if isinstance(answer, str):
    sys.exit(f"trader-tui: {answer}") if answer != "misuse" else (print("no", file=sys.stderr), sys.exit(2))
print(json.dumps(answer))
"""


@pytest.fixture
def told(tmp_path):
    """A program, a case, and a way to say what each way comes to."""
    (tmp_path / "program.py").write_text(PROGRAM)
    facts = facts_of(write_tape(tmp_path))
    assert facts is not None

    def say(**answers):
        content = {"backtest": RESULT, "replay": RESULT, "resumed": RESULT} | answers
        (tmp_path / "program.json").write_text(json.dumps(content))
        case = Case(play=write_play(tmp_path), data=(facts,))
        return Ways((sys.executable, str(tmp_path / "program.py"))).compare(case, tmp_path / "work")

    return say


def test_one_result_three_ways_is_identical(told):
    outcome = told()
    assert (outcome.verdict, outcome.text) == (Verdict.IDENTICAL, "")
    assert (outcome.signals, outcome.trades, outcome.trade_hash) == (5, 2, "bb")
    assert outcome.runs.keys() == {"backtest", "replay", "resumed"}


@pytest.mark.parametrize("way", ["replay", "resumed"])
@pytest.mark.parametrize("name", module.COMPARED)
def test_one_figure_that_differs_is_a_difference(told, monkeypatch, way, name):
    asked = []
    monkeypatch.setattr(module, "find_difference", lambda *told: asked.append(told))
    outcome = told(**{way: RESULT | {name: "other"}})
    assert (outcome.verdict, outcome.text) == (Verdict.DIFFERENT, f"{way} is not backtest")
    ((flags, environment, state),) = asked
    assert flags.keys() == {"plays", "data"}
    assert environment["TRADER_TUI_LIMITS__ORDER_NOTIONAL_MAX"] == "null"
    assert state.name.startswith("replay" if way == "replay" else "killed")


def test_a_replay_that_is_over_too_soon_proves_nothing(told):
    outcome = told(quick=True)
    assert (outcome.verdict, outcome.text) == (
        Verdict.UNPROVEN,
        "the replay was over before it could be killed",
    )


@pytest.mark.parametrize(
    ("answers", "verdict", "text"),
    [
        ({"backtest": RESULT | {"signals": 0, "bars": 2}}, Verdict.UNFIT, "its first signal takes 4 bars"),
        (
            {"backtest": RESULT | {"trades": 0}},
            Verdict.UNFIT,
            "signals: 5, of them vetoed: 1, but no trade closed",
        ),
        ({"backtest": "misuse"}, Verdict.UNFIT, "no"),
        ({"backtest": "it broke"}, Verdict.UNPROVEN, "trader-tui: it broke"),
        ({"replay": "it broke"}, Verdict.UNPROVEN, "trader-tui: it broke"),
    ],
)
def test_what_cannot_be_compared_says_why(told, answers, verdict, text):
    outcome = told(**answers)
    assert outcome.verdict is verdict
    assert text in outcome.text


def test_an_unfit_case_runs_nothing(tmp_path):
    facts = facts_of(write_tape(tmp_path))
    assert facts is not None
    case = Case(play=write_play(tmp_path), data=(facts,), unfit="needs 2 markets")
    assert Ways(("nothing",)).compare(case, tmp_path).verdict is Verdict.UNFIT


def test_what_waits_for_its_kill_ends_when_nobody_wants_to_know(told, tmp_path):
    told()
    ways = Ways((sys.executable, str(tmp_path / "program.py")))
    ways.stop()
    facts = facts_of(write_tape(tmp_path))
    assert facts is not None
    assert ways.kill_on_the_way(Case(play=write_play(tmp_path), data=(facts,)), tmp_path / "killed9")


def test_all_pairs_of_a_folder_are_run_and_told_in_order(told, tmp_path):
    told()
    data = tmp_path / "data"
    data.mkdir()
    write_tape(data, 300, 1)
    write_tape(data, 300, 2)
    (data / "quotes.csv").write_text("ts_ms,bid,bid_qty,ask,ask_qty\n1,1,1,2,1\n")
    heard: list[Any] = []
    wish = ParityWish(folder=data, plays=(str(write_play(tmp_path)),), rows=200, jobs=2)
    report = run_parity(wish, (sys.executable, str(tmp_path / "program.py")), heard.append)
    assert [outcome.data for outcome in heard] == ["btcusdt_1_300", "btcusdt_2_300"]
    assert report.outcomes == tuple(heard)
    assert (report.skipped, report.idle, report.proven) == (("quotes.csv",), (), True)


def test_a_play_that_trades_nowhere_is_no_proof(told, tmp_path):
    told(backtest=RESULT | {"signals": 0})
    data = tmp_path / "data"
    data.mkdir()
    write_tape(data)
    wish = ParityWish(folder=data, plays=(str(write_play(tmp_path)),))
    report = run_parity(wish, (sys.executable, str(tmp_path / "program.py")), lambda _: None)
    assert (report.idle, report.proven) == (("zigzag", "btcusdt_1_300"), False)


def test_what_was_not_asked_for_need_not_trade(told, tmp_path, monkeypatch):
    told()
    data = tmp_path / "data"
    data.mkdir()
    write_tape(data, 300, 1)
    (data / "unreadable.csv").write_text("ts_ms,price,qty,side\n")
    plays = (str(write_play(tmp_path)), str(write_play(tmp_path, "pair", LEGS)))
    program = (sys.executable, str(tmp_path / "program.py"))

    def idle(**wish):
        return run_parity(ParityWish(folder=data, **wish), program, lambda _: None).idle

    assert idle(plays=plays) == ("pair",)
    assert idle(plays=plays, files=("btcusdt",)) == ()
    assert idle(plays=plays[1:], files=("btcusdt",)) == ("pair", "btcusdt_1_300")
    monkeypatch.setattr(bench, "shipped_plays", lambda: [Path(play) for play in plays])
    assert idle() == ("pair",)


def test_an_interruption_ends_all(told, tmp_path):
    told()
    data = tmp_path / "data"
    data.mkdir()
    write_tape(data)
    wish = ParityWish(folder=data, plays=(str(write_play(tmp_path)),))

    def interrupt(_outcome):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_parity(wish, (sys.executable, str(tmp_path / "program.py")), interrupt)
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool") and thread.daemon
    ]
