"""Themes: roles become styles, bad files become one clear message, and nothing hangs on colour alone."""

from itertools import product
from pathlib import Path

import msgspec
import pytest
from rich.color import ColorSystem

from engine.api import ConfigError
from tui.theme import ROLES, Palette, ThemeLibrary
from tui.theme_file import read_theme

SHIPPED = ("dark", "light")


def written(folder: Path, text: str, name: str = "mine") -> ThemeLibrary:
    (folder / f"{name}.yaml").write_text(text, "utf-8")
    return ThemeLibrary([folder])


def own_theme(**changes: str) -> str:
    values = msgspec.to_builtins(ThemeLibrary().load("dark")) | {"name": "mine"} | changes
    return "".join(f'{key}: "{value}"\n' for key, value in values.items())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_quick_reader_agrees_with_the_careful_one(name: str) -> None:
    """Packaged themes are read without a YAML library; that must not change what they say."""
    library = ThemeLibrary()
    assert library.load(name) == read_theme(library.packaged / f"{name}.yaml")


def test_a_user_theme_goes_before_a_packaged_one(tmp_path: Path) -> None:
    """And is listed with the others."""
    library = written(tmp_path, own_theme(ok="#123456"))
    assert library.load("mine").ok == "#123456"
    assert library.names() == ("dark", "light", "mine")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (own_theme() + 'glow: "#ffffff"\n', "mine.yaml:18: glow: unknown key; known keys: name"),
        (own_theme(ok="green"), 'ok: expected a colour like "#6cb6ff"'),
        (own_theme(kind="dim"), "kind: expected dark or light"),
        (own_theme(name="other"), "name: the name must be the file's: mine"),
        ("name: mine\n", "kind: this key is missing"),
        ("name: [mine\n", "is not valid YAML"),
        ("- a\n", "expected `key: value` lines"),
        ("", "this key is missing"),
    ],
)
def test_a_bad_theme_is_named_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    """One sentence that says what to change."""
    library = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        library.load("mine")
    assert said in str(error.value)
    assert "mine.yaml" in str(error.value)
    assert error.value.exit_code == 2


def test_an_unknown_theme_lists_the_known_ones() -> None:
    """The next try should succeed."""
    with pytest.raises(ConfigError, match=r"no theme 'neon'; known themes: dark, light"):
        ThemeLibrary().load("neon")


def test_a_theme_that_cannot_be_read_is_a_message(tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        ThemeLibrary([tmp_path]).load("mine")


@pytest.mark.parametrize(("name", "on"), product(SHIPPED, ("background", "panel", "cursor")))
def test_every_role_is_readable_in_sixteen_colours(name: str, on: str) -> None:
    """No text may fall on a background of the same of the sixteen."""
    palette = Palette(ThemeLibrary().load(name))
    for role in set(ROLES) - {"background", "panel", "cursor", "border"}:
        style = palette.style(role, on)
        assert style.color is not None
        assert style.bgcolor is not None
        front = style.color.downgrade(ColorSystem.STANDARD)
        assert front.number != style.bgcolor.downgrade(ColorSystem.STANDARD).number, (role, on)


@pytest.mark.parametrize(("name", "on"), product(SHIPPED, ("background", "panel", "cursor")))
def test_text_has_contrast(name: str, on: str) -> None:
    """At least 4.5 to 1 for what must be read, as WCAG 2.1 asks; 3 to 1 for what is quiet on purpose."""
    colors = ThemeLibrary().load(name)
    for role in ("text", "ok", "warn", "danger", "armed", "stale", "buy", "sell", "accent", "muted"):
        ratio = contrast(getattr(colors, role), getattr(colors, on))
        assert ratio >= (3.0 if role == "muted" or on == "cursor" else 4.5), (role, on, round(ratio, 2))


def contrast(front: str, back: str) -> float:
    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    channels = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_without_colour_emphasis_is_left() -> None:
    """Badges are reversed, alarms bold, quiet things dim; no colour at all."""
    palette = Palette(ThemeLibrary().load("dark"), no_color=True)
    for name in (*ROLES, "danger!", "ok*"):
        assert palette.style(name).color is None
        assert palette.style(name).bgcolor is None
    assert palette.style("danger!").reverse
    assert palette.style("danger").bold
    assert palette.style("muted").dim
    assert palette.style("text", "cursor").reverse


def test_marks_make_bold_and_badges() -> None:
    """A star is bold, an exclamation mark swaps the colours."""
    palette = Palette(ThemeLibrary().load("dark"))
    assert palette.style("ok*").bold
    badge = palette.style("danger!")
    assert badge.bgcolor == palette.style("danger").color
    assert palette.style("ok") is palette.style("ok")


@pytest.mark.parametrize("name", SHIPPED)
def test_textual_gets_the_same_colours(name: str) -> None:
    """Dialogs and toasts must not look foreign."""
    palette = Palette(ThemeLibrary().load(name))
    theme = palette.textual_theme()
    assert (theme.name, theme.dark) == (f"trader-{name}", name == "dark")
    assert theme.error == palette.colors.danger
