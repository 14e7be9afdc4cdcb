"""Where a start goes on from: start-up and recovery are one path.

State = the newest usable checkpoint (or the state the last session began with) + its record's tail, handled
again under the settings it was recorded with. What cannot be used is kept on disk, said, and started without.
"""

from collections.abc import Callable

import msgspec

from engine.domain.errors import CheckpointError, RecordError, StorageError, TraderError
from engine.ports import HistoricalFeed, Journal
from engine.runtime.building import build_loop
from engine.runtime.loop import Loop
from engine.runtime.pump import Pump
from engine.runtime.rehandle import RecordedRefusals, begins_at, recorded_refusals, refusal_of, rehandle
from engine.runtime.session import EngineState, SessionConfig, decode_config, decode_state, encode_state
from engine.runtime.stores import Checkpoints, Records
from engine.storage.codec import Consumed, Entry, Gap, SessionHeader, Tape


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
    broke_off: bool = False  # the session it goes on from did not end in order


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where a restart finds what it needs. `files` holds sha256 by path of the tapes.

    `build` makes the loop that goes on; `rebuild` the one that handles a record's tail again.
    """

    records: Records
    checkpoints: Checkpoints
    feed: HistoricalFeed | None
    files: dict[str, str]
    journal: Journal
    build: Callable[[SessionConfig], Loop] = build_loop
    rebuild: Callable[[SessionConfig], Loop] = build_loop


class _Start(msgspec.Struct, frozen=True, kw_only=True):
    """A session to go on with; without a state, from its very beginning."""

    session: str
    birth_s: int
    started: int
    shape: str
    files: dict[str, str]
    state: EngineState | None


async def recover(config: SessionConfig, sources: Sources, now: int, *, goes_on_after_end: bool) -> Recovered:
    """Build the loop of a session and bring it to where the last one stopped, if it can be gone on with.

    `goes_on_after_end`: a session that ended in order is gone on with, too (an account lives longer than a
    run); without it only one that broke off is (a tape that was played to its end begins anew). Raises
    StorageError where the disk takes nothing: then nobody may start, least of all with empty books.
    """
    notes: list[str] = []
    start = _find(config, sources, now, notes)
    if start is not None:
        try:
            state = await _handle_again(start, config, sources, notes)
            if goes_on_after_end or not state.ended:
                before = start.state.sequence if start.state else 0
                notes.append(
                    f"goes on from session {start.session}: {before} events from its checkpoint, "
                    f"{state.sequence - before} handled again"
                )
                recovered = _go_on(_at_present(state, sources, now), config, sources.build, notes)
                return msgspec.structs.replace(recovered, broke_off=not state.ended)
        except (RecordError, CheckpointError) as error:
            notes.append(f"session {start.session} could not be gone on with: {error} A fresh one begins.")
    loop = sources.build(config)
    return Recovered(loop, _pump(loop), config, "", tuple(notes))


# finding


def _find(config: SessionConfig, sources: Sources, now: int, notes: list[str]) -> _Start | None:
    """Choose what to go on from: the newest checkpoint, or the record of a session newer than it."""
    start = _from_checkpoint(sources, now, notes)
    newest = sources.records.newest()
    if newest and (start is None or start.session < newest):
        start = _from_record(newest, sources.records, notes) or start
    if start is None or (start.shape, start.files) == (config.shape, sources.files):
        return start
    notes.append(
        f"session {start.session} ran with other plays, data or rules; a fresh one begins beside it."
    )
    return None


def _from_checkpoint(sources: Sources, now: int, notes: list[str]) -> _Start | None:
    found = sources.checkpoints.load_newest(now)
    notes.extend(found.warnings)
    if found.checkpoint is None:
        return None
    try:
        state = decode_state(found.checkpoint.payload)
    except CheckpointError as error:
        notes.append(f"the newest checkpoint was passed over: {error}")
        return None
    return _Start(
        session=state.session,
        birth_s=state.birth_s,
        started=state.now,
        shape=state.shape,
        files=state.files,
        state=state,
    )


def _from_record(session: str, records: Records, notes: list[str]) -> _Start | None:
    """Begin where a session began that broke off before its first checkpoint."""
    try:
        header = records.open(session).header
        return _Start(
            session=header.session,
            birth_s=header.birth,
            started=header.started,
            shape=decode_config(header.config).shape,
            files=header.files,
            state=decode_state(header.initial_state) if header.initial_state else None,
        )
    except (StorageError, CheckpointError) as error:
        notes.append(f"the record of the last session was passed over: {error}")
        return None


# going on


async def _handle_again(
    start: _Start, config: SessionConfig, sources: Sources, notes: list[str]
) -> EngineState:
    """Bring a session to where it stopped, under the settings it had: what was decided then stays decided.

    An event that broke the engine breaks it again: it is left out with all that came after it.
    """
    if start.state is not None and start.state.ended:
        return start.state
    config = _settings_then(sources.records, start, config)
    tail = _tail(sources.records, start, notes)
    pump = _pump_at(start, sources.rebuild(config))
    try:
        return await _play(start, pump, tail, sources)
    except TraderError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the core breaks of is its own bug
        broken = pump.sequence
        notes.append(f"event {broken} was left out: it broke the engine ({error!r}). Please report it.")
    before = [entry for entry in tail if isinstance(entry, SessionHeader) or entry.sequence < broken]
    return await _play(start, _pump_at(start, sources.rebuild(config)), before, sources)


def _pump_at(start: _Start, loop: Loop) -> Pump:
    """Build a pump that stands where the start's state says."""
    pump = _pump(loop)
    if start.state is not None:
        pump.restore(start.state)
    return pump


async def _play(start: _Start, pump: Pump, tail: list[Entry], sources: Sources) -> EngineState:
    """Take a record's tail and return the state it leads to."""
    refusals = RecordedRefusals(recorded_refusals(tail), sources.journal)
    pump.hand_over(dispatcher=refusals, recorder=NullRecorder())
    if start.state is None:
        await pump.begin(begins_at(sources.feed, start.started))
    end = await rehandle(pump, tail, sources.feed)
    return pump.state(start.session, start.shape, start.files, ended=end is not None)


def _settings_then(records: Records, start: _Start, config: SessionConfig) -> SessionConfig:
    """Return what a session was built from; where its record is lost, nothing of it is handled again."""
    try:
        return decode_config(records.open(start.session).header.config)
    except (StorageError, CheckpointError):
        return _born(config, start.birth_s)


def _tail(records: Records, start: _Start, notes: list[str]) -> list[Entry]:
    """Read what a record holds past the start's state, up to a gap, damage or a torn end; each is said."""
    tail: list[Entry] = []
    sequence, offset = (start.state.sequence, start.state.tape_offset) if start.state else (0, 0)
    try:
        reader = records.open(start.session)
        for entry in reader.entries(sequence):
            if isinstance(entry, Gap):
                notes.append(f"the record has a gap at event {entry.sequence}: {entry.text}")
                return tail
            if refusal_of(entry) is not None:
                pass  # it stands under the event it belongs to, which on a tape has no entry of its own
            elif isinstance(entry, Consumed | Tape) and entry.sequence > sequence:
                upto = offset if isinstance(entry, Consumed) else entry.offset
                if entry.sequence - sequence != max(1, upto - offset):
                    # it had stopped before this state was saved, and went on a moment after
                    notes.append(f"the record has a gap at event {sequence + 1}")
                    return tail
                sequence, offset = entry.sequence, upto
            tail.append(entry)
    except StorageError as error:
        notes.append(f"the record's tail is lost: {error}")
        return tail
    if reader.torn:
        notes.append(f"the record's torn tail was cut: {reader.torn}")
    return tail


def _at_present(state: EngineState, sources: Sources, now: int) -> EngineState:
    """Return a state as it is to go on now.

    On a live feed timers keep the time they had left, since nobody ran meanwhile. Ids go on where the state
    was: what the journal knows beyond it is taken up by the first event, and the ids with it.
    """
    if sources.feed is not None:
        return state
    loop = state.loop
    away_ns = max(0, now - state.now)
    timers = tuple((timer_id, at + away_ns) for timer_id, at in loop.timers)
    loop = msgspec.structs.replace(loop, timers=timers)
    return msgspec.structs.replace(state, loop=loop)


def _go_on(
    state: EngineState, config: SessionConfig, build: Callable[[SessionConfig], Loop], notes: list[str]
) -> Recovered:
    """Put a state under the present settings."""
    config = _with_money_then(_born(config, state.birth_s), state)
    loop = build(config)
    pump = _pump(loop)
    pump.restore(decode_state(encode_state(state)))  # nothing is shared with the loop that brought it here
    loop.machine.begin_anew()
    return Recovered(loop, pump, config, state.session, tuple(notes))


def _with_money_then(config: SessionConfig, state: EngineState) -> SessionConfig:
    """Let a real account go on from the money it began with: its balance now holds what was made since."""
    money = state.loop.machine.ledger.start_equity
    if not config.orders or money is None:
        return config
    return msgspec.structs.replace(config, setup=msgspec.structs.replace(config.setup, start_equity=money))


def _born(config: SessionConfig, birth_s: int) -> SessionConfig:
    return msgspec.structs.replace(config, setup=msgspec.structs.replace(config.setup, birth_s=birth_s))


def _pump(loop: Loop) -> Pump:
    return Pump(loop, dispatcher=RecordedRefusals({}), recorder=NullRecorder())
