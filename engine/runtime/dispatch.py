"""Makes commands durable before they act, and carries out those that concern the engine itself."""

from collections.abc import Callable

import structlog

from engine.domain.commands import Command, FlattenEnded, Latch, Notice, NoticeLevel, Stopped, SubmitOrder
from engine.domain.errors import StorageError
from engine.domain.events import Event, Fault, FaultKind
from engine.domain.reasons import Reason
from engine.ports import Journal
from engine.runtime.loop import Batch, Refusals
from engine.storage.latch import Latch as LatchFile

UNSAVED_MAX = 10_000  # commands kept for a disk that may come back

_LOG_METHOD = {
    NoticeLevel.INFO: "info",
    NoticeLevel.GOOD: "info",
    NoticeLevel.WARNING: "warning",
    NoticeLevel.ERROR: "error",
}


class Dispatcher:
    """Stores each batch, then says which of its orders must not be sent.

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
        self._unsaved: list[Command] = []
        self.flatten_ended: FlattenEnded | None = None
        self.stopped = False

    async def commit(self, batch: Batch, now: int) -> Refusals:
        """Make a batch durable; return the client ids that must not be sent, with reasons."""
        for command in batch:
            self._act(command)
        stored = await self._store(batch, now)
        self._on_batch(batch)
        refusals: Refusals = {}
        for command in batch:
            if type(command) is SubmitOrder and command.increases:
                if not stored:
                    refusals[command.request.client_id] = Reason.NOT_JOURNALED
                elif self._latch.engaged():
                    refusals[command.request.client_id] = Reason.LATCHED
        return refusals

    async def _store(self, batch: Batch, now: int) -> bool:
        waiting = bool(self._unsaved)
        try:
            await self._journal.commit([*self._unsaved, *batch] if waiting else batch)
        except StorageError as error:
            self._unsaved = [*self._unsaved, *batch][-UNSAVED_MAX:]
            if not waiting:
                self._log.error("storage failed", error=str(error))
                self._report(Fault(now, FaultKind.STORAGE, f"nothing can be stored: {error}"))
            return False
        if waiting:
            self._log.info("storage works again", stored=len(self._unsaved))
            self._unsaved.clear()
            self._report(Fault(now, FaultKind.STORAGE, "all that waited is stored", cleared=True))
        return True

    def _act(self, command: Command) -> None:
        if type(command) is Notice:
            getattr(self._log, _LOG_METHOD[command.level])(command.kind, text=command.text, at=command.ts)
        elif type(command) is Latch:
            self._set_latch(command)
        elif type(command) is FlattenEnded:
            self.flatten_ended = command
            self._log.warning(
                "flatten ended", flat=command.flat, residual=command.residual, ms=str(command.elapsed_ms)
            )
        elif type(command) is Stopped:
            self.stopped = True

    def _set_latch(self, command: Latch) -> None:
        """A latch that cannot be written holds back nothing that reduces, so a failure is said and passed."""
        try:
            if command.engaged:
                self._latch.engage(command.text)
            else:
                self._latch.release()
        except StorageError as error:
            self._log.error("the latch could not be changed", error=str(error))
