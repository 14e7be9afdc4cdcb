"""An engine that runs beside a test, and what an operator may ask of it."""

import asyncio
import json
from contextlib import asynccontextmanager

from engine.runtime.protocol import CommandRequest
from tests.unit.runtime.rig import DEADLINE_S, engine_on, eventually, tape_settings


class Running:
    """An engine that runs, and what an operator may ask of it."""

    def __init__(self, engine, task):
        self.engine, self.task = engine, task

    async def ask(self, action, argument="", reason=""):
        return await self.engine.ask(CommandRequest(1, action, "me", reason, argument))

    async def done(self, action, argument="", reason=""):
        """Ask for what must be done."""
        reply = await self.ask(action, argument, reason)
        assert reply.ok, reply
        return reply

    async def refused(self, action, argument="", reason=""):
        """Ask for what must be refused; return why."""
        reply = await self.ask(action, argument, reason)
        assert not reply.ok
        assert reply.text.startswith(reply.reason), "the text says the reason and what to do"
        return reply.reason

    @property
    def now(self):
        return self.engine.snapshot()

    async def until(self, met):
        """Wait until a snapshot shows something."""
        return await eventually(lambda: not self.task.done() and met(self.now))

    async def end(self, how=None):
        """Stop the engine in order, unless it has ended; return its report."""
        if not self.task.done():
            self.engine.stop("enough", on_stop=how)
        return await self.task

    def log(self):
        """The names of the lines in its log."""
        return [line["event"] for line in self.log_lines()]

    def log_lines(self):
        text = (self.engine.context.directory / "logs" / "engine.log").read_text()
        return [json.loads(line) for line in text.splitlines()]


@asynccontextmanager
async def running(settings, at=None, **options):
    """Run an engine beside the test, until the test is done with it."""
    async with asyncio.timeout(DEADLINE_S), engine_on(settings, at, **options) as engine:
        task = asyncio.ensure_future(engine.run())
        there = Running(engine, task)
        try:
            yield there
        finally:
            await there.end()


def waiting_tape(folder, **changes):
    """Return an armed replay that is over at once, and an engine that then waits for commands."""
    return tape_settings(folder, **({"bars": 60} | changes))


@asynccontextmanager
async def after_the_tape(folder, **changes):
    """Give an engine whose tape is over and which stays."""
    async with running(waiting_tape(folder, **changes), leave_at_end=False) as there:
        await there.until(lambda snapshot: snapshot.status.data_ended)
        yield there
