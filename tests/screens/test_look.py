"""Themes on a running console: switched, tried on, refused."""

from pathlib import Path

from tests.screens.console import console
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
