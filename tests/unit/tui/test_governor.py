"""The frame rate gives way to the budget and comes back."""

import pytest

from tui.governor import RATES, ByteMeter, Governor


def run(governor: Governor, meter: ByteMeter, *, start: float, seconds: float, bytes_per_frame: int) -> float:
    """Draw frames at whatever rate is in force; return the time at the end."""
    now = start
    while now < start + seconds:
        now += 1 / governor.rate
        meter.add(bytes_per_frame)
        governor.sample(now, meter.total)
    return now


def test_a_cheap_screen_keeps_its_rate() -> None:
    """Ten frames a second under the budget."""
    governor, meter = Governor(80_000), ByteMeter()
    run(governor, meter, start=0, seconds=20, bytes_per_frame=4_000)
    assert governor.rate == 10.0
    assert not governor.throttled


def test_a_dear_screen_is_slowed_under_the_budget() -> None:
    """To the fastest rate that fits."""
    governor, meter = Governor(80_000), ByteMeter()
    run(governor, meter, start=0, seconds=30, bytes_per_frame=12_000)
    assert governor.rate == 5.0
    assert governor.throttled
    assert governor.bytes_per_s() <= 80_000


def test_the_slowest_rate_is_the_end() -> None:
    """It never stops drawing."""
    governor, meter = Governor(1_000), ByteMeter()
    run(governor, meter, start=0, seconds=60, bytes_per_frame=50_000)
    assert governor.rate == RATES[-1]


def test_the_rate_comes_back() -> None:
    """Once it fits with room to spare."""
    governor, meter = Governor(80_000), ByteMeter()
    now = run(governor, meter, start=0, seconds=30, bytes_per_frame=30_000)
    assert governor.rate == 2.0
    run(governor, meter, start=now, seconds=60, bytes_per_frame=3_000)
    assert governor.rate == 10.0


def test_it_does_not_swing() -> None:
    """A load between two rates settles on the slower one."""
    governor, meter = Governor(80_000), ByteMeter()
    now = run(governor, meter, start=0, seconds=30, bytes_per_frame=9_500)
    rates = set()
    for _ in range(30):
        now = run(governor, meter, start=now, seconds=1, bytes_per_frame=9_500)
        rates.add(governor.rate)
    assert rates == {8.0}


def test_frames_are_skipped_while_the_terminal_is_behind() -> None:
    """Never queued."""
    governor = Governor(80_000)
    assert governor.allow(0)
    assert not governor.allow(9)
    assert governor.skipped == 1


def test_a_slower_start_is_kept() -> None:
    """Low bandwidth is a choice."""
    assert Governor(80_000, fastest=4.0).rate == 4.0
    assert Governor(80_000, fastest=1.0).rate == 1.0


def test_no_samples_no_rate() -> None:
    """And none of a single moment."""
    governor = Governor(80_000)
    assert governor.bytes_per_s() == 0.0
    governor.sample(1.0, 10)
    governor.sample(1.0, 20)
    assert governor.bytes_per_s() == 0.0


@pytest.mark.parametrize("wanted", [30.0, 10.0, 6.0, 1.5])
def test_the_rate_that_was_asked_for_is_the_fastest_one(wanted: float) -> None:
    """6 is not 5, and 30 not 10."""
    assert Governor(80_000, fastest=wanted).rate == wanted
