"""Coarser bars made inside the evaluator: aligned, closed only, and nothing before all of them are warm."""

import math

import msgspec
import pytest

from engine.domain.market import NS_PER_S, Bar
from engine.strategy.coarse import CoarseBars
from engine.strategy.evaluator import Evaluator
from tests.unit.strategy.bar_builders import STEP_NS, SYMBOL, bar, play

MINUTE = 60 * NS_PER_S


def at(minutes: list[int], closes: list[float] | None = None) -> list[Bar]:
    """Bars of a minute that close at these minutes; each is as wide as its close is large."""
    prices = closes or [float(minute) for minute in minutes]
    return [
        bar(price, high=price + 0.5, low=price - 0.5, open_=price - 0.25, volume=2.0, number=minute)
        for minute, price in zip(minutes, prices, strict=True)
    ]


class Coarse(CoarseBars):
    """Coarse bars of five minutes, kept as they close."""

    def __init__(self) -> None:
        super().__init__(5 * MINUTE, "")
        self.closed: list[Bar] = []

    def _close(self, bar: Bar) -> None:
        super()._close(bar)
        self.closed.append(bar)


def closed_by(minutes: list[int]) -> list[tuple[int, int]]:
    """The end of each coarse bar, in minutes, with the minute in which it was known."""
    coarse = Coarse()
    found = []
    for b in at(minutes):
        before = len(coarse.closed)
        assert math.isnan(coarse.update(b))
        found += [(each.ts // MINUTE, b.ts // MINUTE) for each in coarse.closed[before:]]
    return found


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (list(range(1, 12)), [(5, 5), (10, 10)]),  # each closes with its last minute
        ([6, 7, 8, 9, 10, 11], [(10, 10)]),  # the first may begin with the data
        ([7, 8, 9, 10, 11, 12, 13, 14, 15], [(15, 15)]),  # but not before
        ([10, 11, 12, 13, 14, 15], [(15, 15)]),
        ([1, 2, 3, 4, 6, 7], [(5, 6)]),  # the last minute is missing: known with the next bar
        ([1, 2, 8, 9], [(5, 8)]),
        ([1, 10, 15], [(5, 10), (10, 10), (15, 15)]),  # two at once
        ([1, 22, 25], [(5, 22), (25, 25)]),  # an interval without bars has none
    ],
)
def test_a_coarse_bar_is_known_when_it_has_closed(minutes, expected):
    assert closed_by(minutes) == expected


def test_a_coarse_bar_is_made_of_its_minutes():
    coarse = Coarse()
    for b in at([1, 2, 3, 4, 5], [7.0, 3.0, 9.0, 5.0, 6.0]):
        coarse.update(b)
    (found,) = coarse.closed
    assert found == Bar(5 * MINUTE, SYMBOL, 6.75, 9.5, 2.5, 6.0, 10.0, 5 * MINUTE)


def signals(rule: str, bars: list[Bar]) -> list[int]:
    """The minutes of entries."""
    evaluator = Evaluator(play(long_entry=rule), SYMBOL, step_ns=STEP_NS)
    return [b.ts // MINUTE for b in bars if evaluator.update(b, 0)]


def test_a_coarse_value_changes_with_the_bar_that_completes_it():
    assert signals("close@5m == 5", at(list(range(1, 16)))) == [5, 6, 7, 8, 9]
    assert signals("close@5m == 4", at([1, 2, 3, 4, 6, 7, 8])) == [6, 7, 8]


def test_a_coarse_condition_is_as_old_as_its_bar():
    closes = [1.0, 1, 1, 1, 2, 5, 5, 5, 5, 1, 1, 1]
    assert signals("(close > 1)@5m", at(list(range(1, 13)), closes)) == [5, 6, 7, 8, 9]
    assert signals("not (close > 1)@5m", at(list(range(1, 13)), closes)) == [10, 11, 12]
    assert signals("(close > open and close > 1)@5m", at(list(range(1, 13)), closes)) == [5, 6, 7, 8, 9]


def test_one_bar_back_of_a_coarse_bar_is_a_coarse_bar_back():
    minutes = list(range(1, 17))
    assert signals("close[1]@5m == 5", at(minutes)) == [10, 11, 12, 13, 14]
    assert signals("(close@5m)[1] == 5", at(minutes)) == [6, 7, 8, 9, 10]


def test_time_within_a_timeframe_is_that_of_its_close():
    assert signals("(close > 0 and minute == 5)@5m", at(list(range(1, 12)))) == [5, 6, 7, 8, 9]


def test_nothing_before_all_timeframes_are_warm():
    """The rule is true from the first bar on."""
    rule = "close > 0 or ema(2)@5m > 0 or sma(close@5m, 3) > 0"
    assert signals(rule, at(list(range(1, 16))))[0] == 12  # the second coarse bar at 10, then three minutes
    assert Evaluator(play(long_entry=rule), SYMBOL, step_ns=STEP_NS).warmup_bars == 5 * 3 - 1 + 2


@pytest.mark.parametrize("first", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize(
    "rule", ["sma(3)@5m > 0", "sma(4) > 0 and ema(2)@3m > 0", "sma(close@5m, 4)[2] > 0", "sma(20) > close@2m"]
)
def test_the_warm_up_is_enough_wherever_the_data_begins(rule: str, first: int):
    evaluator = Evaluator(play(long_entry=rule), SYMBOL, step_ns=STEP_NS)
    for b in at(list(range(first, first + evaluator.warmup_bars))):
        evaluator.update(b, 0)
    assert evaluator.is_warm
    assert not any(math.isnan(value) for _, value in evaluator.values())


def test_the_plays_own_timeframe_says_how_many_bars_make_one():
    rule = {"long_entry": "ema(2)@1h > 0"}
    assert Evaluator(play(timeframe="15m", **rule), SYMBOL).warmup_bars == 3 * 4 - 1
    assert Evaluator(play(**rule), SYMBOL, step_ns=30 * MINUTE).warmup_bars == 3 * 2 - 1
    assert Evaluator(play(**rule), SYMBOL).warmup_bars == 2


@pytest.mark.parametrize("cut", range(17))
def test_a_restart_within_a_coarse_bar_changes_no_bit(cut: int):
    spec = play(long_entry="close > ema(2)@5m and sma(2)@3m > 0 and within_last(rising(close, 1), 2)")
    bars = at([1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 17, 18, 19, 20, 21, 23])
    whole, before, resumed = (Evaluator(spec, SYMBOL) for _ in range(3))
    expected = [whole.update(b, 0) for b in bars]
    assert any(expected)
    first = [before.update(b, 0) for b in bars[:cut]]
    resumed.restore(before.state())
    assert first + [resumed.update(b, 0) for b in bars[cut:]] == expected
    assert resumed.state() == whole.state()


def test_bars_need_not_be_aligned():
    """Bars that close half a minute late still belong to the interval that holds their close."""
    late = [msgspec.structs.replace(b, ts=b.ts + 30 * NS_PER_S) for b in at(list(range(1, 13)))]
    assert signals("close@5m == 9", late)[0] == 10
