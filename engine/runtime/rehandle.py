"""Feeds a session's record to a pump again: the one path of recovery and of `verify`."""

from collections.abc import Iterable, Iterator, Mapping

from engine.domain.commands import SubmitOrder
from engine.domain.errors import RecordError
from engine.domain.events import OrderRejected
from engine.domain.market import MarketEvent
from engine.domain.reasons import Reason
from engine.ports import HistoricalFeed, Journal
from engine.runtime.loop import NO_REFUSALS, Batch, Refusals
from engine.runtime.pump import Pump
from engine.storage.codec import Consumed, Effects, End, Entry, Gap, SessionHeader, Tape

NEVER = 2**63 - 1  # more events than there ever are
_REFUSED_HERE = frozenset({Reason.LATCHED, Reason.NOT_JOURNALED})


class RecordedRefusals:
    """Answers batches as the session's own dispatcher did, and stores them again where there is a journal.

    The journal knows them already: committing a batch again changes nothing that moved on.
    """

    def __init__(self, refusals: Mapping[str, Reason], journal: Journal | None = None) -> None:
        self._refusals = refusals
        self._journal = journal

    async def commit(self, batch: Batch, _now: int) -> Refusals:
        """Return which orders were not sent then."""
        if self._journal is not None:
            await self._journal.commit(batch)
        if not self._refusals:
            return NO_REFUSALS
        ids = [command.request.client_id for command in batch if type(command) is SubmitOrder]
        return {client_id: self._refusals[client_id] for client_id in ids if client_id in self._refusals}


def recorded_refusals(entries: Iterable[Entry]) -> dict[str, Reason]:
    """Return the orders that a dispatcher refused to send, by client id."""
    refusals: dict[str, Reason] = {}
    for entry in entries:
        event = refusal_of(entry)
        if event is not None:
            refusals[event.client_id] = event.reason
    return refusals


def refusal_of(entry: Entry) -> OrderRejected | None:
    """Return what a dispatcher itself answered, None for an event that came from outside."""
    if type(entry) is Consumed and type(entry.event) is OrderRejected and entry.event.reason in _REFUSED_HERE:
        return entry.event
    return None


def begins_at(feed: HistoricalFeed | None, started: int) -> int:
    """Return the first time of a session's loop (ns UTC): that of its tape, else that of its start.

    A tape's time goes back from no clock's: what a command sets a timer for would never fall due on it.
    """
    first = next(iter(feed.events()), None) if feed is not None else None
    return started if first is None else first.ts


async def rehandle(
    pump: Pump, entries: Iterable[Entry], feed: HistoricalFeed | None, *, last: int = NEVER
) -> End | None:
    """Take a record's entries in order, up to event number `last`.

    Return how the session ended, None after a crash or where it was not taken to its end. Raises RecordError
    where the record does not fit the state it is played on.
    """
    tape: Iterator[MarketEvent] | None = None
    for entry in entries:
        if isinstance(entry, Consumed):
            if entry.sequence <= pump.sequence or refusal_of(entry):
                continue  # taken before the checkpoint, or answered from the list
            if entry.sequence != pump.sequence + 1:
                raise RecordError(f"the record leaps from event {pump.sequence} to {entry.sequence}")
            await pump.consume(entry.event, entry.now)
        elif isinstance(entry, Tape):
            if entry.offset <= pump.tape_offset:
                continue
            if feed is None:
                raise RecordError("the record needs its tape, and none is given")
            if tape is None:
                tape = feed.events(pump.tape_offset)
            await _play(pump, tape, entry.offset, last)
        elif isinstance(entry, Gap):
            raise RecordError(f"the record has a gap at event {entry.sequence}: {entry.text}")
        elif isinstance(entry, End):
            return entry
        else:
            assert isinstance(entry, Effects | SessionHeader), "no other entries exist"
        if pump.sequence >= last:
            return None
    return None


async def _play(pump: Pump, tape: Iterator[MarketEvent], offset: int, last: int) -> None:
    """Take a tape's events up to an offset, or up to event number `last`."""
    while pump.tape_offset < offset and pump.sequence < last:
        await pump.consume_tape(next(tape))
