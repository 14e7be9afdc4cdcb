import math
from typing import Any

import pytest

from engine.domain.errors import CheckpointError, ConfigError
from engine.domain.play import ModelRef, PlaySpec, Rule
from engine.strategy.evaluator import Evaluator
from engine.strategy.explain import explain
from engine.strategy.expression import canonical_feature, canonical_rule, parse_rule
from engine.strategy.legs import evaluator_of
from engine.strategy.model import UNASKED, Forecaster
from engine.strategy.reading import read_rules
from engine.strategy.scope import Scope
from tests.builders import BTC, ETH, STEP, T0, bar, spec
from tests.modelfiles import checkpoint, manifest, ref, store

MODEL = Scope(model=True)


class Echo:
    """A model that says its first feature, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[list[float]] = []

    def model(self, sha256: str) -> "Echo":
        return self

    def forecaster(self) -> Forecaster:
        def say(features):
            self.given.append(list(features))
            return float(features[0])

        return say


def modelled(*features: str, **changes: Any) -> PlaySpec:
    rules: dict[str, Any] = {
        "long_entry": Rule("model > 2"),
        "long_exit": None,
        "short_entry": None,
        "short_exit": None,
    }
    return spec(model=ModelRef(features, 2, sha256="x"), **(rules | changes))


def run(play: PlaySpec, closes: list[float], models: Echo) -> Evaluator:
    evaluator = evaluator_of(play, BTC, models=models)
    for number, close in enumerate(closes):
        evaluator.update(bar(close, T0 + number * STEP), 0)
    return evaluator


def test_a_model_is_asked_on_every_bar_with_its_features_in_order():
    echo = Echo()
    evaluator = run(modelled("close[1]", "close"), [1.0, 2.0, 3.0], echo)
    assert echo.given == [[1.0, 2.0], [2.0, 3.0]]
    assert evaluator.forecast == 2.0
    assert evaluator.close == 3.0
    assert dict(evaluator.values())["model"] == 2.0


def test_where_a_feature_is_missing_so_is_the_forecast():
    echo = Echo()
    evaluator = run(modelled("1 / (close - 2)"), [1.0, 2.0], echo)
    assert echo.given == [[-1.0]]
    assert math.isnan(evaluator.forecast)


def test_a_rule_waits_until_all_features_are_warm():
    evaluator = evaluator_of(modelled("close", "sma(5)"), BTC, models=Echo())
    fired = [evaluator.update(bar(9.0, T0 + number * STEP), 0) is not None for number in range(6)]
    assert fired == [False, False, False, False, True, True]
    assert evaluator.warmup_bars == 5


def test_forecasts_are_numbers_like_others():
    play = modelled("close", long_entry=Rule("model crosses_above 2 and sma(model, 2) > 1 and model[1] > 0"))
    evaluator = evaluator_of(play, BTC, models=Echo())
    fired = [evaluator.update(bar(close, T0 + i * STEP), 0) is not None for i, close in enumerate([1.0, 3.0])]
    assert fired == [False, True]


def test_a_model_may_look_at_other_legs_and_timeframes():
    play = modelled("a.close / b.close", "a.close@2m", legs=("a", "b"), long_entry=Rule("model > b.close"))
    echo = Echo()
    evaluator = evaluator_of(play, BTC, ETH, step_ns=STEP, models=echo)
    for number in range(6):
        ts = T0 + (number + 1) * STEP
        evaluator.update(bar(8.0, ts), 0)
        evaluator.update(bar(4.0, ts, ETH), 0)
    assert echo.given[-1] == [2.0, 8.0]
    assert evaluator.forecast == 2.0


def test_the_state_carries_the_forecast():
    model = checkpoint(manifest(("rsi(3)", "roc(2)")))
    play = spec(model=ref(model), long_entry=Rule("model > 0.5"))
    closes = [100.0, 101.0, 99.0, 102.0, 98.0, 103.0, 104.0, 100.5, 97.0]
    whole = evaluator_of(play, BTC, models=store(model))
    for number, close in enumerate(closes):
        whole.update(bar(close, T0 + number * STEP), 0)
        again = evaluator_of(play, BTC, models=store(model))
        again.restore(whole.state())
        assert again.state() == whole.state()
        assert math.isnan(whole.forecast) or again.forecast.hex() == whole.forecast.hex()


@pytest.mark.parametrize(
    ("rule", "scope", "said"),
    [
        ("model > 0.5", Scope(), "there is no model here"),
        ("model(3) > 0.5", MODEL, "takes no parentheses"),
        ("model@1h > 0.5", MODEL, "a model sees the play's own bars"),
        ("sma(model, 3)@1h > 0.5", MODEL, "a model sees the play's own bars"),
        ("model", MODEL, "a rule is a condition, and 'model' is a number"),
    ],
)
def test_where_a_model_cannot_stand(rule, scope, said):
    with pytest.raises(ConfigError, match=said):
        parse_rule(rule, scope)


def test_the_canonical_text_of_a_forecast_is_its_word():
    assert canonical_rule("model>0.6 and  rising(model,2)", MODEL).text == "model > 0.6 and rising(model, 2)"


def test_a_feature_is_a_number_that_is_not_made_of_the_model():
    assert canonical_feature("rsi( 14 )") == "rsi(14)"
    with pytest.raises(ConfigError, match="a feature is a number"):
        canonical_feature("close > 1")
    with pytest.raises(ConfigError, match="cannot be made of the model's own forecast"):
        canonical_feature("ema(model, 3)", MODEL)


def test_a_play_is_explained_with_its_features():
    facts = explain(modelled("rsi(14)", "close / ema(200)@1h"), models=UNASKED)
    assert [(rule.name, rule.text) for rule in facts.rules][-2:] == [
        ("feature_1", "rsi(14)"),
        ("feature_2", "close / ema(200)@1h"),
    ]
    assert facts.parts[0].text == "model of 2 features (x): is the close higher 2 bars on?"
    rise = modelled("hour", long_entry=Rule("model > 0")).model
    assert rise is not None


def test_the_hash_covers_the_model_and_is_what_it_was_without_one():
    plain, one = spec(), modelled("close")
    assert b"model" not in plain.hash.encode()
    assert len({plain.hash, one.hash, modelled("open").hash}) == 3


def test_a_model_that_is_not_at_hand_is_said():
    with pytest.raises(CheckpointError, match="the model x is not at hand"):
        evaluator_of(modelled("close"), BTC)


def test_a_rule_that_asks_a_model_is_read_with_its_forecast():
    evaluator = run(modelled("close", long_entry=Rule("model > 2 and model[1] < 2")), [1.0, 3.0], Echo())
    (rule,) = read_rules(evaluator)
    assert [(part.text, part.left, part.truth) for part in rule.reading.parts] == [
        ("model > 2", 3.0, True),
        ("model[1] < 2", 1.0, True),
    ]
