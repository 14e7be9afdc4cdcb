"""Fewer glyphs: the same cells, and nothing that the terminal does not have."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

import tui
from tui.abilities import Glyphs
from tui.chart import BLANK
from tui.formats import BLOCKS
from tui.glyphs import PC_FONT, GlyphFilter, plainly

printable = st.text(st.characters(blacklist_categories=("C", "M", "Zl", "Zp")), max_size=20)


@given(printable)
def test_ascii_is_ascii_in_as_many_cells(text):
    plain = plainly(text, Glyphs.ASCII)
    assert plain.isascii()
    assert len(plain) == cell_len(text)


@given(printable)
def test_the_linux_console_gets_what_its_font_has_in_as_many_cells(text):
    plain = plainly(text, Glyphs.CONSOLE)
    assert all(char.isascii() or char in PC_FONT or "\u00a1" <= char <= "\u00ff" for char in plain)
    assert cell_len(plain) == cell_len(text)


@pytest.mark.parametrize("kind", [Glyphs.ASCII, Glyphs.CONSOLE])
def test_every_glyph_that_the_console_draws_has_a_stand_in(kind):
    """A question mark would be a hole in the picture; braille is drawn otherwise, not replaced."""
    texts = [path.read_text("utf-8") for path in Path(tui.__path__[0]).rglob("*.py")]
    drawn = {char for text in texts for char in re.findall(r"[\u2010-\u2bff]", text)}
    assert {"│", "▲", "▁", "…"} <= drawn
    holes = {char for char in drawn if plainly(char, kind) == "?" and not BLANK <= ord(char) < BLANK + 256}
    assert not holes


def test_a_sparkline_still_rises():
    assert plainly(BLOCKS, Glyphs.ASCII) == "_.:-=+*#"
    assert plainly(BLOCKS, Glyphs.CONSOLE) == "__▄▄▄███"


def test_the_filter_keeps_styles_and_passes_all_where_nothing_lacks():
    segments = [Segment("╭─ 1 Market", Style(bold=True)), Segment(" ok", Style())]
    black = Color(0, 0, 0)
    plain = GlyphFilter(Glyphs.ASCII).apply(segments, black)
    assert [(s.text, s.style) for s in plain] == [("+- 1 Market", Style(bold=True)), (" ok", Style())]
    assert not GlyphFilter(Glyphs.FULL).enabled
    assert GlyphFilter(Glyphs.FULL).apply(segments, black) == segments
