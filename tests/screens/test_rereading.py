"""A theme or keymap that is changed while the console runs is taken up, or told and left."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.api import Action
from tests.screens.console import Desk, console
from tui.filewatch import FILE_BYTES_MAX, FileWatch
from tui.rereading import Rereading
from tui.settings import ConsoleSettings
from tui.theme import packaged_dir


def own_files(tmp_path) -> ConsoleSettings:
    shutil.copy(packaged_dir("themes") / "dark.yaml", tmp_path / "dark.yaml")
    return ConsoleSettings(theme_dirs=(tmp_path,), keymap_file=tmp_path / "keymap.yaml")


async def look_twice(rereading: Rereading) -> None:
    await rereading.look()
    await rereading.look()


@asynccontextmanager
async def with_keymap(tmp_path, before: str, after: str) -> AsyncIterator[Desk]:
    """A console whose keymap's file is changed while it runs."""
    settings, keymap = own_files(tmp_path), tmp_path / "keymap.yaml"
    keymap.write_text(before)
    async with console(settings=settings) as desk:
        rereading = Rereading(desk.app)
        await look_twice(rereading)
        keymap.write_text(after)
        await look_twice(rereading)
        await desk.settle()
        yield desk


async def test_keys_follow_the_keymaps_file(tmp_path):
    async with with_keymap(tmp_path, "pause: p\n", "pause: f6\n") as desk:
        assert "keymap.yaml was read again." in desk.toasts()[-1]
        await desk.press("f6")
        assert desk.link.commands[-1][0] is Action.PAUSE
        sent = len(desk.link.commands)
        await desk.press("p")
        assert len(desk.link.commands) == sent


async def test_a_keymap_that_cannot_be_used_is_told_and_the_keys_stay(tmp_path):
    async with with_keymap(tmp_path, "pause: p\n", "pauze: f6\n") as desk:
        assert "did you mean pause?" in desk.toasts()[-1]
        await desk.press("p")
        assert desk.link.commands[-1][0] is Action.PAUSE


async def test_the_panic_key_follows_too(tmp_path):
    async with with_keymap(tmp_path, "pause: p\n", "flatten: [f9]\n") as desk:
        assert desk.app.panic_watch is desk.app.kill.watch
        desk.app.kill.press("f9")
        desk.app.kill.press("f9")
        assert desk.link.panics == 1


async def test_colours_follow_the_themes_file_and_a_broken_one_is_told(tmp_path):
    settings = own_files(tmp_path)
    theme = tmp_path / "dark.yaml"
    async with console(settings=settings) as desk:
        rereading = Rereading(desk.app)
        await look_twice(rereading)
        theme.write_text(theme.read_text().replace('ok: "#5fd38d"', 'ok: "#00ff00"'))
        await look_twice(rereading)
        assert desk.app.palette.colors.ok == "#00ff00"
        theme.write_text(theme.read_text().replace("#00ff00", "greenish"))
        await look_twice(rereading)
        assert desk.app.palette.colors.ok == "#00ff00"
        await desk.settle()
        assert "what was before stays" in desk.toasts()[-1]
        assert len(desk.toasts()) == 2, "taken up once, refused once"


async def test_a_theme_that_is_only_tried_on_is_given_up_after_its_file_changed(tmp_path):
    """Esc in the palette goes back to the one in force."""
    settings = own_files(tmp_path)
    mine = tmp_path / "mine.yaml"
    mine.write_text((tmp_path / "dark.yaml").read_text().replace("name: dark", "name: mine"))
    async with console(settings=settings) as desk:
        desk.app.look.preview("mine")
        rereading = Rereading(desk.app)
        await look_twice(rereading)
        mine.write_text(mine.read_text().replace('ok: "#5fd38d"', 'ok: "#00ff00"'))
        await look_twice(rereading)
        assert desk.app.palette.colors.ok == "#00ff00"
        assert desk.app.look.chosen == "dark"
        desk.app.look.give_up()
        assert desk.app.look.name == "dark"


async def test_a_hostile_file_is_told_and_files_are_still_watched(tmp_path):
    """The next save is taken up."""
    async with with_keymap(tmp_path, "pause: p\n", "<<: {pause: f6}\n") as desk:
        assert "what was before stays" in desk.toasts()[-1]
        await desk.press("p")
        assert desk.link.commands[-1][0] is Action.PAUSE


async def test_half_written_files_links_and_large_ones_are_waited_for(tmp_path):
    file, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text("one")
    other.write_text("two")
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    watch = FileWatch(lambda: (link, None, tmp_path / "missing.yaml"))
    assert await watch.changed() == ()
    file.write_text("")
    assert await watch.changed() == ()
    file.write_text("x" * (FILE_BYTES_MAX + 1))
    assert await watch.changed() == ()
    beside = tmp_path / "link.new"
    beside.symlink_to(other)
    beside.replace(link)
    assert await watch.changed() == ()
    assert await watch.changed() == (link,)
    assert await watch.changed() == ()
