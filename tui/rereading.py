"""Takes up changed themes, keys and layouts while the console runs; a broken file is told and not taken."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.filewatch import WATCH_S, FileWatch
from tui.keymap import ConfigError, load_keymap

if TYPE_CHECKING:
    from tui.app import ConsoleApp

TOLD_S = 12.0


class Rereading:
    """Watches the user's own theme, keymap and layouts."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self._watch = FileWatch(self._files)

    async def watch(self) -> None:
        """Look each second, for as long as the console runs."""
        while True:
            await self.look()
            await asyncio.sleep(WATCH_S)

    async def look(self) -> None:
        """Look once, and take up what changed. The disk is waited for in a thread, never by the screen."""
        settings = self._app.settings
        for path in await self._watch.changed():
            match path:
                case settings.keymap_file:
                    await self._take("Keys", path, self._take_keymap(path))
                case settings.layouts_file:
                    await self._take("Layouts", path, self._take_layouts())
                case _:
                    await self._take("Theme", path, self._take_theme())

    def _files(self) -> tuple[Path | None, ...]:
        app, settings = self._app, self._app.settings
        return app.look.library.own_file(app.look.name), settings.keymap_file, settings.layouts_file

    async def _take(self, title: str, path: Path, taking: Coroutine[Any, Any, bool]) -> None:
        """Tell that a file is in use now, or why it is not and what was before stays."""
        try:
            taken = await taking
        except ConfigError as error:
            text = f"{error}; what was before stays."
            self._app.tell(text, title=title, severity="error", timeout=TOLD_S)
            return
        if taken:
            self._app.tell(f"{path.name} was read again.", title=title)

    async def _take_keymap(self, path: Path) -> bool:
        self._app.use_keymap(await asyncio.to_thread(load_keymap, path))
        return True

    async def _take_layouts(self) -> bool:
        arranging = self._app.arranging
        users = await asyncio.to_thread(arranging.arranger.read)
        changed = arranging.arranger.take_up(users)
        if changed:  # what the console saved itself it knows already
            arranging.lay_out()
        return changed

    async def _take_theme(self) -> bool:
        look = self._app.look
        look.renew(await asyncio.to_thread(look.library.load, look.name))
        return True
