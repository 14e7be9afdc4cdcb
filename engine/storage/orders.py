"""Reading orders and intents back: what recovery and `status` start from."""

# ruff: noqa: S608 - statements are put together from our own column lists; values are always parameters

from collections.abc import Collection, Iterator

import aiosqlite
import msgspec

from engine.domain.intents import Intent, IntentState
from engine.domain.orders import Order
from engine.storage.rows import INTENT_COLUMNS, ORDER_COLUMNS, row_to_intent, row_to_order

ORDERS_MAX = 10_000
_ASKED_AT_ONCE = 500  # SQLite allows 999 parameters in older versions

# SQLite takes a partial index only where the query repeats the index's own condition.
OPEN_CONDITION = "state IN ('pending', 'submitted', 'acknowledged', 'partially_filled', 'unknown')"
UNSETTLED_CONDITION = "state IN ('pending', 'unknown')"
_ORDERS = f"SELECT {ORDER_COLUMNS} FROM orders"
_INTENTS = f"SELECT {INTENT_COLUMNS} FROM intents"


def parts(client_ids: Collection[str]) -> Iterator[list[str]]:
    """Yield ids in parts that one question may ask for, in their order."""
    asked = sorted(client_ids)
    for start in range(0, len(asked), _ASKED_AT_ONCE):
        yield asked[start : start + _ASKED_AT_ONCE]


def marks(part: Collection[str]) -> str:
    """Return a question mark for each value."""
    return ", ".join("?" for _ in part)


class OrderCounts(msgspec.Struct, frozen=True):
    """How many there are: a quick picture for status and the exit report."""

    orders: int
    open_orders: int
    unsettled_intents: int
    unknown_orders: int


class OrderRepository:
    """Orders and intents as the journal last wrote them."""

    def __init__(self, reader: aiosqlite.Connection) -> None:
        self._reader = reader

    async def open_orders(self) -> list[Order]:
        """Return the orders that may still trade, oldest first; the unsent and the unknown are among them."""
        rows = await self._reader.execute_fetchall(f"{_ORDERS} WHERE {OPEN_CONDITION} ORDER BY id")
        return [row_to_order(row) for row in rows]

    async def newest(self, limit: int = ORDERS_MAX) -> list[Order]:
        """Return the newest orders in whatever state, newest first."""
        rows = await self._reader.execute_fetchall(f"{_ORDERS} ORDER BY id DESC LIMIT ?", (limit,))
        return [row_to_order(row) for row in rows]

    async def order(self, client_id: str) -> Order | None:
        """Return one order, None where the journal never saw it."""
        rows = await self._reader.execute_fetchall(f"{_ORDERS} WHERE client_id = ?", (client_id,))
        return next((row_to_order(row) for row in rows), None)

    async def orders_after(self, sequence: int) -> list[Order]:
        """Return the orders whose ids hold a later sequence, oldest first."""
        later = "SELECT client_id FROM intents WHERE action = 'submit' AND sequence > ?"
        rows = await self._reader.execute_fetchall(
            f"{_ORDERS} WHERE client_id IN ({later}) ORDER BY id", (sequence,)
        )
        return [row_to_order(row) for row in rows]

    async def orders(self, client_ids: Collection[str]) -> list[Order]:
        """Return the orders of these ids that the journal knows, by id."""
        found: list[Order] = []
        for part in parts(client_ids):
            rows = await self._reader.execute_fetchall(
                f"{_ORDERS} WHERE client_id IN ({marks(part)}) ORDER BY client_id", part
            )
            found += map(row_to_order, rows)
        return found

    async def unsettled_intents(self) -> list[Intent]:
        """Return the intents that are PENDING or UNKNOWN, in the order of their time."""
        rows = await self._reader.execute_fetchall(
            f"{_INTENTS} WHERE {UNSETTLED_CONDITION} ORDER BY ts, client_id"
        )
        return [row_to_intent(row) for row in rows]

    async def intent_states(self, client_ids: Collection[str]) -> dict[str, IntentState]:
        """Return how submit intents stand by client id; an absent one was never durable, so never sent."""
        states: dict[str, IntentState] = {}
        for part in parts(client_ids):
            known = f"action = 'submit' AND client_id IN ({marks(part)})"
            rows = await self._reader.execute_fetchall(
                f"SELECT client_id, state FROM intents WHERE {known}", part
            )
            states.update((client_id, IntentState(state)) for client_id, state in rows)
        return states

    async def highest_sequence(self) -> int:
        """Return the highest sequence that any stored client id holds, 0 where there is none."""
        rows = await self._reader.execute_fetchall("SELECT coalesce(max(sequence), 0) FROM intents")
        return int(next(iter(rows))[0])

    async def counts(self) -> OrderCounts:
        """Count orders and intents."""
        rows = await self._reader.execute_fetchall(
            "SELECT (SELECT count(*) FROM orders),"
            f" (SELECT count(*) FROM orders WHERE {OPEN_CONDITION}),"
            f" (SELECT count(*) FROM intents WHERE {UNSETTLED_CONDITION}),"
            f" (SELECT count(*) FROM orders WHERE {OPEN_CONDITION} AND state = 'unknown')"
        )
        return OrderCounts(*next(iter(rows)))
