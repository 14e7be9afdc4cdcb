"""The engine is gone: what is known of it, and what to do."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from engine.api import Goodbye, Mode, Snapshot
from tui.formats import several
from tui.screens.dialog import Dialog, say, words

UNNAMED = frozenset({Mode.PAPER})  # what runs where no mode is named


def farewell(goodbye: Goodbye | None, error: str, snapshot: Snapshot | None) -> tuple[str, str]:
    """Return a title and what to say."""
    if goodbye is not None:
        word = (
            "The engine has ended" if goodbye.exit_code == 0 else f"The engine ended with {goodbye.exit_code}"
        )
        return word, f"{goodbye.text or 'It said no more.'}\n\n{_start(snapshot)} starts it again."
    why = f" ({error})" if error else ""
    lines = [
        f"It said nothing{why}. {_last_seen(snapshot)} Nobody watches them until it runs again.",
        "",
        f"{_start(snapshot)} starts it; it recovers its orders from its store.",
        "`trader-tui flatten --direct` closes everything without an engine.",
    ]
    return "The engine is gone", "\n".join(lines)


def apart(error: str, snapshot: Snapshot | None) -> tuple[str, str]:
    """Return a title and what to say where only the connection is known to be gone."""
    lines = [
        f"{error[:1].upper()}{error[1:]}",
        "",
        f"The engine may still run and trade. {_last_seen(snapshot)}",
        "",
        "On its machine `trader-tui status` asks how it is, `trader-tui flatten` closes everything.",
    ]
    return "The connection is lost", "\n".join(lines)


def _start(snapshot: Snapshot | None) -> str:
    """Return the command that starts such an engine: without a mode it would be one with made-up money."""
    mode = snapshot.status.mode if snapshot else Mode.PAPER
    return "`trader-tui`" if mode in UNNAMED else f"`trader-tui --mode {mode.value}` and its options"


def _last_seen(snapshot: Snapshot | None) -> str:
    orders = sum(order.state.is_open for order in snapshot.orders) if snapshot else 0
    positions = sum(row.qty != 0 for row in snapshot.positions) if snapshot else 0
    return f"When last seen it had {several(positions, 'position')} and {several(orders, 'open order')}."


class GoneDialog(Dialog[bool]):
    """Enter leaves the console; Esc stays to look at the last state; r does not wait for the next try."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q", "leave", "Leave", show=False),
        Binding("r", "again", "Try again", show=False),
    ]

    def __init__(
        self, title: str, text: str, *, danger: bool, again: Callable[[], None] | None = None
    ) -> None:
        """`again` looks for the engine at once; None where nothing is looked for."""
        tries = "r tries now · " if again is not None else ""
        super().__init__(title, f"Enter leaves · {tries}Esc shows the last state", danger=danger)
        self._text, self._again = text, again

    def parts(self) -> ComposeResult:
        """Yield the words."""
        yield say(self._text, widget_id="words")

    def tell(self, title: str, text: str) -> None:
        """Say what is known by now; before anything is drawn that is what will be."""
        self._title, self._text = title, text
        for box in self.query("#box"):
            box.border_title = words(title)
        for said in self.query("#words").results(Static):
            said.update(words(text))

    def action_again(self) -> None:
        """Look for the engine now."""
        if self._again is not None:
            self._again()

    def action_leave(self) -> None:
        """Leave the console."""
        self.dismiss(True)  # noqa: FBT003 - Textual's signature
