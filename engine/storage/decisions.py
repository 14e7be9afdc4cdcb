"""Reading back why things were done or not: signals, vetoes and the history of modes."""

# ruff: noqa: S608 - statements are put together from our own column lists; values are always parameters

from collections.abc import Collection

import aiosqlite

from engine.domain.commands import SaveSignal, SaveTransition, TransitionKind
from engine.domain.signals import Signal
from engine.domain.vetoes import Veto
from engine.storage.orders import marks, parts
from engine.storage.rows import (
    SIGNAL_COLUMNS,
    TRANSITION_COLUMNS,
    VETO_COLUMNS,
    row_to_signal,
    row_to_transition,
    row_to_veto,
)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{name}" for name in columns.split(", "))


_SIGNALS = f"""SELECT {_of("signals", SIGNAL_COLUMNS)}, {_of("vetoes", VETO_COLUMNS)}
    FROM signals LEFT JOIN vetoes ON vetoes.id = signals.veto_id"""
_NEWEST_SIGNALS = f"{_SIGNALS} ORDER BY signals.id DESC LIMIT ?"
_VETOES = f"SELECT {VETO_COLUMNS} FROM vetoes ORDER BY id DESC LIMIT ?"
_TRANSITIONS = f"SELECT {TRANSITION_COLUMNS} FROM transitions"


class DecisionRepository:
    """What was decided, newest first."""

    def __init__(self, reader: aiosqlite.Connection) -> None:
        self._reader = reader

    async def newest_signals(self, limit: int) -> list[SaveSignal]:
        """Return the newest signals with their order's client id or their veto."""
        return [row_to_signal(row) for row in await self._reader.execute_fetchall(_NEWEST_SIGNALS, (limit,))]

    async def signals_of(self, client_ids: Collection[str]) -> list[Signal]:
        """Return the signals that some orders came from, by close time."""
        found: list[Signal] = []
        for part in parts(client_ids):
            sql = f"{_SIGNALS} WHERE signals.client_id IN ({marks(part)})"
            found += [row_to_signal(row).signal for row in await self._reader.execute_fetchall(sql, part)]
        return sorted(found, key=lambda signal: (signal.ts, signal.play, signal.symbol))

    async def newest_vetoes(self, limit: int) -> list[Veto]:
        """Return the newest vetoes, of signals, orders and commands alike."""
        return [row_to_veto(row) for row in await self._reader.execute_fetchall(_VETOES, (limit,))]

    async def signal_count(self) -> int:
        """Count the signals."""
        rows = await self._reader.execute_fetchall("SELECT count(*) FROM signals")
        return int(next(iter(rows))[0])

    async def last_transitions(self) -> dict[TransitionKind, SaveTransition]:
        """Return the last change of each kind: what stood when the engine ended."""
        rows = await self._reader.execute_fetchall(
            f"{_TRANSITIONS} WHERE id IN (SELECT max(id) FROM transitions GROUP BY kind)"
        )
        return {saved.kind: saved for saved in map(row_to_transition, rows)}

    async def newest_transitions(self, limit: int) -> list[SaveTransition]:
        """Return the newest changes of all kinds."""
        rows = await self._reader.execute_fetchall(f"{_TRANSITIONS} ORDER BY id DESC LIMIT ?", (limit,))
        return [row_to_transition(row) for row in rows]
