"""What is required of a page of bars before one is kept."""

import msgspec
import pytest

from engine.domain.errors import TransientError
from engine.venues.barpages import RawBar, checked, moment, parse_line

MINUTE_MS = 60_000


def bar(minute: int, **numbers: str) -> RawBar:
    plain = RawBar(minute * MINUTE_MS, "10.0", "11.50", "9", "10.1", "0.000")
    return msgspec.structs.replace(plain, **numbers)


def test_a_line_keeps_the_numbers_as_they_were_written_and_comes_back_the_same():
    assert bar(1).line == "60000,10.0,11.50,9,10.1,0.000"
    assert parse_line(bar(1).line) == bar(1)


@pytest.mark.parametrize("line", ["", "1,2,3", "x,1,1,1,1,1", "1,2,3,4,5,6,7"])
def test_what_is_no_bar_is_no_line(line: str):
    with pytest.raises(ValueError, match=r"no bar|invalid literal"):
        parse_line(line)


def test_bars_are_the_same_however_their_numbers_are_written():
    assert bar(1).same(bar(1, open="10", high="11.5", volume="0"))
    assert not bar(1).same(bar(1, open="10.01"))
    assert not bar(1).same(bar(2))


def test_good_pages_pass_with_their_gaps():
    page = [bar(1), bar(2), bar(9)]
    assert checked(page, MINUTE_MS) == page
    assert checked([], MINUTE_MS) == []


def test_twins_are_one_bar():
    assert checked([bar(1), bar(1, open="10"), bar(2), bar(2)], MINUTE_MS) == [bar(1), bar(2)]


def test_an_open_outside_of_the_bar_is_a_quirk_and_no_fault():
    assert checked([bar(1, open="99")], MINUTE_MS) == [bar(1, open="99")]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ([bar(2), bar(1)], "sent bars out of order at 1970-01-01 00:01"),
        ([bar(1), bar(1, close="10.2")], "sent two different bars for 1970-01-01 00:01"),
        ([bar(1), bar(2, ts_ms=90_000)], "sent a bar at 1970-01-01 00:01 between two steps"),  # type: ignore[arg-type]  # an int
        ([bar(1, open="nan")], "sent a bar (1970-01-01 00:01) with a number that is none"),
        ([bar(1, volume="inf")], "with a number that is none"),
        ([bar(1, close="None")], "with text in a number"),
        ([bar(1, low="0")], "with a price that is not above 0"),
        ([bar(1, open="-1")], "with a price that is not above 0"),
        ([bar(1, volume="-0.1")], "with a negative volume"),
        ([bar(1, high="8")], "with its high below its low"),
        ([bar(1, ts_ms=10**17)], "sent a bar (100000000000000000 ms) at no possible time"),  # type: ignore[arg-type]  # an int
    ],
)
def test_the_first_fault_is_named(page: list[RawBar], message: str):
    with pytest.raises(TransientError) as caught:
        checked(page, MINUTE_MS)
    assert message in str(caught.value)


def test_moments_are_in_utc():
    assert moment(1_580_479_500_000) == "2020-01-31 14:05"
    assert moment(-1) == "-1 ms"
