"""A symbol as the exchange lists it: its orders, the book it shows, and what waits for a trigger."""

from collections.abc import Iterator
from decimal import Decimal

from engine.domain.ids import OrderRole
from engine.domain.market import Instrument, Quote, Trade
from engine.domain.money import ONE, ZERO
from engine.domain.orders import OrderKind, OrderRequest, TimeInForce
from engine.venues.bybit_server.ladder import Ladder
from engine.venues.bybit_server.orders import ExchangeOrder, Force, Kind, Rising
from engine.venues.matching import Book


class Listing:
    """One symbol. The matching is that of the simulated venue; the shown book is this exchange's own."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.book = Book(instrument, ONE, use_quotes=True)
        self.ladder = Ladder(instrument)
        self.waiting: dict[str, ExchangeOrder] = {}
        self.last = ZERO  # the last traded price, 0 before there is one

    @property
    def mark(self) -> Decimal:
        """The price positions are valued at: the last traded one, for want of an index."""
        return self.last

    def see_trade(self, trade: Trade) -> None:
        """Note a trade after it was matched."""
        self.book.last = trade
        self.last = self.instrument.price(trade.price)

    def see_quote(self, quote: Quote) -> None:
        """Note a quote after it was matched."""
        self.book.quote = quote
        self.ladder.on_quote(quote)
        if not self.last:
            self.last = self.instrument.price(quote.bid)

    def reached(self, trade: Trade) -> Iterator[ExchangeOrder]:
        """Yield the waiting orders whose trigger a trade has reached, oldest first."""
        if not self.waiting:
            return
        high, low = self.instrument.price(trade.high), self.instrument.price(trade.low)
        for order in tuple(self.waiting.values()):
            assert order.trigger is not None, "what waits has a trigger"
            up = order.ticket.rising is Rising.UP
            if order.trigger <= high if up else order.trigger >= low:
                yield order

    def shrink(self, order: ExchangeOrder, now: int) -> None:
        """Let a resting order stay where it is in its queue, with its smaller quantity."""
        order.updated = now
        working = self.book.orders[order.order_id]
        self.book.amend(working, request_of(order, now), working.arrival)


def request_of(order: ExchangeOrder, ts: int) -> OrderRequest:
    """Put an order into the words of our matching; the exchange's own id is its client id there."""
    ticket = order.ticket
    is_market = ticket.kind is Kind.MARKET
    return OrderRequest(
        client_id=order.order_id,
        cycle_id="",
        play="",
        symbol=ticket.symbol,
        side=ticket.side,
        role=OrderRole.ENTRY,
        kind=OrderKind.MARKET if is_market else OrderKind.LIMIT,
        qty=order.qty,
        ts=ts,
        price=None if is_market else order.price,
        reduce_only=order.reduces,
        post_only=ticket.force is Force.POST_ONLY,
        tif=_TIFS[ticket.force],
    )


_TIFS = {
    Force.GTC: TimeInForce.GTC,
    Force.POST_ONLY: TimeInForce.GTC,
    Force.IOC: TimeInForce.IOC,
    Force.FOK: TimeInForce.FOK,
}
