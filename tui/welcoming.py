"""Greets whoever starts the console for the first time, and nobody at a bad moment."""

import asyncio
from typing import TYPE_CHECKING

from engine.api import Mode, Phase, Severity, Snapshot
from tui.memory import Memory

if TYPE_CHECKING:
    from tui.app import ConsoleApp

ROOM_WIDTH, ROOM_HEIGHT = 72, 22  # smaller, and the page would be cut; it then waits for a larger terminal
SIMULATED = frozenset({Mode.PAPER, Mode.REPLAY, Mode.SHADOW})


class Welcoming:
    """Shows the page once, and takes it away when something happens that must be seen."""

    def __init__(self, app: "ConsoleApp", memory: Memory, *, wanted: bool) -> None:
        self._app, self._memory = app, memory
        self._waits = wanted and not memory.welcomed

    def greet(self, snapshot: Snapshot) -> None:
        """Show the page where it is still to be shown and nothing is open, wrong or real."""
        app = self._app
        if alarmed(snapshot):
            self.close(read=False)
        elif self._waits and len(app.screen_stack) == 1 and is_quiet(snapshot):
            width, height = app.size
            if width >= ROOM_WIDTH and height >= ROOM_HEIGHT:
                self._waits = False
                self.show()

    def show(self) -> None:
        """Show the page, asked for or not; once it was closed it does not come again by itself."""
        from tui.screens.welcome import WelcomeDialog  # noqa: PLC0415 - seen once in a life

        self._app.push_screen(WelcomeDialog(self._app.latest, self._app.key_of), self._closed)

    def _closed(self, read: bool | None) -> None:  # noqa: FBT001 - Textual's callback
        if read:
            keeping = asyncio.to_thread(self._memory.keep_welcomed)
            self._app.run_worker(keeping, name="remember", exit_on_error=False)
        else:
            self._waits = self._waits or not self._memory.welcomed

    def close(self, *, read: bool) -> None:
        """Take the page away where it is open; unread, it comes again."""
        from tui.screens.welcome import WelcomeDialog  # noqa: PLC0415

        if isinstance(self._app.screen, WelcomeDialog):
            self._app.screen.dismiss(read)


def alarmed(snapshot: Snapshot) -> bool:
    """Tell whether an alarm asks for a look."""
    return any(not a.acknowledged and a.severity is not Severity.INFO for a in snapshot.alarms)


def is_quiet(snapshot: Snapshot) -> bool:
    """Tell whether nothing is open, wrong or real: an engine that trades is no place for a first lesson."""
    status = snapshot.status
    return (
        status.mode in SIMULATED
        and status.phase in (Phase.DISARMED, Phase.ARMED)
        and not snapshot.flatten.residual
        and not any(row.qty for row in snapshot.positions)
        and not any(order.state.is_open for order in snapshot.orders)
        and not alarmed(snapshot)
    )
