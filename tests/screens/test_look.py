"""Themes on a running console: switched, tried on, refused."""

from pathlib import Path

from tests.screens.console import Desk, console
from tui.abilities import Glyphs
from tui.formats import BLOCKS
from tui.glyphs import PC_FONT
from tui.settings import ConsoleSettings


async def test_themes_switch_live() -> None:
    """All panes at once, and round again."""
    async with console() as desk:
        seen = ["dark"]
        while len(seen) < 7:
            await desk.press("t")
            seen.append(desk.app.palette.colors.name)
            assert desk.app.theme == f"trader-{seen[-1]}"
        assert sorted(seen[1:]) == ["amber", "colour-blind", "dark", "high-contrast", "light", "mono"]
        assert seen[-1] == "dark"


async def test_the_palette_tries_themes_on() -> None:
    """The marked one is shown at once; Esc goes back, Enter keeps it, another entry shows the old one."""
    async with console() as desk:
        look = desk.app.look
        await desk.press("ctrl+p", *"theme: a")
        await desk.until(lambda: look.name == "amber")
        assert (look.chosen, desk.app.theme) == ("dark", "trader-amber")
        assert desk.app.desk.panes["market"].palette is look.palette
        await desk.press("escape")
        await desk.until(lambda: look.name == "dark")
        assert desk.app.desk.panes["market"].palette is look.palette
        await desk.press("ctrl+p", *"theme: mono")
        await desk.until(lambda: look.name == "mono")
        await desk.press("enter")
        await desk.until(lambda: look.chosen == "mono")
        assert look.name == "mono"


async def test_a_broken_theme_is_not_tried_on(tmp_path: Path) -> None:
    """The one in force stays on the screen."""
    (tmp_path / "odd.yaml").write_text("name: odd\n")
    async with console(settings=ConsoleSettings(theme_dirs=(tmp_path,))) as desk:
        desk.app.look.preview("mono")
        desk.app.look.preview("odd")
        assert desk.app.look.name == desk.app.look.chosen == "dark"


async def test_an_unknown_theme_is_refused_on_screen() -> None:
    """The old one stays."""
    async with console() as desk:
        desk.app.look.use("neon")
        await desk.settle()
        assert "there is no theme 'neon'" in desk.toasts()[-1]
        assert desk.app.palette.colors.name == "dark"


async def test_ascii_only_draws_nothing_else() -> None:
    """Panes, dialogs, toasts and the palette alike."""
    async with console(settings=ConsoleSettings(glyphs=Glyphs.ASCII)) as desk:
        for keys in ((), ("a",), ("escape", "ctrl+p"), ("escape", "question_mark"), ("escape", "ctrl+q")):
            await desk.press(*keys)
            desk.app.tell("A toast … with ▲ signs")
            await desk.settle()
            drawn = on_screen(desk)
            assert drawn.isascii(), {char for char in drawn if not char.isascii()}
        assert "+-" in drawn


async def test_the_linux_console_gets_square_corners() -> None:
    """And no glyph that its font lacks."""
    async with console(settings=ConsoleSettings(glyphs=Glyphs.CONSOLE)) as desk:
        drawn = on_screen(desk)
        assert "┌─►[1 Market]" in drawn
        assert {char for char in drawn if not char.isascii()} <= PC_FONT


async def test_a_slow_line_gets_no_sparklines() -> None:
    """Their column stands empty and untitled; nothing else moves."""
    async with console(size=(200, 50)) as desk:
        rich = desk.text("market").splitlines()
    async with console(size=(200, 50), settings=ConsoleSettings(sparklines=False)) as desk:
        plain = desk.text("market").splitlines()
    assert "TREND" in rich[1]
    assert "TREND" not in plain[1]
    assert not set("".join(plain)) & set(BLOCKS)
    assert [line[-7:] for line in rich] == [line[-7:] for line in plain]


def on_screen(desk: Desk) -> str:
    """Return every character that is drawn, filters applied."""
    lines = desk.app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in lines)
