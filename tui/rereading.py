"""Takes up changed themes, keys and layouts while the console runs; a broken file is told and not taken."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

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
        """Look once, and take up what changed."""
        for path in await self._watch.changed():
            if path == self._app.settings.keymap_file:
                self._take_keymap(path)
            elif path == self._app.settings.layouts_file:
                self._take_layouts(path)
            else:
                self._app.look.use(self._app.look.name)
                self._app.tell(f"{path.name} was read again.", title="Theme")

    def _files(self) -> tuple[Path | None, ...]:
        app, settings = self._app, self._app.settings
        return app.look.library.own_file(app.look.name), settings.keymap_file, settings.layouts_file

    def _take_keymap(self, path: Path) -> None:
        try:
            keymap = load_keymap(path)
        except ConfigError as error:
            text = f"{error}; the keys stay as they were."
            self._app.tell(text, title="Keys", severity="error", timeout=TOLD_S)
            return
        self._app.use_keymap(keymap)
        self._app.tell(f"{path.name} was read again.", title="Keys")

    def _take_layouts(self, path: Path) -> None:
        arranging = self._app.arranging
        try:
            changed = arranging.arranger.reread()
        except ConfigError as error:
            text = f"{error}; the layouts stay as they were."
            self._app.tell(text, title="Layouts", severity="error", timeout=TOLD_S)
            return
        if changed:  # what the console saved itself it knows already
            arranging.lay_out()
            self._app.tell(f"{path.name} was read again.", title="Layouts")
