"""A small canvas of cells, and what is drawn on it: candles, lines and marks. Pure; no widget."""

from collections.abc import Iterable, Sequence

import msgspec

from engine.api import ChartPoint
from tui.widgets.cells import Cell, Row

UP_BODY, DOWN_BODY = "║", "┃"  # hollow and filled, as candles have always been drawn
# By what stands in the upper and in the lower half of a cell: b of a body, w of a wick, nothing.
_HALVES = {
    "ww": "│",
    "bw": "╿",
    "wb": "╽",
    "b ": "╹",
    " b": "╻",
    "w ": "╵",
    " w": "╷",
}
ROOMY = 8  # rows from which on levels may widen the scale
_ASCII_UP, _ASCII_DOWN, _ASCII_WICK = "O", "#", "|"


class Scale(msgspec.Struct, frozen=True):
    """Prices over rows: the lowest at the foot of the first row, the highest at the head of the last."""

    low: float
    high: float
    rows: int

    def half(self, value: float) -> int:
        """Return which half row a value lies in, from 0 at the foot."""
        span = self.high - self.low
        if span <= 0:
            return self.rows
        return max(0, min(2 * self.rows - 1, int((value - self.low) / span * 2 * self.rows)))

    def row(self, value: float) -> int:
        """Return which row from the top a value lies in."""
        return self.rows - 1 - self.half(value) // 2

    def holds(self, value: float) -> bool:
        """Tell whether a value lies on the canvas."""
        return self.low <= value <= self.high

    def value(self, row: int) -> float:
        """Return the value in the middle of a row from the top."""
        return self.high - (row + 0.5) * (self.high - self.low) / max(1, self.rows)


def scale_of(bars: Sequence[ChartPoint], also: Iterable[float], rows: int) -> Scale:
    """Return the scale of some bars; other prices are on it while the bars keep a third of the rows.

    In few rows they are on it only where the bars leave room: candles of one row tell nothing.
    """
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    room = (high - low) if rows >= ROOMY else 0.0
    near = [level for level in also if low - room <= level <= high + room]
    return Scale(min((low, *near)), max((high, *near)), max(1, rows))


class Canvas:
    """Cells by column and row, row 0 on top. What is drawn later stands over what was drawn before."""

    def __init__(self, width: int, rows: int) -> None:
        self.width, self.rows = width, rows
        self._cells: dict[tuple[int, int], Cell] = {}

    def put(self, x: int, y: int, char: str, style: str) -> None:
        """Draw one character; what lies outside is not drawn."""
        if 0 <= x < self.width and 0 <= y < self.rows:
            self._cells[x, y] = (char, style)

    def write(self, x: int, y: int, text: str, style: str) -> None:
        """Draw a text."""
        for offset, char in enumerate(text):
            self.put(x + offset, y, char, style)

    def row(self, y: int) -> Row:
        """Return a row as cells; neighbours of one style are one cell."""
        joined: list[Cell] = []
        for x in range(self.width):
            char, style = self._cells.get((x, y), (" ", "text"))
            if joined and (joined[-1][1] == style or (char == " " and joined[-1][1][-1] != "!")):
                joined[-1] = (joined[-1][0] + char, joined[-1][1])
            else:
                joined.append((char, style))
        return tuple(joined)


def draw_candles(canvas: Canvas, bars: Sequence[ChartPoint], scale: Scale, *, plain: bool) -> None:
    """Draw a candle a column, hollow where it rose and filled where it fell. `plain`: in ASCII."""
    for x, bar in enumerate(bars):
        rose = bar.close >= bar.open
        body = sorted((scale.half(bar.open), scale.half(bar.close)))
        wick = sorted((scale.half(bar.low), scale.half(bar.high)))
        top, foot = max(body[1], wick[1]) // 2, min(body[0], wick[0]) // 2  # an open may lie off the wick
        for row in range(foot, top + 1):
            halves = _part(2 * row + 1, body, wick) + _part(2 * row, body, wick)
            if halves != "  ":
                glyph = _glyph(halves, rose=rose, plain=plain)
                canvas.put(x, scale.rows - 1 - row, glyph, "buy" if rose else "sell")


def _part(half: int, body: Sequence[int], wick: Sequence[int]) -> str:
    if body[0] <= half <= body[1]:
        return "b"
    return "w" if wick[0] <= half <= wick[1] else " "


def _glyph(halves: str, *, rose: bool, plain: bool) -> str:
    if plain:
        return (_ASCII_UP if rose else _ASCII_DOWN) if "b" in halves else _ASCII_WICK
    return _HALVES.get(halves) or (UP_BODY if rose else DOWN_BODY)


def draw_line(canvas: Canvas, y: int, style: str) -> None:
    """Draw a level across."""
    canvas.write(0, y, "┄" * canvas.width, style)


def plot_values(canvas: Canvas, values: Sequence[float | None], scale: Scale, char: str, style: str) -> None:
    """Draw a value a column."""
    for x, value in enumerate(values):
        if value is not None and scale.holds(value):
            canvas.put(x, scale.row(value), char, style)
