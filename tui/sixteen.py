"""Themes in the terminal's own sixteen colours: each role is given one, none is the nearest to another.

Numbers are ANSI's: 0-7 and their bright forms 8-15. Badges and the cursor stand on the first eight, which
is all that the Linux console has. The cursor's row is white on blue: there words alone tell the states.
"""

from collections.abc import Mapping

import msgspec

BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, GREY = range(8)
BRIGHT = 8
WHITE = GREY + BRIGHT
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


class Sixteen(msgspec.Struct, frozen=True):
    """The colours of one family of themes: of each role's text, and of its badge (text and background)."""

    background: int
    texts: Mapping[str, int]
    badges: Mapping[str, tuple[int, int]]


CURSOR = (WHITE, BLUE)
_BADGES = {
    "ok": (BLACK, GREEN),
    "warn": (BLACK, YELLOW),
    "danger": (WHITE, RED),
    "armed": (BLACK, YELLOW),
    "stale": (WHITE, MAGENTA),
    "accent": (BLACK, CYAN),
    "focus": (BLACK, CYAN),
    "buy": (BLACK, GREEN),
    "sell": (WHITE, RED),
    "text": (BLACK, GREY),
    "muted": (BLACK, GREY),
}
_TRAFFIC = {
    "text": WHITE,
    "muted": GREY,
    "border": CYAN,
    "focus": CYAN + BRIGHT,
    "accent": CYAN + BRIGHT,
    "ok": GREEN + BRIGHT,
    "warn": YELLOW + BRIGHT,
    "danger": RED + BRIGHT,
    "armed": YELLOW + BRIGHT,
    "stale": MAGENTA + BRIGHT,
    "buy": GREEN + BRIGHT,
    "sell": RED + BRIGHT,
}
_SAFE = {  # gains blue, losses and alarms yellow: the pair that red-green blindness leaves apart
    "ok": CYAN + BRIGHT,
    "buy": CYAN + BRIGHT,
    "danger": YELLOW + BRIGHT,
    "sell": YELLOW + BRIGHT,
    "warn": YELLOW + BRIGHT,
    "focus": WHITE,
    "accent": WHITE,
    "border": GREY,
}
_ONE = dict.fromkeys(_TRAFFIC, WHITE) | {"muted": GREY, "border": GREY}
_LIGHT = {  # neither green nor yellow can be read on white
    "text": BLACK,
    "muted": BLACK,
    "border": BLUE,
    "focus": BLUE,
    "accent": BLUE,
    "ok": BLUE,
    "warn": RED,
    "danger": RED,
    "armed": RED,
    "stale": MAGENTA,
    "buy": BLUE,
    "sell": RED,
}
_BLUE_BADGES = _BADGES | {
    "ok": (BLACK, CYAN),
    "buy": (BLACK, CYAN),
    "danger": (BLACK, YELLOW),
    "sell": (BLACK, YELLOW),
}
_AMBER = dict.fromkeys(_TRAFFIC, YELLOW + BRIGHT) | {"muted": YELLOW, "border": YELLOW}
_DARK_ON_LIGHT = dict.fromkeys(_TRAFFIC, BLACK)
_ON_WHITE = Sixteen(WHITE, _LIGHT, _BADGES | {"ok": (WHITE, BLUE), "buy": (WHITE, BLUE)})
FAMILIES: Mapping[tuple[str, str], Sixteen] = {  # by the theme's kind and its key `sixteen`
    ("dark", "traffic"): Sixteen(BLACK, _TRAFFIC, _BADGES),
    ("dark", "blue-orange"): Sixteen(BLACK, _TRAFFIC | _SAFE, _BLUE_BADGES),
    ("dark", "amber"): Sixteen(BLACK, _AMBER, dict.fromkeys(_BADGES, (BLACK, YELLOW))),
    ("dark", "mono"): Sixteen(BLACK, _ONE, dict.fromkeys(_BADGES, (BLACK, GREY))),
    ("light", "traffic"): _ON_WHITE,
    ("light", "blue-orange"): _ON_WHITE,
    ("light", "amber"): _ON_WHITE,
    ("light", "mono"): Sixteen(WHITE, _DARK_ON_LIGHT, dict.fromkeys(_BADGES, (WHITE, BLACK))),
}


def ansi_name(number: int) -> str:
    """Return the name that Textual gives one of the sixteen colours."""
    bright = "bright_" if number >= BRIGHT else ""
    return f"ansi_{bright}{NAMES[number % BRIGHT]}"
