"""What the simulated venue's dead-man's switch does when it goes off."""

from collections.abc import Iterable
from operator import itemgetter

from engine.domain.events import Event, OrderCanceled
from engine.domain.reasons import Reason
from engine.venues.matching import Book


def cancel_covered(books: Iterable[Book], ts: int, *, spares: bool) -> list[Event]:
    """Cancel what rests in the books, oldest first; with `spares` only what may increase a position."""
    covered = [
        (order.arrival, client_id, book)
        for book in books
        for client_id, order in book.orders.items()
        if not (spares and order.request.reduce_only)
    ]
    covered.sort(key=itemgetter(0))
    return [
        OrderCanceled(ts, client_id, Reason.RENEWAL_MISSED)
        for _, client_id, book in covered
        if book.remove(client_id)
    ]
