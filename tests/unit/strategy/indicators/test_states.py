"""What an indicator remembers: exact sums as floats, and refusal of what cannot be a state."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.strategy.indicators import exact, parts
from engine.strategy.indicators.catalog import CATALOG
from engine.strategy.indicators.delay import Delay
from engine.strategy.indicators.ema import Ema
from engine.strategy.indicators.extremes import Highest, Lowest
from engine.strategy.indicators.macd import Macd
from engine.strategy.indicators.moments import Bbands, Stddev
from engine.strategy.indicators.sma import Sma

sizes = st.floats(min_value=1e-20, max_value=1e200)


@given(st.lists(st.one_of(sizes, sizes.map(lambda x: -x), st.just(0.0)), max_size=20))
def test_a_sum_split_into_floats_is_joined_again_bit_for_bit(values: list[float]):
    total = sum(exact.scaled(values))
    split = exact.split(total)
    assert exact.joined(split) == total
    assert split[:1] == ([float(math.fsum(values))] if total else [])


@given(st.lists(st.floats(min_value=1e-22, max_value=1e200)))
def test_scaled_numbers_are_what_they_were(values: list[float]):
    assert exact.unscaled(exact.scaled(values)) == values


def test_a_root_of_any_size_is_found():
    assert exact.root(9) == 3.0
    assert exact.root(10**400) == 1e200


def test_the_largest_numbers_that_are_taken_do_not_overflow():
    stddev, bbands = Stddev(2), Bbands(2, 1.0)
    for x in (9e199, -9e199):
        deviation = stddev.update(x)
        bbands.update(x)
    assert deviation == pytest.approx(9e199)
    assert (bbands.middle, bbands.upper) == (0.0, deviation)


@pytest.mark.parametrize("make", [Highest, Lowest])
def test_a_damaged_queue_is_refused(make: type[Highest | Lowest]):
    with pytest.raises(ValueError, match="zip"):
        make(3).restore([2.0, 1.0])


def test_parts_take_all_of_a_state_or_refuse_it():
    state = parts.states((Ema(3), Sma(2)))
    parts.restore((Ema(3), Sma(2)), state)
    with pytest.raises(ValueError, match="take 4 numbers, the state has 5"):
        parts.restore((Ema(3), Sma(2)), [*state, 0.0])
    with pytest.raises(ValueError, match="unpack"):
        parts.restore((Ema(3), Sma(2)), state[:2])


def test_outputs_are_part_of_a_state():
    macd, restored = Macd(2, 3, 2), Macd(2, 3, 2)
    for x in (1.0, 4.0, 2.0, 8.0):
        macd.update(x)
    restored.restore(macd.state())
    assert (restored.macd, restored.signal, restored.histogram) == (macd.macd, macd.signal, macd.histogram)


@pytest.mark.parametrize("name", [name for name in CATALOG if name not in {"obv", "vwap"}])
def test_what_cannot_be_a_state_is_refused(name: str):
    facts = CATALOG[name]
    indicator = facts.make(**{parameter.name: parameter.default or 3 for parameter in facts.parameters})
    with pytest.raises((ValueError, IndexError)):
        indicator.restore([1.0] * 1_000)


def test_a_delay_refuses_the_state_of_another():
    with pytest.raises(ValueError, match="the last 2 values are not 3"):
        Delay(2).restore(Delay(3).state())
