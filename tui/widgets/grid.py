"""A widget of strips: it holds lines, compares new ones with the old and repaints only those that differ."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import NULL_SIZE, Region
from textual.strip import Strip
from textual.widget import Widget

from tui.formats import clean
from tui.theme import Palette
from tui.widgets.cells import Line, Row

BLANK: Line = ((), "background")


class Grid(Widget):
    """Lines of cells. Nothing is drawn twice, and a line that did not change costs no byte."""

    DEFAULT_CSS = "Grid { width: 1fr; height: 1fr; }"

    def __init__(self, palette: Palette, *, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self.palette = palette
        self._lines: list[Line] = []
        self._strips: list[Strip] = []
        self._drawn_size = NULL_SIZE
        self._filling = False

    def fill(self) -> None:
        """Show the lines for the size there is now: asked when a size is drawn for the first time.

        A grid that is shown lines from elsewhere is blank until then.
        """

    def show(self, lines: Sequence[Line]) -> int:
        """Take the lines to show, from the top; return how many rows had to be repainted."""
        width, height = self.size
        if width != self._drawn_size.width:
            self._lines, self._strips = [], []
        self._drawn_size = self.size
        fresh = [*lines[:height], *[BLANK] * (height - len(lines))]
        changed = [y for y, line in enumerate(fresh) if y >= len(self._lines) or line != self._lines[y]]
        self._lines = fresh
        del self._strips[height:]
        for y in changed:
            strip = self._strip(fresh[y], width)
            if y < len(self._strips):
                self._strips[y] = strip
            else:
                self._strips.append(strip)
        if changed and not self._filling:
            self.refresh(*[Region(0, y, width, 1) for y in changed])
        return len(changed)

    def restyle(self, palette: Palette) -> None:
        """Take another theme; every line is drawn anew."""
        self.palette = palette
        self._strips = [self._strip(line, self._drawn_size.width) for line in self._lines]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the strip of a row (Textual's line API).

        A size that is new is filled here, in the drawing of it: neither the first frame nor a resize shows
        an empty screen before the full one.
        """
        if self._drawn_size != self.size:
            self._filling = True  # every row of a new size is asked for: none has to be marked
            self.fill()
            self._filling = False
        if self._drawn_size == self.size and y < len(self._strips):
            return self._strips[y]
        return Strip([Segment(" " * self.size.width, self.palette.style("text"))], self.size.width)

    def text(self) -> str:
        """Return what is on it as plain text, for tests and screen readers."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row, _ in self._lines)

    def _strip(self, line: Line, width: int) -> Strip:
        row, on = line
        style = self.palette.style
        segments = [Segment(clean(text), style(name, on)) for text, name in _merged(row)]
        return Strip(segments).adjust_cell_length(width, style("text", on))


def _merged(row: Row) -> list[tuple[str, str]]:
    """Join neighbours of one style, and blanks into what is before them: a change of style costs bytes."""
    merged: list[tuple[str, str]] = []
    for text, name in row:
        if merged and (merged[-1][1] == name or (not text.strip() and name[-1] != "!" != merged[-1][1][-1])):
            merged[-1] = (merged[-1][0] + text, merged[-1][1])
        else:
            merged.append((text, name))
    return merged
