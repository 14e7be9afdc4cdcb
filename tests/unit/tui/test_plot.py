"""Candles, lines and marks on a canvas of cells."""

from hypothesis import given
from hypothesis import strategies as st

from engine.api import ChartPoint
from tui.plot import Canvas, Scale, draw_candles, draw_line, plot_values, scale_of

RISES = ChartPoint(1, 2.0, 8.0, 0.0, 6.0)
FALLS = ChartPoint(2, 6.0, 8.0, 0.0, 2.0)


def drawn(bars: list[ChartPoint], rows: int, *, plain: bool = False) -> list[str]:
    canvas = Canvas(len(bars), rows)
    draw_candles(canvas, bars, scale_of(bars, (), rows), plain=plain)
    return ["".join(text for text, _ in canvas.row(y)) for y in range(rows)]


def test_a_rising_candle_is_hollow_and_a_falling_one_filled() -> None:
    """Told apart without colour."""
    assert drawn([RISES, FALLS], 4) == ["╽╽", "║┃", "║┃", "││"]


def test_plain_candles_are_ascii() -> None:
    """For terminals and fonts that have nothing else."""
    rows = drawn([RISES, FALLS], 8, plain=True)
    assert all(row.isascii() for row in rows)
    assert any("O#" in row for row in rows)
    assert any("||" in row for row in rows)


def test_a_market_that_stands_still_has_a_place() -> None:
    """A span of zero divides nothing."""
    still = ChartPoint(1, 5.0, 5.0, 5.0, 5.0)
    assert any(row.strip() for row in drawn([still], 3))


@given(
    st.lists(
        st.tuples(*[st.floats(1, 1000)] * 4).map(
            lambda four: ChartPoint(1, four[0], max(four), min(four), four[1])
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(1, 40),
    st.booleans(),
)
def test_every_candle_is_drawn_inside(bars: list[ChartPoint], rows: int, plain: bool) -> None:
    """Whatever the prices and the height."""
    lines = drawn(bars, rows, plain=plain)
    assert all(len(line) == len(bars) for line in lines)
    assert all(any(line[x] != " " for line in lines) for x in range(len(bars)))


@given(st.floats(0, 100), st.floats(1, 100), st.integers(1, 50), st.floats(0, 1))
def test_a_scale_gives_back_the_row_that_a_value_lies_in(
    low: float, span: float, rows: int, at: float
) -> None:
    """Rows from the top, values in their middles."""
    scale = Scale(low, low + span, rows)
    row = scale.row(low + at * span)
    assert 0 <= row < rows
    assert abs(scale.value(row) - (low + at * span)) <= span / rows


def test_levels_widen_the_scale_only_where_the_bars_keep_room() -> None:
    """A stop far away must not press the candles into a line."""
    bars = [RISES, FALLS]
    assert scale_of(bars, [-4.0, 14.0], 12) == Scale(-4.0, 14.0, 12)
    assert scale_of(bars, [-9.0, 17.0], 12) == Scale(0.0, 8.0, 12)
    assert scale_of(bars, [-4.0], 5) == Scale(0.0, 8.0, 5)


def test_lines_and_values_stand_where_they_belong_and_nothing_outside() -> None:
    """A value that is missing leaves a hole."""
    canvas = Canvas(8, 3)
    draw_line(canvas, 2, "danger")
    plot_values(canvas, [1.0, None, 3.0, 9.0], Scale(0.0, 3.0, 3), "·", "accent")
    canvas.put(99, 0, "x", "text")
    assert canvas.row(2) == (("┄┄┄┄┄┄┄┄", "danger"),)
    assert "".join(text for text, _ in canvas.row(1)) == "·       "
    assert "".join(text for text, _ in canvas.row(0)) == "  ·     "


def test_a_badge_ends_where_its_glyph_does() -> None:
    """The blanks beside it are not filled with its colour."""
    canvas = Canvas(6, 1)
    canvas.put(2, 0, "▲", "buy!")
    canvas.put(3, 0, "│", "sell")
    assert canvas.row(0) == (("  ", "text"), ("▲", "buy!"), ("│  ", "sell"))
    canvas.put(3, 0, " ", "text")
    assert canvas.row(0) == (("  ", "text"), ("▲", "buy!"), ("   ", "text"))
