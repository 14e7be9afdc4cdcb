"""Where a start goes on from: start-up and recovery are one path.

State = the newest usable checkpoint (or the state the last session began with) + its record's tail, handled
again. What cannot be used is kept on disk, said, and started without.
"""

from pathlib import Path

import msgspec

from engine.domain.errors import CheckpointError, StorageError
from engine.ports import HistoricalFeed, Journal
from engine.runtime.factory import build_loop
from engine.runtime.loop import Loop
from engine.runtime.pump import Pump
from engine.runtime.rehandle import RecordedRefusals, recorded_refusals, rehandle
from engine.runtime.session import EngineState, SessionConfig, decode_config, decode_state
from engine.storage.checkpoints import CheckpointStore
from engine.storage.codec import Entry
from engine.storage.record_reader import RecordReader
from engine.storage.records import session_directories


class NullRecorder:
    """Records nothing: what is handled again stands in its own session's record."""

    def consumed(self, sequence: int, now: int, event: object) -> None:
        """Record nothing."""

    def tape(self, sequence: int, offset: int) -> None:
        """Record nothing."""

    def effects(self, sequence: int, digest: bytes) -> None:
        """Record nothing."""


class Recovered(msgspec.Struct, frozen=True):
    """What a start goes on from, and what a person should know about it."""

    loop: Loop
    pump: Pump
    config: SessionConfig
    resumed: str  # the session it goes on from, empty for a fresh start
    notes: tuple[str, ...]


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where a restart finds what it needs. `files` holds sha256 by path of the tapes."""

    records: Path
    checkpoints: CheckpointStore
    feed: HistoricalFeed | None
    files: dict[str, str]
    journal: Journal


class _Start(msgspec.Struct, frozen=True):
    """A state to begin with; None: the beginning of the session itself."""

    session: str
    birth_s: int
    state: EngineState | None
    started: int


async def recover(config: SessionConfig, sources: Sources, now: int, *, goes_on_after_end: bool) -> Recovered:
    """Build the loop of a session and bring it to where the last one stopped, if it can be gone on with.

    `goes_on_after_end`: a session that ended in order is gone on with, too (an account lives longer than a
    run); without it only one that broke off is (a tape that was played to its end begins anew).
    """
    notes: list[str] = []
    start = _find(config, sources, now, notes)
    if start is not None and start.state is not None and start.state.ended and not goes_on_after_end:
        start = None
    if start is not None:
        try:
            return await _resume(start, config, sources, notes)
        except (StorageError, CheckpointError) as error:
            notes.append(f"session {start.session} could not be gone on with: {error} A fresh one begins.")
    loop = build_loop(config)
    return Recovered(loop, _pump(loop), config, "", tuple(notes))


def _find(config: SessionConfig, sources: Sources, now: int, notes: list[str]) -> _Start | None:
    found = sources.checkpoints.load_newest(now)
    notes.extend(found.warnings)
    sessions = session_directories(sources.records)
    if found.checkpoint is not None:
        try:
            state = decode_state(found.checkpoint.payload)
        except CheckpointError as error:
            notes.append(f"the newest checkpoint was passed over: {error}")
        else:
            if not sessions or state.session >= sessions[-1].name:
                start = _Start(state.session, state.birth_s, state, state.now)
                return _if_fitting(start, (state.shape, state.files), config, sources, notes)
    return _from_record(sessions[-1], config, sources, notes) if sessions else None


def _if_fitting(
    start: _Start,
    made_with: tuple[str, dict[str, str]],
    config: SessionConfig,
    sources: Sources,
    notes: list[str],
) -> _Start | None:
    if made_with == (config.shape, sources.files):
        return start
    notes.append(
        f"session {start.session} ran with other plays, data or rules; a fresh one begins beside it."
    )
    return None


def _from_record(directory: Path, config: SessionConfig, sources: Sources, notes: list[str]) -> _Start | None:
    """Go on from the beginning of a session that broke off before its first checkpoint."""
    try:
        header = RecordReader(directory).header
        made_with = (decode_config(header.config).shape, header.files)
        state = decode_state(header.initial_state) if header.initial_state else None
    except (StorageError, CheckpointError) as error:
        notes.append(f"the record of the last session was passed over: {error}")
        return None
    start = _Start(header.session, header.birth, state, header.started)
    return _if_fitting(start, made_with, config, sources, notes)


async def _resume(start: _Start, config: SessionConfig, sources: Sources, notes: list[str]) -> Recovered:
    setup = msgspec.structs.replace(config.setup, birth_s=start.birth_s)
    config = msgspec.structs.replace(config, setup=setup)
    loop = build_loop(config)
    pump = _pump(loop)
    if start.state is not None:
        pump.restore(start.state)
    tail = _tail(sources.records / start.session, pump.sequence, notes)
    refusals = RecordedRefusals(recorded_refusals(tail), sources.journal)
    pump.hand_over(dispatcher=refusals, recorder=NullRecorder())
    if start.state is None:
        await pump.begin(start.started)
    before = pump.sequence
    await rehandle(pump, tail, sources.feed)
    notes.append(
        f"goes on from session {start.session}: {before} events from its checkpoint, "
        f"{pump.sequence - before} handled again"
    )
    return Recovered(loop, pump, config, start.session, tuple(notes))


def _tail(directory: Path, sequence: int, notes: list[str]) -> list[Entry]:
    """Read what a record holds past a sequence; a missing or torn record is said and gone on without."""
    try:
        reader = RecordReader(directory)
        tail = list(reader.entries(sequence))
    except StorageError as error:
        notes.append(f"the record's tail is lost: {error}")
        return []
    if reader.torn:
        notes.append(f"the record's torn tail was cut: {reader.torn}")
    return tail


def _pump(loop: Loop) -> Pump:
    return Pump(loop, dispatcher=RecordedRefusals({}), recorder=NullRecorder())
