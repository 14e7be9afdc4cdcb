"""Themes: roles become styles, bad files become one clear message, and nothing hangs on colour alone."""

from itertools import combinations, product
from pathlib import Path

import msgspec
import pytest
from rich.color import ColorSystem, ColorType

from engine.api import ConfigError
from tests.unit.tui.colour_vision import Vision, contrast, difference
from tui.theme import ROLES, Palette, ThemeLibrary
from tui.theme_file import read_theme

SHIPPED = ("amber", "colour-blind", "dark", "high-contrast", "light", "mono")
READ = ("text", "ok", "warn", "danger", "armed", "stale", "buy", "sell", "accent", "focus")
# The sixteen colours of two terminals: the Linux console (VGA) and xterm.
VGA = (
    *("#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa"),
    *("#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"),
)
XTERM = (
    *("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5"),
    *("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"),
)


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
    assert library.names() == tuple(sorted((*SHIPPED, "mine")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (own_theme() + 'glow: "#ffffff"\n', "mine.yaml:19: glow: unknown key; known keys: name"),
        (own_theme(ok="green"), 'ok: expected a colour like "#6cb6ff"'),
        (own_theme(kind="dim"), "kind: expected dark or light"),
        (own_theme(sixteen="neon"), "sixteen: expected traffic, blue-orange, amber or mono"),
        (own_theme(name="other"), "name: the name must be the file's: mine"),
        ("name: mine\n", "kind: this key is missing"),
        ("name: [mine\n", "this is not YAML"),
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
    with pytest.raises(ConfigError, match=r"no theme 'neon'; known themes: amber, colour-blind, dark"):
        ThemeLibrary().load("neon")


def test_a_theme_that_cannot_be_read_is_a_message(tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="the file is not UTF-8 text"):
        ThemeLibrary([tmp_path]).load("mine")


@pytest.mark.parametrize(("name", "terminal"), product(SHIPPED, (VGA, XTERM)))
def test_sixteen_colours_are_given_by_role_and_can_be_read(name: str, terminal: tuple[str, ...]) -> None:
    """Each text has 4 to 1, quiet ones and badges 3 to 1, on either palette."""
    palette = Palette(ThemeLibrary().load(name), sixteen=True)
    for role, mark, on in product((*READ, "muted"), ("", "*", "!"), ("background", "panel", "cursor")):
        style = palette.style(role + mark, on)
        assert style.color is not None
        assert style.color.type is ColorType.STANDARD
        assert style.bgcolor is not None
        assert style.bgcolor.type is ColorType.STANDARD
        ratio = contrast(terminal[style.color.number or 0], terminal[style.bgcolor.number or 0])
        assert ratio >= (3.0 if role == "muted" or mark == "!" else 4.0), (role, mark, on, round(ratio, 2))


def test_sixteen_colours_reach_textuals_own_widgets() -> None:
    """By their names, so that the terminal's palette decides."""
    theme = Palette(ThemeLibrary().load("colour-blind"), sixteen=True).textual_theme()
    assert theme.ansi
    assert (theme.background, theme.panel, theme.error) == ("ansi_black", "ansi_blue", "ansi_bright_yellow")


@pytest.mark.parametrize(("name", "on"), product(SHIPPED, ("background", "panel", "cursor")))
def test_every_role_is_readable_in_256_colours(name: str, on: str) -> None:
    """No text may fall on a background of the same number."""
    palette = Palette(ThemeLibrary().load(name))
    for role in (*READ, "muted"):
        style = palette.style(role, on)
        assert style.color is not None
        assert style.bgcolor is not None
        front = style.color.downgrade(ColorSystem.EIGHT_BIT)
        assert front.number != style.bgcolor.downgrade(ColorSystem.EIGHT_BIT).number, (role, on)


@pytest.mark.parametrize(("name", "on"), product(SHIPPED, ("background", "panel", "cursor")))
def test_text_has_contrast(name: str, on: str) -> None:
    """4.5 to 1, as WCAG 2.1 asks of text (AA), 7 to 1 (AAA) in the theme that promises it."""
    colors = ThemeLibrary().load(name)
    least = 7.0 if name == "high-contrast" else 4.5
    for role in (*READ, "muted"):
        ratio = contrast(getattr(colors, role), getattr(colors, on))
        assert ratio >= least, (role, on, round(ratio, 2))


@pytest.mark.parametrize(("name", "on"), product(SHIPPED, READ))
def test_badges_have_contrast(name: str, on: str) -> None:
    """The background's colour on the role's."""
    colors = ThemeLibrary().load(name)
    assert contrast(colors.background, getattr(colors, on)) >= 4.5


@pytest.mark.parametrize("vision", Vision)
def test_red_green_blindness_leaves_the_pairs_apart(vision: Vision) -> None:
    """Whoever sees no red or no green still tells gain from loss and fine from wrong, by far."""
    colors = ThemeLibrary().load("colour-blind")
    for one, other in (("buy", "sell"), ("ok", "danger"), ("ok", "warn"), ("ok", "armed"), ("buy", "danger")):
        assert difference(getattr(colors, one), getattr(colors, other), vision) >= 40, (one, other)
    for one, other in combinations(("ok", "warn", "danger", "stale"), 2):
        assert difference(getattr(colors, one), getattr(colors, other), vision) >= 15, (one, other)


def test_the_simulation_is_what_its_source_says() -> None:
    """Greys are seen by everybody alike; red and green of one lightness are one colour to a dichromat."""
    for vision in Vision:
        assert difference("#808080", "#a0a0a0", vision) == pytest.approx(
            difference("#808080", "#a0a0a0", Vision.ALL_CONES), abs=1.0
        )
    plain = difference("#c04040", "#608030", Vision.ALL_CONES)
    assert difference("#c04040", "#608030", Vision.DEUTERANOPIA) < plain / 2
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


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
    assert (theme.name, theme.dark) == (f"trader-{name}", name != "light")
    assert theme.error == palette.colors.danger
