"""Columns: what is dropped when it gets narrow, and what takes the rest."""

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.cells import Column, cropped, fit_columns, row_width

COLUMNS = (
    Column("A", 4, keep=9),
    Column("B", 6, keep=5, number=True),
    Column("C", 6, keep=5, number=True),
    Column("D", 5, keep=7, flex=True),
)
VALUES = [("one", "text"), ("12.5", "ok"), ("1234567", "ok"), ("a long note", "muted")]


@given(st.integers(4, 60))
def test_a_row_has_the_width_of_its_header_and_fits(width: int) -> None:
    """At every width."""
    fitted = fit_columns(COLUMNS, width)
    assert row_width(fitted.row(VALUES)) == row_width(fitted.header()) <= width


def test_the_flexible_column_takes_what_is_left() -> None:
    """Here ten cells more."""
    assert fit_columns(COLUMNS, 34).width_of("D") == 15


def test_columns_of_one_worth_go_together() -> None:
    """A bid without its ask would mislead."""
    shown = [COLUMNS[index].title for index, _ in fit_columns(COLUMNS, 20).places]
    assert shown == ["A", "D"]


def test_the_dearest_column_stays() -> None:
    """Whatever the width."""
    fitted = fit_columns(COLUMNS, 1)
    assert [COLUMNS[index].title for index, _ in fitted.places] == ["A"]
    assert fitted.width_of("B") == 0


def test_even_columns_of_equal_worth_leave_one() -> None:
    """There is always something to see."""
    assert len(fit_columns((Column("X", 9, keep=1), Column("Y", 9, keep=1)), 4).places) == 1


def test_numbers_stand_right_and_too_long_ones_are_crossed_out() -> None:
    """Texts stand left and end in an ellipsis."""
    row = fit_columns(COLUMNS, 24).row(VALUES)
    assert "".join(text for text, _ in row) == "one    12.5 ###### a lo…"


def test_a_long_row_is_cropped_with_an_ellipsis() -> None:
    """So that a frame is not broken."""
    row = (("held by ", "muted"), ("SOMEBODY", "warn*"), (" else", "text"))
    assert "".join(text for text, _ in cropped(row, 12)) == "held by SOM…"
    assert row_width(cropped((("漢字漢字", "text"),), 5)) == 5
