"""Draws with fewer glyphs: everything that goes to the screen is put into those that the terminal has.

The places stay: a glyph becomes one of the same width. One table a kind of terminal; what no table knows
becomes a question mark.
"""

from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui.abilities import Glyphs

_LINES = {
    **dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺", "-"),
    **dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻╽╿", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘┏┓┗┛├┤┬┴┼┣┫┳┻╋╔╗╚╝╠╣╦╩╬╒╕╘╛╞╡", "+"),
}
_RISING = dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True))
_SIDES = {**dict.fromkeys("▏▎▍▌▕▐", "|"), **dict.fromkeys("▋▊▉", "#"), "▔": "-", "▀": "-"}
_SHADES = {"░": ".", "▒": ":", "▓": "#", "■": "#", "□": "."}
_ARROWS = {
    **dict.fromkeys("▲↑△", "^"),
    **dict.fromkeys("▼↓▽", "v"),
    **dict.fromkeys("▶►→»▷", ">"),
    **dict.fromkeys("◀◄←«◁", "<"),
}
_SIGNS = {
    **dict.fromkeys("·•●◆∙⋅", "."),
    **dict.fromkeys("\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u2018\u2019", "'"),
    **dict.fromkeys("\u201c\u201d", '"'),
    **dict.fromkeys("✓✔", "+"),
    **dict.fromkeys("✗✘\u00d7", "x"),
    "…": "~",
    "≥": ">",
    "≤": "<",
    "\u00a0": " ",
}
ASCII: Mapping[str, str] = {**_LINES, **_RISING, **_SIDES, **_SHADES, **_ARROWS, **_SIGNS}
# The console's font is that of the IBM PC (code page 437) with Latin 1: square corners, blocks in halves.
PC_FONT = frozenset("─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬▀▄█▌▐░▒▓■▲▼►◄↑↓→←·•±°²½¼÷\u00d7")
CONSOLE: Mapping[str, str] = {
    **{glyph: plain for glyph, plain in ASCII.items() if glyph not in PC_FONT},
    **dict.fromkeys("┄┅┈┉╌╍━", "─"),
    **dict.fromkeys("┃┆┇┊┋╎╏╽╿", "│"),
    **dict(zip("╭╮╰╯┏┓┗┛┣┫┳┻╋", "┌┐└┘┌┐└┘├┤┬┴┼", strict=True)),
    **dict(zip("▁▂▃▅▆▇", "__▄▄██", strict=True)),
    **dict(zip("▏▎▍▕▋▊▉▔", "▌▌▌▐███▀", strict=True)),
    "▶": "►",
    "◀": "◄",
}
TABLES = {Glyphs.ASCII: ASCII, Glyphs.CONSOLE: CONSOLE}


@lru_cache(8192)
def plainly(text: str, kind: Glyphs) -> str:
    """Write a text in the glyphs of a kind of terminal, in as many cells."""
    if text.isascii() or kind is Glyphs.FULL:
        return text
    table = TABLES[kind]
    return "".join(_plain(char, table, kind) for char in text)


def _plain(char: str, table: Mapping[str, str], kind: Glyphs) -> str:
    if char.isascii():
        return char
    if char in table:
        return table[char]
    if kind is Glyphs.CONSOLE and (char in PC_FONT or "\u00a1" <= char <= "\u00ff"):
        return char
    return "?" * cell_len(char)


class GlyphFilter(LineFilter):
    """Passes over every line that is drawn, of panes, dialogs and borders alike."""

    def __init__(self, kind: Glyphs) -> None:
        super().__init__(enabled=kind is not Glyphs.FULL)
        self._kind = kind

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """Return the segments of a line in the terminal's glyphs."""
        return [Segment(plainly(text, self._kind), style, control) for text, style, control in segments]
