"""Who the database belongs to, and the sessions that ran on it."""

import aiosqlite
import msgspec

from engine.domain.errors import StorageError
from engine.storage.database import Database


class Identity(msgspec.Struct, frozen=True):
    """The owner of a database: its birth (seconds since 1970 UTC) is part of every client order id."""

    birth_s: int
    instance: str
    account: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the engine. `ended` and `exit_code` are None while it runs, and after a crash."""

    id: str
    started: int
    mode: str
    record: str
    ended: int | None = None
    exit_code: int | None = None


async def claim(database: Database, now_s: int, instance: str, account: str | None) -> Identity:
    """Return the database's identity, writing it at the first start; an account of None fits any other.

    Raises StorageError where it belongs to another instance or account: orders of two accounts must not mix.
    """
    await database.write(
        [("INSERT OR IGNORE INTO meta VALUES (1, ?, ?, ?)", (now_s, instance, account or ""))],
    )
    async with database.reader() as reader:
        identity = await read_identity(reader)
    assert identity is not None, "it was just written"
    if identity.instance != instance or account not in {None, identity.account}:
        raise StorageError(
            f"{database.path}: this database belongs to instance {identity.instance!r} with account "
            f"{identity.account!r}, not to {instance!r} with {account!r}. "
            "Choose another --instance or --state-dir."
        )
    return identity


async def read_identity(reader: aiosqlite.Connection) -> Identity | None:
    """Return who the database belongs to, None before its first start."""
    rows = await reader.execute_fetchall("SELECT birth_s, instance, account FROM meta")
    return next((Identity(*row) for row in rows), None)


async def start_session(database: Database, session: Session) -> None:
    """Store that a session began."""
    await database.write(
        [
            (
                "INSERT INTO sessions (id, started, mode, record) VALUES (?, ?, ?, ?)",
                (session.id, session.started, session.mode, session.record),
            )
        ]
    )


async def end_session(database: Database, session_id: str, ended: int, exit_code: int) -> None:
    """Store how a session ended."""
    await database.write(
        [
            (
                "UPDATE sessions SET ended = ?, exit_code = ? WHERE id = ?",
                (ended, exit_code, session_id),
            )
        ]
    )


async def newest_sessions(reader: aiosqlite.Connection, limit: int) -> list[Session]:
    """Return the newest sessions, newest first."""
    rows = await reader.execute_fetchall(
        "SELECT id, started, mode, record, ended, exit_code FROM sessions ORDER BY rowid DESC LIMIT ?",
        (limit,),
    )
    return [
        Session(id=row[0], started=row[1], mode=row[2], record=row[3], ended=row[4], exit_code=row[5])
        for row in rows
    ]
