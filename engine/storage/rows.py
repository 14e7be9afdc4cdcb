"""How domain structs lie in rows: column order is written once here, for both directions."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.commands import SaveSignal, SaveTransition, TransitionKind
from engine.domain.ids import OrderRole
from engine.domain.intents import Intent, IntentAction, IntentState
from engine.domain.layers import Layer
from engine.domain.money import canonical
from engine.domain.orders import Order, OrderKind, OrderRequest, OrderState, TimeInForce
from engine.domain.positions import Fill, Liquidity, Position
from engine.domain.reasons import Reason
from engine.domain.signals import EntryPlan, Side, Signal, SignalKind
from engine.domain.vetoes import Veto

Row = Sequence[Any]

ORDER_COLUMNS = (
    "client_id, cycle_id, play, symbol, side, role, kind, qty, ts, price, trigger_price, reduce_only, "
    "post_only, tif, state, venue_id, filled_qty, filled_notional, fees, updated, cancel_requested, reason, "
    "trimmed_qty"
)
INTENT_COLUMNS = "client_id, action, cycle_id, symbol, ts, qty, state"
FILL_COLUMNS = "ts, client_id, trade_id, symbol, side, price, qty, fee, liquidity, venue_id"
POSITION_COLUMNS = "play, symbol, qty, entry_notional, realized, fees, opened"
SIGNAL_COLUMNS = "ts, play, symbol, side, kind, price, stop, target, strength, plan, client_id"
VETO_COLUMNS = "ts, cycle_id, layer, reason, facts, play, symbol"
TRANSITION_COLUMNS = "ts, kind, before, after, actor, reason"

_facts_decoder = msgspec.json.Decoder(dict[str, str])
_plan_decoder = msgspec.json.Decoder(EntryPlan)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else canonical(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def order_to_row(order: Order) -> tuple[Any, ...]:
    """Lay out an order in ORDER_COLUMNS."""
    request = order.request
    return (
        request.client_id,
        request.cycle_id,
        request.play,
        request.symbol,
        request.side.value,
        request.role.value,
        request.kind.value,
        canonical(request.qty),
        request.ts,
        _text(request.price),
        _text(request.trigger),
        request.reduce_only,
        request.post_only,
        request.tif.value,
        order.state.value,
        order.venue_id,
        canonical(order.filled_qty),
        canonical(order.filled_notional),
        canonical(order.fees),
        order.updated,
        order.cancel_requested,
        order.reason,
        _text(order.trimmed_qty),
    )


def row_to_order(row: Row) -> Order:
    """Read an order laid out in ORDER_COLUMNS."""
    request = OrderRequest(
        client_id=row[0],
        cycle_id=row[1],
        play=row[2],
        symbol=row[3],
        side=Side(row[4]),
        role=OrderRole(row[5]),
        kind=OrderKind(row[6]),
        qty=Decimal(row[7]),
        ts=row[8],
        price=_decimal(row[9]),
        trigger=_decimal(row[10]),
        reduce_only=bool(row[11]),
        post_only=bool(row[12]),
        tif=TimeInForce(row[13]),
    )
    return Order(
        request=request,
        state=OrderState(row[14]),
        venue_id=row[15],
        filled_qty=Decimal(row[16]),
        filled_notional=Decimal(row[17]),
        fees=Decimal(row[18]),
        updated=row[19],
        cancel_requested=bool(row[20]),
        reason=row[21],
        trimmed_qty=_decimal(row[22]),
    )


def row_to_intent(row: Row) -> Intent:
    """Read an intent laid out in INTENT_COLUMNS."""
    return Intent(
        client_id=row[0],
        action=IntentAction(row[1]),
        cycle_id=row[2],
        symbol=row[3],
        ts=row[4],
        qty=Decimal(row[5]),
        state=IntentState(row[6]),
    )


def fill_to_row(fill: Fill) -> tuple[Any, ...]:
    """Lay out a fill in FILL_COLUMNS."""
    return (
        fill.ts,
        fill.client_id,
        fill.trade_id,
        fill.symbol,
        fill.side.value,
        canonical(fill.price),
        canonical(fill.qty),
        canonical(fill.fee),
        fill.liquidity.value,
        fill.venue_id,
    )


def row_to_fill(row: Row) -> Fill:
    """Read a fill laid out in FILL_COLUMNS."""
    return Fill(
        ts=row[0],
        client_id=row[1],
        trade_id=row[2],
        symbol=row[3],
        side=Side(row[4]),
        price=Decimal(row[5]),
        qty=Decimal(row[6]),
        fee=Decimal(row[7]),
        liquidity=Liquidity(row[8]),
        venue_id=row[9],
    )


def position_to_row(position: Position) -> tuple[Any, ...]:
    """Lay out a position in POSITION_COLUMNS."""
    return (
        position.play,
        position.symbol,
        canonical(position.qty),
        canonical(position.entry_notional),
        canonical(position.realized),
        canonical(position.fees),
        position.opened,
    )


def row_to_position(row: Row) -> Position:
    """Read a position laid out in POSITION_COLUMNS."""
    return Position(
        play=row[0],
        symbol=row[1],
        qty=Decimal(row[2]),
        entry_notional=Decimal(row[3]),
        realized=Decimal(row[4]),
        fees=Decimal(row[5]),
        opened=row[6],
    )


def signal_to_row(saved: SaveSignal) -> tuple[Any, ...]:
    """Lay out a signal in SIGNAL_COLUMNS."""
    signal = saved.signal
    return (
        signal.ts,
        signal.play,
        signal.symbol,
        signal.side.value,
        signal.kind.value,
        signal.price,
        signal.stop,
        signal.target,
        signal.strength,
        None if signal.plan is None else msgspec.json.encode(signal.plan).decode(),
        saved.client_id,
    )


def row_to_signal(row: Row) -> SaveSignal:
    """Read a signal laid out in SIGNAL_COLUMNS followed by VETO_COLUMNS, which are null without a veto."""
    signal = Signal(
        ts=row[0],
        play=row[1],
        symbol=row[2],
        side=Side(row[3]),
        kind=SignalKind(row[4]),
        price=row[5],
        stop=row[6],
        target=row[7],
        strength=row[8],
        plan=None if row[9] is None else _plan_decoder.decode(row[9]),
    )
    return SaveSignal(signal, client_id=row[10], veto=None if row[11] is None else row_to_veto(row[11:]))


def veto_to_row(veto: Veto) -> tuple[Any, ...]:
    """Lay out a veto in VETO_COLUMNS."""
    facts = msgspec.json.encode(veto.values).decode()
    return (veto.ts, veto.cycle_id, veto.layer.value, veto.reason.value, facts, veto.play, veto.symbol)


def row_to_veto(row: Row) -> Veto:
    """Read a veto laid out in VETO_COLUMNS."""
    return Veto(
        ts=row[0],
        cycle_id=row[1],
        layer=Layer(row[2]),
        reason=Reason(row[3]),
        values=_facts_decoder.decode(row[4]),
        play=row[5],
        symbol=row[6],
    )


def transition_to_row(saved: SaveTransition) -> tuple[Any, ...]:
    """Lay out a transition in TRANSITION_COLUMNS."""
    return (saved.ts, saved.kind.value, saved.before, saved.after, saved.actor, saved.reason)


def row_to_transition(row: Row) -> SaveTransition:
    """Read a transition laid out in TRANSITION_COLUMNS."""
    return SaveTransition(
        ts=row[0],
        kind=TransitionKind(row[1]),
        before=row[2],
        after=row[3],
        actor=row[4],
        reason=row[5],
    )
