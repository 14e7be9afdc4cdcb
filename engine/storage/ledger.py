"""Reading fills and positions back."""

# ruff: noqa: S608 - statements are put together from our own column lists; values are always parameters

from collections.abc import Collection

import aiosqlite

from engine.domain.positions import Fill, Position
from engine.storage.orders import marks, parts
from engine.storage.rows import FILL_COLUMNS, POSITION_COLUMNS, row_to_fill, row_to_position

FILLS_MAX = 100_000
_FILLS = f"SELECT {FILL_COLUMNS} FROM fills"
_NUMBERED = f"SELECT {FILL_COLUMNS}, id FROM fills"  # by the order of booking
_POSITIONS = f"SELECT {POSITION_COLUMNS} FROM positions"


class LedgerRepository:
    """Fills in the order in which they were booked, and the positions they led to."""

    def __init__(self, reader: aiosqlite.Connection) -> None:
        self._reader = reader

    async def fills_since(self, ts: int, limit: int = FILLS_MAX) -> list[Fill]:
        """Return the fills of `ts` (ns UTC) and later, in the order of booking."""
        rows = await self._reader.execute_fetchall(f"{_FILLS} WHERE ts >= ? ORDER BY id LIMIT ?", (ts, limit))
        return [row_to_fill(row) for row in rows]

    async def fills_of(self, client_id: str) -> list[Fill]:
        """Return one order's fills, in the order of booking."""
        rows = await self._reader.execute_fetchall(f"{_FILLS} WHERE client_id = ? ORDER BY id", (client_id,))
        return [row_to_fill(row) for row in rows]

    async def fills_beyond(self, client_ids: Collection[str], adjustment: str) -> list[Fill]:
        """Return the fills of some orders and those with the trade id of corrections, as they were booked."""
        corrections = f"{_NUMBERED} WHERE symbol IN (SELECT symbol FROM positions) AND trade_id = ?"
        rows = [*await self._reader.execute_fetchall(corrections, (adjustment,))]
        for part in parts(client_ids):
            theirs = f"{_NUMBERED} WHERE client_id IN ({marks(part)})"
            rows += await self._reader.execute_fetchall(theirs, part)
        by_number = {row[-1]: row for row in rows}
        return [row_to_fill(by_number[number]) for number in sorted(by_number)]

    async def newest_fills(self, limit: int) -> list[Fill]:
        """Return the newest fills, newest first."""
        rows = await self._reader.execute_fetchall(f"{_FILLS} ORDER BY id DESC LIMIT ?", (limit,))
        return [row_to_fill(row) for row in rows]

    async def fill_count(self) -> int:
        """Count the fills."""
        rows = await self._reader.execute_fetchall("SELECT count(*) FROM fills")
        return int(next(iter(rows))[0])

    async def positions(self) -> list[Position]:
        """Return every position that was ever held, flat ones too, by play and symbol."""
        rows = await self._reader.execute_fetchall(f"{_POSITIONS} ORDER BY play, symbol")
        return [row_to_position(row) for row in rows]
