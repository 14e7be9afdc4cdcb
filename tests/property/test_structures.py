"""What every structure promises: the same bits after a restart, and nothing drawn afterwards."""

import math
import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import Bar
from engine.strategy.functions import ArgumentKind
from engine.strategy.indicators import State
from engine.strategy.structures.catalog import STRUCTURES
from engine.strategy.structures.swings import SwingHigh, SwingLow
from tests.unit.strategy.bar_builders import bar, recorded_bars

every = pytest.mark.parametrize("name", STRUCTURES)
prices = st.integers(min_value=1, max_value=9).map(float)
sides = st.integers(min_value=1, max_value=4)


@st.composite
def tapes(draw: st.DrawFn) -> list[Bar]:
    number = draw(st.integers(min_value=1_400, max_value=1_440))
    tape = []
    for a, b, c, d in draw(st.lists(st.tuples(prices, prices, prices, prices), max_size=60)):
        low, inside, high = sorted((a, b, c))
        tape.append(bar(inside, high=high, low=low, open_=d, number=number))
        number += draw(st.sampled_from([1, 1, 1, 3, 60]))
    return tape


def made(name: str, size: int = 2) -> Any:
    function = STRUCTURES[name]
    values = [
        (1_420, 20)[at % 2] if argument.kind is ArgumentKind.CLOCK else min(size, argument.most)
        for at, argument in enumerate(function.arguments)
    ]
    return function.make(values)


def told(structure: Any, bars: Sequence[Bar]) -> list[bytes]:
    """All outputs on each bar, to the bit."""
    names = getattr(structure, "OUTPUTS", ())[1:]
    found = []
    for b in bars:
        values = [structure.update(b), *(getattr(structure, name) for name in names)]
        found.append(struct.pack(f"<{len(values)}d", *(abs(v) if math.isnan(v) else v for v in values)))
    return found


@every
@given(bars=tapes(), data=st.data())
def test_a_restart_at_any_bar_changes_no_bit(name: str, bars: list[Bar], data: st.DataObject):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    whole, before, after = made(name), made(name), made(name)
    expected = told(whole, bars)
    first = told(before, bars[:cut])
    after.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(before.state()), type=State))
    assert first + told(after, bars[cut:]) == expected
    assert list(map(repr, after.state())) == list(map(repr, whole.state()))


@every
@pytest.mark.shared
def test_a_restart_on_recorded_bars_changes_no_bit(name: str):
    bars = recorded_bars(3_000)
    whole, before, after = made(name, 5), made(name, 5), made(name, 5)
    expected = told(whole, bars)
    first = told(before, bars[:1_234])
    after.restore(before.state())
    assert first + told(after, bars[1_234:]) == expected
    assert len(set(expected)) > 3 or name in {"trend", "gap"}


def swings(values: Sequence[float], left: int, right: int) -> list[tuple[float, int] | None]:
    """The last swing as of each value, and where it was: by looking at all values around each."""
    found: list[tuple[float, int] | None] = []
    last = None
    for now in range(len(values)):
        at = now - right
        if at >= left:
            around = values[at - left : at], values[at + 1 : now + 1]
            if all(x < values[at] for x in around[0]) and all(x <= values[at] for x in around[1]):
                last = values[at], at
        found.append(last)
    return found


@given(bars=tapes(), left=sides, right=sides)
def test_swings_are_what_stands_out(bars: list[Bar], left: int, right: int):
    high, low = SwingHigh(left, right), SwingLow(left, right)
    highs = swings([b.high for b in bars], left, right)
    lows = swings([-b.low for b in bars], left, right)
    for number, b in enumerate(bars):
        for swing, value, expected, sign in (
            (high, high.update(b), highs[number], 1.0),
            (low, low.update(b), lows[number], -1.0),
        ):
            if expected is None:
                assert math.isnan(value)
                assert math.isnan(swing.age)
            else:
                assert (value, swing.age) == (sign * expected[0], number - expected[1])


@every
@given(bars=tapes())
def test_what_was_said_stays_said(name: str, bars: list[Bar]):
    """The answers on a shorter tape are the first answers on the longer one."""
    whole = told(made(name), bars)
    for cut in range(0, len(bars), 7):
        assert told(made(name), bars[:cut]) == whole[:cut]


@every
def test_the_catalog_says_what_there_is(name: str):
    function = STRUCTURES[name]
    structure = made(name)
    assert function.outputs == getattr(structure, "OUTPUTS", ())
    assert structure.warmup >= 1
    for output in function.outputs[1:]:
        assert math.isnan(getattr(structure, output))
