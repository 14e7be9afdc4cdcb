"""Themes: colours by role, read from YAML, handed to panes as styles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.color import Color
from rich.style import Style

import engine
from engine.api import ConfigError
from tui.sixteen import CURSOR, FAMILIES, Sixteen, ansi_name

if TYPE_CHECKING:
    from textual.theme import Theme

_FLAT = re.compile(r'^(\w+):\s*"?([^"#\s]+|#[0-9a-fA-F]{6})"?\s*(?:#.*)?$')


class ThemeColors(msgspec.Struct, frozen=True, kw_only=True):
    """One theme, validated. Colours are `#rrggbb`."""

    name: str
    kind: str  # dark | light
    background: str
    panel: str
    cursor: str
    border: str
    focus: str
    text: str
    muted: str
    accent: str
    ok: str
    warn: str
    danger: str
    armed: str
    stale: str
    buy: str
    sell: str
    sixteen: str = "traffic"  # traffic | blue-orange | amber | mono: see tui.sixteen


ROLES = tuple(name for name in ThemeColors.__struct_fields__ if name not in ("name", "kind", "sixteen"))
BACKGROUNDS = ("background", "panel", "cursor")
MARKED = ("block-cursor", "input-selection", "screen-selection")  # what Textual marks in its own widgets
BOLD_WITHOUT_COLOR = frozenset({"warn", "danger", "armed", "stale", "accent", "focus"})


class Palette:
    """Styles of a theme by cell name: a role, then `*` for bold or `!` for a badge (reversed and bold).

    Without colour the same names give attributes only, so that emphasis survives NO_COLOR. With `sixteen`
    they give the terminal's own colours.
    """

    def __init__(self, colors: ThemeColors, *, no_color: bool = False, sixteen: bool = False) -> None:
        self.colors = colors
        self.no_color = no_color
        self.sixteen: Sixteen | None = FAMILIES[colors.kind, colors.sixteen] if sixteen else None
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, name: str, on: str = "background") -> Style:
        """Return the style of a cell name on one of the backgrounds."""
        style = self._styles.get((name, on))
        if style is None:
            style = self._styles[name, on] = self._made(name, on)
        return style

    def _made(self, name: str, on: str) -> Style:
        if self.no_color:
            return self._plain(name, on)
        return self._colored(name, on) if self.sixteen is None else _terminal_style(self.sixteen, name, on)

    def _colored(self, name: str, on: str) -> Style:
        role, mark = _parted(name)
        front, back = getattr(self.colors, role), getattr(self.colors, on)
        if mark == "!":
            return Style(color=Color.parse(self.colors.background), bgcolor=Color.parse(front), bold=True)
        return Style(color=Color.parse(front), bgcolor=Color.parse(back), bold=mark == "*" or None)

    def _plain(self, name: str, on: str) -> Style:
        role, mark = _parted(name)
        bold = bool(mark) or role in BOLD_WITHOUT_COLOR
        return Style(
            bold=bold or None, dim=role == "muted" or None, reverse=(mark == "!" or on == "cursor") or None
        )

    def color(self, role: str) -> str:
        """Return the colour of a role as Textual's style sheets name it."""
        family = self.sixteen
        if family is None:
            return str(getattr(self.colors, role))
        own = {"background": family.background, "panel": family.background, "cursor": CURSOR[1]}
        return ansi_name(own[role] if role in own else family.texts[role])

    def textual_theme(self) -> Theme:
        """Return the theme that Textual's own widgets (inputs, palette, toasts) use."""
        from textual.theme import Theme  # noqa: PLC0415 - the loader is also used where there is no screen

        color = self.color
        return Theme(
            name=f"trader-{self.colors.name}",
            ansi=self.sixteen is not None,
            primary=color("accent"),
            secondary=color("focus"),
            accent=color("accent"),
            foreground=color("text"),
            background=color("background"),
            surface=color("panel"),
            panel=color("cursor"),
            success=color("ok"),
            warning=color("warn"),
            error=color("danger"),
            dark=self.colors.kind == "dark",
            variables=self._variables(),
        )

    def _variables(self) -> dict[str, str]:
        from textual.theme import BUILTIN_THEMES  # noqa: PLC0415 - as above

        color = self.color
        own = {
            "border": color("border"),
            "muted": color("muted"),
            "armed": color("armed"),
            "raised": color("panel"),  # Textual sees through surfaces in the terminal's own colours
            "marked": color("cursor"),
            "input-cursor-background": color("text"),
            "input-cursor-foreground": color("background"),
        }
        if self.sixteen is None:
            return own
        marked = dict(zip(("foreground", "background"), map(ansi_name, CURSOR), strict=True))
        cursors = {f"{kind}-{part}": marked[part] for kind in MARKED for part in marked}
        ground = {"ansi-background": color("background"), "ansi-foreground": color("text")}
        return BUILTIN_THEMES["ansi-dark"].variables | cursors | ground | own


def _parted(name: str) -> tuple[str, str]:
    """Take a cell name apart: the role and its mark."""
    return (name[:-1], name[-1]) if name[-1] in "*!" else (name, "")


def _terminal_style(family: Sixteen, name: str, on: str) -> Style:
    """Return the style of a cell name in the terminal's own colours."""
    role, mark = _parted(name)
    if mark == "!":
        front, back = family.badges[role]
    elif on == "cursor":
        front, back = CURSOR
    else:
        front, back = family.texts[role], family.background
    return Style(color=Color.from_ansi(front), bgcolor=Color.from_ansi(back), bold=bool(mark) or None)


def packaged_dir(kind: str) -> Path:
    """Return the folder of packaged files of a kind (themes, configs): in the wheel, or in a checkout."""
    package = Path(engine.__file__).parent
    inside = package / "_data" / kind
    return inside if inside.is_dir() else package.parent / kind


class ThemeLibrary:
    """Finds themes by name: user folders first, then the packaged ones."""

    def __init__(self, user_dirs: Iterable[Path] = ()) -> None:
        self.packaged = packaged_dir("themes")
        self.user_dirs = tuple(user_dirs)

    def names(self) -> tuple[str, ...]:
        """Return the names of all themes there are, sorted."""
        folders = (*self.user_dirs, self.packaged)
        return tuple(sorted({file.stem for folder in folders for file in folder.glob("*.yaml")}))

    def own_file(self, name: str) -> Path | None:
        """Return the user's file of a theme, None for one that ships."""
        files = (folder / f"{name}.yaml" for folder in self.user_dirs)
        return next((file for file in files if file.is_file()), None)

    def load(self, name: str) -> ThemeColors:
        """Read a theme. Raises ConfigError that names the file and, where known, the line."""
        for folder in self.user_dirs:
            file = folder / f"{name}.yaml"
            if file.is_file():
                return _validated(file)
        file = self.packaged / f"{name}.yaml"
        if file.is_file():
            return _trusted(file)
        known = ", ".join(self.names()) or "none"
        raise ConfigError(f"there is no theme {name!r}; known themes: {known}", field="theme")


def _trusted(file: Path) -> ThemeColors:
    """Read a packaged theme: flat and tested, so that the first frame need not wait for a YAML library."""
    matches = map(_FLAT.match, file.read_text("utf-8").splitlines())
    values = {match[1]: match[2] for match in matches if match is not None}
    return msgspec.convert(values, ThemeColors)


def _validated(file: Path) -> ThemeColors:
    from tui.theme_file import read_theme  # noqa: PLC0415 - pydantic and YAML cost 0.1 s that most starts can spare

    return read_theme(file)
