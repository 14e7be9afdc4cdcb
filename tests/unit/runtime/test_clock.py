"""The engine's clock goes on when the system's steps back."""

import time

from engine.runtime.clock import SystemClock


def test_the_clock_shows_the_time_of_day():
    before = time.time_ns()
    assert before <= SystemClock().now() <= time.time_ns()


def test_the_clock_stands_still_while_the_system_clock_is_behind(monkeypatch):
    readings = iter([100, 250, 40, 249, 251])
    monkeypatch.setattr(time, "time_ns", lambda: next(readings))
    clock = SystemClock()
    assert [clock.now() for _ in range(5)] == [100, 250, 250, 250, 251]
