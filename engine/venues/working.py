"""What the simulated venue's book is made of: working orders, and what a market event offers them."""

from decimal import Decimal

import msgspec

from engine.domain.market import Bar, Instrument, Quote, Trade
from engine.domain.money import ZERO
from engine.domain.orders import OrderKind, OrderRequest, TimeInForce
from engine.domain.signals import Side

# Bound once: a look into an enum costs more than the comparison, and every order passes here.
_MARKET, _LIMIT, _STOP = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP
_GTC, _BUY = TimeInForce.GTC, Side.BUY


class WorkingOrder(msgspec.Struct):
    """An order in the book. Levels are kept as floats beside the exact request: they only compare."""

    request: OrderRequest
    venue_id: str
    arrival: int  # orders are numbered as they reach the venue
    remaining: Decimal
    is_buy: bool
    is_limit: bool
    is_immediate: bool
    limit: float
    trigger: float
    at_market: bool  # a market order, or a stop once triggered
    taking: bool  # a limit that was not yet seen to rest
    fills: int = 0
    closed: bool = False

    @classmethod
    def entering(cls, request: OrderRequest, arrival: int, venue_id: str, *, crosses: bool) -> "WorkingOrder":
        """Build the order as it enters the book; `crosses` tells whether its limit would take at once."""
        kind = request.kind
        is_limit = kind is _LIMIT
        assert not is_limit or request.price is not None, "a limit order has a price"
        assert kind is not _STOP or request.trigger is not None, "a stop has a trigger"
        is_immediate = request.tif is not _GTC
        return cls(
            request=request,
            venue_id=venue_id,
            arrival=arrival,
            remaining=request.qty,
            is_buy=request.side is _BUY,
            is_limit=is_limit,
            is_immediate=is_immediate,
            limit=float(request.price or 0),
            trigger=float(request.trigger or 0),
            at_market=kind is _MARKET,
            taking=is_limit and (is_immediate or crosses),
        )

    @property
    def level(self) -> float:
        """The price it waits for: its limit or its trigger."""
        return self.limit if self.is_limit else self.trigger


class BookState(msgspec.Struct, frozen=True):
    """What a checkpoint keeps of a book."""

    symbol: str
    position: Decimal = ZERO
    orders: tuple[WorkingOrder, ...] = ()
    last: Bar | Trade | None = None
    quote: Quote | None = None


class Volume(msgspec.Struct):
    """What may still trade against us out of a traded quantity, counted in lots.

    Without bound where the data has no volume to speak of: 0, or in a unit that is not known.
    """

    instrument: Instrument
    traded: float
    participation: Decimal
    left: Decimal | None = None  # counted when it is first needed

    def take(self, wanted: Decimal) -> Decimal:
        """Return how much of `wanted` there is, and count it as gone."""
        taken = self.most(wanted)
        if self.left is not None:
            self.left -= taken
        return taken

    def most(self, wanted: Decimal) -> Decimal:
        """Return how much of `wanted` there is."""
        rules, left = self.instrument, self.left
        if not rules.volume_caps_fills or not self.traded > 0:
            return wanted
        if left is None:
            left = self.left = rules.round_qty(rules.qty(self.traded) * self.participation)
        return min(wanted, left)


class Offer(msgspec.Struct, frozen=True):
    """What an event offers to orders."""

    ts: int
    ref: float
    high: float
    low: float
    volume: Volume
    takes: bool = True  # false: only resting limits trade, stops are merely triggered
    improves: bool = False  # a resting limit that `ref` has passed fills at `ref`
