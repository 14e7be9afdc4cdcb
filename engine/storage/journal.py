"""The durable side of the core's commands: what a batch says is on disk before anything acts on it."""

# ruff: noqa: S608 - statements are put together from our own column lists; values are always parameters

from collections.abc import Iterable

from engine.domain.commands import (
    CancelAllAfter,
    CancelOrder,
    ClearTimer,
    Command,
    FlattenEnded,
    Latch,
    Notice,
    QueryOrder,
    QueryVenue,
    SaveFill,
    SaveOrder,
    SaveSignal,
    SaveTransition,
    SaveVeto,
    SetTimer,
    Stopped,
    SubmitOrder,
)
from engine.domain.ids import sequence_of
from engine.domain.intents import IntentState
from engine.domain.money import canonical
from engine.domain.orders import Order
from engine.domain.shadow import SaveShadow, SaveStage
from engine.domain.vetoes import Veto
from engine.storage.database import Database
from engine.storage.rows import (
    FILL_COLUMNS,
    ORDER_COLUMNS,
    POSITION_COLUMNS,
    SIGNAL_COLUMNS,
    TRANSITION_COLUMNS,
    VETO_COLUMNS,
    fill_to_row,
    order_to_row,
    position_to_row,
    signal_to_row,
    transition_to_row,
    veto_to_row,
)
from engine.storage.shadows import UPSERT_SHADOW, UPSERT_STAGE, shadow_to_row, stage_to_row
from engine.storage.transaction import Statement


def _marks(columns: str) -> str:
    return ", ".join("?" for _ in columns.split(","))


def _assignments(columns: str) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))


_PENDING_INTENT = """INSERT INTO intents (client_id, action, cycle_id, symbol, ts, qty, state, sequence)
    VALUES (?, 'submit', ?, ?, ?, ?, 'pending', ?) ON CONFLICT DO NOTHING"""
_PENDING_ORDER = (
    f"INSERT INTO orders ({ORDER_COLUMNS}) VALUES ({_marks(ORDER_COLUMNS)}) ON CONFLICT DO NOTHING"
)
_UPSERT_ORDER = f"""INSERT INTO orders ({ORDER_COLUMNS}) VALUES ({_marks(ORDER_COLUMNS)})
    ON CONFLICT (client_id) DO UPDATE SET {_assignments(ORDER_COLUMNS)}"""
_SETTLE_INTENT = """INSERT INTO intents (client_id, action, cycle_id, symbol, ts, qty, state, sequence)
    VALUES (?, 'submit', ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"""
# A cancel carries no time of its own: its order's last change is when it was asked for.
_CANCEL_INTENT = """INSERT INTO intents (client_id, action, cycle_id, symbol, ts, qty, state, sequence)
    VALUES (?1, 'cancel',
        coalesce((SELECT cycle_id FROM orders WHERE client_id = ?1), ''), ?2,
        coalesce((SELECT updated FROM orders WHERE client_id = ?1), 0), '0', 'pending', 0)
    ON CONFLICT DO UPDATE SET state = 'pending', ts = excluded.ts WHERE state = 'failed'"""
_SETTLE_CANCEL = """UPDATE intents SET state = ?
    WHERE client_id = ? AND action = 'cancel' AND state IN ('pending', 'unknown')"""
_FILL = f"INSERT INTO fills ({FILL_COLUMNS}) VALUES ({_marks(FILL_COLUMNS)}) ON CONFLICT DO NOTHING"
# changes() is 0 where the fill was there already: a repeated one must not move its position back.
_POSITION = f"""INSERT INTO positions ({POSITION_COLUMNS}) SELECT {_marks(POSITION_COLUMNS)}
    WHERE changes() > 0 ON CONFLICT DO UPDATE SET {_assignments(POSITION_COLUMNS)}"""
_VETO = f"INSERT OR REPLACE INTO vetoes ({VETO_COLUMNS}) VALUES ({_marks(VETO_COLUMNS)})"
_SIGNAL = f"""INSERT OR REPLACE INTO signals ({SIGNAL_COLUMNS}, cycle_id, veto_id)
    VALUES ({_marks(SIGNAL_COLUMNS)}, ?,
        (SELECT id FROM vetoes WHERE cycle_id = ? AND ts = ? AND symbol = ? AND reason = ?))"""
# Replaced, not ignored: the newest row says what stands, also when a replay goes through old times again.
_TRANSITION = (
    f"INSERT OR REPLACE INTO transitions ({TRANSITION_COLUMNS}) VALUES ({_marks(TRANSITION_COLUMNS)})"
)


class SqliteJournal:
    """The Journal port on a Database. Committing the same batch again changes nothing that moved on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(self, commands: Iterable[Command]) -> None:
        """Make the batch durable, in order and in one transaction. Raises StorageError, with nothing stored.

        Calls that wait at the same time share a transaction; each returns once its own rows are durable.
        """
        statements = [statement for command in commands for statement in statements_of(command)]
        if statements:
            await self._database.write(statements)


def statements_of(command: Command) -> list[Statement]:
    """Return what a command stores; nothing for one that only acts."""
    match command:
        case SubmitOrder(request):
            return _submit(Order(request=request, updated=request.ts))
        case CancelOrder():
            return [(_CANCEL_INTENT, (command.client_id, command.symbol))]
        case SaveOrder(order, intent):
            return _order(order, intent)
        case SaveFill(fill, position):
            return [(_FILL, fill_to_row(fill)), (_POSITION, position_to_row(position))]
        case SaveSignal():
            return _signal(command)
        case SaveVeto(veto):
            return [(_VETO, veto_to_row(veto))]
        case SaveTransition():
            return [(_TRANSITION, transition_to_row(command))]
        case SaveShadow(signal):
            return [(UPSERT_SHADOW, shadow_to_row(signal))]
        case SaveStage(stage):
            return [(UPSERT_STAGE, stage_to_row(stage))]
        case (
            QueryVenue()
            | QueryOrder()
            | CancelAllAfter()
            | SetTimer()
            | ClearTimer()
            | Notice()
            | Latch()
            | FlattenEnded()
            | Stopped()
        ):
            return []


def _submit(order: Order) -> list[Statement]:
    request = order.request
    intent = (request.client_id, request.cycle_id, request.symbol, request.ts, canonical(request.qty))
    return [
        (_PENDING_INTENT, (*intent, sequence_of(request.client_id))),
        (_PENDING_ORDER, order_to_row(order)),
    ]


def _order(order: Order, state: IntentState) -> list[Statement]:
    request = order.request
    intent = (request.client_id, request.cycle_id, request.symbol, request.ts, canonical(request.qty))
    statements: list[Statement] = [
        (_UPSERT_ORDER, order_to_row(order)),
        (_SETTLE_INTENT, (*intent, state.value, sequence_of(request.client_id))),
    ]
    if not order.state.is_open:
        statements.append((_SETTLE_CANCEL, (IntentState.COMMITTED.value, request.client_id)))
    elif not order.cancel_requested:
        statements.append((_SETTLE_CANCEL, (IntentState.FAILED.value, request.client_id)))
    return statements


def _signal(saved: SaveSignal) -> list[Statement]:
    veto = saved.veto
    key: tuple[str, int, str, str] | tuple[None, None, None, None]
    key = (None, None, None, None) if veto is None else _veto_key(veto)
    row: Statement = (_SIGNAL, (*signal_to_row(saved), saved.signal.cycle_id, *key))
    return [row] if veto is None else [(_VETO, veto_to_row(veto)), row]


def _veto_key(veto: Veto) -> tuple[str, int, str, str]:
    return veto.cycle_id, veto.ts, veto.symbol, veto.reason.value
