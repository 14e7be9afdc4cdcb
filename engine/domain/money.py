"""Decimal money: exact conversion from data, and rounding to a venue's steps."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext

ZERO = Decimal(0)
ONE = Decimal(1)
BPS = Decimal("0.0001")

# Every quotient of the ledger is taken in one context, so that two machines agree to the last digit.
LEDGER_CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN)


def exact(value: float, digits: int) -> Decimal:
    """Return the decimal that the float carries, given how many decimals its source text had.

    Exact while `value * 10**digits` is below 2**51: the nearest float and the product are each off by at most
    half a unit in the last place, together by less than half of one scaled unit.
    """
    return Decimal(round(value * 10**digits)).scaleb(-digits)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Round toward minus infinity to a multiple of `step`."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Round toward plus infinity to a multiple of `step`."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def truncate_to(value: Decimal, step: Decimal) -> Decimal:
    """Round toward zero to a multiple of `step`: a quantity never grows by rounding."""
    return (value / step).to_integral_value(ROUND_DOWN) * step


def divide(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Divide in the ledger's own context (34 digits, half even), whatever the caller's is."""
    with localcontext(LEDGER_CONTEXT):
        return numerator / denominator


def canonical(value: Decimal) -> str:
    """Write a decimal in one form only: no exponent, no trailing zeros, no negative zero."""
    if value == 0:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step such as 0.05 needs."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is a finite number"
    return max(0, -exponent)
