"""The price path: the same at a moment whichever way one comes to it, and like a market's."""

import math
from itertools import pairwise
from statistics import fmean, pstdev

from hypothesis import given
from hypothesis import strategies as st

from engine.venues.cascade import LEVELS, CascadePath

START = 8_800_000_000
SIGMA = 0.025 * math.sqrt(0.2 / 86_400)
MINUTE_SLOTS = 300

slots = st.integers(START, START + 10**6)


@given(st.integers(0, 2**64 - 1), st.lists(slots, min_size=1, max_size=20))
def test_a_moment_has_one_price_whatever_was_asked_before(key: int, visited: list[int]):
    path = CascadePath(key, SIGMA)
    assert [path.at(slot) for slot in visited] == [CascadePath(key, SIGMA).at(slot) for slot in visited]


def test_the_path_starts_from_its_base_price_where_the_whole_interval_does():
    slot = (START >> LEVELS) << LEVELS
    assert CascadePath(1, SIGMA).at(slot).log_price == 0.0


def test_keys_make_different_paths():
    assert CascadePath(1, SIGMA).at(START + 1) != CascadePath(2, SIGMA).at(START + 1)


def test_returns_have_the_volatility_asked_for_fat_tails_and_clusters():
    path = CascadePath(11, SIGMA)
    prices = [path.at(START + minute * MINUTE_SLOTS).log_price for minute in range(12_000)]
    returns = [after - before for before, after in pairwise(prices)]
    daily = pstdev(returns) * math.sqrt(1440)
    assert 0.015 < daily < 0.04
    spread = pstdev(returns)
    assert fmean((each / spread) ** 4 for each in returns) > 4  # a normal distribution has 3
    sizes = [abs(each) for each in returns]
    mean = fmean(sizes)
    together = fmean((a - mean) * (b - mean) for a, b in zip(sizes, sizes[5:], strict=False))
    assert together / pstdev(sizes) ** 2 > 0.05


def test_now_and_then_a_symbol_is_silent_and_then_jumps():
    path = CascadePath(11, SIGMA)
    points = [path.at(slot) for slot in range(START, START + 6 * 16_384)]
    silent = [point.halted for point in points]
    assert 0 < fmean(silent) < 0.01
    resumed = [number for number in range(1, len(points)) if silent[number - 1] and not silent[number]]
    assert resumed
    for number in resumed:
        assert abs(points[number].log_price - points[number - 1].log_price) > 0.001
