"""The order state machine as a table, and the order it belongs to."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.ids import OrderRole
from engine.domain.money import ZERO
from engine.domain.signals import Side


class OrderKind(StrEnum):
    """How an order meets the market."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"  # becomes a market order when the trigger price trades


class TimeInForce(StrEnum):
    """How long an order may wait."""

    GTC = "gtc"
    IOC = "ioc"  # what does not trade at once is canceled
    FOK = "fok"  # all of it trades at once, or nothing does


class OrderState(StrEnum):
    """Where an order is in its life."""

    PENDING = "pending"  # the intent is stored, nothing was sent
    SUBMITTED = "submitted"  # handed to the venue, no answer yet
    ACKNOWLEDGED = "acknowledged"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # no answer; only the venue's evidence ends it, or an operator's recorded word

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade, as far as we know."""
        return self in OPEN_STATES


class OrderTrigger(StrEnum):
    """What can happen to an order."""

    SEND = "send"
    ACK = "ack"
    PARTIAL_FILL = "partial_fill"
    FULL_FILL = "full_fill"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRE = "expire"
    TIMEOUT = "timeout"


OPEN_STATES = frozenset(
    {
        OrderState.PENDING,
        OrderState.SUBMITTED,
        OrderState.ACKNOWLEDGED,
        OrderState.PARTIALLY_FILLED,
        OrderState.UNKNOWN,
    }
)

_S = OrderState
_T = OrderTrigger


def _row(**changes: OrderState) -> dict[OrderTrigger, OrderState]:
    return {OrderTrigger(name): state for name, state in changes.items()}


# A pair that is absent from a row leaves the state as it is: the venue repeats and reorders its updates,
# and a late one is no news. What a row does list is the whole of what may move an order.
ORDER_TABLE: dict[OrderState, dict[OrderTrigger, OrderState]] = {
    _S.PENDING: _row(
        send=_S.SUBMITTED,
        ack=_S.ACKNOWLEDGED,
        partial_fill=_S.PARTIALLY_FILLED,
        full_fill=_S.FILLED,
        cancel=_S.CANCELED,
        reject=_S.REJECTED,
        expire=_S.EXPIRED,
        timeout=_S.UNKNOWN,
    ),
    _S.SUBMITTED: _row(
        ack=_S.ACKNOWLEDGED,
        partial_fill=_S.PARTIALLY_FILLED,
        full_fill=_S.FILLED,
        cancel=_S.CANCELED,
        reject=_S.REJECTED,
        expire=_S.EXPIRED,
        timeout=_S.UNKNOWN,
    ),
    _S.ACKNOWLEDGED: _row(
        partial_fill=_S.PARTIALLY_FILLED,
        full_fill=_S.FILLED,
        cancel=_S.CANCELED,
        reject=_S.REJECTED,
        expire=_S.EXPIRED,
    ),
    _S.PARTIALLY_FILLED: _row(full_fill=_S.FILLED, cancel=_S.CANCELED, expire=_S.EXPIRED),
    _S.UNKNOWN: _row(
        ack=_S.ACKNOWLEDGED,
        partial_fill=_S.PARTIALLY_FILLED,
        full_fill=_S.FILLED,
        cancel=_S.CANCELED,
        reject=_S.REJECTED,
        expire=_S.EXPIRED,
    ),
    # Fills that arrive after the end are booked; they complete the order where they complete its quantity.
    _S.FILLED: {},
    _S.CANCELED: _row(full_fill=_S.FILLED),
    _S.REJECTED: _row(partial_fill=_S.PARTIALLY_FILLED, full_fill=_S.FILLED),
    _S.EXPIRED: _row(full_fill=_S.FILLED),
}


def next_state(state: OrderState, trigger: OrderTrigger) -> OrderState:
    """Return the state after a trigger; the same state where the trigger is no news."""
    return ORDER_TABLE[state].get(trigger, state)


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is sent: quantities in base units, prices in quote units, all on the venue's steps."""

    client_id: str
    cycle_id: str
    play: str
    symbol: str
    side: Side
    role: OrderRole
    kind: OrderKind
    qty: Decimal
    ts: int
    price: Decimal | None = None  # the limit of a limit order
    trigger: Decimal | None = None  # the trigger of a stop order
    reduce_only: bool = False
    post_only: bool = False
    tif: TimeInForce = TimeInForce.GTC


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order with what became of it; replaced on every change, never written to."""

    request: OrderRequest
    state: OrderState = OrderState.PENDING
    venue_id: str = ""
    filled_qty: Decimal = ZERO
    filled_notional: Decimal = ZERO  # sum of price * quantity over fills
    fees: Decimal = ZERO
    updated: int = 0
    cancel_requested: bool = False
    reason: str = ""  # a Reason code where the order ended against our will
    trimmed_qty: Decimal | None = None  # what a venue left of a reduce-only order larger than the position

    @property
    def client_id(self) -> str:
        """Our id of the order."""
        return self.request.client_id

    @property
    def qty(self) -> Decimal:
        """What may fill in all: what was sent, or what the venue trimmed it to."""
        return self.request.qty if self.trimmed_qty is None else self.trimmed_qty

    @property
    def remaining_qty(self) -> Decimal:
        """What is left to fill, never negative."""
        return max(ZERO, self.qty - self.filled_qty)
