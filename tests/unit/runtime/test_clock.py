"""The engine's clock goes on when the system's steps back."""

import time

import pytest

from engine.domain.market import NS_PER_S
from engine.runtime.clock import SystemClock

HOUR_NS = 3_600 * NS_PER_S
START = 1_720_000_000 * NS_PER_S


class System:
    """The system's two clocks, turned by hand."""

    def __init__(self):
        self.wall, self.turned = START, 77

    def passes(self, ns, *, set_by=0):
        self.turned += ns
        self.wall += ns + set_by


@pytest.fixture
def system(monkeypatch):
    system = System()
    monkeypatch.setattr(time, "time_ns", lambda: system.wall)
    monkeypatch.setattr(time, "monotonic_ns", lambda: system.turned)
    return system


def test_the_clock_shows_the_time_of_day():
    before = time.time_ns()
    assert before <= SystemClock().now() <= time.time_ns()


def test_the_clock_goes_on_while_the_system_clock_is_behind(system):
    clock = SystemClock()
    system.passes(5, set_by=-HOUR_NS)
    assert clock.now() == START + 5
    system.passes(7)
    assert clock.now() == START + 12
    assert clock.ahead_ns == HOUR_NS


def test_the_clock_never_goes_back_and_gives_way_where_the_system_clock_is_put_right(system):
    clock = SystemClock()
    system.passes(5, set_by=-HOUR_NS)
    clock.now()
    system.passes(5, set_by=HOUR_NS // 2)
    assert (clock.now(), clock.ahead_ns) == (START + 10, HOUR_NS // 2)
    system.passes(5, set_by=2 * HOUR_NS)
    assert (clock.now(), clock.ahead_ns) == (system.wall, 0)


def test_the_clock_follows_the_system_clock_forward(system):
    clock = SystemClock()
    system.passes(5, set_by=HOUR_NS)
    assert clock.now() == system.wall == START + 5 + HOUR_NS


def test_the_clock_goes_on_from_where_a_session_stood(system):
    clock = SystemClock()
    clock.go_on_from(START + HOUR_NS)
    assert clock.now() == START + HOUR_NS
    system.passes(9)
    clock.go_on_from(START)
    assert clock.now() == START + HOUR_NS + 9
