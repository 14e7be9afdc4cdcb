"""Columns: what is dropped when it gets narrow, and what takes the rest."""

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.cells import Column, cropped, fit_columns, fit_table, on_point, row_width

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


def test_a_cut_between_two_cells_shows_too() -> None:
    """A word less is not seen without a sign."""
    row = (("pos 3", "text"), (" NOT PROTECTED", "danger*"))
    assert "".join(text for text, _ in cropped(row, 5)) == "pos …"
    assert cropped(row, 19) == row


MARKET = (
    Column("SYMBOL", 8, keep=99),
    Column("LAST", 10, keep=98, number=True, point=True),
    Column("QTY", 8, keep=97, number=True, point=True),
    Column("NOTE", 6, keep=10),
    Column("REST", 4, keep=50, flex=True, flex_max=20),
)


def shown(width: int, *rows: tuple[str, str, str, str]) -> list[str]:
    table = [[(text, "text") for text in (*row, "")] for row in rows]
    return ["".join(text for text, _ in row) for row in fit_table(MARKET, width, table).rows(table)]


def test_a_number_gets_the_room_it_needs_before_lesser_columns_stay() -> None:
    """A billion of a coin is written out; a note goes for it."""
    (row,) = shown(33, ("PEPEUSDT", "0.00000123", "1,000,000,000", "note"))
    assert row.split() == ["PEPEUSDT", "0.00000123", "1,000,000,000"]


def test_prices_of_far_apart_ticks_meet_at_their_points_where_there_is_room() -> None:
    """And stand right where there is none."""
    rows = (("BTCUSDT", "61,234.5", "1", ""), ("PEPEUSDT", "0.00000123", "2", ""))
    wide, narrow = shown(60, *rows), shown(32, *rows)
    assert len({line.index(".") for line in wide}) == 1
    assert [line.split()[1] for line in narrow] == ["61,234.5", "0.00000123"]


def test_a_word_is_written_whole_where_there_is_room() -> None:
    """Then only the flexible column grows, and no further than it says."""
    rows = (("BTC/USDT:USDT", "1.0", "1", "a longer note"),)
    assert "BTC/USDT:USDT" in shown(80, *rows)[0]
    assert "a longer note" in shown(80, *rows)[0]
    table = [[(text, "text") for text in (*row, "")] for row in rows]
    assert fit_table(MARKET, 300, table).width_of("REST") == 20


def test_a_time_is_not_cut_either() -> None:
    """A lesser column goes for it."""
    columns = (Column("TIME", 8, keep=90, whole=True), Column("NOTE", 6, keep=10))
    row = fit_table(columns, 16, [[("08-07 14:02", "text"), ("a note", "text")]]).row(
        [("08-07 14:02", "text"), ("a note", "text")]
    )
    assert [text for text, _ in row] == ["08-07 14:02"]


def test_a_number_behind_a_glyph_is_crossed_out_too() -> None:
    """Half a price is a wrong price."""
    column = Column("LAST", 6, keep=1, number=True)
    assert column.fit("\u25b2 61,234.5", 6) == "######"
    assert column.fit("no floor", 6) == "no fl\u2026"


@given(
    st.lists(
        st.decimals(-(10**9), 10**9, places=8).map(lambda d: f"{d.normalize():,f}"), min_size=1, max_size=6
    ),
    st.integers(1, 120),
)
def test_no_number_is_cut(numbers: list[str], width: int) -> None:
    """It is whole, or crossed out."""
    table = [
        [("X", "text"), (number, "text"), ("1", "text"), ("", "text"), ("", "text")] for number in numbers
    ]
    fitted = fit_table(MARKET, width, table)
    for row, number in zip(fitted.rows(table), numbers, strict=True):
        told = "".join(text for text, _ in row)
        assert number in told.split() or "##" in told or fitted.width_of("LAST") == 0
        assert row_width(row) <= max(width, MARKET[0].width)


def test_points_meet_or_all_stay() -> None:
    """What is no number stays anyway."""
    assert on_point(["1.25", "10", "-"], 6) == [" 1.25".strip(), "10   ", "-"]
    assert on_point(["1.25", "10"], 4) == ["1.25", "10"]
