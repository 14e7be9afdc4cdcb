"""Venues for tests: one that is played by hand, one that delivers late, twice and in any order."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.domain.events import (
    Event,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderTimedOut,
    VenueOrder,
    VenuePosition,
    VenueReport,
)
from engine.domain.ids import OrderRole
from engine.domain.market import MarketEvent
from engine.domain.money import ZERO
from engine.domain.orders import Order, OrderRequest, OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.venues.simulated import SimulatedVenue
from tests.builders import BTC, BUY, World, fill


class SilentVenue:
    """A venue that only writes down what it is asked: the test says when and what it answers."""

    def __init__(self) -> None:
        self.submitted: list[OrderRequest] = []
        self.canceled: list[str] = []
        self.queries: list[int] = []
        self.asked_about: list[str] = []
        self.renewals: list[int] = []

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

    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Take a query about an order and say nothing."""
        self.asked_about.append(client_id)
        return ()

    spares_protection = True

    def cancel_all_after(self, timeout_ms: int, now: int) -> Sequence[Event]:
        """Take a renewal and say nothing."""
        self.renewals.append(timeout_ms)
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


class BadLine:
    """A simulated venue behind a bad line: what it says comes late, twice and in any order, but it all comes.

    Some orders are refused on the way, some get no answer for long, some are lost for good, and where told
    so are some answers. What happens is decided by a seed. A report is as old as the moment at which it was
    asked for.
    """

    def __init__(self, inner: SimulatedVenue, seed: int, *, late_max: int = 8, lost: float = 0.0) -> None:
        """`lost` is the part of all that the venue says which never arrives."""
        self._inner = inner
        self._random = random.Random(seed)
        self._late_max, self._lost = late_max, lost
        self._waiting: list[tuple[int, Event]] = []
        self._calls = 0
        self.bad = True

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Hand an order over, or lose it, or refuse it, or leave it without an answer for a while."""
        fate = self._random.random() if self.bad else 1.0
        if fate < 0.03:
            return self._deliver([OrderRejected(now, request.client_id, Reason.NO_MARKET_YET)])
        if fate < 0.04:
            return self._deliver([OrderTimedOut(now, request.client_id)])
        answers = list(self._inner.submit(request, now))
        if fate < 0.10:
            self._waiting += [(self._calls + self._late_max, answer) for answer in answers]
            answers = [OrderTimedOut(now, request.client_id)]
        return self._deliver(answers)

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask for a cancel; the answer may come later."""
        return self._deliver(self._inner.cancel(client_id, symbol, now))

    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Ask for a report; it may come later, and be incomplete."""
        (report,) = self._inner.query(request_id, now)
        assert isinstance(report, VenueReport), "the inner venue has no latency of its own"
        if self.bad and self._random.random() < 0.1:
            report = VenueReport(now, request_id, report.orders[1:], report.positions[1:], complete=False)
        return self._deliver([report])

    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask about an order; the answer may come later."""
        return self._deliver(self._inner.query_order(client_id, symbol, now))

    spares_protection = True

    def cancel_all_after(self, timeout_ms: int, now: int) -> Sequence[Event]:
        """Renew the dead-man's switch."""
        return self._deliver(self._inner.cancel_all_after(timeout_ms, now))

    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Let the market move; what that brings may come later."""
        return self._deliver(self._inner.on_market(event))

    def on_time(self, now: int) -> Sequence[Event]:
        """Return what falls due: nothing, the inner venue answers at once."""
        return self._inner.on_time(now)

    def next_at(self) -> int | None:
        """Return when something falls due: never."""
        return self._inner.next_at()

    @property
    def quiet(self) -> bool:
        """Whether nothing is on its way."""
        return not self._waiting

    def all_of_it(self) -> list[Event]:
        """Hand out everything that is on its way, in any order."""
        events = [event for _, event in self._waiting]
        self._waiting.clear()
        self._random.shuffle(events)
        return events

    def truth(self) -> VenueReport:
        """Return what is really open, without anybody noticing."""
        (report,) = self._inner.query(0, 0)
        assert isinstance(report, VenueReport), "the inner venue has no latency of its own"
        return report

    def state(self) -> bytes:
        """Return the inner venue's state."""
        return self._inner.state()

    def restore(self, state: bytes) -> None:
        """Take up the inner venue's state."""
        self._inner.restore(state)

    def _deliver(self, events: Sequence[Event]) -> Sequence[Event]:
        if not self.bad:
            return events
        self._calls += 1
        for event in events:
            if self._lost and self._random.random() < self._lost:
                continue
            for _ in range(2 if self._random.random() < 0.15 else 1):
                late = self._random.choice([0, 0, 0, self._random.randint(1, self._late_max)])
                if self._random.random() < 0.02:
                    late = 10 * self._late_max
                self._waiting.append((self._calls + late, event))
        due = [event for at, event in self._waiting if at <= self._calls]
        self._waiting = [(at, event) for at, event in self._waiting if at > self._calls]
        if self._random.random() < 0.3:
            self._random.shuffle(due)
        return due
