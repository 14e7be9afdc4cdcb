"""Asks a recorded session why: it is run again up to a moment, and the machine then stands as it stood."""

import asyncio
from itertools import islice
from pathlib import Path

from engine.core.setup import PlayBinding
from engine.domain.errors import StorageError
from engine.domain.events import Event
from engine.domain.market import PRINT_STEP_NS, Bar, Trade
from engine.ports import HistoricalFeed
from engine.runtime.building import build_loop
from engine.runtime.protocol import WhyReply, WhyRequest
from engine.runtime.pump import Pump
from engine.runtime.recovery import NullRecorder
from engine.runtime.rehandle import NEVER, RecordedRefusals, begins_at, recorded_refusals, rehandle
from engine.runtime.session import SessionConfig, decode_config, decode_state
from engine.runtime.tapes import reopen_feed
from engine.runtime.whydesk import answer_why
from engine.storage.codec import Consumed, Tape
from engine.storage.modelstore import models_of
from engine.storage.record_reader import RecordReader


def why_recorded(directory: Path, *, play: str = "", last: int = 1, at: int = 0) -> WhyReply:
    """Run a session again up to a moment (ns UTC, 0 for its end) and explain the last bars of then.

    Raises StorageError or ConfigError.
    """
    return asyncio.run(_why(directory, WhyRequest(1, play, last), at))


async def _why(directory: Path, request: WhyRequest, at: int) -> WhyReply:
    reader = RecordReader(directory)
    if reader.first_sequence > 0:
        raise StorageError(
            f"{directory}: the beginning of this record was pruned (record_max_gb); "
            "what is left cannot be run again. Ask the running engine for its last bars instead."
        )
    config = decode_config(reader.header.config)
    feed = reopen_feed(config, reader.header.files)
    loop = build_loop(config, models_of(directory))
    refusals = RecordedRefusals(recorded_refusals(reader.entries()))
    pump = Pump(loop, dispatcher=refusals, recorder=NullRecorder())
    if reader.header.initial_state is None:
        await pump.begin(begins_at(feed, reader.header.started))
    else:
        pump.restore(decode_state(reader.header.initial_state))
    last = _last_bar(reader, feed, _binding(config, request.play), at) if at else NEVER
    if not last:
        return WhyReply(request.id, text="no bar of that play had closed by then in this session")
    await rehandle(pump, reader.entries(), feed, last=last)
    return await answer_why(loop.machine, request, pump.now)


def _binding(config: SessionConfig, play: str) -> PlayBinding | None:
    return next((binding for binding in config.setup.plays if play in ("", binding.spec.name)), None)


def _last_bar(reader: RecordReader, feed: HistoricalFeed | None, play: PlayBinding | None, at: int) -> int:
    """Return the number of the event that brought a play's last bar up to a moment, 0 where none did."""
    if play is None:
        return 0
    found, offset = 0, 0
    tape = iter(()) if feed is None else feed.events()
    for entry in reader.entries():
        if isinstance(entry, Consumed) and _is_bar(entry.event, play, at):
            found = entry.sequence
        elif isinstance(entry, Tape):
            first = entry.sequence - (entry.offset - offset)
            for number, event in enumerate(islice(tape, entry.offset - offset), start=first + 1):
                if _is_bar(event, play, at):
                    found = number
            offset = entry.offset
    return found


def _is_bar(event: Event, play: PlayBinding, at: int) -> bool:
    """Tell whether an event is a bar that a play trades on and that had closed by a moment."""
    if isinstance(event, Trade):
        return play.step_ns == PRINT_STEP_NS and event.symbol == play.symbol and event.ts <= at
    return (
        isinstance(event, Bar)
        and (event.symbol, event.step_ns) == (play.symbol, play.step_ns)
        and event.ts <= at
    )
