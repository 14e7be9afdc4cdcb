"""The calendar as settings: what is taken, and the one message for what makes no sense."""

from typing import Any

import pytest
from pydantic import ValidationError

from engine.config.blackout import BlackoutSettings


def refused(**written: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        BlackoutSettings.model_validate(written)
    (error,) = caught.value.errors()
    return str(error["msg"]).removeprefix("Value error, ")


def one(cron: str, minutes: int = 10, **more: Any) -> dict[str, Any]:
    return {"windows": [{"name": "w", "cron": cron, "minutes": minutes, **more}]}


def test_nothing_written_is_no_calendar():
    assert BlackoutSettings().to_calendar() == ()


def test_funding_times_become_a_window_around_each_of_them():
    (window,) = BlackoutSettings.model_validate({"funding": {"before_minutes": 5}}).to_calendar()
    assert (window.name, window.starts, window.minutes) == ("funding", (475, 955, 1435), 6)


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("0 12 * *", "'0 12 * *' has 4 fields, cron has five: minute hour day-of-month month weekday"),
        ("61 12 * * *", "'61' is no minute: 0 to 59"),
        ("0 12 * * noon", "'noon' is no weekday: 0 to 7 or sun to sat"),
        ("0 12 * 13 *", "'13' is no month: 1 to 12 or jan to dec"),
        ("0 9-5 * * *", "'9-5' of hour runs backwards"),
        ("0/0 12 * * *", "'0/0': a step is at least 1"),
        ("? 12 * * *", "'?' is no minute: write 5, 1-5, */15, 1,3 or *"),
        ("0 0 30 2 *", "window 'w' never begins: no date fits '0 0 30 2 *'"),
        ("*/10 * * * *", "window 'w' lasts 10 minutes and begins again after 10: it must end before"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_in_one_sentence(cron, told):
    assert refused(**one(cron)) == told


def test_windows_that_leave_no_free_minute_together_are_refused():
    halves = [
        {"name": "first", "cron": "0 * * * *", "minutes": 31},
        {"name": "second", "cron": "30 * * * *", "minutes": 30, "symbols": ["BTCUSDT"]},
    ]
    assert refused(windows=halves) == (
        "the windows together never end for BTCUSDT: no minute of a week is free"
    )
    halves[1].pop("symbols")
    assert refused(windows=halves) == "the windows together never end: no minute of a week is free"


@pytest.mark.parametrize(
    ("funding", "told"),
    [
        (
            {"interval_h": 1, "before_minutes": 59, "after_minutes": 1},
            "lasts 60 minutes and begins again after 60: it must end before",
        ),
        ({"interval_h": 5}, "interval_h: 5 does not divide a day; funding times are fixed"),
        (
            {"before_minutes": 0, "after_minutes": 0},
            "before_minutes and after_minutes are both 0: leave funding out instead",
        ),
    ],
)
def test_funding_that_makes_no_sense_is_refused(funding, told):
    assert refused(funding=funding) == told


def test_two_windows_of_one_name_are_refused():
    twice = one("0 12 * * *")["windows"] * 2
    assert refused(windows=twice) == "two windows are called 'w'"
    assert refused(**one("0 12 * * *", name="funding"), funding={}) == "two windows are called 'funding'"
