"""What the environment tells of a terminal."""

import pytest

from tui.abilities import Glyphs, glyphs, sixteen_colors


@pytest.mark.parametrize(
    ("environment", "sixteen"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "tmux-256color"}, False),
        ({"TERM": "xterm-kitty"}, False),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, False),
        ({"TERM": "xterm"}, True),
        ({"TERM": "screen"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "vt220", "COLORTERM": "yes"}, True),
        ({}, True),
    ],
)
def test_sixteen_colours_are_what_a_terminal_has_that_promises_no_more(environment, sixteen):
    assert sixteen_colors(environment) is sixteen


@pytest.mark.parametrize(
    ("environment", "asked", "drawn"),
    [
        ({"LANG": "en_GB.UTF-8"}, None, Glyphs.FULL),
        ({"LANG": "de_DE.utf8"}, None, Glyphs.FULL),
        ({}, None, Glyphs.FULL),
        ({"LC_ALL": "C"}, None, Glyphs.ASCII),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, None, Glyphs.ASCII),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, None, Glyphs.ASCII),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C", "LC_ALL": "C.UTF-8"}, None, Glyphs.FULL),
        ({"LC_CTYPE": "en_GB.UTF-8", "LANG": "C"}, None, Glyphs.FULL),
        ({"LANG": "en_GB.ISO-8859-1"}, None, Glyphs.ASCII),
        ({"LANG": "en_GB.ISO-8859-1"}, False, Glyphs.FULL),
        ({"LANG": "en_GB.UTF-8"}, True, Glyphs.ASCII),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, None, Glyphs.CONSOLE),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, True, Glyphs.ASCII),
    ],
)
def test_glyphs_are_those_the_locale_and_the_terminal_have(environment, asked, drawn):
    assert glyphs(environment, ascii_only=asked) is drawn
