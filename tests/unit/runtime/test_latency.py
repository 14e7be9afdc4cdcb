"""Percentiles of latencies: never too low, at most a thirty-second too high, of the last samples only."""

import math

from hypothesis import given
from hypothesis import strategies as st

from engine.runtime import latency
from engine.runtime.latency import Histogram

RATIOS = (0.5, 0.9, 0.99, 0.999, 1.0)
durations = st.one_of(st.integers(0, 100), st.integers(0, 10**6), st.integers(0, 3600 * 10**9))


def exact(samples: list[int], ratio: float) -> int:
    """Return the smallest sample that so large a part of all does not exceed."""
    return sorted(samples)[max(0, math.ceil(ratio * len(samples)) - 1)]


@given(st.lists(durations, min_size=1, max_size=200))
def test_a_percentile_is_never_too_low_and_at_most_a_thirty_second_too_high(samples):
    histogram = Histogram()
    for sample in samples:
        histogram.add(sample)
    for ratio, found_ms in zip(RATIOS, histogram.percentiles_ms(*RATIOS), strict=True):
        wanted_ms = exact(samples, ratio) / 1e6
        assert wanted_ms <= found_ms * (1 + 1e-12)
        assert found_ms <= wanted_ms * (33 / 32) * (1 + 1e-12)


def test_without_samples_every_percentile_is_zero():
    assert Histogram().percentiles_ms(0.5, 0.999) == (0.0, 0.0)


def test_what_cannot_be_is_counted_as_the_nearest_that_can():
    histogram = Histogram()
    histogram.add(-5)  # a clock that steps
    assert histogram.percentiles_ms(1.0) == (0.0,)
    histogram.add(2**80)
    (longest_ms,) = histogram.percentiles_ms(1.0)
    assert longest_ms > 1e12


def test_old_samples_are_forgotten_after_two_windows(monkeypatch):
    monkeypatch.setattr(latency, "SAMPLES_KEPT", 100)
    histogram = Histogram()
    for _ in range(100):
        histogram.add(10**9)
    histogram.add(1000)
    assert histogram.percentiles_ms(1.0)[0] >= 1000.0, "the last window still counts"
    for _ in range(200):
        histogram.add(1000)
    assert histogram.percentiles_ms(1.0)[0] < 0.002
