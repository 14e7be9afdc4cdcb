"""The simulated venue: a pure machine that holds orders, matches them against market events and answers.

It has no clock and no randomness: the same calls give the same events, and `state` and `restore` carry it
over a restart bit for bit. The rules of matching are in `engine.venues.matching`, those of entry in
`engine.venues.admission`.

Requests take `latency_ns` to reach the book and are answered then, in the order they were sent; with a
latency of 0 they are answered in the call itself. An order never trades on an event that was handed in
before it reached the book. The caller hands in `on_time(next_at())` before any market event of that time or
later. Fills and cancels that the market brings are reported with its event, without a latency of their own.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from engine.domain.errors import CheckpointError
from engine.domain.events import (
    CancelRejected,
    Event,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    VenueEvent,
    VenueOrder,
    VenuePosition,
    VenueReport,
)
from engine.domain.market import NS_PER_MS, Bar, Instrument, MarketEvent, Quote, Stretch, Trade
from engine.domain.money import ONE, ZERO
from engine.domain.orders import OrderRequest, OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.venues.admission import refusal
from engine.venues.deadman import cancel_covered
from engine.venues.matching import NO_EVENTS, Book
from engine.venues.venuestate import (
    STATE_VERSION,
    Cancellation,
    Inbound,
    Inquiry,
    OrderInquiry,
    Renewal,
    Submission,
    VenueState,
    decode_state,
)
from engine.venues.working import BookState, WorkingOrder

HISTORY_MAX = 200  # orders and trades that queries tell of
OPEN = OrderState.ACKNOWLEDGED
Rules = dict[type, Callable[[Book, Any], Sequence[Event]]]


class MatchOn(StrEnum):
    """Which stream fills orders: the finest one the feed has. The coarser ones are not matched again."""

    BARS = "bars"
    TRADES = "trades"
    QUOTES = "quotes"  # quotes and trades together: takers fill at the touch, resting orders on prints


class SimulatedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the simulated venue behaves."""

    match_on: MatchOn = MatchOn.BARS
    match_on_by_symbol: dict[str, MatchOn] = {}  # where symbols have streams of their own
    latency_ns: int = 0
    participation: Decimal = ONE  # the part of traded volume that may fill us, over 0 and at most 1
    id_prefix: str = "sim"
    switch_spares_protection: bool = True  # the dead-man's switch cancels only what may increase a position
    ids_max: int = 10_000  # client ids remembered after their order ended, to refuse duplicates

    def __post_init__(self) -> None:
        assert self.latency_ns >= 0, "latency_ns is not negative"
        assert 0 < self.participation <= 1, "participation lies over 0 and at most at 1"
        assert self.ids_max > 0, "ids_max is positive"


class SimulatedVenue:
    """The venue port (engine.ports.Venue) over a matching engine."""

    def __init__(self, instruments: Iterable[Instrument], config: SimulatedConfig) -> None:
        self._config, self._latency_ns = config, config.latency_ns
        self._books: dict[str, Book] = {}
        self._rules: dict[str, Rules] = {}
        for instrument in instruments:
            symbol = instrument.symbol
            match_on = config.match_on_by_symbol.get(symbol, config.match_on)
            use_quotes = match_on is MatchOn.QUOTES
            self._books[symbol] = Book(instrument, config.participation, use_quotes=use_quotes)
            self._rules[symbol] = _rules(match_on)
        self._ids: deque[str] = deque()  # by arrival, so that the oldest is forgotten first
        self._known: set[str] = set()
        self._inbound: deque[Inbound] = deque()
        self._arrivals = 0
        self._deadline: int | None = None  # of the dead-man's switch
        # The newest orders, open or ended, and trades: what queries tell of the past.
        self._orders: OrderedDict[str, WorkingOrder] = OrderedDict()
        self._fills: deque[Fill] = deque(maxlen=HISTORY_MAX)

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Hand over an order; OrderAcked or OrderRejected answers."""
        return self._send(Submission(self._due(now), request))

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask to cancel an order; OrderCanceled or CancelRejected answers."""
        return self._send(Cancellation(self._due(now), client_id, symbol))

    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Ask for all open orders and positions, and the trades of late; a VenueReport answers."""
        return self._send(Inquiry(self._due(now), request_id))

    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask about one order; an OrderReport answers."""
        return self._send(OrderInquiry(self._due(now), client_id, symbol))

    @property
    def spares_protection(self) -> bool:
        """Whether cancel-all-after leaves reduce-only orders alone."""
        return self._config.switch_spares_protection

    def cancel_all_after(self, timeout_ms: int, now: int) -> Sequence[Event]:
        """Renew the dead-man's switch; nothing answers but the cancels of one that goes off."""
        renewal = Renewal(self._due(now), timeout_ms * NS_PER_MS)
        if self._latency_ns or self._inbound:
            self._inbound.append(renewal)
        else:
            self._renew(renewal)
        return NO_EVENTS

    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Match the book against a market event; returns fills and cancels in the order they happened."""
        book = self._books.get(event.symbol)
        if book is None:
            return NO_EVENTS
        events: Sequence[Event] = NO_EVENTS
        if book.orders:
            rule = self._rules[event.symbol].get(type(event))
            if rule is not None:
                events = rule(book, event)
                for answer in events:
                    if type(answer) is Fill:
                        self._fills.append(answer)
        if type(event) is Quote:  # isinstance takes 100 ns more, every bar
            book.quote = event
        else:
            book.last = event  # type: ignore[assignment]  # mypy narrows `type(x) is` on one side only
        return events

    def quiet_until(self, stretch: Stretch, first: int, last: int) -> int:
        """Return the end of the events from `first` on, at most `last`, that are sure to bring no answer."""
        book = self._books.get(stretch.symbol)
        if book is None or not book.orders or stretch.kind not in self._rules[stretch.symbol]:
            return last
        return book.quiet_until(stretch, first, last)

    def on_time(self, now: int) -> Sequence[Event]:
        """Let the requests that are due by `now` reach the book; returns the answers."""
        due = self.next_at()
        if due is None or due > now:
            return NO_EVENTS
        events: list[Event] = []
        while (at := self.next_at()) is not None and at <= now:
            if at == self._deadline and not (self._inbound and self._inbound[0].due == at):
                events += self._go_off(at)
                continue
            item = self._inbound.popleft()
            if type(item) is Renewal:
                self._renew(item)
            else:
                events.append(self._arrive(item))
        return events

    def next_at(self) -> int | None:
        """Return when the next answer falls due, None where nothing is on its way."""
        deadline = self._deadline
        if not self._inbound:
            return deadline
        due = self._inbound[0].due
        return due if deadline is None or due <= deadline else deadline

    def state(self) -> bytes:
        """Return everything as bytes; equal states give equal bytes."""
        return msgspec.msgpack.encode(
            VenueState(
                STATE_VERSION,
                self._arrivals,
                tuple(self._ids),
                tuple(self._inbound),
                tuple(book.save() for book in self._books.values()),
                tuple(self._orders.values()),
                tuple(self._fills),
                self._deadline,
            )
        )

    def restore(self, state: bytes) -> None:
        """Take up a state. Raises CheckpointError, and changes nothing, where it cannot be used."""
        saved = decode_state(state)
        kept = {state.symbol: state for state in saved.books}
        for symbol, book_state in kept.items():
            if symbol not in self._books and (book_state.orders or book_state.position):
                raise CheckpointError(
                    f"the simulated venue's checkpoint holds orders or a position in {symbol}, "
                    "which this session does not trade; add its data or start a new state directory"
                )
        for symbol, book in self._books.items():
            book.load(kept.get(symbol, BookState(symbol)))
        self._arrivals, self._deadline = saved.arrivals, saved.deadline
        self._ids, self._known = deque(saved.ids), set(saved.ids)
        self._inbound = deque(saved.inbound)
        self._fills = deque(saved.fills, maxlen=HISTORY_MAX)
        # An order in a book and in the history is one object: what fills it must show in both.
        working = {
            client_id: order for book in self._books.values() for client_id, order in book.orders.items()
        }
        orders = {o.request.client_id: working.get(o.request.client_id, o) for o in saved.orders}
        self._orders = OrderedDict(orders)

    def _due(self, now: int) -> int:
        """Return when a request sent now arrives: never before one that was sent earlier."""
        due = now + self._latency_ns
        return max(due, self._inbound[-1].due) if self._inbound else due

    def _send(self, item: Inbound) -> Sequence[Event]:
        if self._latency_ns or self._inbound:
            self._inbound.append(item)
            return NO_EVENTS
        return (self._arrive(item),)

    def _arrive(self, item: Inbound) -> VenueEvent:
        # by type and not by `match`, for what a class pattern costs on the way of every order
        if type(item) is Submission:
            return self._enter(item.request, item.due)
        if type(item) is Cancellation:
            return self._take_out(item.client_id, item.symbol, item.due)
        if type(item) is OrderInquiry:
            return self._report_order(item.client_id, item.due)
        assert type(item) is Inquiry, "nothing else is sent"
        return self._report(item.request_id, item.due)

    def _renew(self, item: Renewal) -> None:
        self._deadline = item.due + item.timeout_ns if item.timeout_ns else None

    def _go_off(self, ts: int) -> list[Event]:
        """Let the dead-man's switch cancel what it covers."""
        self._deadline = None
        return cancel_covered(self._books.values(), ts, spares=self._config.switch_spares_protection)

    def _enter(self, request: OrderRequest, ts: int) -> VenueEvent:
        client_id, book = request.client_id, self._books.get(request.symbol)
        if book is None:
            return OrderRejected(ts, client_id, Reason.UNKNOWN_SYMBOL, f"{request.symbol} is not traded here")
        if self._knows(client_id):
            return OrderRejected(ts, client_id, Reason.DUPLICATE_ID, f"{client_id} was used before")
        refused = refusal(request, book)
        if refused is not None:
            return OrderRejected(ts, client_id, refused.reason, refused.text)
        self._arrivals += 1
        venue_id = f"{self._config.id_prefix}{self._arrivals}"
        crosses = request.price is not None and book.crosses(request.side, float(request.price))
        order = WorkingOrder.entering(request, self._arrivals, venue_id, crosses=crosses)
        book.add(order)
        self._remember(client_id)
        self._orders[client_id] = order
        if len(self._orders) > HISTORY_MAX:
            self._orders.popitem(last=False)
        return OrderAcked(ts, client_id, venue_id)

    def _knows(self, client_id: str) -> bool:
        if client_id in self._known:
            return True
        for book in self._books.values():  # noqa: SIM110 - a generator costs more
            if client_id in book.orders:
                return True
        return False

    def _remember(self, client_id: str) -> None:
        self._ids.append(client_id)
        self._known.add(client_id)
        if len(self._ids) > self._config.ids_max:
            self._known.discard(self._ids.popleft())

    def _take_out(self, client_id: str, symbol: str, ts: int) -> VenueEvent:
        book = self._books.get(symbol)
        if book is None or not book.remove(client_id):
            return CancelRejected(ts, client_id, Reason.ORDER_NOT_FOUND)
        return OrderCanceled(ts, client_id)

    def _report(self, request_id: int, ts: int) -> VenueReport:
        orders = [order for book in self._books.values() for order in book.orders.values()]
        orders.sort(key=lambda order: order.arrival)
        positions = (
            VenuePosition(symbol, book.position) for symbol, book in self._books.items() if book.position
        )
        listed = tuple([_listed(order, OPEN) for order in orders])
        return VenueReport(ts, request_id, listed, tuple(positions), fills=tuple(self._fills))

    def _report_order(self, client_id: str, ts: int) -> OrderReport:
        order = self._orders.get(client_id)
        if order is None:
            return OrderReport(ts, client_id, None)
        ended = OrderState.FILLED if order.remaining == ZERO else OrderState.CANCELED
        working = client_id in self._books[order.request.symbol].orders
        fills = tuple([fill for fill in self._fills if fill.client_id == client_id])
        return OrderReport(ts, client_id, _listed(order, OPEN if working else ended), fills)


def _rules(match_on: MatchOn) -> Rules:
    match match_on:
        case MatchOn.BARS:
            return {Bar: Book.on_bar}
        case MatchOn.TRADES:
            return {Trade: Book.on_trade}
        case MatchOn.QUOTES:
            return {Trade: Book.on_trade, Quote: Book.on_quote}


def _listed(order: WorkingOrder, state: OrderState) -> VenueOrder:
    """List an order; one that is open is partially filled where some of it is."""
    request = order.request
    filled = request.qty - order.remaining
    if state is OPEN and filled > ZERO:
        state = OrderState.PARTIALLY_FILLED
    return VenueOrder(
        client_id=request.client_id,
        venue_id=order.venue_id,
        symbol=request.symbol,
        side=request.side,
        qty=request.qty,
        filled_qty=filled,
        state=state,
        triggered=order.at_market and request.trigger is not None,
    )
