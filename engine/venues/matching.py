"""One symbol's book in the simulated venue: which of our orders trade on a market event, at what price.

An event is turned into offers. An offer has a price (`ref`) at which an order may take, a range [low, high]
that reaches resting orders, and a volume that all orders share. Orders meet an offer in this sequence:

1. market orders and stops that were triggered before, by arrival, at `ref`;
2. stops whose trigger lies in the range, the one passed furthest first, at the worse of trigger and `ref`;
3. limits inside the range, the one passed furthest first, then by arrival.

A bar is two offers that share its volume: first its open alone, then its whole range (which includes the
open, for a recorded open may lie outside [low, high]). So what gaps through at the open fills at the open,
and of a stop and a target inside one bar the stop fills first. A bar says nothing of the moments inside it:
an order that reached the book before the bar was handed in meets it from the open on, whatever the latency.

Where a feed also builds coarser bars, each behind the bars it is made of, those are not matched: no stretch
of time is matched twice.

A trade is one offer. A resting limit fills at its limit, for it stood in the book when the price came by.

Where quotes are used, market orders and limits that cross take at the touch of the next quote, up to its
size (every quote offers its size anew). Trades trigger stops and fill resting limits; a quote that crosses a
resting limit fills it at its limit. A stop triggered by a trade takes at the next quote.

A limit that crosses on arrival is a taker until an event shows that it does not cross; from then on it rests
and is a maker. An immediate-or-cancel order sees one event that it could take from; the rest is canceled. A
fill-or-kill order does, too, and takes nothing where it cannot take all.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import inf

from engine.domain.events import OrderCanceled, VenueEvent
from engine.domain.market import Bar, Instrument, Quote, Stretch, Trade
from engine.domain.money import LEDGER_CONTEXT, ONE, ZERO
from engine.domain.orders import OrderRequest, TimeInForce
from engine.domain.positions import Fill, Liquidity
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.venues.working import BookState, Offer, Volume, WorkingOrder

LOOK_AHEAD_BARS = 32
NO_EVENTS: tuple[VenueEvent, ...] = ()
Orders = list[WorkingOrder]
_TAKER, _SELL = Liquidity.TAKER, Side.SELL  # bound once: every fill passes here


class Book:
    """Our working orders and our net position in one symbol, and the last that was seen of its market."""

    __slots__ = (
        "_participation",
        "_use_quotes",
        "_wake_above",
        "_wake_below",
        "instrument",
        "last",
        "orders",
        "position",
        "quote",
    )

    def __init__(self, instrument: Instrument, participation: Decimal, *, use_quotes: bool) -> None:
        self.instrument = instrument
        self.orders: dict[str, WorkingOrder] = {}
        self.position = ZERO
        self.last: Bar | Trade | None = None
        self.quote: Quote | None = None
        self._participation = participation
        self._use_quotes = use_quotes
        self.wake()

    def wake(self) -> None:
        """Look at every order on the next event, whatever its price."""
        self._wake_below, self._wake_above = inf, -inf

    def add(self, order: WorkingOrder) -> None:
        """Take an order in; it trades from the next event on."""
        self.orders[order.request.client_id] = order
        self.wake()

    def remove(self, client_id: str) -> bool:
        """Take an order out; false where it is not in the book."""
        return self.orders.pop(client_id, None) is not None

    def touch(self, side: Side) -> float | None:
        """Return the price an order of this side would take at; the last one where quotes are not used."""
        if self._use_quotes and self.quote is not None:
            return self.quote.ask if side is Side.BUY else self.quote.bid
        return None if self.last is None else self.last.mark

    def crosses(self, side: Side, limit: float) -> bool:
        """Tell whether a limit would take at once.

        At the other side's quote it would; at the last price, where the book is not known, it may rest.
        """
        touch = self.touch(side)
        assert touch is not None, "no order enters before the first price"
        if limit == touch:
            return self._use_quotes and self.quote is not None
        return limit > touch if side is Side.BUY else limit < touch

    def reducible(self, side: Side) -> Decimal:
        """Return how much an order of this side can reduce the position by."""
        position = self.position if side is _SELL else -self.position
        return max(ZERO, position)

    def on_bar(self, bar: Bar) -> Sequence[VenueEvent]:
        """Match against a bar: its open, then its range."""
        low, high, opening = bar.low, bar.high, bar.open
        if opening < low:
            low = opening
        elif opening > high:
            high = opening
        if low > self._wake_below and high < self._wake_above:
            return NO_EVENTS
        if self._retells(bar):
            return NO_EVENTS
        events: list[VenueEvent] = []
        volume = Volume(self.instrument, bar.volume, self._participation)
        at_open = Offer(bar.ts, opening, opening, opening, volume, takes=True, improves=True)
        orders = self._match(list(self.orders.values()), at_open, events)
        if orders:
            within = Offer(bar.ts, opening, high, low, volume, takes=True, improves=True)
            self._match(orders, within, events)
        self._settle(bar.ts, events, took=True)
        return events

    def quiet_until(self, stretch: Stretch, first: int, last: int) -> int:
        """Return the end of the bars from `first` on that wake no order; looks at LOOK_AHEAD_BARS at most."""
        below, above = self._wake_below, self._wake_above
        last = min(last, first + LOOK_AHEAD_BARS)
        columns = (stretch.open[first:last], stretch.high[first:last], stretch.low[first:last])
        quiet = first
        for opening, high, low in zip(*columns, strict=True):
            if not (low > below and high < above and below < opening < above):
                break
            quiet += 1
        return quiet

    def on_trade(self, trade: Trade) -> Sequence[VenueEvent]:
        """Match against a print, or several conflated into one."""
        if trade.low > self._wake_below and trade.high < self._wake_above:
            return NO_EVENTS
        events: list[VenueEvent] = []
        takes = not self._use_quotes
        volume = Volume(self.instrument, trade.qty, self._participation)
        offer = Offer(trade.ts, trade.price, trade.high, trade.low, volume, takes=takes)
        self._match(list(self.orders.values()), offer, events)
        self._settle(trade.ts, events, took=takes)
        return events

    def on_quote(self, quote: Quote) -> Sequence[VenueEvent]:
        """Match against the best bid and offer; a side without a price offers nothing."""
        if quote.ask > self._wake_below and quote.bid < self._wake_above:
            return NO_EVENTS
        events: list[VenueEvent] = []
        for price, qty, buys in ((quote.ask, quote.ask_qty, True), (quote.bid, quote.bid_qty, False)):
            if price > 0:
                orders = [order for order in self.orders.values() if order.is_buy is buys]
                offer = Offer(
                    quote.ts, price, price, price, Volume(self.instrument, qty, self._participation)
                )
                self._take(orders, offer, events)
                self._reach(orders, offer, events)
        self._settle(quote.ts, events, took=True)
        return events

    def take(
        self, order: WorkingOrder, levels: Iterable[tuple[float, float]], ts: int
    ) -> Sequence[VenueEvent]:
        """Let an order that has just entered take from a shown book: prices and quantities, best first.

        What is left of a market or immediate order is canceled, what is left of another one rests. Where no
        book is shown, this is not called and an order trades from the next event on.
        """
        offers = [
            Offer(ts, price, price, price, Volume(self.instrument, qty, ONE))
            for price, qty in levels
            if order.at_market or (price <= order.limit if order.is_buy else price >= order.limit)
        ]
        events: list[VenueEvent] = []
        whole = order.request.tif is TimeInForce.FOK
        ends = order.at_market or order.is_immediate
        if not (whole and self._most(order, offers) < order.remaining):
            order.is_immediate = False  # level by level, each of which may be too little for all of it
            for offer in offers:
                if not order.closed:
                    self._execute(order, offer.ref, _TAKER, offer, events)
        if ends and not order.closed:
            _cancel(order, Reason.FOK_UNFILLED if whole else Reason.IOC_REMAINDER, ts, events)
        order.taking = False
        if order.closed:
            del self.orders[order.request.client_id]
        self.wake()
        return events

    def amend(self, order: WorkingOrder, request: OrderRequest, arrival: int) -> None:
        """Give a resting limit another price or quantity; it queues anew, as if it had arrived now."""
        filled = order.request.qty - order.remaining
        assert request.qty > filled, "an amended order has something left to fill"
        order.request, order.arrival = request, arrival
        order.remaining, order.limit = request.qty - filled, float(request.price or 0)
        self.wake()

    def save(self) -> BookState:
        """Return what a checkpoint keeps."""
        return BookState(
            self.instrument.symbol, self.position, tuple(self.orders.values()), self.last, self.quote
        )

    def load(self, state: BookState) -> None:
        """Take up what a checkpoint kept."""
        self.position, self.last, self.quote = state.position, state.last, state.quote
        self.orders = {order.request.client_id: order for order in state.orders}
        self.wake()

    def _most(self, order: WorkingOrder, offers: Sequence[Offer]) -> Decimal:
        """Return how much of an order all offers together, and for a reduce-only one the position, allow."""
        request = order.request
        wanted = (
            min(order.remaining, self.reducible(request.side)) if request.reduce_only else order.remaining
        )
        return min(wanted, sum((offer.volume.most(wanted) for offer in offers), ZERO))

    def _retells(self, bar: Bar) -> bool:
        """Tell whether a bar is a coarser one over time that finer bars have told already."""
        last = self.last
        return type(last) is Bar and bar.step_ns > last.step_ns and bar.ts - bar.step_ns < last.ts

    def _match(self, orders: Orders, offer: Offer, events: list[VenueEvent]) -> Orders:
        """Match orders against an offer; return those that are left."""
        if offer.takes:
            self._take(orders, offer, events)
            orders = [order for order in orders if not order.closed]
        if not orders:
            return orders
        self._fire(orders, offer, events)
        self._reach(orders, offer, events)
        return [order for order in orders if not order.closed]

    def _take(self, orders: Orders, offer: Offer, events: list[VenueEvent]) -> None:
        for order in orders:
            if order.at_market and not order.closed:
                self._execute(order, offer.ref, _TAKER, offer, events)

    def _fire(self, orders: Orders, offer: Offer, events: list[VenueEvent]) -> None:
        """Trigger the stops in the range: the market was at the trigger, so they fill there or worse."""
        reached: list[tuple[float, int, WorkingOrder]] = []
        for order in orders:
            if not (order.is_limit or order.at_market or order.closed):
                passed = offer.high - order.trigger if order.is_buy else order.trigger - offer.low
                if passed >= 0:
                    reached.append((-passed, order.arrival, order))
        for _, _, order in sorted(reached, key=_by_priority) if reached else ():
            order.at_market = True
            if offer.takes:
                worse = max if order.is_buy else min
                self._execute(order, worse(order.trigger, offer.ref), Liquidity.TAKER, offer, events)

    def _reach(self, orders: Orders, offer: Offer, events: list[VenueEvent]) -> None:
        """Fill the limits in the range; one that does not cross at `ref` has begun to rest."""
        reached: list[tuple[float, int, WorkingOrder]] = []
        for order in orders:
            if not order.is_limit or order.closed or (order.taking and not offer.takes):
                continue
            crossing = offer.ref <= order.limit if order.is_buy else offer.ref >= order.limit
            order.taking = order.taking and (crossing or order.is_immediate)
            passed = order.limit - offer.low if order.is_buy else offer.high - order.limit
            if crossing if order.taking else passed >= 0:
                reached.append((-passed, order.arrival, order))
        for _, _, order in sorted(reached, key=_by_priority) if reached else ():
            better = min if order.is_buy else max
            price = better(order.limit, offer.ref) if order.taking or offer.improves else order.limit
            liquidity = Liquidity.TAKER if order.taking else Liquidity.MAKER
            self._execute(order, price, liquidity, offer, events)

    def _execute(
        self,
        order: WorkingOrder,
        price: float,
        liquidity: Liquidity,
        offer: Offer,
        events: list[VenueEvent],
    ) -> None:
        """Fill what the volume and, for a reduce-only order, the position allow."""
        request = order.request
        wanted, reducing = order.remaining, request.reduce_only
        if reducing and (most := self.reducible(request.side)) < wanted:
            wanted = most
        killed = (
            order.is_immediate and request.tif is TimeInForce.FOK and offer.volume.most(wanted) < request.qty
        )
        qty = ZERO if killed else offer.volume.take(wanted)
        if qty:
            order.remaining -= qty
            order.fills += 1
            order.closed = not order.remaining
            self.position += qty if order.is_buy else -qty
            events.append(self._fill(order, self.instrument.price(price), qty, liquidity, offer.ts))
        if reducing and not order.closed and not self.reducible(request.side):
            _cancel(order, Reason.REDUCE_ONLY_WOULD_INCREASE, offer.ts, events)

    def _fill(self, order: WorkingOrder, price: Decimal, qty: Decimal, liquidity: Liquidity, ts: int) -> Fill:
        rules = self.instrument
        rate = rules.taker_fee if liquidity is _TAKER else rules.maker_fee
        return Fill(
            ts=ts,
            client_id=order.request.client_id,
            trade_id=f"{order.venue_id}-{order.fills}",
            symbol=rules.symbol,
            side=order.request.side,
            price=price,
            qty=qty,
            fee=LEDGER_CONTEXT.multiply(LEDGER_CONTEXT.multiply(price, qty), rate),
            liquidity=liquidity,
            venue_id=order.venue_id,
        )

    def _settle(self, ts: int, events: list[VenueEvent], *, took: bool) -> None:
        """End immediate orders that had their event, drop closed ones, note the prices to wake at."""
        below, above = -inf, inf
        for order in list(self.orders.values()):
            ready = order.at_market or order.is_limit
            if took and ready and order.is_immediate and not order.closed:
                whole = order.request.tif is TimeInForce.FOK
                _cancel(order, Reason.FOK_UNFILLED if whole else Reason.IOC_REMAINDER, ts, events)
            if order.closed:
                del self.orders[order.request.client_id]
            elif order.at_market or order.taking:
                below, above = inf, -inf
            elif order.is_buy is order.is_limit:  # a buy limit or a sell stop waits for a lower price
                below = max(below, order.level)
            else:
                above = min(above, order.level)
        self._wake_below, self._wake_above = below, above


def _by_priority(entry: tuple[float, int, WorkingOrder]) -> tuple[float, int]:
    return entry[0], entry[1]


def _cancel(order: WorkingOrder, reason: Reason, ts: int, events: list[VenueEvent]) -> None:
    order.closed = True
    events.append(OrderCanceled(ts, order.request.client_id, reason))
