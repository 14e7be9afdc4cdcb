import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.manifest import Normalisation
from engine.models.network import probability
from tests.modelfiles import arrays, checkpoint, manifest

NUMBERS = st.floats(-1e6, 1e6)


def test_a_logistic_model_is_its_formula():
    told = manifest(("a", "b"), (), normalisation=Normalisation((1.0, 2.0), (2.0, 4.0)))
    weights = {"weights_0": np.array([[0.5, -1.5]]), "bias_0": np.array([0.25])}
    asked = checkpoint(told, weights).network.forecaster()
    logit = 0.5 * (3.0 - 1.0) / 2.0 - 1.5 * (6.0 - 2.0) / 4.0 + 0.25
    assert asked([3.0, 6.0]) == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-15)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_layers_agree_with_matrices(rows):
    told = manifest(("a", "b", "c"), (5, 4), normalisation=Normalisation((1.0, 2.0, 3.0), (9.0, 8.0, 7.0)))
    weights = arrays(told, seed=4)
    asked = checkpoint(told, weights).network.forecaster()
    for row in rows:
        values = (np.array(row) - [1.0, 2.0, 3.0]) / [9.0, 8.0, 7.0]
        for layer in range(2):
            values = np.tanh(weights[f"weights_{layer}"] @ values + weights[f"bias_{layer}"])
        logit = weights["weights_2"] @ values + weights["bias_2"]
        assert asked(list(row)) == pytest.approx(1 / (1 + np.exp(-logit[0])), abs=1e-9)


def test_rows_in_any_order_and_from_any_forecaster_give_the_same_bits():
    told = manifest(tuple("abcdefg"), (33, 17))
    network = checkpoint(told, arrays(told, 5)).network
    again = checkpoint(told, arrays(told, 5)).network
    rows = np.random.default_rng(6).normal(size=(200, 7)).tolist()
    one, other = network.forecaster(), again.forecaster()
    first = [one(row).hex() for row in rows]
    assert [other(row).hex() for row in reversed(rows)] == first[::-1]
    two, three = network.forecaster(), network.forecaster()
    assert [(two(row).hex(), three(row).hex()) for row in rows] == [(bits, bits) for bits in first]


def test_a_forecast_is_a_probability_whatever_it_is_given():
    told = manifest(("a",), (), normalisation=Normalisation((0.0,), (1e-9,)))
    asked = checkpoint(
        told, {"weights_0": np.array([[1e300]]), "bias_0": np.array([0.0])}
    ).network.forecaster()
    assert asked([1e300]) == 1.0
    assert asked([-1e300]) == pytest.approx(0.0)
    assert math.isnan(asked([0.0]) - asked([math.nan]))


def test_the_ends_of_a_logit():
    assert probability(0.0) == 0.5
    assert probability(1e9) == 1.0
    assert 0.0 < probability(-1e9) < 1e-300
    assert math.isnan(probability(math.nan))
