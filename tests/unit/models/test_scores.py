import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.scores import auc, brier, calibration, log_loss, reliability

SAID = st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=1, max_size=60)


def pair(rows):
    return np.array([said for said, _ in rows]), np.array([truth for _, truth in rows])


def test_brier_and_log_loss_are_their_formulas():
    said, truth = pair([(0.8, True), (0.3, False), (0.5, True)])
    assert brier(said, truth) == pytest.approx((0.04 + 0.09 + 0.25) / 3)
    assert log_loss(said, truth) == pytest.approx(-(math.log(0.8) + math.log(0.7) + math.log(0.5)) / 3)
    assert math.isfinite(log_loss(np.array([0.0, 1.0]), np.array([True, False])))


@given(SAID)
def test_auc_counts_pairs(rows):
    said, truth = pair(rows)
    pairs = [(y > n) + (y == n) / 2 for y in said[truth] for n in said[~truth]]
    found = auc(said, truth)
    assert (found is None) == (not pairs)
    assert found is None or found == pytest.approx(sum(pairs) / len(pairs))


@given(SAID)
def test_bins_hold_every_row_once_from_low_to_high(rows):
    said, truth = pair(rows)
    bins = reliability(said, truth)
    assert sum(each.count for each in bins) == len(rows)
    assert sum(each.count * each.came_true for each in bins) == pytest.approx(truth.sum())
    assert all(each.low <= each.forecast + 1e-12 and each.forecast <= each.high + 1e-12 for each in bins)
    assert all(one.high <= other.low for one, other in pairwise(bins))


def test_the_base_rate_scores_as_itself():
    said, truth = np.full(10, 0.3), np.arange(10) < 3
    found = calibration(said, truth)
    assert found.brier == pytest.approx(found.brier_base) == pytest.approx(0.21)
    assert found.log_loss == pytest.approx(found.log_loss_base)
    assert found.auc == 0.5
