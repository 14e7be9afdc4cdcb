"""`play check` and the schema: what is said of a play, and that editors are told the same as the loader."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from engine.config.packaged import data_root
from engine.config.playcheck import check_play
from engine.config.playschema import play_schema, schema_text
from engine.domain.errors import ConfigError

SHIPPED = sorted((data_root() / "configs" / "plays").glob("*.yaml"))
PLAY = "name: x\nparams: {n: {default: 3, min: 2}}\nsize: {notional: 1}\nlong: {enter: sma($n)@1h > 1}\n"


def written(tmp_path: Path, text: str = PLAY) -> str:
    (tmp_path / "x.yaml").write_text(text)
    return "x.yaml"


def test_a_play_is_found_by_name_or_file(tmp_path: Path):
    assert check_play("canary", tmp_path, {}).facts.name == "canary"
    found = check_play(written(tmp_path), tmp_path, {})
    assert (found.facts.name, found.file) == ("x", str(tmp_path / "x.yaml"))
    assert [parameter.name for parameter in found.parameters] == ["n"]


def test_parameters_may_be_set(tmp_path: Path):
    found = check_play(written(tmp_path), tmp_path, {"n": "5"})
    assert found.facts.indicators == ("sma(5)@1h",)
    with pytest.raises(ConfigError, match=r"x\.yaml:2:10: params\.n: must be at least 2, and is set to 1"):
        check_play("x.yaml", tmp_path, {"n": "1"})
    with pytest.raises(ConfigError, match="n: 'many' is no number"):
        check_play("x.yaml", tmp_path, {"n": "many"})


def test_the_warm_up_is_told_for_usual_data(tmp_path: Path):
    found = check_play(written(tmp_path), tmp_path, {})
    assert found.warmup_by_step == {"1m": 239, "5m": 47, "15m": 15, "1h": 3}
    own = check_play(written(tmp_path, PLAY.replace("size", "timeframe: 15m\nsize")), tmp_path, {})
    assert own.warmup_by_step == {"15m": 15}
    odd = check_play(written(tmp_path, PLAY.replace("@1h", "@10m")), tmp_path, {})
    assert list(odd.warmup_by_step) == ["1m", "5m"]


def valid(play: object) -> bool:
    return bool(jsonschema.Draft202012Validator(play_schema()).is_valid(play))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_plays_fit_the_schema(path: Path):
    assert valid(YAML(typ="safe").load(path))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(play_schema())
    assert json.loads(schema_text()) == play_schema()


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"size": {"notional": "$n"}}, True),
        ({"stop_loss": {"atr": "$n", "period": "$n"}}, True),
        ({"stop_loss": {"percent": 2.5}}, True),
        ({"params": {"n": 3, "m": {"default": 1, "min": 0, "max": 2, "step": 0.5}}}, True),
        ({"define": {"up": "close > open"}}, True),
        ({"legs": ["btc", "eth"], "symbols": ["BTCUSDT", "ETH/USDT:USDT"], "timeframe": "5m"}, True),
        ({"nam": "y"}, False),
        ({"name": "X"}, False),
        ({"timeframe": "5x"}, False),
        ({"size": {"notional": 0}}, False),
        ({"size": {"notional": "much"}}, False),
        ({"size": {"notional": "5"}}, False),
        ({"stop_loss": {"percent": 101}}, False),
        ({"stop_loss": {"atr": 1, "period": 1.5}}, False),
        ({"long": {"enter": 5}}, False),
        ({"long": {"enter": "x", "leave": "y"}}, False),
        ({"params": {"N": 3}}, False),
        ({"params": {"n": "3"}}, False),
        ({"params": {"n": {"min": 3}}}, False),
        ({"define": {"up": 5}}, False),
        ({"legs": ["e-th"]}, False),
    ],
)
def test_editors_are_told_what_the_loader_says(change, fits):
    play = {"name": "x", "size": {"notional": 1}, "long": {"enter": "close > 1"}} | change
    assert valid(play) is fits


def test_the_schema_knows_the_words_of_the_language():
    about = play_schema()["$defs"]["rule"]["description"]
    for word in (
        "ema(period)",
        "swing_high(left = 3, right = 3)",
        "bars_since",
        "crosses_above",
        "hlc3",
        "london",
    ):
        assert word in about
