"""What the actions of the layout group do to the screen."""

import asyncio
from typing import TYPE_CHECKING

from engine.api import ConfigError
from tui.arrangement import SizeClass, size_class
from tui.arranger import Arranger
from tui.memory import Memory
from tui.panes.pane import NUMBERS_MAX, Pane
from tui.panes.registry import PANES
from tui.settings import ConsoleSettings

if TYPE_CHECKING:
    from tui.app import ConsoleApp

TOLD_S = 12.0
SHOWN_S = 2.5  # one sees it anyway


class Arranging:
    """The layout group of the action table."""

    def __init__(self, app: "ConsoleApp", settings: ConsoleSettings) -> None:
        self._app = app
        names = [pane.name_id for pane in PANES]
        self.memory = Memory(settings.memory_file)
        self.arranger = Arranger(names, settings.layouts_file, self.memory)

    @property
    def size_class(self) -> SizeClass:
        """The class of the terminal's width now."""
        return size_class(self._app.size.width)

    def tell_flaw(self) -> None:
        """Say why the user's layouts are not in use, where that is so."""
        if self.arranger.flaw:
            text = f"{self.arranger.flaw}; only the layouts that ship are there."
            self._app.tell(text, title="Layouts", severity="error", timeout=TOLD_S)

    def lay_out(self) -> None:
        """Show the panes as they are to stand now; the focus moves on where its pane has gone."""
        self._app.desk.stay_in_view()
        self._app.desk.lay_out_again()
        self._app.draw_soon()

    def chosen(self, name: str | None) -> None:
        """Put a layout in force at this width; None leaves all as it is."""
        if name is None:
            return
        self.arranger.use(name, self.size_class)
        self._app.desk.unzoom()
        self.lay_out()
        self._app.tell(f"{name}, for {self.size_class} terminals", title="Layout", timeout=SHOWN_S)
        self._app.run_worker(asyncio.to_thread(self.arranger.remember), exit_on_error=False)

    def hide(self) -> None:
        """Hide the focused pane."""
        pane = self._app.focused
        if not isinstance(pane, Pane):
            return
        self._app.desk.unzoom()
        if not self.arranger.hide(pane.name_id, self.size_class):
            self._app.tell("This is the last pane; it stays.")
            return
        number = self._app.key_of(f"pane-{pane.number}") if pane.number <= NUMBERS_MAX else ""
        keys = " or ".join(filter(None, (number, self._app.key_of("show-panes"))))
        self.lay_out()
        self._app.tell(f"{pane.title} is hidden; {keys or 'the palette'} brings it back.")

    def show_all(self) -> None:
        """Bring every hidden pane back."""
        if not self.arranger.hidden:
            self._app.tell("No pane is hidden.")
        self.arranger.show(*self.arranger.hidden)
        self.lay_out()

    def move(self, step: int) -> None:
        """Move the focused pane one place on or back."""
        pane = self._app.focused
        if isinstance(pane, Pane) and self.arranger.move(pane.name_id, step, self.size_class):
            self.lay_out()
            self._app.navigator.choose(pane.name_id)
        else:
            self._app.tell("There is no place further that way.")

    def resize(self, step: int) -> None:
        """Give the focused pane's place more or less height."""
        pane = self._app.focused
        if isinstance(pane, Pane) and self.arranger.resize(pane.name_id, step, self.size_class):
            self.lay_out()

    def save(self, name: str | None) -> None:
        """Keep the panes as they stand under a name; None leaves all as it is."""
        if name is not None:
            self._app.run_worker(self._save(name), name="save layout", exit_on_error=False)

    async def _save(self, name: str) -> None:
        size = self.size_class
        layout = self.arranger.as_it_stands(name, size)
        try:
            file = await asyncio.to_thread(self.arranger.write, layout)
        except ConfigError as error:
            self._app.tell(str(error), title="Layout not saved", severity="error", timeout=TOLD_S)
            return
        self.arranger.take(layout, size)
        self.lay_out()
        self._app.tell(f"{name}, for {size} terminals, in {file}", title="Layout saved")
        await asyncio.to_thread(self.arranger.remember)
