"""Signals of shadow twins and stages of plays: how they lie in rows, and how they are read back."""

# ruff: noqa: S608 - statements are put together from our own column lists; values are always parameters

from decimal import Decimal
from typing import Any

import aiosqlite
import msgspec

from engine.domain.money import canonical
from engine.domain.shadow import Role, ShadowSignal, Stage
from engine.domain.signals import Side, SignalKind
from engine.storage.database import Database
from engine.storage.rows import Row

SHADOW_COLUMNS = (
    "ts, label, play, hash, symbol, side, kind, price, strength, reason, resolved, exit_price, "
    "return_percent, mae_percent, mfe_percent, pnl"
)
STAGE_COLUMNS = "hash, role, began, play, mode, until, bars, signals, trades, pnl"


def _upsert(table: str, columns: str, key: str) -> str:
    names = columns.split(", ")
    marks = ", ".join("?" for _ in names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key.split(", "))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {changes}"


# What is handled again after a crash was open then: it must not open again what is known to have ended.
UPSERT_SHADOW = (
    _upsert("shadow_signals", SHADOW_COLUMNS, "hash, label, ts, symbol, side, kind")
    + " WHERE excluded.resolved > 0 OR shadow_signals.resolved = 0"
)
UPSERT_STAGE = _upsert("stages", STAGE_COLUMNS, "hash, role, began") + " WHERE excluded.until >= stages.until"
_NEWEST = f"SELECT {SHADOW_COLUMNS} FROM shadow_signals ORDER BY ts DESC, id DESC LIMIT ?"
_STAGES = f"SELECT {STAGE_COLUMNS} FROM stages ORDER BY began, hash, role"
_PRUNE = "DELETE FROM shadow_signals WHERE ts < ?"


def shadow_to_row(signal: ShadowSignal) -> tuple[Any, ...]:
    """Lay out a twin's signal in SHADOW_COLUMNS."""
    *most, pnl = msgspec.structs.astuple(signal)
    ts, label, play, hash_, symbol, side, kind, *rest = most
    return ts, label, play, hash_, symbol, side.value, kind.value, *rest, pnl and canonical(pnl)


def row_to_shadow(row: Row) -> ShadowSignal:
    """Read a twin's signal laid out in SHADOW_COLUMNS."""
    facts = dict(zip(SHADOW_COLUMNS.split(", "), row, strict=True))
    facts["side"], facts["kind"] = Side(facts["side"]), SignalKind(facts["kind"])
    facts["pnl"] = None if facts["pnl"] is None else Decimal(facts["pnl"])
    return ShadowSignal(**facts)


def stage_to_row(stage: Stage) -> tuple[Any, ...]:
    """Lay out a stage in STAGE_COLUMNS."""
    counts = (stage.until, stage.bars, stage.signals, stage.trades)
    return (stage.hash, stage.role.value, stage.began, stage.play, stage.mode, *counts, canonical(stage.pnl))


def row_to_stage(row: Row) -> Stage:
    """Read a stage laid out in STAGE_COLUMNS."""
    facts = dict(zip(STAGE_COLUMNS.split(", "), row, strict=True))
    facts["role"], facts["pnl"] = Role(facts["role"]), Decimal(facts["pnl"])
    return Stage(**facts)


class ShadowRepository:
    """What twins signalled, newest first, and for how long versions have run."""

    def __init__(self, reader: aiosqlite.Connection) -> None:
        self._reader = reader

    async def _has(self, table: str) -> bool:
        """Tell whether the database has a table: one that an earlier release left has none of these."""
        rows = await self._reader.execute_fetchall("SELECT 1 FROM sqlite_master WHERE name = ?", (table,))
        return bool(list(rows))

    async def newest(self, limit: int) -> list[ShadowSignal]:
        """Return the newest signals of twins."""
        if not await self._has("shadow_signals"):
            return []
        return [row_to_shadow(row) for row in await self._reader.execute_fetchall(_NEWEST, (limit,))]

    async def stages(self) -> list[Stage]:
        """Return all stages, oldest first."""
        if not await self._has("stages"):
            return []
        return [row_to_stage(row) for row in await self._reader.execute_fetchall(_STAGES)]


async def prune_shadows(database: Database, before: int) -> None:
    """Forget the signals of twins before a time (ns UTC). Raises StorageError."""
    await database.write([(_PRUNE, (before,))])
