"""What a terminal can show, as its environment tells: which colours, and which glyphs."""

from collections.abc import Mapping
from enum import StrEnum

LOCALE_NAMES = ("LC_ALL", "LC_CTYPE", "LANG")  # the first that says something counts
COERCED = "C.UTF-8"  # what Python itself puts into LC_CTYPE where the locale is C (PEP 538)
NO_LOCALE = frozenset({"C", "POSIX"})
DEEP_TERMS = ("256color", "direct", "kitty", "ghostty", "alacritty", "wezterm", "foot")
DEEP_COLORTERMS = frozenset({"truecolor", "24bit"})


class Glyphs(StrEnum):
    """Which glyphs may be drawn."""

    FULL = "full"
    CONSOLE = "console"  # those of the Linux console's own font: lines, blocks in halves, no braille
    ASCII = "ascii"


def sixteen_colors(environment: Mapping[str, str]) -> bool:
    """Tell whether a terminal promises no more than sixteen colours."""
    if environment.get("COLORTERM", "").strip().lower() in DEEP_COLORTERMS:
        return False
    term = environment.get("TERM", "").strip().lower()
    return not any(name in term for name in DEEP_TERMS)


def glyphs(environment: Mapping[str, str], *, ascii_only: bool | None) -> Glyphs:
    """Return the glyphs to use; `ascii_only` is what was asked for, None where nobody said."""
    if ascii_only:
        return Glyphs.ASCII
    if ascii_only is None and not is_utf8(environment):
        return Glyphs.ASCII
    return Glyphs.CONSOLE if environment.get("TERM", "") == "linux" else Glyphs.FULL


def is_utf8(environment: Mapping[str, str]) -> bool:
    """Tell whether the locale's encoding is UTF-8; where nothing names one it is taken to be."""
    if environment.get("LC_CTYPE") == COERCED and environment.get("LANG") in NO_LOCALE:
        return "utf" in environment.get("LC_ALL", "").lower()
    said = next((value for name in LOCALE_NAMES if (value := environment.get(name))), "")
    return not said or "utf-8" in said.lower() or "utf8" in said.lower()
