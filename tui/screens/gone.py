"""The engine is gone: what is known of it, and what to do."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from engine.api import Goodbye, Snapshot
from tui.formats import several
from tui.screens.dialog import Dialog, say


def farewell(goodbye: Goodbye | None, error: str, snapshot: Snapshot | None) -> tuple[str, str]:
    """Return a title and what to say."""
    if goodbye is not None:
        word = (
            "The engine has ended" if goodbye.exit_code == 0 else f"The engine ended with {goodbye.exit_code}"
        )
        return word, f"{goodbye.text or 'It said no more.'}\n\n`trader-tui` starts it again."
    orders = several(sum(order.state.is_open for order in snapshot.orders) if snapshot else 0, "open order")
    positions = several(sum(row.qty != 0 for row in snapshot.positions) if snapshot else 0, "position")
    why = f" ({error})" if error else ""
    seen = f"It said nothing{why}. When last seen it had {positions} and {orders}; "
    lines = [
        f"{seen}nobody watches them now unless it still runs.",
        "",
        "`trader-tui status`   tells whether it runs",
        "`trader-tui attach`   takes it up again",
        "`trader-tui`          starts it; it recovers its orders",
        "`trader-tui flatten`  flattens; with --direct also without an engine",
    ]
    return "The engine is gone", "\n".join(lines)


class GoneDialog(Dialog[bool]):
    """Enter leaves the console; Esc stays to look at the last state."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q", "leave", "Leave", show=False)]

    def __init__(self, title: str, text: str, *, danger: bool) -> None:
        super().__init__(title, "Enter leaves · Esc shows the last state", danger=danger)
        self._text = text

    def parts(self) -> ComposeResult:
        """Yield the words."""
        yield say(self._text)

    def action_leave(self) -> None:
        """Leave the console."""
        self.dismiss(True)  # noqa: FBT003 - Textual's signature
