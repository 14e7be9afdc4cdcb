"""The catalog says of each indicator what is so."""

import inspect

import pytest

from engine.strategy.indicators.catalog import CATALOG, PERIOD_MAX
from engine.strategy.indicators.facts import IndicatorFacts
from tests.unit.strategy.indicators.oracles import ORACLES

every_facts = pytest.mark.parametrize("facts", CATALOG.values(), ids=CATALOG)

WORDS = """
    sma ema wma dema tema hma vwma rma kama rsi stoch stochrsi macd cci mfi roc mom willr adx plus_di
    minus_di aroon atr natr tr bbands keltner donchian stddev zscore obv vwap supertrend psar linreg slope
    highest lowest percentile
"""


def test_all_words_are_there():
    assert set(CATALOG) == set(WORDS.split()) == set(ORACLES)
    assert all(name == facts.name for name, facts in CATALOG.items())


@every_facts
def test_the_parameters_are_those_of_the_constructor(facts: IndicatorFacts):
    signature = inspect.signature(facts.make).parameters
    assert list(signature) == [parameter.name for parameter in facts.parameters]
    for parameter in facts.parameters:
        own = signature[parameter.name]
        assert own.annotation is {"int": int, "float": float}[parameter.kind]
        if own.default is not inspect.Parameter.empty and parameter.default is not None:
            assert own.default == parameter.default


@every_facts
def test_bounds_hold_the_default(facts: IndicatorFacts):
    for parameter in facts.parameters:
        assert (
            parameter.minimum <= (parameter.default or parameter.minimum) <= parameter.maximum <= PERIOD_MAX
        )


@every_facts
def test_parameters_that_must_be_written_come_first(facts: IndicatorFacts):
    written = [parameter.default is None for parameter in facts.parameters]
    assert written == sorted(written, reverse=True)


@every_facts
def test_the_class_says_what_it_takes_and_gives(facts: IndicatorFacts):
    indicator = facts.make(**{p.name: p.default or p.minimum for p in facts.parameters})
    assert facts.takes == indicator.TAKES
    assert (facts.default_series is None) == (facts.takes == "bar")
    assert getattr(indicator, "OUTPUTS", ()) == facts.outputs
    assert all(hasattr(indicator, output) for output in facts.outputs)
    assert not hasattr(indicator, "__dict__"), "slots keep it small and fast"
    assert indicator.warmup >= 1


@every_facts
def test_its_formula_source_and_meaning_are_told(facts: IndicatorFacts):
    documented = facts.make.__doc__ or ""
    assert (
        documented.lower().replace("+di", "plus_di").replace("-di", "minus_di").startswith(f"{facts.name}(")
    )
    assert "Source: " in documented or "TA-Lib's" in documented
    assert facts.unit
    assert facts.meaning
    assert facts.source
