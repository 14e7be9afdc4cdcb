"""Money is exact, and rounding never adds to a quantity."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.market import SCALED_MAX
from engine.domain.money import canonical, ceil_to, decimals_of, divide, exact, floor_to, truncate_to

STEPS = ["0.00000001", "0.001", "0.05", "0.1", "0.25", "0.5", "1", "5", "100", "1000"]
steps = st.sampled_from([Decimal(text) for text in STEPS])
amounts = st.decimals(-(10**9), 10**9, places=8)


@given(st.integers(0, 12), st.integers(-SCALED_MAX + 1, SCALED_MAX - 1))
def test_a_float_carries_a_decimal_text_exactly(digits, scaled):
    written = Decimal(scaled).scaleb(-digits)
    assert exact(float(str(written)), digits) == written


@given(amounts, steps)
def test_rounding_lands_on_a_step_nearby(value, step):
    for rounded in (floor_to(value, step), ceil_to(value, step), truncate_to(value, step)):
        assert rounded % step == 0
        assert abs(rounded - value) < step


@given(amounts, steps)
def test_each_rounding_keeps_its_side(value, step):
    assert floor_to(value, step) <= value <= ceil_to(value, step)
    assert abs(truncate_to(value, step)) <= abs(value)


@given(amounts, steps)
def test_what_is_on_a_step_stays(value, step):
    on_step = floor_to(value, step)
    assert on_step == floor_to(on_step, step) == ceil_to(on_step, step) == truncate_to(on_step, step)


@given(amounts, amounts)
def test_a_quotient_does_not_depend_on_the_callers_context(numerator, denominator):
    from decimal import localcontext

    assume(denominator != 0)
    there = divide(numerator, denominator)
    with localcontext(prec=6):
        assert divide(numerator, denominator) == there


def test_a_step_finer_than_any_market_carries_its_price_too():
    assert exact(2.5e-39, 40) == Decimal("2.5e-39")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_canonical_text_means_the_same_number_and_is_the_only_one(value):
    text = canonical(value)
    assert Decimal(text) == value
    assert canonical(Decimal(text)) == text
    assert "e" not in text.lower()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("1.500", "1.5"),
        ("2.000", "2"),
        ("1E-8", "0.00000001"),
    ],
)
def test_numbers_that_are_equal_are_written_alike(value, text):
    assert canonical(Decimal(value)) == text


@pytest.mark.parametrize(
    ("step", "digits"), [("0.05", 2), ("0.10", 1), ("1", 0), ("100", 0), ("0.00000001", 8)]
)
def test_a_step_tells_its_decimals(step, digits):
    assert decimals_of(Decimal(step)) == digits


def test_a_step_without_end_is_a_bug():
    with pytest.raises(AssertionError, match="finite"):
        decimals_of(Decimal("NaN"))
