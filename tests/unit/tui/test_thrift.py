"""Fewer bytes must leave the same screen: both outputs are played on a small terminal and compared."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tui.thrift import squeeze

TOKEN = re.compile(r"\x1b\[([0-9;]*)([mH])|(.)", re.DOTALL)


def play(data: str) -> tuple[dict[tuple[int, int], tuple[str, tuple[str, ...]]], dict[str, str]]:
    """Return the cells of a terminal that understands styles and cursor moves, and its last style."""
    cells: dict[tuple[int, int], tuple[str, tuple[str, ...]]] = {}
    style: dict[str, str] = {}
    x = y = 0
    for match in TOKEN.finditer(data):
        numbers, verb, char = match.groups()
        if verb == "H":
            y, x = (int(part) for part in numbers.split(";"))
        elif verb == "m":
            style = apply(style, numbers)
        elif char == "\n":
            y += 1
        elif char != "\r":
            cells[y, x] = (char, tuple(sorted(style.values())))
            x += 1
    return cells, style


def apply(style: dict[str, str], numbers: str) -> dict[str, str]:
    if numbers in ("", "0"):
        return {}
    style, parts = dict(style), numbers.split(";")
    while parts:
        head = parts.pop(0)
        if head in ("38", "48"):
            size = 4 if parts[0] == "2" else 2
            rest, parts = parts[:size], parts[size:]
            style["fg" if head == "38" else "bg"] = ";".join([head, *rest])
        elif 30 <= int(head) <= 39 or 90 <= int(head) <= 97:
            style["fg"] = head
        elif 40 <= int(head) <= 49 or 100 <= int(head) <= 107:
            style["bg"] = head
        else:
            style[head] = head
    return style


colors = st.sampled_from(["38;2;1;2;3", "38;2;9;9;9", "38;5;7", "31", "39", "97"])
backs = st.sampled_from(["48;2;0;0;0", "48;2;5;5;5", "48;5;1", "41", "49", "104"])
marks = st.sampled_from(["", "1", "2", "7", "1;7"])
codes = st.tuples(marks, colors, backs).map(lambda parts: ";".join(part for part in parts if part))
runs = st.tuples(codes, st.text("ab ", max_size=4)).map(lambda run: f"\x1b[{run[0]}m{run[1]}\x1b[0m")
moves = st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda place: f"\x1b[{place[0]};{place[1]}H")
outputs = st.lists(st.one_of(runs, moves, st.just("\n"), st.text("xy", max_size=2)), max_size=30).map("".join)


@given(outputs)
def test_the_same_cells_in_the_same_styles(data: str) -> None:
    """Nothing on screen tells the two apart, and both leave no style behind."""
    assert play(squeeze(data)) == play(data)


@given(outputs)
def test_it_is_never_longer(data: str) -> None:
    """It may only save."""
    assert len(squeeze(data)) <= len(data)


def test_a_row_of_one_background_sends_it_once() -> None:
    """Runs that differ in their colour only name the colour only."""
    row = "\x1b[38;2;1;1;1;48;2;0;0;0mab\x1b[0m\x1b[38;2;2;2;2;48;2;0;0;0mcd\x1b[0m"
    assert squeeze(row) == "\x1b[38;2;1;1;1;48;2;0;0;0mab\x1b[38;2;2;2;2mcd\x1b[0m"


def test_what_has_no_styles_passes_as_it_is() -> None:
    """Set-up sequences of the terminal are not touched."""
    assert squeeze("\x1b[?1049h") == "\x1b[?1049h"
