"""What the exchange keeps of orders and executions, in its own words and exact decimals."""

from decimal import Decimal
from enum import StrEnum
from typing import Self

import msgspec

from engine.domain.money import ZERO
from engine.domain.positions import Fill, Liquidity
from engine.domain.signals import Side


class Kind(StrEnum):
    """How an order meets the market."""

    MARKET = "Market"
    LIMIT = "Limit"


class Force(StrEnum):
    """How long an order may wait; PostOnly is a kind of it here."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"


class Status(StrEnum):
    """Where an order is in its life."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    UNTRIGGERED = "Untriggered"
    TRIGGERED = "Triggered"
    DEACTIVATED = "Deactivated"  # canceled before its trigger came

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade."""
        return self in OPEN


OPEN = frozenset({Status.NEW, Status.PARTIALLY_FILLED, Status.UNTRIGGERED, Status.TRIGGERED})


class Rising(StrEnum):
    """From which side the last price must reach a trigger, as the exchange counts it."""

    NONE = "0"
    UP = "1"
    DOWN = "2"


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it is asked for, read and with its forms checked."""

    symbol: str
    side: Side
    kind: Kind
    qty: Decimal
    price: Decimal | None = None
    force: Force = Force.GTC
    link_id: str = ""
    reduce_only: bool = False
    close_on_trigger: bool = False
    trigger: Decimal | None = None
    rising: Rising = Rising.NONE
    take_profit: Decimal | None = None  # for the position, once this order has filled
    stop_loss: Decimal | None = None


class ExchangeOrder(msgspec.Struct, kw_only=True):
    """An order and what became of it; times in ns UTC."""

    order_id: str
    ticket: Ticket
    status: Status
    created: int
    updated: int
    price: Decimal | None  # as amended
    qty: Decimal
    trigger: Decimal | None = None
    filled: Decimal = ZERO
    value: Decimal = ZERO
    fee: Decimal = ZERO
    last_at_creation: Decimal = ZERO
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"
    stop_kind: str = ""  # Stop, TakeProfit or StopLoss
    create_type: str = "CreateByUser"

    @classmethod
    def of(cls, ticket: Ticket, order_id: str, now: int, last: Decimal) -> Self:
        """Build the order of a ticket; `last` is the price at which the market stands."""
        return cls(
            order_id=order_id,
            ticket=ticket,
            status=Status.NEW,
            created=now,
            updated=now,
            price=ticket.price,
            qty=ticket.qty,
            trigger=ticket.trigger,
            last_at_creation=last,
        )

    @property
    def leaves(self) -> Decimal:
        """What may still fill."""
        return self.qty - self.filled if self.status.is_open else ZERO

    @property
    def protects(self) -> bool:
        """Whether it is one of the position's own orders."""
        return self.stop_kind not in ("", "Stop")

    @property
    def reduces(self) -> bool:
        """Whether it only lessens a position."""
        return self.ticket.reduce_only or self.ticket.close_on_trigger

    def trim_to(self, most: Decimal) -> bool:
        """Cut an order that only lessens a position down to it; tell whether it was larger."""
        whole = self.ticket.force is Force.FOK
        larger = self.reduces and not whole and bool(most) and self.leaves > most
        if larger:
            self.qty = self.filled + most
        return larger


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of an order."""

    execution_id: str
    order_id: str
    link_id: str
    symbol: str
    side: Side
    kind: Kind
    order_price: Decimal
    order_qty: Decimal
    price: Decimal
    qty: Decimal
    fee: Decimal
    fee_rate: Decimal
    is_maker: bool
    ts: int
    leaves: Decimal
    closed: Decimal  # how much of it closed a position
    mark: Decimal
    sequence: int
    stop_kind: str = ""
    create_type: str = "CreateByUser"

    @classmethod
    def of(
        cls,
        fill: Fill,
        order: ExchangeOrder,
        *,
        execution_id: str,
        fee_rate: Decimal,
        closed: Decimal,
        mark: Decimal,
        sequence: int,
    ) -> Self:
        """Build the execution of a fill, after its order has booked it."""
        return cls(
            execution_id=execution_id,
            order_id=order.order_id,
            link_id=order.ticket.link_id,
            symbol=fill.symbol,
            side=fill.side,
            kind=order.ticket.kind,
            order_price=order.price or fill.price,
            order_qty=order.qty,
            price=fill.price,
            qty=fill.qty,
            fee=fill.fee,
            fee_rate=fee_rate,
            is_maker=fill.liquidity is Liquidity.MAKER,
            ts=fill.ts,
            leaves=order.leaves,
            closed=closed,
            mark=mark,
            sequence=sequence,
            stop_kind=order.stop_kind,
            create_type=order.create_type,
        )


class OrderChanged(msgspec.Struct, frozen=True, tag="order"):
    """An order is new or another than before."""

    order: ExchangeOrder


class Executed(msgspec.Struct, frozen=True, tag="execution"):
    """An order has traded."""

    execution: Execution


class PositionChanged(msgspec.Struct, frozen=True, tag="position"):
    """A position or its protection is another than before."""

    symbol: str


class WalletChanged(msgspec.Struct, frozen=True, tag="wallet"):
    """The balance is another than before."""


class Submitted(msgspec.Struct, frozen=True, tag="submitted"):
    """An order was sent under a client's id, taken or not; the id may be empty."""

    link_id: str


Change = Submitted | OrderChanged | Executed | PositionChanged | WalletChanged
