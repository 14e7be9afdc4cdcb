"""A line in braille: every value at its height, joined to its neighbour, holes left open."""

from hypothesis import given
from hypothesis import strategies as st

from tui.chart import ACROSS, DOTS, UP, braille


def dots(rows: list[str]) -> set[tuple[int, int]]:
    """Return (across, up) of every dot, counted from the lower left."""
    return {
        (across * ACROSS + column, (len(rows) - 1 - down) * UP + height)
        for down, row in enumerate(rows)
        for across, cell in enumerate(row)
        if cell != " "
        for column, bits in enumerate(DOTS)
        for height, bit in enumerate(bits)
        if ord(cell) & bit
    }


def test_a_rise_goes_from_the_lower_left_to_the_upper_right():
    assert braille([0, 1, 2, 3], 1) == ["⡠⠊"]
    assert braille([3, 2, 1, 0], 1) == ["⠑⢄"]


def test_a_jump_is_joined():
    assert dots(braille([0, 7], 2)) == {(0, 0), *((1, up) for up in range(1, 8))}
    assert dots(braille([7, 0], 2)) == {(0, 7), *((1, up) for up in range(7))}


def test_what_never_moves_is_a_line_in_the_middle():
    assert dots(braille([5.0, 5.0, 5.0], 2)) == {(0, 3), (1, 3), (2, 3)}


def test_a_hole_is_left_open():
    assert dots(braille([0, None, 7], 2)) == {(0, 0), (2, 7)}
    assert braille([None, None], 2) == ["", ""]
    assert braille([], 2) == ["", ""]


@given(st.lists(st.none() | st.floats(1e-6, 1e9), min_size=1, max_size=60), st.integers(1, 12))
def test_every_value_has_its_dot_and_no_column_without_one_is_drawn(values: list[float | None], height: int):
    rows = braille(values, height)
    drawn = dots(rows)
    assert len(rows) == height
    assert {across for across, _ in drawn} == {n for n, value in enumerate(values) if value is not None}
    known = [value for value in values if value is not None]
    if known and max(known) > min(known):
        assert {up for _, up in drawn} >= {0, height * UP - 1}
