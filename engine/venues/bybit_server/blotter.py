"""The exchange's record of orders and executions, and of what changed since it was last asked."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec

from engine.venues.bybit_server.orders import (
    Change,
    ExchangeOrder,
    Execution,
    OrderChanged,
    Status,
    Submitted,
)
from engine.venues.bybit_server.refusals import NOT_FOUND, RefusedError


class Blotter:
    """All orders there ever were. Ids derive from a key and a count, so that a run repeats."""

    def __init__(self, id_key: bytes) -> None:
        self.orders: dict[str, ExchangeOrder] = {}  # by id, oldest first
        self.open: dict[str, ExchangeOrder] = {}
        self.by_link: dict[str, ExchangeOrder] = {}  # by the client's id
        self.executions: list[Execution] = []
        self.submits: Counter[str] = Counter()  # by the client's id: how often it was sent, taken or not
        self.sequence = 0
        self._id_key = hashlib.blake2b(id_key).digest()
        self._changes: list[Change] = []

    def drain(self) -> Sequence[Change]:
        """Return what changed since the last call, in order."""
        changes, self._changes = self._changes, []
        return changes

    def note(self, *changes: Change) -> None:
        """Note that something changed."""
        self._changes += changes

    def asked(self, link_id: str) -> None:
        """Note that an order was sent, whatever becomes of it."""
        self.submits[link_id] += 1
        self.note(Submitted(link_id))

    def register(self, order: ExchangeOrder) -> None:
        """Take an order in."""
        self.orders[order.order_id] = self.open[order.order_id] = order
        if order.ticket.link_id:
            self.by_link[order.ticket.link_id] = order

    def end(self, order: ExchangeOrder, status: Status, now: int, cause: str, reason: str) -> None:
        """Note that an order has ended without filling, or without filling any more."""
        order.status, order.updated = status, now
        order.cancel_type, order.reject_reason = cause, reason
        self.open.pop(order.order_id, None)
        self.tell(order)

    def tell(self, order: ExchangeOrder) -> None:
        """Note an order as it is now."""
        self.note(OrderChanged(msgspec.structs.replace(order)))

    def find_open(self, symbol: str, order_id: str, link_id: str) -> ExchangeOrder:
        """Find an open order by either id. Raises RefusedError."""
        order = self.open.get(order_id) if order_id else self.by_link.get(link_id)
        if order is None or not order.status.is_open or order.ticket.symbol != symbol:
            raise RefusedError(NOT_FOUND, "order not exists or too late to cancel")
        return order

    def count(self) -> int:
        """Return the next number."""
        self.sequence += 1
        return self.sequence

    def next_id(self) -> str:
        """Return an id that was not there before."""
        number = self.count().to_bytes(8, "big")
        return str(UUID(bytes=hashlib.blake2b(number, key=self._id_key, digest_size=16).digest(), version=4))
