"""A model of the disk: what was written is not yet what is synced, and a crash decides what is left.

Three kinds of state: what a process still holds in memory dies with it; what was written survives the process
and not a power cut; what was synced survives both. The stores on it are those that an engine sees
(`engine.runtime.stores`), and a conformance suite holds them against the real ones.
"""

import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from typing import NamedTuple

import msgspec

from engine.domain.commands import (
    CancelOrder,
    Command,
    SaveFill,
    SaveOrder,
    SaveSignal,
    SaveTransition,
    SaveVeto,
    SubmitOrder,
    TransitionKind,
)
from engine.domain.errors import CheckpointError, StorageError
from engine.domain.events import Event
from engine.domain.ids import birth_of, sequence_of
from engine.domain.intents import Intent, IntentAction, IntentState
from engine.domain.market import NS_PER_S
from engine.domain.orders import Order
from engine.domain.positions import Fill, Position
from engine.domain.vetoes import Veto
from engine.execution.desk import ADJUSTMENT
from engine.runtime.stores import Beyond, Past, Stores
from engine.storage.checkpoints import KEPT, STALE_AFTER_S, Checkpoint, Found
from engine.storage.codec import Consumed, Effects, End, Entry, Gap, SessionHeader, Tape
from engine.storage.sessions import Session

FULL = "the disk is full"
STORED = frozenset({SubmitOrder, CancelOrder, SaveOrder, SaveFill, SaveSignal, SaveVeto, SaveTransition})


class Rows:
    """What the database holds: the tables as Python sees them, in the order of their rows."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.intents: dict[tuple[str, IntentAction], Intent] = {}
        self.fills: dict[tuple[str, str, str], Fill] = {}
        self.positions: dict[tuple[str, str], Position] = {}
        self.signals: dict[tuple[str, str, str, str], SaveSignal] = {}
        self.vetoes: dict[tuple[str, int, str, str], Veto] = {}
        self.transitions: dict[tuple[str, int, str, str], SaveTransition] = {}
        self.sessions: dict[str, Session] = {}

    def take(self, item: "Command | Session") -> None:
        """Store one command or session as the database does."""
        match item:
            case SubmitOrder(request):
                self._intend(Order(request=request, updated=request.ts), IntentState.PENDING, settle=False)
            case CancelOrder():
                self._cancel(item)
            case SaveOrder(order, intent):
                self._intend(order, intent, settle=True)
                self._settle_cancel(order)
            case SaveFill(fill, position):
                key = (fill.symbol, fill.trade_id, fill.client_id)
                if key not in self.fills:
                    self.fills[key] = fill
                    self.positions[position.play, position.symbol] = position
            case SaveSignal(signal, _, veto):
                if veto is not None:
                    self.take(SaveVeto(veto))
                key4 = (signal.cycle_id, signal.symbol, signal.side, signal.kind)
                self.signals.pop(key4, None)
                self.signals[key4] = item
            case SaveVeto(veto):
                veto_key = (veto.cycle_id, veto.ts, veto.symbol, veto.reason)
                self.vetoes.pop(veto_key, None)
                self.vetoes[veto_key] = veto
            case SaveTransition():
                transition_key = (item.kind, item.ts, item.before, item.after)
                self.transitions.pop(transition_key, None)
                self.transitions[transition_key] = item
            case Session():
                self.sessions[item.id] = item
            case _:
                raise AssertionError(f"{type(item)} is not stored")

    def _intend(self, order: Order, state: IntentState, *, settle: bool) -> None:
        request = order.request
        key = (request.client_id, IntentAction.SUBMIT)
        known = self.intents.get(key)
        if known is None:
            self.intents[key] = Intent(
                client_id=request.client_id,
                action=IntentAction.SUBMIT,
                cycle_id=request.cycle_id,
                symbol=request.symbol,
                ts=request.ts,
                qty=request.qty,
                state=state,
            )
        elif settle:
            self.intents[key] = msgspec.structs.replace(known, state=state)
        if settle:
            self.orders[request.client_id] = order
        else:
            self.orders.setdefault(request.client_id, order)

    def _cancel(self, command: CancelOrder) -> None:
        key = (command.client_id, IntentAction.CANCEL)
        order, known = self.orders.get(command.client_id), self.intents.get(key)
        ts = order.updated if order else 0
        if known is None:
            self.intents[key] = Intent(
                client_id=command.client_id,
                action=IntentAction.CANCEL,
                cycle_id=order.request.cycle_id if order else "",
                symbol=command.symbol,
                ts=ts,
                qty=order.request.qty * 0 if order else 0,  # type: ignore[arg-type]  # zero as it is written
            )
        elif known.state is IntentState.FAILED:
            self.intents[key] = msgspec.structs.replace(known, state=IntentState.PENDING, ts=ts)

    def _settle_cancel(self, order: Order) -> None:
        key = (order.client_id, IntentAction.CANCEL)
        known = self.intents.get(key)
        if known is None or known.state not in (IntentState.PENDING, IntentState.UNKNOWN):
            return
        if not order.state.is_open:
            self.intents[key] = msgspec.structs.replace(known, state=IntentState.COMMITTED)
        elif not order.cancel_requested:
            self.intents[key] = msgspec.structs.replace(known, state=IntentState.FAILED)

    def standing(self) -> dict[TransitionKind, SaveTransition]:
        """Return the last change of each kind."""
        return {saved.kind: saved for saved in self.transitions.values()}

    def highest_sequence(self) -> int:
        """Return the highest sequence that any submit's client id holds."""
        ids = (client_id for client_id, action in self.intents if action is IntentAction.SUBMIT)
        return max(map(sequence_of, ids), default=0)


class _Recorded:
    """One session's record on the disk; the first `synced` entries survive a power cut."""

    def __init__(self, header: SessionHeader) -> None:
        self.header = header
        self.entries: list[Entry] = []
        self.synced = 0


class _Batch(NamedTuple):
    items: "tuple[Command | Session, ...]"


class Life:
    """One process on the disk: what it writes after its death reaches nothing."""

    def __init__(self) -> None:
        self.alive = True


class Disk:
    """The disk itself: it outlives every process. `full` makes it refuse to write."""

    database_type: "type[ModelDatabase]"  # set below: it knows the disk

    def __init__(self, *, tick: Callable[[str], None] = lambda _: None) -> None:
        """`tick` is called between any two steps of a write; a crash may happen there."""
        self.full = False
        self.tick = tick
        self.rows = Rows()  # synced
        self.written: list[_Batch] = []  # by the database, and not synced
        self.records: dict[str, _Recorded] = {}
        self.checkpoints: list[Checkpoint] = []
        self.unsynced_checkpoints = 0  # of the newest: renamed, and the directory not synced
        self.latch: str | None = None
        self.latch_before: str | None = None  # what a power cut would leave of the latch
        self.client_ids: set[str] = set()  # whose intents are synced

    def sync_rows(self) -> None:
        """Let what the database wrote survive a power cut."""
        for batch in self.written:
            for item in batch.items:
                self.rows.take(item)
                if type(item) is SubmitOrder:
                    self.client_ids.add(item.request.client_id)
        self.written.clear()

    def lose(self, chance: random.Random, *, power_cut: bool) -> None:
        """Let a crash happen: the process is gone, and with a power cut some of what was never synced.

        What was written and survives may be lost by a later power cut no more: the next start reads it all,
        and a database that is opened brings its log to the disk.
        """
        if power_cut:
            del self.written[chance.randint(0, len(self.written)) :]
            for record in self.records.values():
                del record.entries[chance.randint(record.synced, len(record.entries)) :]
            if self.unsynced_checkpoints and chance.random() < 0.5:
                del self.checkpoints[-self.unsynced_checkpoints :]
            if chance.random() < 0.5:
                self.latch = self.latch_before
        self.sync_rows()
        for record in self.records.values():
            record.synced = len(record.entries)
        self.unsynced_checkpoints = 0
        self.latch_before = self.latch

    def require_room(self, what: str) -> None:
        """Raise StorageError where the disk is full."""
        if self.full:
            raise StorageError(f"could not write {what}: {FULL}")

    def stores(self, life: Life, hop: Callable[[], Awaitable[None]]) -> Stores:
        """Return the stores as one process sees them; `hop` is the way to the database's thread."""
        database = self.database_type(self, life, hop)
        return Stores(
            journal=database,
            archive=database,
            records=ModelRecords(self, life),
            checkpoints=ModelCheckpoints(self, life),
            latch=ModelLatch(self, life),
        )


class ModelDatabase:
    """Journal and archive: a transaction is written, then synced, and only then does commit return."""

    def __init__(self, disk: Disk, life: Life, hop: Callable[[], Awaitable[None]]) -> None:
        self.disk, self._life, self._hop = disk, life, hop

    async def commit(self, commands: Iterable[Command]) -> None:
        """Make a batch durable."""
        items = tuple(command for command in commands if type(command) in STORED)
        if items:
            await self._write(items)

    async def past(self) -> Past:
        """Return what is known of earlier sessions."""
        await self._hop()
        rows = self.disk.rows
        newest = next(reversed(rows.orders), "")
        started = max((session.started for session in rows.sessions.values()), default=0)
        return Past(started, birth_of(newest), rows.standing())

    async def beyond(self, sequence: int, known: Collection[str]) -> Beyond:
        """Return the orders with a later sequence and the known ones, with their trades."""
        await self._hop()
        rows = self.disk.rows
        later = [order for order in rows.orders.values() if sequence_of(order.client_id) > sequence]
        asked = [rows.orders[client_id] for client_id in sorted(known) if client_id in rows.orders]
        found = {order.client_id: order for order in (*later, *asked)}
        fills = tuple(f for f in rows.fills.values() if f.client_id in found or f.trade_id == ADJUSTMENT)
        new = {order.client_id for order in later}
        signals = [saved.signal for saved in rows.signals.values() if saved.client_id in new]
        signals.sort(key=lambda signal: (signal.ts, signal.play, signal.symbol))
        return Beyond(tuple(found.values()), fills, rows.highest_sequence(), tuple(signals))

    async def start_session(self, session: Session) -> None:
        """Store that a session began."""
        await self._write((session,))

    async def end_session(self, session: str, ended: int, exit_code: int) -> None:
        """Store how a session ended."""
        known = self.disk.rows.sessions[session]
        await self._write((msgspec.structs.replace(known, ended=ended, exit_code=exit_code),))

    async def _write(self, items: "tuple[Command | Session, ...]") -> None:
        await self._hop()
        self.disk.tick("transaction")
        self.disk.require_room("the transaction")
        self.write(items)
        await self._hop()
        self.disk.tick("sync of a transaction")
        self.sync()
        await self._hop()

    def write(self, items: "tuple[Command | Session, ...]") -> None:
        """Write a transaction whole; it is not synced."""
        if self._life.alive:
            self.disk.written.append(_Batch(items))

    def sync(self) -> None:
        """Sync what was written."""
        if self._life.alive:
            self.disk.sync_rows()


Disk.database_type = ModelDatabase


class ModelLatch:
    """The flatten latch."""

    def __init__(self, disk: Disk, life: Life) -> None:
        self._disk, self._life = disk, life

    def engage(self, text: str) -> None:
        """Set the latch; it holds from the moment it exists, whatever becomes of its text."""
        self._disk.tick("latch")
        if not self._life.alive:
            return
        self._disk.latch = "" if self._disk.full else text
        self._disk.require_room("the latch's text (it is set)")
        self._disk.tick("sync of the latch")
        if self._life.alive:
            self._disk.latch_before = self._disk.latch

    def engaged(self) -> bool:
        """Tell whether the latch is set."""
        return self._disk.latch is not None

    def text(self) -> str:
        """Return who set the latch."""
        return self._disk.latch or ""

    def release(self) -> None:
        """Remove the latch: a full disk is no obstacle."""
        self._disk.tick("latch")
        if self._life.alive:
            self._disk.latch = None
        self._disk.tick("sync of the latch")
        if self._life.alive:
            self._disk.latch_before = None


class ModelCheckpoints:
    """The newest checkpoints, each whole or not at all."""

    def __init__(self, disk: Disk, life: Life) -> None:
        self._disk, self._life = disk, life

    def save(self, sequence: int, now: int, payload: bytes) -> None:
        """Write beside, sync, rename, sync the directory."""
        disk = self._disk
        disk.tick("checkpoint")
        if disk.full:
            raise CheckpointError(f"could not write a checkpoint: {FULL}")
        disk.tick("sync of a checkpoint")
        if not self._life.alive:
            return
        disk.checkpoints.append(Checkpoint(sequence, now, payload))
        disk.unsynced_checkpoints = 1
        disk.tick("sync of the checkpoints' directory")
        if self._life.alive:
            disk.unsynced_checkpoints = 0
            del disk.checkpoints[:-KEPT]

    def load_newest(self, now: int) -> Found:
        """Return the newest checkpoint."""
        if not self._disk.checkpoints:
            return Found(None, ())
        newest = self._disk.checkpoints[-1]
        age_s = (now - newest.created) // NS_PER_S
        warnings = (f"the newest checkpoint is {age_s // 60} minutes old",) if age_s > STALE_AFTER_S else ()
        return Found(msgspec.structs.replace(newest, stale=bool(warnings)), warnings)


class ModelRecords:
    """The sessions' records."""

    def __init__(self, disk: Disk, life: Life) -> None:
        self._disk, self._life = disk, life

    def newest(self) -> str:
        """Return the newest session's name."""
        return max(self._disk.records, default="")

    def open(self, session: str) -> "ModelReader":
        """Read a record."""
        found = self._disk.records.get(session)
        if found is None:
            raise StorageError(f"{session}: there is no session record here")
        return ModelReader(found)

    def place(self, session: str) -> str:
        """Name the record."""
        return session

    def begin(self, header: SessionHeader) -> "ModelRecord":
        """Begin a record, its header durably."""
        self._disk.tick("record")
        self._disk.require_room("the record's header")
        record = _Recorded(header)
        if self._life.alive:
            self._disk.records[header.session] = record
        return ModelRecord(self._disk, self._life, record)


class ModelReader:
    """A record as it lies on the disk."""

    torn = ""

    def __init__(self, record: _Recorded) -> None:
        self._record = record

    @property
    def header(self) -> SessionHeader:
        """What the session began with."""
        return self._record.header

    def entries(self, from_sequence: int = 0) -> Iterator[Entry]:
        """Yield the entries of a sequence and later."""
        for entry in self._record.entries:
            if not isinstance(entry, SessionHeader) and entry.sequence >= from_sequence:
                yield entry


class ModelRecord:
    """A record that grows: entries wait in memory until they are flushed."""

    def __init__(self, disk: Disk, life: Life, record: _Recorded) -> None:
        self._disk, self._life, self._record = disk, life, record
        self._waiting: list[Entry] = []
        self._gap: Gap | None = None
        self.stopped = ""

    @property
    def size_bytes(self) -> int:
        """Return how many entries there are."""
        return len(self._record.entries)

    def consumed(self, sequence: int, now: int, event: Event) -> None:
        """Take an event."""
        self._add(Consumed(sequence, now, event))

    def tape(self, sequence: int, offset: int) -> None:
        """Take how far the tape came."""
        self._add(Tape(sequence, offset))

    def effects(self, sequence: int, digest: bytes) -> None:
        """Take a digest."""
        self._add(Effects(sequence, digest))

    def end(self, sequence: int, fingerprint: str, exit_code: int) -> None:
        """Take the end."""
        self._add(End(sequence, fingerprint, exit_code))

    def flush(self, *, sync: bool = False) -> None:
        """Write what waits, or stop where the disk is full."""
        self._disk.tick("record")
        waiting, self._waiting = self._waiting, []
        if waiting and not self.stopped and self._life.alive:
            self._write(waiting)
        if sync and not self.stopped:
            self._disk.tick("sync of the record")
            if self._life.alive:
                self._record.synced = len(self._record.entries)

    def _write(self, waiting: list[Entry]) -> None:
        if not self._disk.full:
            self._record.entries += waiting
            return
        first = waiting[0]
        self.stopped = FULL
        self._gap = Gap(0 if isinstance(first, SessionHeader) else first.sequence, FULL)

    def prune(self, before_sequence: int) -> int:
        """Go on after a gap where there is room again."""
        if self.stopped and not self._disk.full:
            self._waiting.clear()
            if self._gap is not None and self._life.alive:
                self._record.entries.append(self._gap)
            self._gap, self.stopped = None, ""
        return 0

    def close(self) -> None:
        """Write and sync what waits."""
        self.flush(sync=True)

    def _add(self, entry: Entry) -> None:
        if not self.stopped:
            self._waiting.append(entry)
