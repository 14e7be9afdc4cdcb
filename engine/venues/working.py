"""What the simulated venue's book is made of: working orders, and what a market event offers them."""

from decimal import Decimal

import msgspec

from engine.domain.market import Bar, Quote, Trade
from engine.domain.money import ZERO
from engine.domain.orders import OrderKind, OrderRequest, TimeInForce
from engine.domain.signals import Side


class WorkingOrder(msgspec.Struct):
    """An order in the book. Levels are kept as floats beside the exact request: they only compare."""

    request: OrderRequest
    venue_id: str
    arrival: int  # orders are numbered as they reach the venue
    remaining: Decimal
    limit: float
    trigger: float
    at_market: bool  # a market order, or a stop once triggered
    taking: bool  # a limit that was not yet seen to rest
    fills: int = 0
    closed: bool = False

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.request.side is Side.BUY

    @property
    def is_immediate(self) -> bool:
        """Whether it may not wait."""
        return self.request.tif is TimeInForce.IOC

    @property
    def is_limit(self) -> bool:
        """Whether a limit bounds its price."""
        return self.request.kind is OrderKind.LIMIT


class BookState(msgspec.Struct, frozen=True):
    """What a checkpoint keeps of a book."""

    symbol: str
    position: Decimal = ZERO
    orders: tuple[WorkingOrder, ...] = ()
    last: Bar | Trade | None = None
    quote: Quote | None = None


class Volume:
    """What may still trade against us; None is without bound."""

    __slots__ = ("left",)

    def __init__(self, left: Decimal | None) -> None:
        self.left = left

    def take(self, wanted: Decimal) -> Decimal:
        """Return how much of `wanted` there is, and count it as gone."""
        if self.left is None:
            return wanted
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


class Offer(msgspec.Struct, frozen=True):
    """What an event offers to orders."""

    ts: int
    ref: float
    high: float
    low: float
    volume: Volume
    takes: bool = True  # false: only resting limits trade, stops are merely triggered
    improves: bool = False  # a resting limit that `ref` has passed fills at `ref`
