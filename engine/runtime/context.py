"""One context holds the wiring of one engine; one async context manager builds it and takes it down, LIFO."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from structlog.typing import FilteringBoundLogger

from engine import __version__
from engine.config.packaged import instance_dir, mode_dir
from engine.config.secrets import Redactor
from engine.config.settings import Settings
from engine.domain.commands import SaveTransition, TransitionKind
from engine.domain.ids import sequence_of
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.domain.orders import Order
from engine.domain.positions import Fill
from engine.execution.desk import ADJUSTMENT, Desk
from engine.ports import Clock, HistoricalFeed, Journal, LiveFeed
from engine.runtime.binding import keep_models, load_plays
from engine.runtime.building import build_loop
from engine.runtime.clearance import clear_start
from engine.runtime.clock import SystemClock
from engine.runtime.factory import (
    Source,
    goes_on_after_end,
    is_real_money,
    open_source,
)
from engine.runtime.instance import open_instance
from engine.runtime.lastgood import load_start
from engine.runtime.loop import Loop
from engine.runtime.opening import open_trading, take_account
from engine.runtime.promotion import with_approved
from engine.runtime.pump import Pump
from engine.runtime.recovery import Recovered, Sources, recover
from engine.runtime.session import SessionConfig, encode_config, encode_state, session_name
from engine.runtime.stores import (
    Archive,
    Beyond,
    Checkpoints,
    DatabaseArchive,
    LatchFile,
    Past,
    Record,
    RecordFiles,
    Stores,
)
from engine.storage.checkpoints import CheckpointStore
from engine.storage.codec import SessionHeader
from engine.storage.journal import SqliteJournal
from engine.storage.latch import Latch
from engine.storage.modelstore import FOLDER
from engine.storage.sessions import Session

BYTES_PER_GB = 1_000_000_000
# Reductions are sent also while the disk fails. A crash then takes with it which ids they had: the next start
# keeps clear of them by far.
IDS_SKIPPED = 36**3
_COMPARE = (
    "No entry leaves in risk mode REDUCE: compare orders and positions with the venue, then set the mode to "
    "NORMAL with a reason."
)
LOST = {
    "the database was lost": f"so orders that it alone knew are, too. {_COMPARE}",
    "records and checkpoints were lost": f"so the books begin anew, and so does what stood open. {_COMPARE}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext:
    """The wiring of one engine."""

    settings: Settings
    directory: Path
    clock: Clock
    log: FilteringBoundLogger
    stores: Stores
    recorder: Record
    source: Source
    config: SessionConfig
    loop: Loop
    pump: Pump
    session: str
    started: int
    resumed: str
    notes: tuple[str, ...]
    standing: dict[TransitionKind, SaveTransition]  # what was last stored of phase, pause and risk mode
    beyond: Beyond  # what the journal knows and the recovered state does not
    lost: str = ""  # what of the last session is gone: its database, or all that its books are built from

    @property
    def journal(self) -> Journal:
        """What makes commands durable."""
        return self.stores.journal

    @property
    def archive(self) -> Archive:
        """What the database knows of sessions."""
        return self.stores.archive

    @property
    def checkpoints(self) -> Checkpoints:
        """The states that a restart goes on from."""
        return self.stores.checkpoints

    @property
    def latch(self) -> LatchFile:
        """The flatten latch."""
        return self.stores.latch

    @property
    def tape(self) -> HistoricalFeed | None:
        """The tape that is played, None on a live feed."""
        return self.source.tape

    @property
    def feed(self) -> LiveFeed | None:
        """The embedded market, None on a tape or a venue's stream."""
        return self.source.live


@asynccontextmanager
async def open_context(
    settings: Settings, *, headless: bool, only_reduces: bool = False
) -> AsyncIterator[EngineContext]:
    """Build an engine's wiring and take it down again in reverse order.

    What the user can mend is checked before anything is written; `only_reduces`: it is there for a flatten,
    which needs no clearance. Raises ConfigError, LockHeldError and StorageError.
    """
    clock = SystemClock()
    plays = await asyncio.to_thread(load_start, settings)
    shadows = await asyncio.to_thread(load_plays, settings.shadows)
    if is_real_money(settings):
        plays = await asyncio.to_thread(with_approved, plays, settings)
    credentials = await asyncio.to_thread(clear_start, settings, clock.now(), only_reduces=only_reduces)
    directory, home = instance_dir(settings), mode_dir(settings)
    async with AsyncExitStack() as stack:
        if not only_reduces:
            take_account(stack, settings, credentials, clock.now())
        source = await asyncio.to_thread(open_source, settings, plays, clock.now(), clock, shadows)
        source = await open_trading(stack, source, credentials, clock.now, clears=not only_reduces)
        currency = source.configure(birth_s=0).setup.currency  # told before anything is written
        account = currency if goes_on_after_end(settings) else None  # tapes of several may follow each other
        redactor = Redactor(credentials or ())
        log, database = await open_instance(stack, settings, account, redactor, headless=headless)
        models = await asyncio.to_thread(keep_models, (*plays, *shadows), home / FOLDER)
        source = msgspec.structs.replace(source, models=models)
        for note in source.notes:
            log.warning(note)
        stores = Stores(
            journal=SqliteJournal(database),
            archive=DatabaseArchive(database),
            records=RecordFiles(home / "records", round(settings.runtime.record_max_gb * BYTES_PER_GB)),
            checkpoints=CheckpointStore(home / "checkpoints"),
            latch=Latch(directory),
        )
        surroundings = Surroundings(settings=settings, directory=directory, clock=clock, log=log)
        yield await open_session(
            stack,
            surroundings,
            source,
            stores,
            build=source.build,
            rebuild=partial(build_loop, models=models),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a session is opened in: settings, place, clock and log."""

    settings: Settings
    directory: Path
    clock: Clock
    log: FilteringBoundLogger


async def open_session(
    stack: AsyncExitStack,
    around: Surroundings,
    source: Source,
    stores: Stores,
    *,
    build: Callable[[SessionConfig], Loop] = build_loop,
    rebuild: Callable[[SessionConfig], Loop] = build_loop,
) -> EngineContext:
    """Go on from the last session where that is possible, and begin a new one; the stack ends its record.

    `build` makes the session's loop, `rebuild` one that handles a record again. Raises StorageError.
    """
    now = around.clock.now()
    past = await stores.archive.past()
    started = max(now, past.started + NS_PER_MS)  # after every earlier session's, whatever the clock did
    sources = Sources(
        records=stores.records,
        checkpoints=stores.checkpoints,
        feed=source.tape,
        files=source.files,
        journal=stores.journal,
        build=build,
        rebuild=rebuild,
    )
    recovered = await _take_up(source, sources, past, now)
    lost = _lost(source, past, recovered)
    beyond = await _beyond(source, stores, recovered, lost=lost)
    notes = (*recovered.notes, *_go_on_in_time(source, around.clock, recovered.pump.now))
    if lost:
        notes = (*notes, f"{around.directory}: {lost}, {LOST[lost]}")
    session = session_name(started)
    recorder = await asyncio.to_thread(_begin_record, source, stores, recovered, started)
    stack.callback(recorder.close)
    mode, record = around.settings.mode.value, stores.records.place(session)
    await stores.archive.start_session(Session(id=session, started=started, mode=mode, record=record))
    around.log.info("session begins", session=session, resumed=recovered.resumed, version=__version__)
    return EngineContext(
        settings=around.settings,
        directory=around.directory,
        clock=around.clock,
        log=around.log,
        stores=stores,
        recorder=recorder,
        source=source,
        config=recovered.config,
        loop=recovered.loop,
        pump=recovered.pump,
        session=session,
        started=started,
        resumed=recovered.resumed,
        notes=notes,
        standing=past.standing,
        beyond=beyond,
        lost=lost,
    )


def _lost(source: Source, past: Past, recovered: Recovered) -> str:
    """Return what of the last session is gone, empty where nothing is; a tape begins anew each time.

    A start that could not go on from what is there says why in its notes.
    """
    if source.tape is not None:
        return ""
    database, books = LOST
    if recovered.resumed:
        return "" if past.started else database
    return books if past.started and not recovered.notes else ""


async def _beyond(source: Source, stores: Stores, recovered: Recovered, *, lost: str) -> Beyond:
    """Return what only the journal knows: nothing on a tape, which brings the same orders and ids again.

    A venue inside the loop went back with it: what the journal knows beyond that never was, but for its ids.
    """
    if source.tape is not None or not recovered.resumed:
        return Beyond()
    desk = recovered.loop.machine.desk
    book = desk.book
    known = [order.client_id for order in (*book.open_orders(), *book.ended_orders())]
    beyond = await stores.archive.beyond(desk.sequence, known)
    skipped = IDS_SKIPPED if recovered.broke_off or lost else 0
    sequence = max(beyond.sequence, desk.sequence) + skipped
    if recovered.loop.venue.state():
        return Beyond(sequence=sequence)
    fills = tuple(fill for fill in beyond.fills if _is_unbooked(fill, desk))
    traded = {fill.client_id for fill in fills}
    orders = tuple(o for o in beyond.orders if o.client_id in traded or _is_news(o, book.get(o.client_id)))
    return Beyond(orders, fills, sequence, beyond.signals)


def _is_unbooked(fill: Fill, desk: Desk) -> bool:
    if fill.trade_id == ADJUSTMENT:
        return sequence_of(fill.client_id) > desk.sequence
    return not desk.book.has_booked(fill)


def _is_news(stored: Order, known: Order | None) -> bool:
    return known is None or stored.state is not known.state


def _go_on_in_time(source: Source, clock: Clock, stood_at: int) -> Iterator[str]:
    """Let the clock go on from where the last session stood, so that timers need not wait for it; say so."""
    behind_s = (stood_at - clock.now()) // NS_PER_S
    if source.tape is not None or behind_s < 0:
        return
    clock.go_on_from(stood_at)
    if behind_s:
        yield (
            f"the system's clock is {behind_s} s behind the last session: time goes on from there. "
            "Set the clock right (timedatectl, ntp) before the next start."
        )


async def close_session(context: EngineContext, exit_code: int) -> None:
    """Store that the session ended in order: its record, its row and a last checkpoint."""
    pump = context.pump
    state = pump.state(context.session, context.config.shape, context.source.files, ended=True)
    context.recorder.end(pump.sequence, pump.fingerprint.hex(), exit_code)
    await asyncio.to_thread(context.recorder.flush, sync=True)
    await asyncio.to_thread(context.checkpoints.save, pump.sequence, context.clock.now(), encode_state(state))
    await context.archive.end_session(context.session, context.clock.now(), exit_code)


async def _take_up(source: Source, sources: Sources, past: Past, now: int) -> Recovered:
    """Go on from the last session where possible. Ids hold the birth: a fresh lineage repeats none."""
    config = source.configure(max(now // NS_PER_S, past.birth_s + 1))
    return await recover(config, sources, now, goes_on_after_end=goes_on_after_end(source.settings))


def _begin_record(source: Source, stores: Stores, recovered: Recovered, started: int) -> Record:
    settings, session = source.settings, session_name(started)
    pump = recovered.pump
    initial = pump.state(session, recovered.config.shape, source.files) if recovered.resumed else None
    header = SessionHeader(
        session=session,
        started=started,
        instance=settings.instance,
        birth=recovered.config.setup.birth_s,
        engine_version=__version__,
        config=encode_config(recovered.config),
        initial_state=encode_state(initial) if initial else None,
        files=source.files,
    )
    return stores.records.begin(header)
