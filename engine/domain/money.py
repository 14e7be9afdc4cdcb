"""Decimal money: exact conversion from data, and rounding to a venue's steps."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
_SHOWN = Decimal("0.00000001")
BPS = Decimal("0.0001")

# Every quotient of the ledger is taken in one context, so that two machines agree to the last digit.
LEDGER_CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN)

_DIGITS_KEPT = 32  # more decimals than any float of a market carries
_SCALES = tuple(float(10**digits) for digits in range(_DIGITS_KEPT))
_UNITS = tuple(ONE.scaleb(-digits) for digits in range(_DIGITS_KEPT))


def exact(value: float, digits: int) -> Decimal:
    """Return the decimal that the float carries, given how many decimals its source text had.

    Exact while `value * 10**digits` is below 2**51: the nearest float and the product are each off by at most
    half a unit in the last place, together by less than half of one scaled unit.
    """
    if digits < _DIGITS_KEPT:
        return Decimal(round(value * _SCALES[digits])) * _UNITS[digits]
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


def money(value: float | Decimal) -> Decimal:
    """Return an amount for a screen, to 8 decimals."""
    return (value if isinstance(value, Decimal) else Decimal(repr(value))).quantize(_SHOWN)


def divide(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Divide in the ledger's own context (34 digits, half even), whatever the caller's is."""
    return LEDGER_CONTEXT.divide(numerator, denominator)


def canonical(value: Decimal) -> str:
    """Write a decimal in one form only: no exponent, no trailing zeros, no negative zero."""
    if not value:
        return "0"
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if text[-1] == "0" and "." in text else text


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step such as 0.05 needs."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is a finite number"
    return max(0, -exponent)
