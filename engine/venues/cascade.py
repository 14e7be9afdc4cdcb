"""A random price path that can be asked for any moment: a pure function of its key and the time.

The path is Levy's construction of Brownian motion: the middle of every interval of a binary tree deviates
from the line between its ends by an amount drawn for that interval alone. The amounts are scaled by a
multiplicative cascade down the tree (Mandelbrot, Calvet and Fisher, "A multifractal model of asset returns",
1997), which gives returns fat tails and volatility clusters at all time scales. Some intervals hold a halt:
silence, then a jump to another price.
"""

import math
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

LEVELS = 26  # at 200 ms a slot the whole interval lasts 155 days; the path is 0 at its ends
_CLUSTERED_LEVELS = range(5, 18)  # volatility varies over 6 s to 7 h
_CLUSTER_STRENGTH = 0.16  # standard deviation of the log weight that each level adds
_HALT_LEVEL = 14  # one interval in two of 55 minutes has a halt
_HALT_SLOTS_MIN, _HALT_SLOTS_SPAN = 25, 75
_JUMP_MIN, _JUMP_SPREAD = 0.0015, 0.0025  # of the price
_ADDRESS, _BITS = Struct("<Qqq"), Struct("<QQ")


class Point(NamedTuple):
    """The path at a slot: log of price over base price, and volatility as a multiple of its usual size."""

    log_price: float
    weight: float
    halted: bool


class _Span(NamedTuple):
    number: int  # of the interval on its level
    left: float  # the path's values at its ends
    right: float
    weight: float


class _Halt(NamedTuple):
    number: int
    first: int  # silent from this slot on
    resumed: int  # and heard again from this one; equal to `first` where the interval has no halt
    jump: float


def derive_bits(key: int, level: int, number: int) -> tuple[int, int]:
    """Derive two independent 64-bit numbers for one place of a key's tree."""
    first, second = _BITS.unpack(blake2b(_ADDRESS.pack(key, level, number), digest_size=_BITS.size).digest())
    return first, second


class CascadePath:
    """One symbol's path. `sigma` is the standard deviation of the log price over a slot."""

    def __init__(self, key: int, sigma: float) -> None:
        self._key, self._sigma = key, sigma
        # The interval last visited on each level: neighbouring slots share most of them.
        self._spans = [_Span(-1, 0.0, 0.0, 1.0)] * (LEVELS + 1)
        self._halt = _Halt(-1, 0, 0, 0.0)

    def at(self, slot: int) -> Point:
        """Return the path's value at the start of a slot."""
        spans = self._spans
        level = 0
        while level < LEVELS and spans[level].number != slot >> level:
            level += 1
        span = spans[level]
        if span.number != slot >> level:
            span = spans[level] = _Span(slot >> level, 0.0, 0.0, 1.0)
        while level:
            level -= 1
            span = spans[level] = self._half(span, level, slot >> level)
        halt = self._halt_of(slot >> _HALT_LEVEL)
        return Point(span.left + _jumped(halt, slot), span.weight, halt.first <= slot < halt.resumed)

    def _half(self, whole: _Span, level: int, number: int) -> _Span:
        """Return one half of an interval; its middle deviates by half the root of its length (Levy)."""
        shock, cluster = _normals(*derive_bits(self._key, level, whole.number))
        weight = whole.weight
        if level in _CLUSTERED_LEVELS:
            weight *= math.exp(_CLUSTER_STRENGTH * cluster - _CLUSTER_STRENGTH**2)
        deviation = self._sigma * weight * math.sqrt(2 << level) / 2 * shock
        middle = (whole.left + whole.right) / 2 + deviation
        if number & 1:
            return _Span(number, middle, whole.right, weight)
        return _Span(number, whole.left, middle, weight)

    def _halt_of(self, number: int) -> _Halt:
        if self._halt.number != number:
            place, size = derive_bits(self._key, -1, number)
            slots = 1 << _HALT_LEVEL
            resumed = (number << _HALT_LEVEL) + slots // 4 + (place >> 32) % (slots // 2)
            length = _HALT_SLOTS_MIN + (place >> 8) % _HALT_SLOTS_SPAN if place & 1 else 0
            shock, _ = _normals(size, place)
            jump = math.copysign(_JUMP_MIN + _JUMP_SPREAD * abs(shock), shock) if length else 0.0
            self._halt = _Halt(number, resumed - length, resumed, jump)
        return self._halt


def _jumped(halt: _Halt, slot: int) -> float:
    """Step at the end of the halt, and drift the other way all along, so that the interval's ends stay."""
    slots = 1 << _HALT_LEVEL
    return halt.jump * ((slot >= halt.resumed) - (slot & (slots - 1)) / slots)


def _normals(first: int, second: int) -> tuple[float, float]:
    """Turn two 64-bit numbers into two independent standard normal ones (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log((first + 1) / 2**64))
    angle = math.tau * second / 2**64
    return radius * math.cos(angle), radius * math.sin(angle)
