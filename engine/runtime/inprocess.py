"""An engine beside its console in one event loop: for a look without a second process, and for tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.config.packaged import find_again
from engine.config.settings import Settings
from engine.runtime.context import open_context
from engine.runtime.directlink import DirectLink
from engine.runtime.engine import Engine
from engine.runtime.exitreport import ExitReport


class InProcessEngine:
    """A running engine and the links into it."""

    def __init__(self, engine: Engine, task: "asyncio.Task[ExitReport]") -> None:
        self._engine = engine
        self._task = task
        self._links: list[DirectLink] = []

    def link(self, actor: str, console: str = "") -> DirectLink:
        """Return a link for one console."""
        engine = self._engine
        options = find_again(engine.context.directory)
        link = DirectLink(
            hello=engine.hello,
            snapshot=engine.snapshot,
            command=engine.ask,
            why=engine.why,
            look=engine.look,
            actor=actor,
            console=console,
            options=options,
        )
        self._links.append(link)
        return link

    async def finish(self, why: str) -> ExitReport:
        """Stop the engine in order and return how it ended; one that has ended already only says so."""
        if not self._task.done():
            self._engine.stop(why)
        report = await self._task
        for link in self._links:
            await link.say_goodbye(report.exit_code, report.text)
        return report


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[InProcessEngine]:
    """Run an engine in the running event loop. Raises TraderError where it cannot start."""
    async with open_context(settings, headless=False) as context:
        engine = Engine(context)
        task = asyncio.create_task(engine.run(), name="engine")
        running = InProcessEngine(engine, task)
        try:
            yield running
        finally:
            await running.finish("the console ended")
