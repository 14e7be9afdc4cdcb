"""The engine's SQLite file: one writer, readers on connections of their own that never block it."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite

from engine.domain.errors import StorageError
from engine.storage.atomic import make_directory
from engine.storage.failures import database_failure, os_failure
from engine.storage.schema import APPLICATION_ID, MIGRATIONS, Migration
from engine.storage.transaction import Batch, BatchConnection, Statement

BUSY_TIMEOUT_S = 2.0  # nothing but a person's database browser can hold the file: better fail than stall
CHECKED_BYTES_MAX = 64 * 1024 * 1024  # a full check of more would delay the start by seconds


class Synchronous(StrEnum):
    """When a commit returns (SQLite's PRAGMA synchronous)."""

    FULL = "full"  # on the disk: survives a power cut
    NORMAL = "normal"  # with the kernel: survives a kill -9; a power cut may take the last commits
    OFF = "off"  # the same, and a power cut may damage the file: for replays only


class Database:
    """An open database. `Database.open` is the way in; `close` the only way out."""

    def __init__(self, path: Path, connection: aiosqlite.Connection, waiting: deque[Batch]) -> None:
        self.path = path
        self._writer = connection
        self._waiting = waiting
        self._open = True

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        synchronous: str = Synchronous.FULL,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> "Database":
        """Open or create the database and bring its schema up to date.

        Raises StorageError for a file that cannot be used: it is never replaced, for it holds orders.
        """
        try:
            make_directory(path.parent)
        except OSError as error:
            raise os_failure(path.parent, "create the directory", error) from error
        waiting: deque[Batch] = deque()
        connection = await _connect(
            path, _address(path, "rwc"), busy_timeout_s, factory=partial(BatchConnection, waiting)
        )
        database = cls(path, connection, waiting)
        try:
            await database._prepare(Synchronous(synchronous), migrations)
        except (sqlite3.Error, OSError) as error:
            await database.close()
            raise database_failure(path, "open the database", error) from error
        except BaseException:
            await database.close()
            raise
        return database

    async def write(self, statements: Sequence[Statement]) -> None:
        """Make the statements durable in one transaction, joined with whatever else waits.

        Returns only when they are. Raises StorageError when they are not; nothing of them is stored then.
        A caller that is canceled while it waits may or may not have been written.
        """
        if not self._open:
            raise StorageError(f"{self.path}: the database is closed; nothing was stored.")
        batch = Batch(statements)
        self._waiting.append(batch)
        await self._writer.commit()
        if batch.error is not None:
            raise database_failure(self.path, "store", batch.error) from batch.error
        if not batch.done:
            raise StorageError(f"{self.path}: the batch was lost with a failure before it; see the log.")

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[aiosqlite.Connection]:
        """Open a read-only connection; its own thread, never in the writer's way."""
        async with open_reader(self.path) as connection:
            yield connection

    async def close(self) -> None:
        """Write what waits and close; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        try:
            await self._writer.close()
        except sqlite3.Error as error:
            raise database_failure(self.path, "close the database", error) from error

    async def _prepare(self, synchronous: Synchronous, migrations: Sequence[Migration]) -> None:
        await self._check_owner()
        mode = await _scalar(self._writer, "PRAGMA journal_mode = WAL")
        if mode != "wal":
            raise StorageError(
                f"{self.path}: this file system cannot hold the database (no write-ahead log: {mode}). "
                "Choose a --state-dir on a local disk."
            )
        await self._writer.execute(f"PRAGMA synchronous = {synchronous}")
        await self._writer.execute("PRAGMA fullfsync = ON")  # macOS: a plain fsync stops at the drive's cache
        await self._writer.execute("PRAGMA foreign_keys = ON")
        await self._writer.execute(f"PRAGMA journal_size_limit = {CHECKED_BYTES_MAX}")
        await self._check_pages()
        await self._migrate(migrations)

    async def _check_owner(self) -> None:
        """Refuse a database that another program made."""
        application_id = await _scalar(self._writer, "PRAGMA application_id")
        tables = await _scalar(self._writer, "SELECT count(*) FROM sqlite_master")
        if application_id != APPLICATION_ID and tables:
            raise StorageError(
                f"{self.path}: this is the database of another program. Choose another --state-dir."
            )

    async def _check_pages(self) -> None:
        """Find damage at the start, not at the first order; skipped for very large files."""
        size = await asyncio.to_thread(lambda: self.path.stat().st_size)
        if size > CHECKED_BYTES_MAX:
            return
        found = await _scalar(self._writer, "PRAGMA quick_check(1)")
        if found != "ok":
            damage = sqlite3.DatabaseError(str(found))
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage

    async def _migrate(self, migrations: Sequence[Migration]) -> None:
        """Apply the migrations that are missing, each in a transaction of its own."""
        version = await _scalar(self._writer, "PRAGMA user_version")
        assert isinstance(version, int)
        if not 0 <= version <= len(migrations):
            raise StorageError(
                f"{self.path}: the database has schema version {version}; this program knows "
                f"{len(migrations)} at most. Start the newer trader-tui that wrote it, or choose another "
                "--state-dir."
            )
        for number, migration in enumerate(migrations[version:], start=version + 1):
            statements = (*migration.statements, f"PRAGMA user_version = {number}")
            if number == 1:
                statements = (f"PRAGMA application_id = {APPLICATION_ID}", *statements)
            await self.write([(statement, ()) for statement in statements])
        # A write that changes nothing proves that the disk takes writes before the first order needs one.
        await self.write([(f"PRAGMA user_version = {len(migrations)}", ())])


@asynccontextmanager
async def open_reader(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """Open a database read-only, also one whose engine is gone. Raises StorageError."""
    connection = await _connect(path, _address(path, "ro"), BUSY_TIMEOUT_S)
    try:
        yield connection
    except sqlite3.Error as error:
        raise database_failure(path, "read", error) from error
    finally:
        await connection.close()


async def _scalar(connection: aiosqlite.Connection, sql: str) -> int | str | None:
    """Return the first column of the first row."""
    async with connection.execute(sql) as cursor:
        row = await cursor.fetchone()
    return None if row is None else row[0]


def _address(path: Path, mode: str) -> str:
    """Return a path as SQLite's URI; unlike a plain path it can ask for read-only."""
    return f"file:{quote(str(path))}?mode={mode}"


async def _connect(path: Path, address: str, timeout_s: float, **options: Any) -> aiosqlite.Connection:
    """Open a connection. Raises StorageError.

    A file that cannot be opened is found out first: aiosqlite, failing itself, leaves a thread behind that
    ends with a traceback when the event loop closes before it.
    """
    try:
        await asyncio.to_thread(lambda: sqlite3.connect(address, uri=True).close())
        return await aiosqlite.connect(address, uri=True, timeout=timeout_s, isolation_level=None, **options)
    except sqlite3.Error as error:
        raise database_failure(path, "open the database", error) from error
