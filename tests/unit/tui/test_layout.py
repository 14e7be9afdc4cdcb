"""Every size of a terminal has an answer, and the three designed ones have theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.arrangement import Arrangement, Column, Group, only, panes_of, size_class
from tui.layout import COLUMN_MIN, SLOT_MIN, Box, Plan, beside, plan, share_out
from tui.layouts import SHIPPED, arrangement_of
from tui.panes.registry import PANES as REGISTERED

PANES = {pane.name_id for pane in REGISTERED}


def boxes(made: Plan) -> list[Box]:
    rows = [box for box in (made.status, made.attention, made.footer) if box is not None]
    return [*rows, *(slot.box for slot in made.slots)]


def cells(box: Box) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)}


sizes = st.tuples(st.integers(1, 260), st.integers(1, 80))


@st.composite
def arrangements(draw: st.DrawFn) -> Arrangement:
    """Up to six columns of up to six groups of up to three panes."""
    columns = []
    for x in range(draw(st.integers(1, 6))):
        groups = []
        for y in range(draw(st.integers(1, 6))):
            panes = tuple(f"{'abcdef'[x]}{y}{z or ''}" for z in range(draw(st.integers(1, 3))))
            groups.append(Group(panes, draw(st.integers(1, 99))))
        columns.append(Column(tuple(groups), draw(st.integers(1, 99))))
    return tuple(columns)


@given(sizes, st.sampled_from(["", "orders", "risk"]))
def test_boxes_fill_the_screen_without_overlap(size: tuple[int, int], zoomed: str) -> None:
    """No cell twice, none outside, and from 60x16 on none empty."""
    width, height = size
    made = plan(width, height, zoomed=zoomed)
    taken = [cells(box) for box in boxes(made)]
    union = set().union(*taken)
    assert sum(map(len, taken)) == len(union)
    assert union <= cells(Box(0, 0, width, height))
    if width >= 60 and height >= 16:
        assert union == cells(Box(0, 0, width, height))


@given(sizes)
def test_status_is_always_row_zero(size: tuple[int, int]) -> None:
    """At every size."""
    assert plan(*size).status == Box(0, 0, size[0], 1)


@given(
    st.integers(60, 260),
    st.integers(16, 80),
    st.dictionaries(st.sampled_from(sorted(PANES)), st.integers(3, 30)),
    st.sampled_from(sorted(SHIPPED)),
)
def test_every_pane_has_a_place_in_every_shipped_layout(
    width: int, height: int, wanted: dict[str, int], name: str
) -> None:
    """On its own or as a tab, and never lower than its frame and two rows."""
    arrangement = only(arrangement_of(SHIPPED[name], size_class(width)), PANES)
    made = plan(width, height, wanted=wanted, arrangement=arrangement)
    assert {name for slot in made.slots for name in slot.panes} == PANES
    assert all(slot.box.height >= SLOT_MIN for slot in made.slots)


@given(sizes, arrangements(), st.sampled_from(["", "a0"]))
def test_any_arrangement_covers_the_screen(
    size: tuple[int, int], arrangement: Arrangement, zoomed: str
) -> None:
    """However many columns and groups: no cell twice, none empty, and all panes that were given a place."""
    width, height = size
    made = plan(width, height, arrangement=arrangement, zoomed=zoomed)
    taken = [cells(box) for box in boxes(made)]
    union = set().union(*taken)
    assert sum(map(len, taken)) == len(union)
    assert union <= cells(Box(0, 0, width, height))
    if width >= 60 and height >= 16:
        assert union == cells(Box(0, 0, width, height))
        if not zoomed:
            assert {name for slot in made.slots for name in slot.panes} == set(panes_of(arrangement))
            assert all(slot.box.height >= SLOT_MIN for slot in made.slots)
            assert all(slot.box.width >= COLUMN_MIN for slot in made.slots)


@given(sizes, arrangements())
def test_whoever_goes_right_can_go_back(size: tuple[int, int], arrangement: Arrangement) -> None:
    """To the column that was left, and at the edges nowhere."""
    made = plan(*size, arrangement=arrangement)
    for slot in made.slots:
        other = beside(made.slots, slot, 1)
        if other is not None:
            back = beside(made.slots, other, -1)
            assert other.box.x > slot.box.x
            assert back is not None
            assert back.box.x == slot.box.x


@given(st.integers(1, 59), st.integers(3, 80))
def test_a_tiny_terminal_keeps_the_orders(width: int, height: int) -> None:
    """The status row alone where there is no more than that."""
    assert [slot.panes for slot in plan(width, height).slots] == [("orders",)]


def test_one_row_is_the_status() -> None:
    """10x1 is absurd, not an error."""
    assert plan(10, 1).slots == ()


@pytest.mark.parametrize(
    ("size", "columns", "merged"), [((80, 24), 1, True), ((120, 40), 2, False), ((200, 50), 3, False)]
)
def test_the_designed_sizes(size: tuple[int, int], columns: int, merged: bool) -> None:
    """One column with tabs, two columns, three columns."""
    made = plan(*size)
    assert len({slot.box.x for slot in made.slots}) == columns
    assert made.merged is merged


def test_short_panes_leave_room_to_the_others() -> None:
    """Four symbols need seven rows, not a third of the screen."""
    made = plan(200, 50, wanted={"market": 7})
    market = next(slot for slot in made.slots if slot.panes == ("market",))
    assert market.box.height == 7


def test_a_maximised_pane_has_everything_but_the_rows() -> None:
    """And on a low screen also the rows but the first."""
    assert plan(120, 40, zoomed="risk").slots[0].box == Box(0, 3, 120, 36)
    assert plan(120, 6, zoomed="risk").slots[0].box == Box(0, 1, 120, 5)


@given(st.integers(0, 500), st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_shares_add_up(total: int, weights: list[int]) -> None:
    """To the last cell."""
    parts = share_out(total, weights)
    assert sum(parts) == total
    assert min(parts) >= 0
