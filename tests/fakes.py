"""Venues for tests: one that is played by hand, one that delivers late, twice and in any order."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.domain.events import (
    Event,
    OrderAcked,
    OrderCanceled,
    VenueOrder,
    VenuePosition,
    VenueReport,
)
from engine.domain.ids import OrderRole
from engine.domain.market import MarketEvent
from engine.domain.money import ZERO
from engine.domain.orders import Order, OrderRequest, OrderState
from engine.domain.positions import Fill
from tests.builders import BTC, BUY, World, fill


class SilentVenue:
    """A venue that only writes down what it is asked: the test says when and what it answers."""

    def __init__(self) -> None:
        self.submitted: list[OrderRequest] = []
        self.canceled: list[str] = []
        self.queries: list[int] = []

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Take an order and say nothing."""
        self.submitted.append(request)
        return ()

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Take a cancel and say nothing."""
        self.canceled.append(client_id)
        return ()

    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Take a query and say nothing."""
        self.queries.append(request_id)
        return ()

    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Say nothing."""
        return ()

    def on_time(self, now: int) -> Sequence[Event]:
        """Say nothing."""
        return ()

    def next_at(self) -> int | None:
        """Nothing is due."""
        return None

    def state(self) -> bytes:
        """Keep nothing."""
        return b""

    def restore(self, state: bytes) -> None:
        """Take up nothing."""


class Hand(World):
    """A world whose venue is played by hand."""

    def __init__(self, facts: Any = None) -> None:
        self.silent = SilentVenue()
        super().__init__(facts, self.silent)
        self._trades = 0

    def ack(self, order: Order, venue_id: str = "") -> None:
        """Let the venue take an order."""
        self.take(OrderAcked(self.now, order.client_id, venue_id or f"v{order.client_id[-2:]}"))

    def fill(self, order: Order, qty: str | Decimal | None = None, price: str | Decimal = "111") -> Fill:
        """Let an order trade, all of what is left of it unless told otherwise."""
        self._trades += 1
        amount = order.remaining_qty if qty is None else Decimal(qty)
        request = order.request
        booked = fill(
            order.client_id,
            amount,
            price,
            ts=self.now,
            trade_id=f"trade{self._trades}",
            symbol=request.symbol,
            side=request.side,
        )
        self.take(booked)
        return booked

    def cancel(self, *orders: Order) -> None:
        """Let the venue cancel orders."""
        for order in orders:
            self.take(OrderCanceled(self.now, order.client_id))

    def report(
        self, *listed: VenueOrder, complete: bool = True, request_id: int | None = None, **positions: str
    ) -> None:
        """Answer the last query: these orders, and positions by symbol."""
        asked = self.silent.queries[-1] if request_id is None else request_id
        held = tuple(VenuePosition(symbol, Decimal(qty)) for symbol, qty in positions.items())
        self.take(VenueReport(self.now, asked, listed, held, complete))

    def enter_long(self) -> Order:
        """Bring a long position of one unit at 111 about, with acknowledged protection; return its stop."""
        self.bar(111.0)
        self.fill(self.order(OrderRole.ENTRY))
        for order in self.orders(OrderRole.STOP, OrderRole.TARGET):
            self.ack(order)
        return self.order(OrderRole.STOP)


def listed(client_id: str, qty: str = "1", **changes: Any) -> VenueOrder:
    """Return an open order as a venue lists it."""
    facts: dict[str, Any] = {"venue_id": f"v-{client_id}", "symbol": BTC, "side": BUY, "filled_qty": ZERO}
    facts |= changes
    return VenueOrder(client_id=client_id, qty=Decimal(qty), state=OrderState.ACKNOWLEDGED, **facts)


class ShufflingVenue:
    """A venue behind a bad line: what it says comes late, twice and in any order, but it all comes.

    What it does is decided by a seed. Reports of queries are as old as the moment at which they were asked.
    """

    def __init__(self, inner: Any, seed: int, *, late_max: int = 4) -> None:
        self._inner = inner
        self._random = random.Random(seed)
        self._late_max = late_max
        self._waiting: list[tuple[int, Event]] = []
        self._calls = 0

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Hand an order over; the answer may come later."""
        return self._deliver(self._inner.submit(request, now))

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask for a cancel; the answer may come later."""
        return self._deliver(self._inner.cancel(client_id, symbol, now))

    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Ask for a report; it may come later."""
        return self._deliver(self._inner.query(request_id, now))

    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Let the market move; what that brings may come later."""
        return self._deliver(self._inner.on_market(event))

    def on_time(self, now: int) -> Sequence[Event]:
        """Return what fell due; it may come later still."""
        return self._deliver(self._inner.on_time(now))

    def next_at(self) -> int | None:
        """When the inner venue has something to say."""
        due: int | None = self._inner.next_at()
        return due

    def all_of_it(self) -> list[Event]:
        """Hand out everything that still waits, in any order."""
        events = [event for _, event in self._waiting]
        self._waiting.clear()
        self._random.shuffle(events)
        return events

    def state(self) -> bytes:
        """Return the inner venue's state."""
        state: bytes = self._inner.state()
        return state

    def restore(self, state: bytes) -> None:
        """Take up the inner venue's state."""
        self._inner.restore(state)

    def _deliver(self, events: Sequence[Event]) -> Sequence[Event]:
        self._calls += 1
        for event in events:
            for _ in range(2 if self._random.random() < 0.15 else 1):
                late = self._random.randint(1, self._late_max) if self._random.random() < 0.4 else 0
                self._waiting.append((self._calls + late, event))
        due = [event for at, event in self._waiting if at <= self._calls]
        self._waiting = [(at, event) for at, event in self._waiting if at > self._calls]
        if self._random.random() < 0.3:
            self._random.shuffle(due)
        return due
