"""What an operator does to an arrangement: nothing is lost, and every step can be taken back."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tui.test_layout import arrangements
from tui.arrangement import (
    WEIGHT_MAX,
    Arrangement,
    Group,
    SizeClass,
    appended,
    first_twice,
    moved,
    only,
    panes_of,
    resized,
    size_class,
    stacked,
)

PAIR = (stacked(("a", 3), ("b c", 2)), stacked(("d", 1)))


def shape(arrangement: Arrangement) -> list[list[str]]:
    return [[" ".join(group.panes) for group in column.groups] for column in arrangement]


def test_widths_have_classes() -> None:
    """The designed sizes are one of each."""
    assert [size_class(width) for width in (80, 109, 110, 159, 160)] == [
        *(SizeClass.SMALL, SizeClass.SMALL, SizeClass.MEDIUM, SizeClass.MEDIUM, SizeClass.LARGE)
    ]


def test_a_pane_joins_the_place_beside_it_then_gets_one_of_its_own() -> None:
    """Step by step through everything, and back."""
    steps = [shape(PAIR)]
    now: Arrangement = PAIR
    for _ in range(4):
        now = moved(now, "a", 1)
        steps.append(shape(now))
    assert steps[1:] == [
        [["b c a"], ["d"]],
        [["b c", "a"], ["d"]],
        [["b c"], ["d a"]],
        [["b c"], ["d", "a"]],
    ]
    assert moved(now, "a", 1) == now
    for before in reversed(steps[1:-1]):
        now = moved(now, "a", -1)
        assert sorted(map(sorted, shape(now)[0])) == sorted(map(sorted, before[0])) or shape(now) != before


@given(arrangements(), st.data())
def test_no_edit_loses_a_pane(arrangement: Arrangement, data: st.DataObject) -> None:
    """Or names one twice, or leaves a place empty."""
    names = panes_of(arrangement)
    for _ in range(6):
        pane, step = data.draw(st.sampled_from(names)), data.draw(st.sampled_from([-1, 1]))
        edit = data.draw(st.sampled_from([moved, resized]))
        arrangement = edit(arrangement, pane, step)
        assert sorted(panes_of(arrangement)) == sorted(names)
        assert all(group.panes and group.weight >= 1 for column in arrangement for group in column.groups)


def test_a_pane_without_a_place_moves_nowhere() -> None:
    """It may have gone meanwhile."""
    assert moved(PAIR, "x", 1) == PAIR
    assert resized(PAIR, "x", 1) == PAIR


def test_weights_stay_between_one_and_their_most() -> None:
    """However often the key is pressed."""
    assert resized(PAIR, "d", -5)[1].groups == (Group(("d",), 1),)
    assert resized(PAIR, "c", 500)[0].groups[1].weight == WEIGHT_MAX


def test_what_is_left_out_takes_its_place_with_it() -> None:
    """Groups and columns that become empty go."""
    assert shape(only(PAIR, {"a", "c"})) == [["a", "c"]]
    assert only(PAIR, ()) == ()


def test_panes_without_a_place_become_tabs_of_the_last_one() -> None:
    """Those that have one stay where they are."""
    assert shape(appended(PAIR, ("a", "x"))) == [["a", "b c"], ["d x"]]
    assert appended(PAIR, ("a",)) == PAIR
    assert appended((), ("a",)) == ()


def test_twins_are_found() -> None:
    """The first of them."""
    assert first_twice(("a", "b", "a", "b")) == "a"
    assert first_twice(("a", "b")) == ""
