"""When windows of the calendar run, come again, and leave a free moment."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config.blackout import WindowSettings
from engine.domain.calendar import Window
from engine.domain.market import NS_PER_S
from engine.risk.calendar import NS_PER_MINUTE, coming, concerns, free_from, running, shortest_period


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS_PER_S


def window(cron: str, minutes: int = 30, *symbols: str) -> Window:
    return WindowSettings(name="w", cron=cron, minutes=minutes, symbols=symbols).to_window()


def begins(cron: str, now: str) -> str:
    span = coming(window(cron, 1), at(now))
    assert span is not None
    return f"{datetime.fromtimestamp(span.begins / NS_PER_S, UTC):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        ("30 12 * * *", "2026-03-05T12:29:59", "2026-03-05T12:30"),
        ("30 12 * * *", "2026-03-05T12:30:00", "2026-03-06T12:30"),
        ("*/20 * * * *", "2026-03-05T12:21", "2026-03-05T12:40"),
        ("0 9-17/4 * * mon-fri", "2026-03-06T17:00", "2026-03-09T09:00"),
        ("0 0 29 2 *", "2026-03-05T00:00", "2028-02-29T00:00"),
        ("0 0 * * 0", "2026-03-05T00:00", "2026-03-08T00:00"),
        ("0 0 * * 7", "2026-03-05T00:00", "2026-03-08T00:00"),
        ("0 0 1 * sun", "2026-03-05T00:00", "2026-03-08T00:00"),
        ("0 0 6 * sun", "2026-03-05T00:00", "2026-03-06T00:00"),
        ("15 8 * jan,dec *", "2026-03-05T00:00", "2026-12-01T08:15"),
    ],
)
def test_the_next_beginning_is_crons(cron, now, expected):
    assert begins(cron, now) == expected


def test_a_window_runs_from_its_beginning_up_to_its_end():
    lunch = window("0 12 * * *", 30)
    assert running(lunch, at("2026-03-05T11:59:59")) is None
    span = running(lunch, at("2026-03-05T12:00"))
    assert span is not None
    assert (span.begins, span.ends) == (at("2026-03-05T12:00"), at("2026-03-05T12:30"))
    assert running(lunch, span.ends - 1) == span
    assert running(lunch, span.ends) is None


def test_a_window_goes_on_over_midnight_and_over_days():
    night = window("0 22 * * fri", 60 * 50)
    assert running(night, at("2026-03-06T21:59")) is None
    assert running(night, at("2026-03-07T23:00")) is not None
    assert running(night, at("2026-03-08T23:59")) is not None
    assert running(night, at("2026-03-09T00:00")) is None


@pytest.mark.parametrize(
    ("cron", "period"),
    [("*/15 * * * *", 15), ("0 8,9 * * *", 60), ("0 0 1,31 * *", 1440), ("0 0 29 2 *", 1461 * 1440)],
)
def test_the_shortest_period_is_found(cron, period):
    assert shortest_period(window(cron, 1), at("2024-01-01T00:00")) == period


def test_a_calendar_is_free_where_no_window_runs():
    halves = (window("0 * * * *", 40), window("30 * * * *", 40, "BTCUSDT"))
    now = at("2026-03-05T12:10")
    assert free_from(halves, "ETHUSDT", now) == at("2026-03-05T12:40")
    assert free_from(halves, "BTCUSDT", now) is None
    assert free_from((), "BTCUSDT", now) == now
    assert [concerns(each, "ETHUSDT") for each in halves] == [True, False]


@given(
    st.sampled_from(["0 * * * *", "*/10 3-5 * * *", "0 0 * * mon", "59 23 28-31 * *", "5 4 1 */3 *"]),
    st.integers(1, 6),
    st.integers(at("2024-01-01T00:00"), at("2032-01-01T00:00")),
)
def test_what_runs_has_begun_and_what_comes_has_not(cron, minutes, now):
    each = window(cron, minutes)
    span, ahead = running(each, now), coming(each, now)
    assert ahead is not None
    assert ahead.begins > now
    assert running(each, ahead.begins) == ahead
    assert running(each, ahead.begins - 1) in (None, span)
    if span is not None:
        assert span.begins <= now < span.ends
        assert span.ends - span.begins == minutes * NS_PER_MINUTE
