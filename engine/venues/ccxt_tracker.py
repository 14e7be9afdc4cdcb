"""Turns what a private stream tells into events, so that an end is never told before its trades.

A venue tells orders and trades on two topics, in any order, and ccxt may let two updates of an order become
one. Trades are passed on as they come. That an order ended is passed on once its trades add up to what the
order says was filled; where they do not come, the order is asked about.
"""

from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.domain.events import Event, OrderAcked, OrderCanceled, OrderRejected
from engine.domain.money import ZERO
from engine.domain.orders import OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.venues.ccxt_answers import OrderAnswer

TRACKED_MAX = 10_000
TRADES_MAX = 20_000
_WORKING = frozenset({OrderState.ACKNOWLEDGED, OrderState.PARTIALLY_FILLED})
# What a venue calls the end of an order that was not asked for, by words inside its own.
_END_REASONS = (
    ("postonly", Reason.POST_ONLY_WOULD_TAKE),
    ("post_only", Reason.POST_ONLY_WOULD_TAKE),
    ("reduceonly", Reason.REDUCE_ONLY_WOULD_INCREASE),
    ("reduce_only", Reason.REDUCE_ONLY_WOULD_INCREASE),
    ("noimmediateqty", Reason.IOC_REMAINDER),
    ("fillcanbeimmediatelyfull", Reason.FOK_UNFILLED),
    ("fok", Reason.FOK_UNFILLED),
    ("insufficient", Reason.INSUFFICIENT_FUNDS),
    ("dcp", Reason.RENEWAL_MISSED),
)
_REASON_KEYS = ("rejectReason", "cancelType", "cancelSource", "cancelSourceReason")


class _Track(msgspec.Struct):
    """What was told of one order."""

    qty: Decimal = ZERO  # what was sent, 0 where that was before this start
    filled: Decimal = ZERO
    acked: bool = False
    ended: OrderAnswer | None = None
    told: bool = False  # its end


class Tracker:
    """Knows of each order what was passed on. Times are ns UTC, quantities base units."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._tracks: OrderedDict[str, _Track] = OrderedDict()
        self._trades: OrderedDict[tuple[str, str], None] = OrderedDict()

    def sent(self, client_id: str, qty: Decimal) -> None:
        """Note the quantity (base units) of an order that is handed over."""
        self._track(client_id).qty = qty

    def acked(self, client_id: str) -> None:
        """Note that the venue's taking the order was told by the answer to its request."""
        self._track(client_id).acked = True

    def on_order(self, client_id: str, order: OrderAnswer, size: Decimal) -> list[Event]:
        """Take an update of one of our orders; `size`: base units a contract."""
        track = self._track(client_id)
        if track.told:
            return []
        events: list[Event] = []
        if not track.acked and order.state is not OrderState.REJECTED:
            track.acked = True
            events.append(OrderAcked(self._now(), client_id, order.id))
        if order.state not in _WORKING:
            track.ended = order
            events += self._end(client_id, track, size)
        return events

    def on_fill(self, fill: Fill, size: Decimal) -> list[Event]:
        """Take a trade of one of our orders; one that was told before is no news."""
        key = (fill.client_id, fill.trade_id)
        if key in self._trades:
            return []
        self._trades[key] = None
        if len(self._trades) > TRADES_MAX:
            self._trades.popitem(last=False)
        track = self._track(fill.client_id)
        track.filled += fill.qty
        return [fill, *self._end(fill.client_id, track, size)]

    def is_open(self, client_id: str) -> bool:
        """Tell whether an end of the order is still to be told, as far as anybody told us."""
        track = self._tracks.get(client_id)
        return track is None or not track.told

    def lacks_trades(self, client_id: str) -> bool:
        """Tell whether an order ended and not all of its trades were told."""
        track = self._tracks.get(client_id)
        return track is not None and track.ended is not None and not track.told

    def _track(self, client_id: str) -> _Track:
        track = self._tracks.setdefault(client_id, _Track())
        self._tracks.move_to_end(client_id)
        if len(self._tracks) > TRACKED_MAX:
            self._tracks.popitem(last=False)
        return track

    def _end(self, client_id: str, track: _Track, size: Decimal) -> list[Event]:
        """Return what the end of an order amounts to, nothing while trades of it are missing."""
        order = track.ended
        if order is None or track.told or track.filled < order.filled * size:
            return []
        track.told = True
        reason = _reason_of(order)
        match order.state:
            case OrderState.FILLED if track.filled >= track.qty:
                return []
            case OrderState.FILLED:  # of less than was sent: a reduce-only order that the venue trimmed
                return [OrderCanceled(self._now(), client_id, Reason.ENDED_AT_VENUE)]
            case OrderState.REJECTED:
                # What the answer to the request had acknowledged can be canceled only.
                ts, text = self._now(), str(order.info.get("rejectReason", ""))
                rejected = OrderRejected(ts, client_id, reason or Reason.VENUE_REFUSED, text)
                return [rejected, OrderCanceled(ts, client_id, reason or Reason.VENUE_REFUSED)]
            case _:
                return [OrderCanceled(self._now(), client_id, reason)]


def _reason_of(order: OrderAnswer) -> Reason | None:
    """Return why an order ended, None where the venue gives no cause but our own cancel."""
    words = " ".join(str(order.info.get(key, "")) for key in _REASON_KEYS).lower().replace(" ", "")
    return next((reason for word, reason in _END_REASONS if word in words), None)
