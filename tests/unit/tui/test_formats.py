"""Numbers keep their width, and one that does not fit is never a wrong number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui import formats


@given(st.text(max_size=20), st.integers(1, 12))
def test_a_text_takes_exactly_its_cells(text: str, width: int) -> None:
    """Whatever alphabet or control character it holds."""
    fitted = formats.left(text, width)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


@given(st.integers(-(10**9), 10**9), st.integers(1, 12))
def test_a_number_fits_or_says_that_it_does_not(number: int, width: int) -> None:
    """A cut number would be a lie."""
    fitted = formats.right(str(number), width)
    assert len(fitted) == width
    assert fitted.strip() == str(number) or set(fitted) == {"#"}


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 orders"), (1, "1 order"), (2, "2 orders"), (1200, "1,200 orders")]
)
def test_one_thing_is_not_several(number: int, text: str) -> None:
    """And a thousand are easily read."""
    assert formats.several(number, "order") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "<1s"),
        (0.9, "<1s"),
        (12.9, "12s"),
        (99, "99s"),
        (100, "1m"),
        (3_599, "59m"),
        (11_100, "3h05"),
        (999_999, "11d"),
    ],
)
def test_ages_are_short(seconds: float, text: str) -> None:
    """Five cells are enough."""
    assert formats.age(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("1234.5", "+1,234.50"), ("-0.004", "0.00"), ("0", "0.00"), ("-12.345", "-12.34")],
)
def test_gains_carry_their_sign_and_zero_has_none(value: str, text: str) -> None:
    """A minus before nothing would alarm."""
    assert formats.signed(Decimal(value)) == text


def test_quantities_have_no_exponent_and_no_trailing_zeros() -> None:
    """They are compared by eye."""
    assert formats.quantity(Decimal("1E+3")) == "1,000"
    assert formats.quantity(Decimal("0.5000")) == "0.5"


def test_prices_keep_their_instruments_decimals() -> None:
    """So that points stand under each other."""
    assert formats.price(61_234.5, 2) == "61,234.50"
    assert formats.money(Decimal(5)) == "5.00"
    assert formats.percent(-0.0087) == "-0.87%"
    assert formats.percent(-0.00001) == "0.00%"
    assert formats.count(641_220) == "641,220"


def test_spread_is_in_basis_points_of_the_mid() -> None:
    """A missing side has none."""
    assert formats.spread_bps(99.99, 100.01) == "2.0"
    assert formats.spread_bps(0, 100) == "-"


@given(st.lists(st.floats(1, 1e6), max_size=30), st.integers(0, 20))
def test_a_sparkline_has_the_width_it_was_given(values: list[float], width: int) -> None:
    """And the newest value at its right end."""
    line = formats.sparkline(values, width)
    assert len(line) == width
    assert set(line) <= set(formats.BLOCKS) | {" "}


def test_a_flat_sparkline_is_a_line() -> None:
    """No division by a range of nothing."""
    assert formats.sparkline([5.0, 5.0], 4) == "  ▄▄"


def test_moments_that_never_were_are_dashes() -> None:
    """Not 1970."""
    assert formats.clock(0) == "--:--:--"
    assert formats.date(0) == "----------"
    assert formats.age_between(10, 0) == "-"


def test_moments_are_utc() -> None:
    """The desk's clock is UTC."""
    assert formats.clock(1_723_125_731_000_000_000) == "14:02:11"
    assert formats.date(1_723_125_731_000_000_000) == "2024-08-08"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7, "7s"), (67, "1m 07s"), (3_700, "1h 01m"), (90_000, "1d 01h")]
)
def test_how_long_something_runs(seconds: float, text: str) -> None:
    """In the two largest units."""
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (Decimal("0.00000123"), None, "0.00000123"),
        (Decimal("61099.80003333333333333"), None, "61,099.80"),
        (Decimal("0.612345678901"), None, "0.612346"),
        (Decimal("1E+3"), None, "1,000.00"),
        (Decimal(0), None, "0.00"),
        (61_234.5, None, "61,234.50"),
        (61_234.5, 1, "61,234.5"),
    ],
)
def test_a_price_of_an_unknown_instrument_keeps_its_digits(
    value: Decimal, digits: int | None, said: str
) -> None:
    """After a restart orders come before the first price does."""
    assert formats.price(value, digits) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(79.9637, "79.96"), (0.00123456, "0.001235"), (1_234_567.8, "1,234,568"), (-12.5, "-12.5"), (0.0, "0")],
)
def test_a_number_of_any_size_has_no_exponent(value: float, said: str) -> None:
    """61,234 as 6.123e+04 has to be read twice."""
    assert formats.significant(value) == said


def test_a_narrow_spread_is_not_nothing() -> None:
    """One tick of BTC."""
    assert formats.spread_bps(61_234.5, 61_234.6) == "0.02"
    assert formats.spread_bps(2_684.0, 2_685.0) == "3.7"


def test_a_moment_of_another_day_says_the_day() -> None:
    """Yesterday's fill does not look like today's."""
    now = 1_723_125_731 * formats.NS_PER_S
    assert formats.moment(now - 60 * formats.NS_PER_S, now) == "14:01:11"
    assert formats.moment(now - 86_400 * formats.NS_PER_S, now) == "08-07 14:02"
    assert formats.moment(0, now) == "--:--:--"


@given(st.text(max_size=80), st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    """Also in wide letters, and where a word is longer than a line."""
    lines = formats.wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == formats.clean(text).replace(" ", "")


def test_a_text_that_is_cut_ends_in_an_ellipsis() -> None:
    """A sentence that stops is believed to be over."""
    assert formats.wrapped("one two three four", 9, 1) == ["one two…"]
    assert formats.wrapped("one twos three four", 8, 1) == ["one two…"]
    assert formats.wrapped("one two", 9, 1) == ["one two"]
    assert formats.wrapped("tt0s0me0dflt0cnry0001", 10) == ["tt0s0me0df", "lt0cnry000", "1"]
