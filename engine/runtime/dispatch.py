"""Makes commands durable before they act, and carries out those that concern the engine itself."""

import asyncio
from collections.abc import Callable

import structlog

from engine.domain.commands import (
    CancelAllAfter,
    CancelOrder,
    ClearTimer,
    Command,
    FlattenEnded,
    Notice,
    QueryOrder,
    QueryVenue,
    SaveTransition,
    SetTimer,
    Stopped,
    SubmitOrder,
)
from engine.domain.commands import Latch as LatchCommand
from engine.domain.errors import StorageError
from engine.domain.events import Event, Fault, FaultKind
from engine.domain.reasons import Reason
from engine.ports import Journal
from engine.runtime.loop import NO_REFUSALS, Batch, Refusals
from engine.runtime.stores import LatchFile

WAITING_MAX = 10_000  # commands that may wait for the disk
_ALL_STORED = "all that waited is stored"

# What must be durable before anything goes on: what is about to be done, and what a person has set.
INTENTS = frozenset({SubmitOrder, CancelOrder, SaveTransition})
_UNSTORED = frozenset(
    {
        QueryVenue,
        QueryOrder,
        CancelAllAfter,
        SetTimer,
        ClearTimer,
        Notice,
        LatchCommand,
        FlattenEnded,
        Stopped,
    }
)


class Dispatcher:
    """Stores what was decided, then says which of its orders must not be sent.

    Intents wait for the disk. Evidence (answers, fills, signals) joins the next intent's transaction or the
    next `flush`, whichever comes first: it can be asked for again, and nothing acts on its being stored.
    No durable intent, no entry. Reductions pass while the disk fails: their commands are kept and stored as
    soon as it works again.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        latch: LatchFile,
        log: structlog.typing.FilteringBoundLogger,
        report: Callable[[Event], bool],
        on_batch: Callable[[Batch], None],
    ) -> None:
        self._journal = journal
        self._latch = latch
        self._log = log
        self._report = report
        self._on_batch = on_batch
        self._waiting: list[Command] = []
        self._writing = asyncio.Lock()
        self._failing = False
        self._lost = 0  # commands that a long failure let go
        self.flatten_ended: FlattenEnded | None = None
        self.stopped = False

    async def commit(self, batch: Batch, now: int) -> Refusals:
        """Make a batch's intents durable; return the client ids that must not be sent, with reasons."""
        must_wait = False
        for command in batch:
            kind = type(command)
            must_wait = must_wait or kind in INTENTS
            if kind in _UNSTORED:
                self._act(command)
            else:
                self._waiting.append(command)
        stored = await self.flush(now) if must_wait or len(self._waiting) >= WAITING_MAX else True
        self._on_batch(batch)
        return self._refusals(batch, stored=stored) if must_wait else NO_REFUSALS

    async def flush(self, now: int) -> bool:
        """Store what waits; False where the disk fails, and then all of it is kept."""
        async with self._writing:
            commands, self._waiting = self._waiting, []
            if not commands:
                return not self._failing
            try:
                await self._journal.commit(commands)
            except StorageError as error:
                self._keep(commands)
                self._fail(error, now)
                return False
            except asyncio.CancelledError:
                self._keep(commands)  # perhaps they are stored: storing them again changes nothing
                raise
        if self._failing:
            self._recovered(now, len(commands))
        return True

    def _keep(self, commands: list[Command]) -> None:
        """Let commands wait again, before those that came meanwhile; past the bound the oldest go."""
        waiting = [*commands, *self._waiting]
        self._lost += max(0, len(waiting) - WAITING_MAX)
        self._waiting = waiting[-WAITING_MAX:]

    def _recovered(self, now: int, stored: int) -> None:
        lost, self._lost, self._failing = self._lost, 0, False
        text = f"what waited is stored but for {lost} of the oldest commands" if lost else _ALL_STORED
        self._log.info("storage works again", stored=stored, lost=lost)
        self._report(Fault(now, FaultKind.STORAGE, text, cleared=True))

    def _fail(self, error: StorageError, now: int) -> None:
        if not self._failing:
            self._failing = True
            self._log.error("storage failed", error=str(error))
            self._report(Fault(now, FaultKind.STORAGE, f"nothing can be stored: {error}"))

    def _refusals(self, batch: Batch, *, stored: bool) -> Refusals:
        entries = [c.request.client_id for c in batch if type(c) is SubmitOrder and c.increases]
        if not entries:
            return NO_REFUSALS
        if not stored:
            return dict.fromkeys(entries, Reason.NOT_JOURNALED)
        return dict.fromkeys(entries, Reason.LATCHED) if self._latch.engaged() else NO_REFUSALS

    def _act(self, command: Command) -> None:
        if type(command) is LatchCommand:
            self._set_latch(command)
        elif type(command) is FlattenEnded:
            self.flatten_ended = command
        elif type(command) is Stopped:
            self.stopped = True

    def _set_latch(self, command: LatchCommand) -> None:
        """A latch that cannot be written holds back nothing that reduces, so a failure is said and passed."""
        try:
            if command.engaged:
                self._latch.engage(command.text)
            else:
                self._latch.release()
        except StorageError as error:
            self._log.error("the latch could not be changed", error=str(error))
