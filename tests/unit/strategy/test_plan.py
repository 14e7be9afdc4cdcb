"""What an entry is signaled with: prices, parts of a ladder, volatility, read off the compiled play."""

import math

import pytest

from engine.config.plays import parse_play
from engine.domain.market import Bar
from engine.domain.play import Distance, DistanceKind
from engine.domain.signals import EntryPlan, Side, Signal
from engine.strategy.evaluator import Evaluator
from engine.strategy.plan import annualised, distances_of, needs_meter
from tests.builders import rich, spec
from tests.unit.strategy.bar_builders import STEP_NS, SYMBOL, bar

REST = "name: x\nsize: {notional: 1000}\nlong: {enter: close > 100}\nshort: {enter: close < 90}\n"


def evaluator(more: str) -> Evaluator:
    return Evaluator(parse_play(REST + more, "p"), SYMBOL, step_ns=STEP_NS)


def signaled(more: str, *bars: Bar) -> Signal:
    """The signal of the last bar."""
    subject = evaluator(more)
    (*_, signal) = [subject.update(each, 0) for each in bars]
    assert signal is not None
    return signal


def planned(more: str, *bars: Bar) -> EntryPlan:
    plan = signaled(more, *bars).plan
    assert plan is not None
    return plan


RISE = [bar(95, high=96, low=94, number=1), bar(97, high=99, low=96, number=2), bar(101, number=3)]
FALL = [bar(95, high=96, low=94, number=1), bar(97, high=99, low=96, number=2), bar(89, number=3)]


def test_a_play_without_parts_signals_no_plan():
    assert signaled("stop_loss: {percent: 2}", *RISE).plan is None
    assert not needs_meter(spec())
    assert needs_meter(rich())


@pytest.mark.parametrize(
    ("entry", "long", "short"),
    [
        ("{type: limit}", 101.0, 89.0),
        ("{type: limit, offset: {percent: 1}}", 99.99, 89.89),
        ("{type: stop, offset: {percent: 1}}", 102.01, 88.11),
        ("{type: limit, at: sma(2)}", 99.0, 93.0),
        ("{type: stop, at: {long: 'highest(2)[1]', short: 'lowest(2)[1]'}}", 99.0, 94.0),
        ("{type: limit, at: sma(2), offset: {percent: 10}}", 89.1, 102.3),
        ("{type: limit, offset: {ticks: 5}}", 101.0, 89.0),
        ("{type: market, time_in_force: ioc}", None, None),
        ("{type: limit, at: close - 500}", 0.0, 0.0),
        ("{type: limit, at: close / (close - close)}", 0.0, 0.0),
    ],
)
def test_where_an_entry_rests(entry, long, short):
    for bars, expected in ((RISE, long), (FALL, short)):
        found = planned(f"entry: {entry}", *bars)
        assert found.price == (None if expected is None else pytest.approx(expected))


def test_where_a_stop_at_a_price_lies():
    more = "stop_loss: {at: {long: lowest(3), short: highest(3)}, pad: {percent: 1}}"
    assert planned(more, *RISE).stop == pytest.approx(94 - 1.01)
    assert planned(more, *FALL).stop == pytest.approx(99 + 0.89)
    assert planned("stop_loss: {at: 'swing_low(3, 3)'}", *RISE, *[bar(101)] * 9).stop == 0.0, "none yet"


def test_a_ladder_goes_from_near_to_far_whatever_it_is_written_in():
    found = planned("take_profit: [{percent: 3, close: 40}, {atr: 1, period: 2, close: 60}]", *RISE)
    near, far = found.ladder
    assert [str(part.close) for part in (near, far)] == ["40", "60"]
    assert near.distance == pytest.approx(3.03)
    assert far.distance > near.distance
    swapped = planned("take_profit: [{percent: 30, close: 40}, {percent: 1}]", *RISE)
    assert [part.distance for part in swapped.ladder] == pytest.approx([1.01, 30.3])
    assert [str(part.close) for part in swapped.ladder] == ["60", "40"]


def test_a_ladder_without_a_distance_is_no_signal():
    flat = [bar(101, number=number) for number in range(1, 9)]
    subject = evaluator("take_profit: [{atr: 1, period: 2, close: 60}]")
    assert [subject.update(each, 0) for each in flat] == [None] * 8, "an ATR of 0 is no distance"
    assert subject.further(flat[0], Side.BUY) is None


def test_the_volatility_is_that_of_the_last_changes_over_a_year():
    more = "size: {volatility_target: 20, period: 2}"
    text = REST.replace("size: {notional: 1000}", more)
    subject = Evaluator(parse_play(text, "p"), SYMBOL, step_ns=STEP_NS)
    assert subject.warmup_bars == 3
    signal = [subject.update(each, 0) for each in RISE][-1]
    assert signal is not None
    assert signal.plan is not None
    changes = [(97 / 95 - 1) * 100, (101 / 97 - 1) * 100]
    spread = abs(changes[0] - changes[1]) / 2
    assert signal.plan.volatility == pytest.approx(spread * math.sqrt(365 * 24 * 60))
    assert annualised(0) == 0.0


def test_an_exit_or_further_entry_that_no_rule_led_to():
    subject = evaluator("")
    leaving = subject.leave(RISE[0], Side.SELL)
    assert (leaving.side, leaving.kind.value, leaving.price) == (Side.SELL, "exit", 95)
    further = subject.further(RISE[0], Side.BUY)
    assert further is not None
    assert (further.kind.value, further.plan) == ("scale_in", None)


def test_distances_are_read_where_they_stand():
    subject = Evaluator(rich(), SYMBOL, step_ns=STEP_NS)
    for each in RISE:
        subject.update(each, 0)
    meter = subject.meter
    assert meter is not None
    assert meter.distance(Distance(DistanceKind.PERCENT, 2.0), 50.0) == 1.0
    assert meter.distance(Distance(DistanceKind.TICKS, 2.0), 50.0) == 0.0
    assert meter.distance(Distance(DistanceKind.ATR, 3.0, 2), 50.0) > 0
    assert len(distances_of(rich())) == 8
