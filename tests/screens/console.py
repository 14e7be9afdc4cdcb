"""A console on a fake link and a clock that is set by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widget import Widget

from engine.api import Snapshot
from tests.console_fakes import FakeLink, snapshot
from tui.app import ConsoleApp
from tui.bridge import Connect
from tui.settings import ConsoleSettings
from tui.widgets.grid import Grid


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A running console with its pilot, link and clock."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[int], link: FakeLink, clock: Clock) -> None:
        self.app, self.pilot, self.link, self.clock = app, pilot, link, clock

    async def settle(self) -> None:
        """Let messages and workers come to rest, then draw."""
        for _ in range(3):
            await self.pilot._wait_for_screen()
        self.app.draw()
        await self.pilot._wait_for_screen()

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for what takes a worker or a timer."""
        async with asyncio.timeout(10):
            while not true():
                await self.settle()

    async def press(self, *keys: str) -> None:
        """Press keys and let their consequences come to rest."""
        await self.pilot.press(*keys)
        await self.settle()

    async def play(self, moment: Snapshot) -> None:
        """Send a snapshot and draw it."""
        self.link.play(moment)
        await self.settle()

    def text(self, pane: str) -> str:
        """Return what a pane or row shows."""
        widget = self.app.screen_stack[0].query_one(f"#{pane}", Widget)
        assert isinstance(widget, Grid)
        return widget.text()

    def prose(self, pane: str) -> str:
        """Return a pane's text without its frame and line breaks."""
        return " ".join(self.text(pane).replace("│", " ").split())

    @property
    def focused(self) -> str:
        """Which pane has the focus."""
        return (self.app.focused.id or "") if self.app.focused is not None else ""

    def toasts(self) -> list[str]:
        """Return what was told, oldest first."""
        return [f"{note.title}|{note.message}" for note in self.app._notifications]


@asynccontextmanager
async def console(
    *moments: Snapshot,
    size: tuple[int, int] = (120, 40),
    link: FakeLink | None = None,
    settings: ConsoleSettings | None = None,
    again: Connect | None = None,
) -> AsyncIterator[Desk]:
    """Run a console; without moments it shows the busy one. `again` is its way back to a lost engine."""
    clock = Clock()
    played = link or FakeLink(moments or (snapshot(),))

    async def connect() -> FakeLink:
        return played

    look = settings or ConsoleSettings()
    app = ConsoleApp(connect, settings=look, clock=clock, driver_class=None, again=again)
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, pilot, played, clock)
        await desk.settle()
        yield desk
