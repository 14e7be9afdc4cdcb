"""What an engine keeps on disk, as the runtime sees it: one Protocol for each store, and the files."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from engine.domain.commands import SaveTransition, TransitionKind
from engine.domain.ids import birth_of
from engine.domain.orders import Order
from engine.domain.positions import Fill
from engine.domain.signals import Signal
from engine.execution.desk import ADJUSTMENT
from engine.ports import Journal, Recorder
from engine.storage.checkpoints import Found
from engine.storage.codec import Entry, SessionHeader
from engine.storage.database import Database
from engine.storage.decisions import DecisionRepository
from engine.storage.ledger import LedgerRepository
from engine.storage.orders import OrderRepository
from engine.storage.record_reader import RecordReader
from engine.storage.record_writer import RecordWriter
from engine.storage.records import room_for_session, session_directories
from engine.storage.sessions import Session, end_session, newest_sessions, start_session


class Record(Recorder, Protocol):
    """The record of a session that runs. Only `flush`, `prune` and `close` touch the disk, and block."""

    @property
    def stopped(self) -> str:
        """Why nothing is recorded, empty while all is well."""
        ...

    @property
    def size_bytes(self) -> int:
        """What the record takes on disk."""
        ...

    def end(self, sequence: int, fingerprint: str, exit_code: int) -> None:
        """Record that the session ended in order, and how."""
        ...

    def flush(self, *, sync: bool = False) -> None:
        """Write what waits; with `sync` it then survives a power cut too. Never raises for a failing disk."""
        ...

    def prune(self, before_sequence: int) -> int:
        """Let go what lies before a durable checkpoint where room is needed; return the bytes freed."""
        ...

    def close(self) -> None:
        """Write and sync what waits, and let go of the files."""
        ...


class PastRecord(Protocol):
    """The record of a session that ended or broke off."""

    @property
    def header(self) -> SessionHeader:
        """What the session began with."""
        ...

    @property
    def torn(self) -> str:
        """What a crash left unfinished at the end, known once the entries were read."""
        ...

    def entries(self, from_sequence: int = 0) -> Iterator[Entry]:
        """Yield the entries of a sequence and later, in order. Raises StorageError where they are damaged."""
        ...


class Records(Protocol):
    """The records of all sessions of an instance and mode."""

    def newest(self) -> str:
        """Return the name of the newest session, empty without one."""
        ...

    def open(self, session: str) -> PastRecord:
        """Read a session's record. Raises StorageError."""
        ...

    def place(self, session: str) -> str:
        """Say where a session's record lies."""
        ...

    def begin(self, header: SessionHeader) -> Record:
        """Begin the record of a new session, its header durably. Raises StorageError."""
        ...


class Checkpoints(Protocol):
    """Checkpoints of the core's state, each whole or not at all."""

    def save(self, sequence: int, now: int, payload: bytes) -> object:
        """Store a checkpoint durably. Raises CheckpointError; the older ones stay then."""
        ...

    def load_newest(self, now: int) -> Found:
        """Return the newest checkpoint that is whole; damaged ones are set aside and never fatal."""
        ...


class LatchFile(Protocol):
    """The flatten latch of a state directory, which every process there respects."""

    def engage(self, text: str) -> None:
        """Set the latch durably. Raises StorageError."""
        ...

    def engaged(self) -> bool:
        """Tell whether the latch is set; it counts as set where the disk gives no clear answer."""
        ...

    def text(self) -> str:
        """Return who set the latch and why."""
        ...

    def release(self) -> None:
        """Remove the latch. Raises StorageError."""
        ...


class Past(msgspec.Struct, frozen=True):
    """What the database knows of earlier sessions: newest start (ns) and birth (s), 0 for none.

    `standing` is what was last stored of phase, pause and risk mode.
    """

    started: int = 0
    birth_s: int = 0
    standing: dict[TransitionKind, SaveTransition] = {}


class Beyond(msgspec.Struct, frozen=True):
    """What the journal holds beyond a recovered state: orders, oldest first, and their trades.

    `sequence` is the highest that any id holds, `signals` what the later orders came from.
    """

    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    sequence: int = 0
    signals: tuple[Signal, ...] = ()


class Archive(Protocol):
    """What a start reads from the database, and what it stores of the session itself."""

    async def past(self) -> Past:
        """Return what is known of earlier sessions. Raises StorageError."""
        ...

    async def beyond(self, sequence: int, known: Collection[str]) -> Beyond:
        """Return what the journal holds beyond a state: that knew ids up to a sequence, and some open orders.

        Raises StorageError.
        """
        ...

    async def start_session(self, session: Session) -> None:
        """Store that a session began. Raises StorageError."""
        ...

    async def end_session(self, session: str, ended: int, exit_code: int) -> None:
        """Store how a session ended. Raises StorageError."""
        ...


class Stores(msgspec.Struct, frozen=True, kw_only=True):
    """All that an engine keeps on disk."""

    journal: Journal
    archive: Archive
    records: Records
    checkpoints: Checkpoints
    latch: LatchFile


class DatabaseArchive:
    """The Archive on a Database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def past(self) -> Past:
        """Return what is known of earlier sessions."""
        async with self.database.reader() as reader:
            orders = OrderRepository(reader)
            sessions, newest = await newest_sessions(reader, 1), await orders.newest(1)
            return Past(
                started=sessions[0].started if sessions else 0,
                birth_s=birth_of(newest[0].client_id) if newest else 0,
                standing=await DecisionRepository(reader).last_transitions(),
            )

    async def beyond(self, sequence: int, known: Collection[str]) -> Beyond:
        """Return the orders with a later sequence and the known ones, with their trades."""
        async with self.database.reader() as reader:
            repository = OrderRepository(reader)
            later = await repository.orders_after(sequence)
            found = {order.client_id: order for order in (*later, *await repository.orders(known))}
            fills = await LedgerRepository(reader).fills_beyond(found, ADJUSTMENT)
            signals = await DecisionRepository(reader).signals_of([order.client_id for order in later])
            highest = await repository.highest_sequence()
        return Beyond(tuple(found.values()), tuple(fills), highest, tuple(signals))

    async def start_session(self, session: Session) -> None:
        """Store that a session began."""
        await start_session(self.database, session)

    async def end_session(self, session: str, ended: int, exit_code: int) -> None:
        """Store how a session ended."""
        await end_session(self.database, session, ended, exit_code)


class RecordFiles:
    """The Records in a directory; together they take `bytes_max` at most."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._directory, self._bytes_max = directory, bytes_max

    def newest(self) -> str:
        """Return the name of the newest session, empty without one."""
        sessions = session_directories(self._directory)
        return sessions[-1].name if sessions else ""

    def open(self, session: str) -> RecordReader:
        """Read a session's record."""
        return RecordReader(self._directory / session)

    def place(self, session: str) -> str:
        """Return a session's directory."""
        return str(self._directory / session)

    def begin(self, header: SessionHeader) -> RecordWriter:
        """Begin the record of a new session, as large as the others leave room for."""
        bytes_max = room_for_session(self._directory, self._bytes_max)
        return RecordWriter(self._directory / header.session, header, bytes_max=bytes_max)
