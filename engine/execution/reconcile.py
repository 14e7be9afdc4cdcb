"""Reconciliation: what our books say of orders is held against what the venue shows, and the venue wins.

Pure: books and a report in, what the books missed out, as the events that the venue would have sent. What the
report does not explain is not guessed about: it is asked for by client id, and stays open meanwhile.
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.domain.events import Event, OrderAcked, OrderCanceled, OrderReport, VenueOrder, VenueReport
from engine.domain.money import ZERO, canonical
from engine.domain.orders import Order, OrderRequest, OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.execution.book import OrderBook

_UNANSWERED = frozenset({OrderState.PENDING, OrderState.SUBMITTED, OrderState.UNKNOWN})
_ENDED = frozenset({OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED})


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a report tells that our books do not know."""

    events: tuple[Event, ...] = ()  # in the order in which they are to be taken
    # Client ids that are open in our books: the report does not say what became of them, or shows that a
    # cancel that was asked for before it did not arrive.
    unexplained: tuple[str, ...] = ()
    uncanceled: tuple[str, ...] = ()
    trimmed: tuple[VenueOrder, ...] = ()  # of which the venue shows another quantity than our books
    strays: tuple[VenueOrder, ...] = ()  # orders with an id of ours that our books do not hold open
    foreign: tuple[VenueOrder, ...] = ()  # orders of others: shown, never touched


def flaw(report: VenueReport, book: OrderBook) -> str:
    """Return why a report cannot be believed, empty where it can: nonsense is an error and never "flat"."""
    if not report.complete:
        return "the venue could not answer all of it"
    counts = Counter(listed.venue_id for listed in report.orders)
    for listed in report.orders:
        order = book.get(listed.client_id)
        if counts[listed.venue_id] > 1:
            return f"order {listed.venue_id} is listed twice"
        if not ZERO <= listed.filled_qty <= listed.qty:
            filled, qty = canonical(listed.filled_qty), canonical(listed.qty)
            return f"order {listed.client_id} is filled {filled} of {qty}"
        if order is not None and _other(order, listed):
            return f"order {listed.client_id} is not the one that was sent"
    for fill in report.fills:
        if fill.qty <= ZERO or fill.price <= ZERO:
            return f"trade {fill.trade_id} has quantity {canonical(fill.qty)}, price {canonical(fill.price)}"
    return ""


def _other(order: Order, listed: VenueOrder) -> bool:
    request = order.request
    same = (request.symbol, request.side) == (listed.symbol, listed.side)
    return not same or not (listed.qty == request.qty or _may_be_trimmed(request, listed.qty))


def _may_be_trimmed(request: OrderRequest, qty: Decimal) -> bool:
    """Tell whether a venue may show this quantity of an order: one that only reduces, and by less."""
    return request.reduce_only and ZERO < qty < request.qty


def diff(book: OrderBook, report: VenueReport, *, asked: int, owns: Callable[[str], bool]) -> Difference:
    """Return what a flawless report tells beyond our books.

    `asked` (ns UTC) is when the report was asked for: what moved since then is younger than it, and is left
    alone. `owns` tells whether a client id is one of ours.
    """
    fills = missed(book, report.fills)
    by_order: dict[str, Decimal] = {}
    for fill in fills:
        by_order[fill.client_id] = by_order.get(fill.client_id, ZERO) + fill.qty
    listed = {o.client_id: o for o in report.orders}
    events: list[Event] = list(fills)
    unexplained, uncanceled, trimmed = [], [], []
    for order in book.open_orders():
        if order.updated >= asked:
            continue
        known = order.filled_qty + by_order.get(order.client_id, ZERO)
        at_venue = listed.get(order.client_id)
        if at_venue is not None and order.state in _UNANSWERED:
            events.append(OrderAcked(report.ts, order.client_id, at_venue.venue_id))
        if at_venue is not None and at_venue.qty != order.qty:
            trimmed.append(at_venue)
        explained = known >= order.qty if at_venue is None else known >= at_venue.filled_qty
        if not explained:
            unexplained.append(order.client_id)
        if at_venue is not None and order.cancel_requested:
            uncanceled.append(order.client_id)
    ours = [o for o in report.orders if owns(o.client_id)]
    return Difference(
        events=tuple(events),
        unexplained=tuple(unexplained),
        uncanceled=tuple(uncanceled),
        trimmed=tuple(trimmed),
        strays=tuple(o for o in ours if _is_stray(book.get(o.client_id), asked)),
        foreign=tuple(o for o in report.orders if not owns(o.client_id)),
    )


def _is_stray(order: Order | None, asked: int) -> bool:
    return order is None or (not order.state.is_open and order.updated < asked)


def missed(book: OrderBook, fills: tuple[Fill, ...]) -> tuple[Fill, ...]:
    """Return the fills of our orders that are not booked yet, oldest first."""
    new = [fill for fill in fills if book.get(fill.client_id) is not None and not book.has_booked(fill)]
    return tuple(sorted(new, key=lambda fill: (fill.ts, fill.trade_id)))


def trimmed_to(order: Order, report: OrderReport) -> Decimal | None:
    """Return what a believable answer about one order trims it to, None where its quantity is our books'."""
    found = report.order
    if not report.complete or found is None or _other(order, found) or found.qty == order.qty:
        return None
    return found.qty


def settled(order: Order, report: OrderReport, book: OrderBook) -> tuple[Event, ...]:
    """Return the events that an answer about one order amounts to; none where the venue does not know it.

    Not to be found is no evidence: an order may become visible later. An end counts only together with all of
    its trades: an order that ended with fills that nobody told stays open, and is asked about again.
    """
    found = report.order
    if not report.complete or found is None or _other(order, found):
        return ()
    fills = missed(book, report.fills)
    if order.filled_qty + sum((fill.qty for fill in fills), ZERO) < found.filled_qty:
        return fills
    if found.state in _ENDED:
        return (*fills, OrderCanceled(report.ts, order.client_id, Reason.ENDED_AT_VENUE))
    if order.state in _UNANSWERED and not fills:
        return (OrderAcked(report.ts, order.client_id, found.venue_id),)
    return fills
