"""The venue of a simulation, which outlives every engine, and the faulty line that leads to it."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from engine.domain.events import (
    Channel,
    Event,
    FeedChanged,
    FeedState,
    OrderAcked,
    OrderRejected,
    OrderTimedOut,
    VenueReport,
)
from engine.domain.market import Bar, Instrument, MarketEvent
from engine.domain.orders import OrderRequest
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.simulation.disk import Life
from tests.simulation.faults import Chance, Kind
from tests.simulation.virtual_loop import Time

TIMEOUT_S = 3.0  # how long an adapter waits for the answer to a submit
LOST = 0.05  # of all that goes either way
NO_EVENTS: tuple[Event, ...] = ()


class Exchange:
    """The venue itself: it is down at times, and comes back with what it held."""

    def __init__(
        self, instruments: tuple[Instrument, ...], time: Time, chance: Chance, tell: Callable[[str], None]
    ) -> None:
        self._instruments = instruments
        self.time, self.chance, self.tell = time, chance, tell
        self.venue = SimulatedVenue(instruments, SimulatedConfig())
        self.up = True
        self.connection: Connection | None = None
        self.fills: dict[tuple[str, str, str], Fill] = {}  # all there ever were, by symbol, trade and order
        self.by_hand: dict[str, str] = {}  # symbols by the ids of orders that are not ours
        self.on_way: dict[str, int] = {}  # client ids of submits that may still arrive, and how often

    def connect(self, life: Life, sending: Callable[[OrderRequest], None]) -> "Connection":
        """Let an engine connect; the one before is gone. `sending` sees what leaves for the venue."""
        self.connection = Connection(self, life, sending)
        return self.connection

    def on_market(self, bar: Bar) -> None:
        """Match the orders against a bar and tell the engine on its private stream."""
        if self.up:
            self.answer(self.venue.on_market(bar))

    def answer(self, events: Iterable[Event]) -> None:
        """Note what happened and send it down the line, if one is there."""
        for event in events:
            if type(event) is Fill:
                if event.client_id not in self.by_hand:
                    self.fills[event.symbol, event.trade_id, event.client_id] = event
                self.tell(f"venue: {event.client_id} trades {event.qty} at {event.price}")
            if self.connection is not None:
                self.connection.deliver(event)

    def trade_by_hand(self, request: OrderRequest) -> None:
        """Take an order of somebody else's on the same account."""
        self.by_hand[request.client_id] = request.symbol
        self.tell(f"somebody: {request.side} {request.qty} {request.symbol} by hand")
        if self.up:
            self.answer(self.venue.submit(request, self.time.now))

    def renew(self, timeout_ms: int) -> None:
        """Take a renewal of the dead-man's switch, and look at it again when it may go off."""
        self.venue.cancel_all_after(timeout_ms, self.time.now)
        if timeout_ms:
            self.time.after(timeout_ms / 1000, self.look)

    def look(self) -> None:
        """Let go off what has waited too long; a venue that is down does so when it is up again."""
        if self.up:
            self.answer(self.venue.on_time(self.time.now))

    def restart(self, down_s: float) -> None:
        """Go down for a while and come back from what was kept; requests of that time are lost."""
        if not self.up:
            return
        self.up = False
        self.tell(f"venue: down for {down_s:.1f} s")
        if self.connection is not None:
            self.connection.break_off(down_s + 0.5)

        def come_back() -> None:
            kept, self.venue = self.venue.state(), SimulatedVenue(self._instruments, SimulatedConfig())
            self.venue.restore(kept)
            self.up = True
            self.tell("venue: up again")
            self.look()

        self.time.after(down_s, come_back)

    def truth(self) -> VenueReport:
        """Return what is really open of ours, and every position, without anybody noticing."""
        (report,) = self.venue.query(0, self.time.now)
        assert isinstance(report, VenueReport), "the venue has no latency of its own"
        ours = tuple(order for order in report.orders if order.client_id not in self.by_hand)
        return msgspec.structs.replace(report, orders=ours)


class Connection:
    """The Venue port of one engine: an adapter that hands over, and posts what comes back.

    Everything takes its time. Requests and answers may be lost, and answers come twice or in another order.
    A submit without an answer is told as timed out, whatever became of it.
    """

    def __init__(self, exchange: Exchange, life: Life, sending: Callable[[OrderRequest], None]) -> None:
        self._exchange, self._life, self._sending = exchange, life, sending
        self._time, self._chance = exchange.time, exchange.chance
        self._up = True
        self._answered: set[str] = set()
        self.post: Callable[[Event], object] = lambda _: None

    # the port

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Send an order on its way."""
        if not self._life.alive:
            return NO_EVENTS
        self._sending(request)
        client_id = request.client_id
        exchange = self._exchange
        exchange.tell(
            f"line: submit {client_id} {request.role} {request.side} {request.qty} {request.symbol}"
        )
        if self._chance.happens(Kind.REFUSALS, 0.04):
            refusal = OrderRejected(self._time.now, client_id, Reason.NO_MARKET_YET, "too many requests")
            self._later(0.05, lambda: self._post(refusal))
            return NO_EVENTS
        exchange.on_way[client_id] = exchange.on_way.get(client_id, 0) + 1
        self._send(lambda: self._arrive(request), lambda: self._over(client_id))
        self._later(TIMEOUT_S, lambda: self._time_out(client_id))
        return NO_EVENTS

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Send a cancel on its way."""
        if self._life.alive:
            self._exchange.tell(f"line: cancel {client_id}")
            self._send(
                lambda: self._exchange.answer(self._exchange.venue.cancel(client_id, symbol, self._time.now))
            )
        return NO_EVENTS

    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Send a question on its way."""
        if self._life.alive:
            self._send(lambda: self._report(request_id))
        return NO_EVENTS

    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Send a question about an order on its way."""
        if self._life.alive:
            self._send(
                lambda: self.deliver(*self._exchange.venue.query_order(client_id, symbol, self._time.now))
            )
        return NO_EVENTS

    spares_protection = True

    def cancel_all_after(self, timeout_ms: int, now: int) -> Sequence[Event]:
        """Send a renewal of the dead-man's switch on its way."""
        if self._life.alive:
            self._send(lambda: self._exchange.renew(timeout_ms))
        return NO_EVENTS

    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Say nothing: the venue matches by itself."""
        return NO_EVENTS

    def on_time(self, now: int) -> Sequence[Event]:
        """Say nothing: answers are posted."""
        return NO_EVENTS

    def next_at(self) -> int | None:
        """Return that nothing is due."""
        return None

    def state(self) -> bytes:
        """Keep nothing: the venue does."""
        return b""

    def restore(self, state: bytes) -> None:
        """Take up nothing."""

    # the line

    def deliver(self, *events: Event) -> None:
        """Send answers back: late, twice, in another order or never."""
        for event in events:
            if self._chance.happens(Kind.LOSS, LOST):
                self._exchange.tell(f"line: loses {_named(event)}")
                continue
            for _ in range(2 if self._chance.happens(Kind.DUPLICATES, 0.1) else 1):
                self._later(self._delay_s(), lambda event=event: self._post(event))  # type: ignore[misc]

    def break_off(self, down_s: float) -> None:
        """Lose the connection for a while."""
        if not self._up or not self._life.alive:
            return
        self._up = False
        self._exchange.tell(f"line: breaks off for {down_s:.1f} s")
        self._tell_engine(FeedState.DISCONNECTED)

        def come_back() -> None:
            self._up = True
            self._tell_engine(FeedState.CONNECTED)

        self._later(down_s, come_back)

    def _tell_engine(self, state: FeedState) -> None:
        if self._life.alive:
            self.post(FeedChanged(self._time.now, "orders", state, channel=Channel.PRIVATE))

    def _send(self, arrive: Callable[[], None], lost: Callable[[], None] = lambda: None) -> None:
        """Bring a request to the venue, or lose it."""
        if not self._up or self._chance.happens(Kind.LOSS, LOST):
            lost()
            return

        def reach() -> None:
            if self._exchange.up:
                arrive()
            else:
                lost()

        self._later(self._delay_s(), reach)

    def _arrive(self, request: OrderRequest) -> None:
        self._over(request.client_id)
        self._exchange.answer(self._exchange.venue.submit(request, self._time.now))

    def _over(self, client_id: str) -> None:
        """An order is on its way no more."""
        on_way = self._exchange.on_way
        on_way[client_id] -= 1
        if not on_way[client_id]:
            del on_way[client_id]

    def _report(self, request_id: int) -> None:
        (report,) = self._exchange.venue.query(request_id, self._time.now)
        assert isinstance(report, VenueReport), "the venue has no latency of its own"
        if self._chance.happens(Kind.REFUSALS, 0.08):
            report = VenueReport(
                self._time.now, request_id, report.orders[1:], report.positions[1:], complete=False
            )
        self.deliver(report)

    def _time_out(self, client_id: str) -> None:
        if client_id not in self._answered:
            self._post(OrderTimedOut(self._time.now, client_id), local=True)

    def _post(self, event: Event, *, local: bool = False) -> None:
        """Hand an answer to the engine, if the line still stands; `local` is what the adapter says itself."""
        if not self._life.alive or not (self._up or local):
            return
        if type(event) in (OrderAcked, OrderRejected):
            self._answered.add(event.client_id)  # type: ignore[union-attr]  # both have one
        self._exchange.tell(f"engine: hears {_named(event)}")
        self.post(event)

    def _delay_s(self) -> float:
        """Return how long something is on its way: at times so long that everybody has given up."""
        chance = self._chance.of(Kind.DELAY)
        usual, slow, drawn = chance.uniform(0.005, 0.2), chance.expovariate(0.25), chance.random()
        return usual + slow if drawn < 0.1 and Kind.DELAY not in self._chance.without else usual

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._time.after(seconds, do)


def _named(event: Event) -> str:
    return f"{type(event).__name__} {getattr(event, 'client_id', '')}".strip()
