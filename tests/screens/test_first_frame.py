"""What is drawn first, at the start and in a new size: never an empty screen before the full one."""

import asyncio
from typing import Any

from textual._compositor import LayoutUpdate

from tests.console_fakes import FakeLink, snapshot
from tui.app import ConsoleApp
from tui.settings import ConsoleSettings


class Watched(ConsoleApp):
    """A console that keeps the text of every whole screen it draws."""

    def __init__(self, link: FakeLink | None = None) -> None:
        async def connect() -> FakeLink:
            if link is None:
                await asyncio.Event().wait()
                raise AssertionError("nobody sets it")
            return link

        super().__init__(connect, settings=ConsoleSettings(), driver_class=None)
        self.animation_level = "none"
        self.drawn: list[str] = []

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, LayoutUpdate):
            lines = ["".join(segment.text for segment in strip) for strip in renderable.strips]
            self.drawn.append("\n".join(lines))
        super()._display(screen, renderable)


async def test_the_first_frame_has_the_panes_and_says_what_they_wait_for() -> None:
    app = Watched()
    async with app.run_test(size=(120, 40)):
        assert "Market" in app.drawn[0]
        assert "connecting to the engine" in app.drawn[0]


async def test_a_resize_draws_the_new_size_full_at_once() -> None:
    app = Watched(FakeLink((snapshot(),)))
    async with app.run_test(size=(120, 40)) as pilot:
        while app.latest is None:
            await pilot.pause()
        before = len(app.drawn)
        await pilot.resize_terminal(200, 50)
        sized = [text for text in app.drawn[before:] if len(text.splitlines()) == 50]
        assert "Market" in sized[0]
        assert "PAPER" in sized[0].splitlines()[0]
        assert "Risk" in sized[0]
