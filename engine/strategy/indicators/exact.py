"""Exact sums: floats as integers of one scale, which add up without rounding and so never drift.

A float times 2**128 is an integer for every magnitude above 1e-22; what is smaller is cut at 3e-39. Hot paths
write `int(x * SCALE)` out. A sum becomes a float again by one division, rounded like any other.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from math import isqrt, sqrt

SCALE_BITS = 128
SCALE = 2.0**SCALE_BITS
UNIT = 1 << SCALE_BITS  # SCALE as an integer: what 1.0 becomes


def unscaled(numbers: Iterable[int]) -> list[float]:
    """Return the floats that scaled integers were made from."""
    return [number / UNIT for number in numbers]


def scaled(numbers: Iterable[float]) -> list[int]:
    """Return floats as scaled integers."""
    return [int(number * SCALE) for number in numbers]


def window(state: Sequence[float], period: int) -> deque[int]:
    """Return the last values of a series, scaled, with zeros before them up to a period.

    Raises ValueError where there are more.
    """
    if len(state) > period:
        raise ValueError(f"a window of {period} cannot hold {len(state)} values")
    return deque([0] * (period - len(state)) + scaled(state), maxlen=period)


def split(total: int) -> list[float]:
    """Return a scaled sum as the fewest floats that add up to it, largest first; `joined` takes it back."""
    parts = []
    while total:
        part = total / UNIT
        parts.append(part)
        total -= int(part * SCALE)
    return parts


def joined(parts: Iterable[float]) -> int:
    """Return the scaled sum of floats."""
    return sum(scaled(parts))


def root(square: int) -> float:
    """Return the square root of an integer of any size."""
    try:
        return sqrt(square)
    except OverflowError:
        return float(isqrt(square))
