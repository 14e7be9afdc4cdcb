"""What `trader-tui play` prints, and how it refuses."""

import json
import sys
from pathlib import Path

import pytest

from tui.cli import main

PAIR = """\
name: pair
timeframe: 5m
symbols: [BTCUSDT, ETHUSDT]
legs: [btc, eth]
params: {far: {default: 2, min: 1, max: 4}, near: 0.5}
size: {notional: 100}
long:
  enter: zscore(close / eth.close, 20) < -$far and ema(20)@1h > $near
"""


def run(*words: str) -> int:
    """Run a command to its end and return its exit code."""
    with pytest.raises(SystemExit) as end:
        sys.exit(main(words))
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A play of two legs, in the present folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pair.yaml"
    path.write_text(PAIR)
    return path


def test_a_play_is_taken_apart(pair: Path, capsys: pytest.CaptureFixture[str]):
    assert run("play", "check", "pair.yaml") == 0
    shown = capsys.readouterr().out
    for line in (
        f"pair is a play without mistakes: {pair}",
        "  bars        of 5m",
        "  trades      btc (BTCUSDT), looking at eth (ETHUSDT)",
        "  warm-up     270 bars",
        "  reads       close",
        "  indicators  zscore(close / eth.close, 20), ema(20)@1h",
        "  parameter   far = 2, min 1, max 4",
        "  parameter   near = 0.5",
        "  its bars: first signal after 20, looks back at 20",
        "  its bars of 1h: first signal after 20, looks back at 228",
        "  eth bars: first signal after 1, looks back at 1",
        "long entry: zscore(close / eth.close, 20) < -2 and ema(20)@1h > 0.5",
        "  and",
        "  ├─ <",
        "  │  ├─ zscore(20) of",
        "  │  │  └─ /",
        "  │  │     ├─ close",
    ):
        assert f"{line}\n" in shown


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "ema_cross",
            (
                "  bars        of the data's own step",
                "  trades      the instrument that the data is of",
                "  warm-up     27 bars",
            ),
        ),
        (
            "trend_pullback",
            ("  warm-up     3,179 bars of 1m, 635 bars of 5m, 211 bars of 15m, 61 bars of 1h",),
        ),
        ("pair_reversion", ("  trades      traded, looking at other",)),
        ("structure_break", ("  its bars: first signal after 15, looks back at all since the first",)),
    ],
)
def test_what_the_data_decides_is_said(name: str, lines: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert run("play", "check", name) == 0
    shown = capsys.readouterr().out
    for line in lines:
        assert f"{line}\n" in shown


def test_a_play_without_indicators_says_so(pair: Path, capsys: pytest.CaptureFixture[str]):
    pair.write_text("name: x\nsymbols: [BTCUSDT]\nsize: {notional: 1}\nlong: {enter: close > 1}\n")
    assert run("play", "check", "pair.yaml") == 0
    shown = capsys.readouterr().out
    assert "  indicators  none\n" in shown
    assert "  trades      BTCUSDT\n" in shown


def test_json_holds_the_same(pair: Path, capsys: pytest.CaptureFixture[str]):
    assert run("play", "check", "pair.yaml", "--set", "far=3", "--set", "$near=-1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["file"] == str(pair)
    assert found["facts"]["rules"][0]["text"] == "zscore(close / eth.close, 20) < -3 and ema(20)@1h > -1"
    assert found["parameters"][0] == {
        "name": "far",
        "value": "3",
        "minimum": "1",
        "maximum": "4",
        "step": None,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pair.yaml", "--set", "far"), "--set takes NAME=VALUE, as in --set fast=9, and not 'far'."),
        (("pair.yaml", "--set", "far=9"), "pair.yaml:5:10: params.far: must be at least 1 and at most 4"),
        (("pair.yaml", "--set", "far=x"), "far: 'x' is no number"),
        (("nothing",), "there is no play named 'nothing'"),
        (("nothing.yaml",), "there is no file"),
    ],
)
def test_what_is_wrong_is_one_message(
    pair: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
):
    assert run("play", "check", *words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]):
    assert run("play", "schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A play of trader-tui"


GOOD = "name: x\nsize: {notional: 1}\nlong:\n  enter: close > 1\n"
BOMB = "a: &a [1]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            GOOD.replace("name: x", "name: flatten"),
            "1:7: name: 'flatten' is the name under which a flatten trades",
            id="reserved",
        ),
        pytest.param(
            GOOD.replace("close", "clsoe"),
            "4:10: long.enter: there is no 'clsoe'; did you mean 'close'?",
            id="name",
        ),
        pytest.param(GOOD.replace("> 1", "+ 1"), "4:10: long.enter: a rule is a condition", id="type"),
        pytest.param(
            GOOD.replace("close", "close[-1]"), "4:16: long.enter: [-1] looks ahead", id="look-ahead"
        ),
        pytest.param(
            GOOD + "stop_loss: {percent: 150}\n", "5:22: stop_loss.percent: must be at most 100", id="stop"
        ),
        pytest.param(
            GOOD + "stop_loss: {percent: -1}\n",
            "5:22: stop_loss.percent: must be more than 0",
            id="stop below",
        ),
        pytest.param(
            GOOD.replace("close", "ema(0)"), "4:14: long.enter: the period of ema is a whole", id="period 0"
        ),
        pytest.param(
            GOOD.replace("close", "ema(1000000000)"), "4:14: long.enter: the period of ema", id="period 10^9"
        ),
        pytest.param(
            GOOD.replace("close", "$a") + "define: {a: $b + 1, b: $a + 1}\n",
            "5:13: define.a: refers to itself: $a -> $b -> $a",
            id="cycle",
        ),
        pytest.param(
            GOOD + "params: &p {a: *p}\n", "values are nested more than 32 deep", id="alias of itself"
        ),
        pytest.param(
            GOOD.replace("close", " + ".join(f"sma({100_000 - n})" for n in range(11))),
            "x.yaml:1: the play remembers more than 1,000,000 values; shorten its periods",
            id="memory",
        ),
        pytest.param(GOOD + "#" * 10_000_000, "the file is larger than 256 kB", id="10 MB"),
        pytest.param(BOMB, "more than 100 values come from aliases", id="bomb"),
        pytest.param(GOOD + "params: {a: " + "[" * 2_000, "x.yaml", id="deep"),
        pytest.param("\x00", "x.yaml", id="no text"),
        pytest.param("name: !!python/object:os.system x\n", "x.yaml:1:", id="tag"),
    ],
)
def test_bad_input_is_one_clear_message(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(text)
    assert run("play", "check", "x.yaml") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert len(shown.err) < 1_000
