"""Cells, rows and columns: what panes produce and grids draw."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from rich.cells import cell_len

from tui.formats import left, right

Cell = tuple[str, str]  # text, style name (see tui.theme.Palette)
Row = tuple[Cell, ...]
Line = tuple[Row, str]  # cells and the background they stand on

GAP = 1
LABEL = 12  # cells before the value of a fact


def fact(label: str, value: str, verdict: Cell | None = None) -> Row:
    """Return a row that says one thing, with a verdict in words where there is one."""
    cells: list[Cell] = [(label.ljust(LABEL), "muted"), (value, "text")]
    return (*cells, (f"  {verdict[0]}", verdict[1])) if verdict else tuple(cells)


class Column(msgspec.Struct, frozen=True):
    """One column.

    `keep` orders what survives in a narrow pane: the highest go last, equal ones together. `flex` takes what
    is left over. `point` stands numbers under each other by their decimal points where there is room.
    """

    title: str
    width: int
    keep: int
    number: bool = False
    flex: bool = False
    point: bool = False

    def fit(self, text: str, width: int) -> str:
        """Write a value into the column: a number is never cut, a word may be."""
        if not self.number:
            return left(text, width)
        return (
            right(text, width) if len(text) <= width or text.lstrip("+-")[:1].isdigit() else left(text, width)
        )


class Fitted(msgspec.Struct, frozen=True):
    """The columns that fit a width: their indexes and widths."""

    columns: tuple[Column, ...]
    places: tuple[tuple[int, int], ...]

    def header(self, style: str = "muted") -> Row:
        """Return the row of titles."""
        return self.row([(column.title, style) for column in self.columns])

    def row(self, values: Sequence[Cell]) -> Row:
        """Lay one value for every column, shown or not, into the shown ones."""
        cells: list[Cell] = []
        for index, width in self.places:
            text, style = values[index]
            if cells:
                cells.append((" " * GAP, "text"))
            cells.append((self.columns[index].fit(text, width), style))
        return tuple(cells)

    def rows(self, table: Sequence[Sequence[Cell]]) -> tuple[Row, ...]:
        """Lay out rows that stand under each other: decimal points in one column where there is room."""
        lines = [list(values) for values in table]
        for index, width in self.places:
            if self.columns[index].point:
                texts = on_point([values[index][0] for values in lines], width)
                for values, text in zip(lines, texts, strict=True):
                    values[index] = (text, values[index][1])
        return tuple(self.row(values) for values in lines)

    def width_of(self, title: str) -> int:
        """Return the cells a column got; 0 where it is not shown."""
        return next((width for index, width in self.places if self.columns[index].title == title), 0)


def on_point(texts: Sequence[str], width: int) -> list[str]:
    """Add blanks behind numbers so that their points meet; leave all as they are where one is too wide.

    What is no number (`-`, `market`) stays as it is.
    """
    tails = [len(text) - _point(text) if _is_number(text) else 0 for text in texts]
    longest = max(tails, default=0)
    filled = [
        text + " " * (longest - tail) if _is_number(text) else text
        for text, tail in zip(texts, tails, strict=True)
    ]
    return filled if all(len(text) <= width for text in filled) else list(texts)


def _is_number(text: str) -> bool:
    return text[-1:].isdigit() or text[-1:] == "%"


def _point(text: str) -> int:
    """Return where the decimal point stands, or would stand."""
    at = text.rfind(".")
    return at if at >= 0 else len(text.rstrip("%"))


@lru_cache(256)
def fit_columns(columns: tuple[Column, ...], width: int) -> Fitted:
    """Choose the columns for a width: drop the least important, then give the flexible one the rest."""
    shown = list(range(len(columns)))
    while len(shown) > 1 and _total(columns, shown) > width:
        least = min(columns[index].keep for index in shown)
        shown = [index for index in shown if columns[index].keep != least] or shown[:1]
    spare = max(0, width - _total(columns, shown))
    flexible = [index for index in shown if columns[index].flex]
    places = [
        (index, columns[index].width + (spare if flexible and index == flexible[0] else 0)) for index in shown
    ]
    return Fitted(columns, tuple(places))


def _total(columns: tuple[Column, ...], shown: list[int]) -> int:
    return sum(columns[index].width for index in shown) + GAP * (len(shown) - 1)


def cells_of(text: str) -> int:
    """Return how many cells a text takes; ASCII, which most of it is, is counted fast."""
    return len(text) if text.isascii() else cell_len(text)


def row_width(row: Row) -> int:
    """Return how many cells a row takes."""
    return sum(cells_of(text) for text, _ in row)


def cropped(row: Row, width: int) -> Row:
    """Cut a row that is too long, with an ellipsis at its end."""
    kept: list[Cell] = []
    room = width
    for text, style in row:
        size = cells_of(text)
        if size > room:
            kept.append((left(text, room), style))
            break
        kept.append((text, style))
        room -= size
    return tuple(kept)
