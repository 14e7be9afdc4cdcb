"""Figures in words: signs, decimals that fit the size, and n/a."""

import pytest

from engine.runtime.study.figures import moment_text
from engine.runtime.study.sheet import SHEET, Kind, Line, duration, text_of, write_figure
from engine.runtime.study.study import study
from tests.unit.runtime.study.runs import bars_settings


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.TEXT, "normal", "normal"),
        (Kind.COUNT, 1234567, "1,234,567"),
        (Kind.NUMBER, -0.001, "0.00"),
        (Kind.NUMBER, 1.5e7, "1.50e+07"),
        (Kind.MONEY, "50000", "50,000.00"),
        (Kind.MONEY, "0.00012345", "0.00012345"),
        (Kind.MONEY, "0", "0.00"),
        (Kind.PROFIT, "-3.10556", "-3.1056"),
        (Kind.PROFIT, 12345.678, "+12,345.68"),
        (Kind.PROFIT, 0, "0.00"),
        (Kind.CHANGE, 0.1234, "+12.34%"),
        (Kind.CHANGE, -0.00012, "-0.012%"),
        (Kind.CHANGE, 1e9, "+1.00e+11%"),
        (Kind.SHARE, 0.5, "50.00%"),
        (Kind.SHARE, 0.0, "0.000%"),
        (Kind.SECONDS, 1729.14, "28m 49s"),
        (Kind.DAYS, 365.99, "365d 23h"),
        (Kind.BPS, 0.69, "+0.69 bps"),
    ],
)
def test_a_figure_is_written_by_its_kind(kind, value, text):
    assert text_of(kind, value) == text


def test_what_does_not_exist_is_not_nought():
    assert write_figure(Line("sharpe", "Sharpe", Kind.NUMBER), None) == "n/a"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5s"), (59, "59s"), (3599, "59m 59s"), (7200, "2h 00m"), (200_000, "2d 07h")],
)
def test_a_length_of_time_has_two_units(seconds, text):
    assert duration(seconds) == text


def test_moments_are_written_in_utc():
    assert moment_text(1_580_428_800_000_000_000) == "2020-01-31T00:00:00Z"
    assert moment_text(1_580_428_800_120_000_000) == "2020-01-31T00:00:00.120Z"


def test_every_line_of_the_sheet_is_a_figure_of_a_run(tmp_path):
    facts = study(bars_settings(tmp_path)).summary()
    names = [line.name for group in SHEET for line in group.lines]
    assert len(set(names)) == len(names)
    assert set(names) <= facts.keys()
