"""Words of the domain as the store meets them."""

from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.commands import (
    CancelOrder,
    SaveFill,
    SaveOrder,
    SaveSignal,
    SaveTransition,
    SubmitOrder,
    TransitionKind,
)
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.intents import IntentState
from engine.domain.market import NS_PER_S, Trade
from engine.domain.orders import Order, OrderKind, OrderRequest, OrderState
from engine.domain.positions import Fill, Position
from engine.domain.reasons import Reason
from engine.domain.signals import Side, Signal, SignalKind
from engine.domain.vetoes import Veto, veto
from engine.storage.codec import SessionHeader

T0 = 1_720_000_000 * NS_PER_S
SPACE = IdSpace(1_720_000_000, "default")


def request(sequence: int = 1, **changes) -> OrderRequest:
    facts: dict[str, Any] = {
        "client_id": SPACE.client_id("canary", OrderRole.ENTRY, sequence),
        "cycle_id": f"canary@{sequence}",
        "play": "canary",
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "role": OrderRole.ENTRY,
        "kind": OrderKind.LIMIT,
        "qty": Decimal("0.010"),
        "ts": T0 + sequence,
        "price": Decimal("60000.10"),
    }
    return OrderRequest(**facts | changes)


def submit(sequence: int = 1, **changes) -> SubmitOrder:
    return SubmitOrder(request(sequence, **changes), increases=True)


def saved(
    sequence: int = 1, state: OrderState = OrderState.ACKNOWLEDGED, intent=IntentState.COMMITTED, **changes
) -> SaveOrder:
    order = Order(request=request(sequence), state=state, venue_id=f"v{sequence}", updated=T0 + 1_000)
    return SaveOrder(msgspec.structs.replace(order, **changes), intent)


def cancel(sequence: int = 1) -> CancelOrder:
    return CancelOrder(request(sequence).client_id, f"v{sequence}", "BTCUSDT")


def fill(sequence: int = 1, trade_id: str = "t1", qty: str = "0.01", held: str = "0.01") -> SaveFill:
    price = Decimal("60000.1")
    return SaveFill(
        Fill(
            ts=T0 + sequence,
            client_id=request(sequence).client_id,
            trade_id=trade_id,
            symbol="BTCUSDT",
            side=Side.BUY,
            price=price,
            qty=Decimal(qty),
            fee=Decimal("0.33"),
        ),
        Position(
            play="canary",
            symbol="BTCUSDT",
            qty=Decimal(held),
            entry_notional=Decimal(held) * price,
            opened=T0,
        ),
    )


def signal(ts: int = T0, client_id: str = "", why: Veto | None = None) -> SaveSignal:
    return SaveSignal(
        Signal(ts, "canary", "BTCUSDT", Side.BUY, SignalKind.ENTRY, 60_000.1, stop=12.5), client_id, why
    )


def refusal(ts: int = T0, reason: Reason = Reason.LADDER) -> Veto:
    return veto(
        reason,
        ts=ts,
        cycle_id=f"canary@{ts // 1_000_000}",
        play="canary",
        symbol="BTCUSDT",
        holder="paused",
    )


def transition(
    ts: int, before: str, after: str, kind: TransitionKind = TransitionKind.PHASE
) -> SaveTransition:
    return SaveTransition(ts, kind, before, after, "cli", "because")


def header(session: str = "s1") -> SessionHeader:
    return SessionHeader(
        session=session,
        started=T0,
        instance="default",
        birth=1_720_000_000,
        engine_version="0.1.0",
        config=b"{}",
        initial_state=b"\x00state",
        files={"a.csv.gz": "ff"},
    )


def trade(sequence: int) -> Trade:
    price = 60_000 + sequence % 100 / 10
    return Trade(T0 + sequence * 1_000_000, "BTCUSDT", price, 0.001 * (sequence % 7), 1, price, price)
