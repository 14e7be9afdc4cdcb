"""The selected row stays on its item while rows come, go and change places."""

from hypothesis import given
from hypothesis import strategies as st

from tui.selection import Selection


def made(items: tuple[object, ...], *, follows: bool = False, held: bool = True) -> Selection:
    selection = Selection(str, follows=follows)
    selection.take(items, len(items), held=held)
    return selection


def at(selection: Selection) -> object:
    return selection.item


def test_the_selected_item_is_found_again_wherever_it_stands() -> None:
    selection = made(("a", "b", "c"))
    selection.move(1)
    selection.take(("x", "c", "a", "b"), 4, held=True)
    assert (selection.row, selection.item) == (3, "b")


def test_where_it_is_gone_the_next_one_that_is_left_is_selected() -> None:
    """Then the one before."""
    selection = made(("a", "b", "c", "d"))
    selection.move(1)
    selection.take(("a", "x", "d"), 3, held=True)
    assert at(selection) == "d"
    selection.take(("a",), 1, held=True)
    assert at(selection) == "a"
    selection.take((), 0, held=True)
    assert at(selection) is None


def test_a_list_that_nobody_looks_through_shows_what_is_on_top() -> None:
    """New orders are not hidden by a row that nobody chose."""
    selection = made(("a", "b"), held=False)
    selection.take(("new", "a", "b"), 3, held=False)
    assert at(selection) == "new"
    selection.move(1)
    selection.take(("newer", "new", "a", "b"), 4, held=False)
    assert at(selection) == "a"
    selection.jump(last=False)
    selection.take(("newest", "a"), 2, held=False)
    assert at(selection) == "newest"


def test_the_view_stays_while_old_rows_fall_off() -> None:
    """One who reads old lines goes on reading them."""
    lines = tuple(range(100))
    selection = made(lines, follows=True)
    selection.show(10)
    selection.move(-20)
    assert selection.show(10) == range(79, 89)
    selection.take(tuple(range(5, 105)), 100, held=False)
    assert (selection.item, selection.show(10)) == (79, range(74, 84))
    assert not selection.following
    selection.take(tuple(range(300, 400)), 100, held=False)
    assert selection.row == 74, "all that was known is gone"


def test_an_item_of_several_rows_keeps_the_place_within_it() -> None:
    """Or the last one, where it got shorter."""
    one, two = "a long line", "another"
    selection = made((one, one, one, two))
    selection.move(2)
    selection.take((two, one, one, one), 4, held=True)
    assert selection.row == 3
    selection.take((two, one, two), 3, held=True)
    assert selection.row == 1


def test_the_newest_is_followed_until_one_looks_back() -> None:
    selection = made(("a", "b"), follows=True)
    selection.take(("a", "b", "c"), 3, held=False)
    assert (selection.item, selection.following) == ("c", True)
    selection.move(-1)
    selection.take(("a", "b", "c", "d"), 4, held=False)
    assert (selection.item, selection.following) == ("b", False)
    selection.jump(last=True)
    selection.take(("b", "c", "d", "e"), 4, held=False)
    assert (selection.item, selection.following) == ("e", True)


ROWS = st.lists(st.integers(0, 30), unique=True, max_size=20).map(tuple)


@given(st.lists(ROWS, min_size=1, max_size=6), st.lists(st.integers(-4, 4), max_size=6), st.integers(-2, 9))
def test_the_selected_row_is_there_and_in_view(
    lists: list[tuple[int, ...]], steps: list[int], room: int
) -> None:
    """Whatever comes and goes, and never another item while the selected one is there."""
    selection = made(lists[0])
    for items, step in zip(lists, [*steps, *[0] * 6], strict=False):
        selected = selection.item
        selection.take(items, len(items), held=True)
        if selected in items:
            assert at(selection) == selected
        shown = selection.show(room)
        assert not items or room < 1 or selection.row in shown
        assert len(shown) <= max(0, room)
        selection.move(step)
        assert 0 <= selection.row < max(1, len(items))
