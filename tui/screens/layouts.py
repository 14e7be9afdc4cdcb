"""Layouts: which one is in force, and under which name to keep the present one."""

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.arrangement import Layout, SizeClass, panes_of
from tui.layout_file import NAME, NAME_WORDS
from tui.layouts import arrangement_of
from tui.screens.dialog import Dialog, Field, say

WIDTHS = {
    SizeClass.SMALL: "up to 109 columns",
    SizeClass.MEDIUM: "110 to 159 columns",
    SizeClass.LARGE: "160 columns and more",
}


class LayoutsDialog(Dialog[str]):
    """Chooses a layout for the terminal's width."""

    def __init__(
        self, layouts: Mapping[str, Layout], size: SizeClass, current: str, *, changed: bool
    ) -> None:
        super().__init__("Layouts", "↑↓ choose · Enter takes it · Esc goes back")
        self._layouts, self._class = layouts, size
        self._current, self._changed = current, changed

    def parts(self) -> ComposeResult:
        """Yield the layouts by name."""
        yield say(f"For {self._class} terminals ({WIDTHS[self._class]}), until another is chosen:")
        names = list(self._layouts)
        choices = OptionList(*[Option(self._entry(name), id=name) for name in names], compact=True)
        choices.highlighted = names.index(self._current)
        yield choices
        if self._changed:
            yield say("Panes were hidden or moved by hand: taking a layout undoes that, unless it is saved.")

    def _entry(self, name: str) -> Content:
        layout = self._layouts[name]
        note = layout.about or ", ".join(panes_of(arrangement_of(layout, self._class))[:5])
        now = " (now)" if name == self._current else ""
        return Content(f"{name:<12} {note}{now}")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class SaveLayoutDialog(Dialog[str]):
    """Asks for the name of a layout."""

    def __init__(self, size: SizeClass, current: str, known: tuple[str, ...]) -> None:
        super().__init__("Save layout", "Enter saves · Esc goes back")
        self._class, self._current, self._known = size, current, known

    def parts(self) -> ComposeResult:
        """Yield the field."""
        yield say(
            f"The panes as they stand, for {self._class} terminals ({WIDTHS[self._class]}). "
            "A layout of that name keeps what it says of other widths."
        )
        yield say(f"Name (there are: {', '.join(self._known)}):", kind="label")
        yield Field(id="name", value=self._current, compact=True)
        yield say("", kind="problem", widget_id="problem")

    @on(Input.Submitted)
    def _saved(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if NAME.fullmatch(name):
            self.dismiss(name)
        else:
            self.complain(f"{name!r} cannot be a layout's name: {NAME_WORDS}.")
