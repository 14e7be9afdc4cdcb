"""What all dialogs share: a box in the middle, Esc to go back, and a place to say what is wrong."""

from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.formats import clean_lines

Answer = TypeVar("Answer")

_EDITING = BindingsMap(Input.BINDINGS)


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A modal question. Esc answers None, which changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Back", show=False)]

    def __init__(self, title: str, hint: str, *, danger: bool = False) -> None:
        super().__init__(classes="danger" if danger else None)
        self._title = title
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Put the parts into the box."""
        with Vertical(id="box") as box:
            box.border_title = words(self._title)
            box.border_subtitle = Content(self._hint)
            yield from self.parts()

    def parts(self) -> ComposeResult:
        """Yield what stands in the box."""
        yield from ()

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)

    def complain(self, text: str) -> None:
        """Say what is missing; the dialog stays."""
        self.query_one("#problem", Static).update(words(text))


class Field(Input):
    """An input that takes keys in the order in which they were typed.

    Textual enters a letter where it arrives, and looks up an editing key only when it has bubbled up to the
    app: over a slow line, where many keys arrive at once, a correction would fall behind what follows it.
    """

    async def on_key(self, event: Key) -> None:
        """Edit now."""
        for binding in _EDITING.key_to_bindings.get(event.key, ()):
            event.stop()
            await self.run_action(binding.action)


def words(text: str) -> Content:
    """Return text as it is, whoever wrote it: no markup in it counts, and nothing a terminal would obey."""
    return Content(clean_lines(text))


def say(text: str, *, kind: str = "say", widget_id: str | None = None) -> Widget:
    """Return a paragraph; its text is never taken as markup."""
    return Static(words(text), classes=kind, id=widget_id, markup=False)
