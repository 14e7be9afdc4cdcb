import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.play import ModelRef
from engine.risk.calibration import (
    BINS,
    Calibration,
    CalibrationPolicy,
    CalibrationState,
    Scores,
    demotion,
)

SAID = st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(50.0, 150.0)), min_size=1, max_size=80)


def monitor(horizon=2, rise=0.0, window=10):
    return Calibration(ModelRef(("close",), horizon, rise, base_rate=0.4), window)


def follow(bars, horizon=2, window=10, rise=0.0, found=None):
    found = found or monitor(horizon, rise, window)
    for number, (said, close) in enumerate(bars):
        found.take(number, close, said)
    return found


def test_a_forecast_is_resolved_by_the_close_its_horizon_ends_with():
    found = monitor()
    assert [found.take(bar, close, 0.8) for bar, close in enumerate([10.0, 9.0, 11.0])] == [
        False,
        False,
        True,
    ]
    scores = found.scores()
    assert (scores.resolved, scores.rate) == (1, 1.0)
    assert scores.brier == pytest.approx(0.04)
    found.take(3, 9.0, math.nan)
    assert found.scores().rate == 0.5


def test_what_must_rise_must_rise_by_so_much():
    assert follow([(0.5, 100.0), (0.5, 101.0)], horizon=1, rise=1.0).scores().rate == 0.0
    assert follow([(0.5, 100.0), (0.5, 101.1)], horizon=1, rise=1.0).scores().rate == 1.0


def test_a_forecast_whose_horizon_fell_into_a_gap_is_let_go():
    found = monitor()
    found.take(1, 10.0, 0.5)
    assert not found.take(9, 11.0, 0.5)
    assert found.take(11, 12.0, 0.5)
    assert found.scores().resolved == 1


@given(SAID, st.integers(1, 5), st.integers(1, 20))
def test_the_scores_are_those_of_the_last_resolved_ones(bars, horizon, window):
    found = follow(bars, horizon, window)
    closes = [close for _, close in bars]
    rows = [(said, closes[n + horizon] > closes[n]) for n, (said, _) in enumerate(bars[: -horizon or None])]
    rows = rows[: max(0, len(bars) - horizon)][-window:]
    scores = found.scores()
    assert scores.resolved == len(rows)
    if not rows:
        assert scores == Scores()
        return
    assert scores.rate == pytest.approx(sum(truth for _, truth in rows) / len(rows))
    assert scores.brier == pytest.approx(sum((said - truth) ** 2 for said, truth in rows) / len(rows))
    assert scores.brier_base == pytest.approx(sum((0.4 - truth) ** 2 for _, truth in rows) / len(rows))
    gap = 0.0
    for each in range(BINS):
        of = [(said, truth) for said, truth in rows if min(int(said * BINS), BINS - 1) == each]
        gap += abs(sum(said for said, _ in of) - sum(truth for _, truth in of)) / len(rows)
    assert scores.gap == pytest.approx(gap, abs=1e-9)
    assert sum(count for count, _, _ in found.bins()) == len(rows)


@given(SAID, st.integers(0, 80))
def test_a_restart_anywhere_goes_on_with_the_same_bits(bars, cut):
    whole = follow(bars)
    again = monitor()
    again.restore(follow(bars[:cut]).state())
    for number, (said, close) in list(enumerate(bars))[cut:]:
        again.take(number, close, said)
    assert again.state() == whole.state()
    assert again.scores() == whole.scores()
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(whole.state()), type=CalibrationState)
    assert packed == whole.state()


def test_a_smaller_window_takes_the_newest():
    bars = [(0.5, float(number)) for number in range(30)]
    small = monitor(window=4)
    small.restore(follow(bars, window=20).state())
    assert small.scores().resolved == 4


def test_to_forget_is_to_count_anew_with_what_waits():
    found = follow([(0.9, 10.0), (0.9, 9.0), (0.9, 8.0)], horizon=1)
    found.forget()
    assert found.scores() == Scores()
    assert found.take(3, 7.0, 0.9)
    found.let_go()
    assert not found.take(4, 7.0, 0.9)


@pytest.mark.parametrize(
    ("scores", "changes", "named"),
    [
        (Scores(200, 0.5, 0.31, 0.25, 0.1), {}, {"brier", "base_rate", "excess_max", "resolved"}),
        (Scores(199, 0.5, 0.9, 0.25, 0.9), {}, set()),
        (Scores(200, 0.5, 0.3, 0.25, 0.25), {}, set()),
        (Scores(200, 0.5, 0.25, 0.25, 0.26), {}, {"gap", "gap_max", "resolved"}),
        (Scores(200, 0.5, 0.9, 0.25, 0.9), {"brier_excess_max": None, "gap_max": None}, set()),
        (Scores(200, 0.5, 0.9, 0.25, 0.9), {"brier_excess_max": None}, {"gap", "gap_max", "resolved"}),
    ],
)
def test_a_model_is_demoted_past_a_threshold_with_its_figures(scores, changes, named):
    assert set(demotion(scores, CalibrationPolicy(**changes))) == named
