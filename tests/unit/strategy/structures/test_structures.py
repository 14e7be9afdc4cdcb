"""What structures say on plain charts, and when they say it."""

import math

import msgspec
import pytest

from engine.domain.market import NS_PER_DAY, Bar
from engine.strategy.structures.gap import Gap
from engine.strategy.structures.levels import Resistance, Support, levels_of
from engine.strategy.structures.sessions import Session, SessionHigh, SessionLow
from engine.strategy.structures.swings import SwingHigh, SwingLow
from engine.strategy.structures.trend import BreakOfStructure, Trend
from tests.unit.strategy.bar_builders import STEP_NS, bar, flat_bars

NONE = math.nan


def same(found: list[float], expected: list[float]) -> bool:
    return [None if math.isnan(x) else x for x in found] == [None if math.isnan(x) else x for x in expected]


def test_a_swing_high_is_known_when_the_bars_to_its_right_have_closed():
    swing = SwingHigh(2, 2)
    found = [swing.update(b) for b in flat_bars([1, 2, 5, 3, 4, 6, 9, 8, 8, 7])]
    assert same(found, [NONE, NONE, NONE, NONE, 5, 5, 5, 5, 9, 9])
    assert (swing.age, swing.before) == (3.0, 5.0)


def test_a_swing_low_is_a_swing_high_upside_down():
    swing = SwingLow(2, 2)
    found = [swing.update(b) for b in flat_bars([9, 8, 5, 7, 6, 4, 1, 2, 2, 3])]
    assert same(found, [NONE, NONE, NONE, NONE, 5, 5, 5, 5, 1, 1])
    assert (swing.age, swing.before) == (3.0, 5.0)


def test_of_equal_highs_the_first_is_the_swing():
    swing = SwingHigh(1, 2)
    found = [swing.update(b) for b in flat_bars([1, 5, 5, 5, 4, 4])]
    assert same(found, [NONE, NONE, NONE, 5, 5, 5])
    assert swing.age == 4.0
    assert math.isnan(swing.before)


def test_a_swing_needs_its_left_side_whole():
    swing = SwingHigh(3, 1)
    found = [swing.update(b) for b in flat_bars([9, 8, 7, 6, 8.5, 7])]
    assert same(found, [NONE] * 5 + [8.5])


def test_a_trend_is_two_swings_on_each_side():
    trend = Trend(1, 1)
    rising = [1, 3, 2, 5, 4, 7, 6]
    found = [trend.update(b) for b in flat_bars([*rising, 8, 3, 5, 2, 4, 1, 2])]
    assert same(found[:7], [NONE] * 5 + [1.0, 1.0][:2])
    assert found[-1] == -1.0
    assert 0.0 in found


def test_each_swing_is_broken_once():
    structure = BreakOfStructure(1, 1)
    bars = flat_bars([3, 5, 4, 6, 7, 6, 5, 8, 9, 3, 2])
    found = [structure.update(b) for b in bars]
    assert same(found, [NONE, NONE, 0, 1, 0, 0, 0, 1, 0, -1, 0])
    assert (structure.direction, structure.level) == (-1.0, 5.0)


def test_a_wick_breaks_nothing():
    structure = BreakOfStructure(1, 1)
    bars = [*flat_bars([3, 5, 4]), bar(4.5, high=6, low=4, number=4)]
    assert [structure.update(b) for b in bars][-1] == 0.0


@pytest.mark.parametrize(
    ("swings", "expected"),
    [
        ([], []),
        ([10.0], []),
        ([10.0, 10.05], [(10.025, 2)]),
        ([10.0, 10.1], [(10.05, 2)]),
        ([10.0, 10.11], []),
        ([10.0, 20.0, 10.1, 20.1, 20.2], [(10.05, 2), (20.1, 3)]),
        ([-10.0, -10.1, 5.0], [(-10.05, 2)]),
    ],
)
def test_levels_are_swings_close_to_each_other(swings, expected):
    found = [(round(level.price, 9), level.touches) for level in levels_of(swings, 0.01, 2)]
    assert found == expected


def test_support_and_resistance_are_the_nearest_levels():
    support, resistance = Support(1, 1, 1.0, 2, 10), Resistance(1, 1, 1.0, 2, 10)
    for b in flat_bars([5, 10, 5, 10, 5, 10, 7]):
        support.update(b)
        resistance.update(b)
    assert (support.level, support.touches) == (5.0, 2.0)
    assert (resistance.level, resistance.touches) == (10.0, 3.0)
    assert math.isnan(support.update(bar(4.0)))
    assert math.isnan(resistance.update(bar(11.0)))
    assert math.isnan(support.touches)


def test_only_the_last_swings_make_levels():
    support = Support(1, 1, 1.0, 2, 4)
    closes = [5.0, 10, 5, 10, 5, 7, 30, 20, 30, 20, 30, 25]
    found = [support.update(b) for b in flat_bars(closes)]
    assert found[5] == 5.0
    assert found[-1] == 20.0


def at(minutes: list[int], highs: list[float] | None = None) -> list[Bar]:
    prices = highs or [float(number) for number in range(len(minutes))]
    return [
        msgspec.structs.replace(bar(p - 1, high=p, low=p - 2), ts=minute * STEP_NS)
        for minute, p in zip(minutes, prices, strict=True)
    ]


@pytest.mark.parametrize(
    ("start", "end", "minute", "inside"),
    [
        (480, 540, 480, False),
        (480, 540, 481, True),
        (480, 540, 540, True),
        (480, 540, 541, False),
        (1_320, 360, 1_321, True),
        (1_320, 360, 1_440 + 360, True),
        (1_320, 360, 1_440 + 361, False),
        (0, 1_440, 1_440, True),
        (480, 480, 1_000, True),
    ],
)
def test_a_bar_belongs_to_the_session_that_it_closes_in(start, end, minute, inside):
    session = Session(start, end)
    session.holds(at([minute - 1_440])[0])
    assert session.holds(at([minute])[0]) is inside


def test_the_range_of_a_session_lasts_until_the_next():
    high, low = SessionHigh(480, 482), SessionLow(480, 482)
    bars = at([480, 481, 482, 483, 1_440 + 480, 1_440 + 481, 1_440 + 482], [9.0, 5, 7, 20, 20, 3, 4])
    assert same([high.update(b) for b in bars], [NONE, 5, 7, 7, 7, 3, 4])
    assert same([low.update(b) for b in bars], [NONE, 3, 3, 3, 3, 1, 1])
    assert (high.before, low.before) == (7.0, 3.0)


def test_a_session_that_was_not_seen_from_its_start_does_not_count():
    high = SessionHigh(480, 540)
    bars = at([500, 501, 1_440 + 481, 1_440 + 482], [9.0, 10, 3, 4])
    assert same([high.update(b) for b in bars], [NONE, NONE, 3, 4])


def test_a_session_without_its_first_minutes_counts_from_the_second_day_on():
    high = SessionHigh(480, 540)
    bars = at([470, 490, 495], [9.0, 2, 3])
    assert same([high.update(b) for b in bars], [NONE, 2, 3])


def test_days_are_of_utc():
    assert NS_PER_DAY == 1_440 * STEP_NS


def test_a_gap_lasts_until_prices_come_back():
    gap = Gap()
    found, edges = [], []
    for b in (
        bar(10.0, high=11, low=9, open_=10),
        bar(12.0, high=13, low=11.5, open_=12),  # opened above 11, and stayed there
        bar(12.0, high=12.5, low=11.2, open_=12),
        bar(11.0, high=12.5, low=10.9, open_=12),  # filled
        bar(9.0, high=9.5, low=8, open_=9),  # below 10.9
        bar(11.0, high=12.0, low=8, open_=9),  # filled from below
        bar(13.0, high=14.0, low=11.9, open_=13),  # gap and fill in one bar
    ):
        found.append(gap.update(b))
        edges.append(gap.edge)
    assert same([round(x, 9) for x in found], [NONE, 1.0, 0.0, 0.0, -1.9, 0.0, 1.0])
    assert same(edges, [NONE, 11.0, 11.0, NONE, 10.9, NONE, NONE])
