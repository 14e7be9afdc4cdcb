"""Ctrl-C: nothing at the first press but a word of what a second one does."""

from typing import TYPE_CHECKING

from tui.actions import INTERRUPT_WINDOW_S

if TYPE_CHECKING:
    from tui.app import ConsoleApp


class Interrupting:
    """Leaves by default where it is said twice within the window."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self._pressed_at = float("-inf")

    def press(self) -> None:
        """Take a press."""
        app, now = self._app, self._app.clock()
        again = now - self._pressed_at <= INTERRUPT_WINDOW_S
        self._pressed_at = now
        if again:
            app.operator.leave_by_default()
        else:
            app.tell(f"{app.key_of('interrupt')} again within 2 s {app.operator.default_words}.")
