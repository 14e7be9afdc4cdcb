"""What `trader-tui model` prints, and how it refuses."""

import json
import math
import os
import sys
from pathlib import Path

import pytest

from engine.models.checkpoint import read_checkpoint
from tui.cli import main
from tui.model_commands import ONE_THREAD

PLAY = """\
name: waves
model:
  file: waves.npz
  features: [rsi(5), roc(3), close / sma(20)]
  horizon: 4
size: {notional: 100}
long:
  enter: model > 0.6
  exit: model < 0.4
"""
BARS = 900


def run(*words: str) -> int:
    """Run a command to its end and return its exit code."""
    with pytest.raises(SystemExit) as end:
        sys.exit(main(words))
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A play and a file of waves, in the present folder."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    monkeypatch.chdir(tmp_path)
    lines = ["ts_ms,open,high,low,close,volume"]
    for number in range(BARS):
        close = 100 + 5 * math.sin(number / 9) + 2 * math.sin(number / 3.7)
        lines.append(
            f"{(28_000_000 + number) * 60_000},{close:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f},10"
        )
    (tmp_path / "waves.csv").write_text("\n".join(lines) + "\n")
    path = tmp_path / "waves.yaml"
    path.write_text(PLAY)
    return path


def train(*words: str) -> int:
    return run("model", "train", "waves.yaml", "--data", "W=waves.csv", *words)


@pytest.mark.parametrize("kind", [(), ("--architecture", "mlp", "--hidden", "4,3", "--epochs", "20")])
def test_a_model_is_trained_told_of_and_traded(play: Path, capsys: pytest.CaptureFixture[str], kind):
    assert train(*kind) == 0
    text = capsys.readouterr().out
    assert "of 3 features; is the close higher 4 bars on?" in text
    for word in ("fold", "Brier score", "log-loss", "AUC", "came true (up) over said (right)", "waves.npz"):
        assert word in text
    first = play.with_name("waves.npz").read_bytes(), play.with_name("waves.json").read_bytes()
    assert train(*kind, "--force") == 0
    assert (play.with_name("waves.npz").read_bytes(), play.with_name("waves.json").read_bytes()) == first
    capsys.readouterr()
    assert run("backtest", "waves.yaml", "--data", "W=waves.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["signals"] > 10


def test_a_model_that_is_there_is_not_written_over(play: Path, capsys: pytest.CaptureFixture[str]):
    assert train("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sha256"] == read_checkpoint(play.with_name("waves.npz")).identity
    assert train() == 2
    assert "waves.npz: is there already; give --force" in capsys.readouterr().err


def test_a_model_is_checked_and_scored_on_other_data(play: Path, capsys: pytest.CaptureFixture[str]):
    assert train("--to", f"{28_000_600 * 60_000}") == 0
    capsys.readouterr()
    assert run("model", "check", "waves.yaml") == 0
    text = capsys.readouterr().out
    assert "the model of waves is without mistakes: logistic of 3 features" in text
    assert "close / sma(20)" in text
    assert run("model", "check", "waves.yaml", "--data", "W=waves.csv") == 0
    assert "the model was trained on waves.csv" in capsys.readouterr().out
    after = ("--from", f"{28_000_601 * 60_000}", "--json")
    assert run("model", "check", "waves.yaml", "--data", "W=waves.csv", *after) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["learned"] == []
    assert told["scored"]["rows"] == told["bars"] - 19 - 4


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (("horizon: 4", "horizon: 999"), (), "the data gives 0 rows with all features and a label"),
        (
            ("horizon: 4", "horizon: 4\n  rise_percent: 900"),
            (),
            "0 came true: each kind must be there 5 times",
        ),
        (("file: waves.npz", "file: none/waves.npz"), (), "none: there is no such folder"),
        (("file: waves.npz", "file: waves.pkl"), (), "must name an .npz file"),
        (("", ""), ("--from", "2031-01-01"), "waves.csv"),
        (("", ""), ("--hidden", "4"), "--hidden goes with --architecture mlp"),
        (("", ""), ("--architecture", "mlp", "--hidden", "4,x"), "is no list of layers' sizes"),
        (("", ""), ("--architecture", "mlp", "--hidden", "0"), "1 to 7 layers of 1 to 1,024 units"),
    ],
)
def test_what_cannot_be_trained_is_said(play: Path, capsys: pytest.CaptureFixture[str], change, words, said):
    play.write_text(PLAY.replace(*change))
    assert train(*words) == 2
    assert said in capsys.readouterr().err
    assert not play.with_name("waves.npz").exists()


def test_a_play_without_a_model_has_nothing_to_train(play: Path, capsys: pytest.CaptureFixture[str]):
    play.write_text("name: waves\nsize: {notional: 100}\nlong: {enter: close > 100}\n")
    assert train() == 2
    assert "the play has no model; name one, as in model: {file" in capsys.readouterr().err
    assert run("model", "train", "waves.yaml") == 2
    assert "a training needs a file of market data" in capsys.readouterr().err


def test_a_folder_that_takes_nothing_is_said(play: Path, capsys: pytest.CaptureFixture[str]):
    play.with_name("waves.json").mkdir()
    assert train("--force") == 1
    assert "the model cannot be written" in capsys.readouterr().err


def test_a_narrow_screen_and_one_without_dots_get_the_plot_too(
    play: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "60")
    assert train() == 0
    assert max(map(len, capsys.readouterr().out.split("\n\n")[-2].splitlines())) <= 60
