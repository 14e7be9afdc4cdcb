"""Cells, rows and columns: what panes produce and grids draw."""

import re
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
_NUMBER = re.compile(r"[^\w]*\d")  # also behind a sign or a glyph


def fact(label: str, value: str, verdict: Cell | None = None) -> Row:
    """Return a row that says one thing, with a verdict in words where there is one."""
    cells: list[Cell] = [(label.ljust(LABEL), "muted"), (value, "text")]
    return (*cells, (f"  {verdict[0]}", verdict[1])) if verdict else tuple(cells)


class Column(msgspec.Struct, frozen=True):
    """One column, of at least `width` cells; what it holds may make it wider.

    `keep` orders what survives in a narrow pane: the highest go last, equal ones together. `flex` takes what
    is left over, up to `flex_max` (0: all of it). `point` stands numbers under each other by their decimal
    points where there is room. Words in a `whole` column are not cut either, as numbers never are.
    """

    title: str
    width: int
    keep: int
    number: bool = False
    flex: bool = False
    point: bool = False
    flex_max: int = 0
    whole: bool = False

    def fit(self, text: str, width: int) -> str:
        """Write a value into the column: a number is never cut, a word may be."""
        if not self.number:
            return left(text, width)
        fits = len(text) <= width or _NUMBER.match(text)
        return right(text, width) if fits else left(text, width)

    def needs(self, texts: Sequence[str]) -> tuple[int, int]:
        """Return the cells it cannot do without, and those in which it is at its best."""
        longest = max((cells_of(text) for text in texts), default=0)
        if not self.number:
            best = max(self.width, 0 if self.flex else longest)
            return best if self.whole else self.width, best
        if self.point:
            longest_filled = max((len(text) for text in filled(texts)), default=0)
            return max(self.width, longest), max(self.width, longest_filled)
        return max(self.width, longest), max(self.width, longest)


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
    """Let the points of numbers meet; leave all as they are where one would be too wide."""
    met = filled(texts)
    return met if all(len(text) <= width for text in met) else list(texts)


def filled(texts: Sequence[str]) -> list[str]:
    """Add blanks behind numbers so that their points meet; what is no number (`-`, `market`) stays."""
    tails = [len(text) - _point(text) if _is_number(text) else 0 for text in texts]
    longest = max(tails, default=0)
    return [
        text + " " * (longest - tail) if _is_number(text) else text
        for text, tail in zip(texts, tails, strict=True)
    ]


def _is_number(text: str) -> bool:
    return text[-1:].isdigit() or text[-1:] == "%"


def _point(text: str) -> int:
    """Return where the decimal point stands, or would stand."""
    at = text.rfind(".")
    return at if at >= 0 else len(text.rstrip("%"))


def fit_table(columns: tuple[Column, ...], width: int, table: Sequence[Sequence[Cell]]) -> Fitted:
    """Choose the columns for a width and what is to stand in them.

    A number that needs more than its column's width gets it, at the cost of less important columns. What is
    left goes to points that meet and words that are whole, the most important columns first, then to the
    flexible one.
    """
    needs = [column.needs([values[i][0] for values in table]) for i, column in enumerate(columns)]
    return _fitted(columns, width, tuple(least for least, _ in needs), tuple(best for _, best in needs))


def fit_columns(columns: tuple[Column, ...], width: int) -> Fitted:
    """Choose the columns for a width, whatever is to stand in them."""
    return fit_table(columns, width, ())


@lru_cache(256)
def _fitted(columns: tuple[Column, ...], width: int, least: tuple[int, ...], best: tuple[int, ...]) -> Fitted:
    shown = list(range(len(columns)))
    while len(shown) > 1 and _total(least, shown) > width:
        lowest = min(columns[index].keep for index in shown)
        shown = [index for index in shown if columns[index].keep != lowest] or shown[:1]
    spare = max(0, width - _total(least, shown))
    widths = {index: least[index] for index in shown}
    for index in sorted(shown, key=lambda index: -columns[index].keep):
        wish = best[index] - least[index]
        given = min(wish, spare) if not columns[index].point or wish <= spare else 0
        widths[index] += given
        spare -= given
    flexible = next((index for index in shown if columns[index].flex), None)
    if flexible is not None:
        most = columns[flexible].flex_max
        widths[flexible] += min(spare, max(0, most - widths[flexible])) if most else spare
    return Fitted(columns, tuple((index, widths[index]) for index in shown))


def _total(widths: Sequence[int], shown: list[int]) -> int:
    return sum(widths[index] for index in shown) + GAP * (len(shown) - 1)


def cells_of(text: str) -> int:
    """Return how many cells a text takes; ASCII, which most of it is, is counted fast."""
    return len(text) if text.isascii() else cell_len(text)


def row_width(row: Sequence[Cell]) -> int:
    """Return how many cells a row takes."""
    return sum(cells_of(text) for text, _ in row)


def cropped(row: Sequence[Cell], width: int) -> Row:
    """Cut a row that is too long, with an ellipsis at its end, wherever the cut falls."""
    if row_width(row) <= width:
        return tuple(row)
    kept: list[Cell] = []
    room = width
    for text, style in row:
        size = cells_of(text)
        if size >= room:
            kept.append((left(f"{text} ", room), style))  # one more than fits, for there is more
            break
        kept.append((text, style))
        room -= size
    return tuple(kept)
