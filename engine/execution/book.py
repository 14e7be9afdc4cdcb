"""Our orders: the table of every open one and the last ended ones, moved only by the order table."""

from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from engine.domain.ids import OrderRole
from engine.domain.orders import OPEN_STATES, Order, OrderRequest, OrderState, OrderTrigger, next_state
from engine.domain.positions import Fill

ENDED_MAX = 500
TRADE_IDS_MAX = 100_000
_replace = msgspec.structs.replace
_ENTRY = OrderRole.ENTRY
_FULL_FILL, _PARTIAL_FILL = OrderTrigger.FULL_FILL, OrderTrigger.PARTIAL_FILL


class BookState(msgspec.Struct, frozen=True):
    """The book as a checkpoint holds it."""

    open: tuple[Order, ...]
    ended: tuple[Order, ...]
    trade_ids: tuple[str, ...]


class OrderBook:
    """Open orders by client id, the newest ended ones, and the trade ids already booked."""

    def __init__(self) -> None:
        self.open: dict[str, Order] = {}  # oldest first; written by the book alone
        self.entries: dict[str, Order] = {}  # those of them that would increase exposure
        self._ended: OrderedDict[str, Order] = OrderedDict()
        self._trade_ids: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many orders are open."""
        return len(self.open)

    def get(self, client_id: str) -> Order | None:
        """Return an order that is open or ended lately."""
        return self.open.get(client_id) or self._ended.get(client_id)

    def open_orders(self) -> tuple[Order, ...]:
        """Return the open orders, oldest first."""
        return tuple(self.open.values())

    def ended_orders(self) -> tuple[Order, ...]:
        """Return the orders that ended lately, oldest end first."""
        return tuple(self._ended.values())

    def select(
        self, *roles: OrderRole, play: str | None = None, symbol: str | None = None
    ) -> Iterator[Order]:
        """Yield the open orders of these roles, of one play and symbol where given."""
        for order in self.open.values():
            request = order.request
            if request.role not in roles or (play is not None and request.play != play):
                continue
            if symbol is None or request.symbol == symbol:
                yield order

    def add(self, request: OrderRequest) -> Order:
        """Take up an order whose intent is about to be stored."""
        assert self.get(request.client_id) is None, f"client id {request.client_id} is used twice"
        order = Order(request=request, updated=request.ts)
        return self._opened(order)

    def recall(self, order: Order) -> None:
        """Take up an order that was stored before a crash, without its fills: they are booked again."""
        assert self.get(order.client_id) is None, f"client id {order.client_id} is in the book"
        sent = Order(
            request=order.request,
            state=OrderState.SUBMITTED,
            venue_id=order.venue_id,
            updated=order.updated,
        )
        self._opened(sent)

    def move(
        self, order: Order, trigger: OrderTrigger, now: int, *, reason: str = "", venue_id: str = ""
    ) -> Order:
        """Apply a trigger from the order table and return the order as it is then."""
        return self.enter(order, next_state(order.state, trigger), now, reason=reason, venue_id=venue_id)

    def enter(
        self, order: Order, state: OrderState, now: int, *, reason: str = "", venue_id: str = ""
    ) -> Order:
        """Take a state that the order table gave; return the order as it is then."""
        return self._put(
            _replace(
                order,
                state=state,
                updated=now,
                reason=reason or order.reason,
                venue_id=venue_id or order.venue_id,
            )
        )

    def mark_cancel_requested(self, order: Order, now: int) -> Order:
        """Remember that a cancel is on its way."""
        return self._put(msgspec.structs.replace(order, cancel_requested=True, updated=now))

    def allow_cancel_again(self, order: Order, now: int) -> Order:
        """Forget a cancel that the venue did not carry out."""
        return self._put(msgspec.structs.replace(order, cancel_requested=False, updated=now))

    def fill(self, order: Order, fill: Fill, now: int) -> Order | None:
        """Add a fill to its order; None where it was booked before.

        A trade between two of our own orders carries one trade id on both sides: it is booked to each.
        """
        key = _trade_key(fill)
        if key in self._trade_ids:
            return None
        self._trade_ids[key] = None
        if len(self._trade_ids) > TRADE_IDS_MAX:
            self._trade_ids.popitem(last=False)
        filled: Decimal = order.filled_qty + fill.qty
        full = filled >= order.qty
        return self._put(
            _replace(
                order,
                state=next_state(order.state, _FULL_FILL if full else _PARTIAL_FILL),
                filled_qty=filled,
                filled_notional=order.filled_notional + fill.price * fill.qty,
                fees=order.fees + fill.fee,
                venue_id=fill.venue_id or order.venue_id,
                updated=now,
                # what was asked of an order before it ended does not count for one that proves alive
                cancel_requested=order.cancel_requested and order.state in OPEN_STATES,
            )
        )

    def trim(self, order: Order, qty: Decimal, now: int) -> Order:
        """Take what the venue made of an order's quantity; one that is filled by then is complete."""
        full = order.filled_qty >= qty
        state = next_state(order.state, _FULL_FILL) if full else order.state
        return self._put(_replace(order, trimmed_qty=qty, state=state, updated=now))

    def has_booked(self, fill: Fill) -> bool:
        """Tell whether a fill was booked before, as far as is remembered."""
        return _trade_key(fill) in self._trade_ids

    def _put(self, order: Order) -> Order:
        client_id = order.request.client_id
        if order.state in OPEN_STATES:
            if client_id not in self.open:  # it proves alive after all
                self._ended.pop(client_id, None)
            return self._opened(order)
        self.open.pop(client_id, None)
        self.entries.pop(client_id, None)
        self._ended[client_id] = order
        if len(self._ended) > ENDED_MAX:
            self._ended.popitem(last=False)
        return order

    def _opened(self, order: Order) -> Order:
        request = order.request
        self.open[request.client_id] = order
        if request.role is _ENTRY:
            self.entries[request.client_id] = order
        return order

    def state(self) -> BookState:
        """Return all that a checkpoint needs."""
        return BookState(self.open_orders(), self.ended_orders(), tuple(self._trade_ids))

    def restore(self, state: BookState) -> None:
        """Take up a checkpoint's state."""
        self.open = {order.client_id: order for order in state.open}
        self.entries = {o.client_id: o for o in state.open if o.request.role is _ENTRY}
        self._ended = OrderedDict((order.client_id, order) for order in state.ended)
        self._trade_ids = OrderedDict.fromkeys(state.trade_ids)


def _trade_key(fill: Fill) -> str:
    return f"{fill.symbol}/{fill.trade_id}/{fill.client_id}"
