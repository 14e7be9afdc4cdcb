"""Market data and the instruments it belongs to.

Events carry float64. A float is an exact carrier of a decimal text while its scaled integer stays below
2**51 (checked where data is read), so the matching engine compares floats and `Instrument.price` gives
the exact Decimal back. Times are nanoseconds UTC.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from engine.domain.money import ceil_to, exact, floor_to, truncate_to

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S
PRINT_STEP_NS = 1  # the length of the bar that a print makes
SCALED_MAX = 2**51  # see docs/adr/0002


class InstrumentKind(StrEnum):
    """How an instrument settles; orders are sent for linear ones, the others are simulated as linear."""

    LINEAR = "linear"
    INVERSE = "inverse"
    SPOT = "spot"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue says of one symbol: steps and minimums in its own units, fees as rates of notional."""

    symbol: str
    tick: Decimal
    lot: Decimal
    qty_min: Decimal
    notional_min: Decimal
    base: str
    quote: str
    settle: str
    maker_fee: Decimal
    taker_fee: Decimal
    price_digits: int
    qty_digits: int
    kind: InstrumentKind = InstrumentKind.LINEAR
    volume_caps_fills: bool = True  # false where the volume is 0 or its unit unknown

    def price(self, value: float) -> Decimal:
        """Return the exact price a market event carries."""
        return exact(value, self.price_digits)

    def qty(self, value: float) -> Decimal:
        """Return the exact quantity a market event carries."""
        return exact(value, self.qty_digits)

    def round_qty(self, qty: Decimal) -> Decimal:
        """Round a quantity toward zero to the lot size."""
        return truncate_to(qty, self.lot)

    def round_price_down(self, price: Decimal) -> Decimal:
        """Round a price down to the tick size."""
        return floor_to(price, self.tick)

    def round_price_up(self, price: Decimal) -> Decimal:
        """Round a price up to the tick size."""
        return ceil_to(price, self.tick)


class Trade(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A print on the tape, or several conflated into one that keeps their extremes, volume and count."""

    ts: int
    symbol: str
    price: float
    qty: float
    side: int  # aggressor: +1 bought, -1 sold, 0 unknown
    high: float
    low: float
    count: int = 1

    @property
    def mark(self) -> float:
        """The price a position is valued at."""
        return self.price


class Quote(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Best bid and offer."""

    ts: int
    symbol: str
    bid: float
    bid_qty: float
    ask: float
    ask_qty: float

    @property
    def mark(self) -> float:
        """The mid price."""
        return (self.bid + self.ask) / 2


class Bar(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A closed bar: `ts` is its close, `step_ns` its length. Its open may lie outside [low, high]."""

    ts: int
    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    step_ns: int
    count: int = 0  # trades inside, 0 where the source does not say

    @property
    def mark(self) -> float:
        """The price a position is valued at."""
        return self.close


class Depth(msgspec.Struct, frozen=True, gc=False):
    """The best levels of an order book, price and quantity, the best of each side first."""

    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]


MarketEvent = Trade | Quote | Bar


def bar_of(trade: Trade) -> Bar:
    """Return a print as a bar of its own: the shortest interval that holds it, closing right after."""
    price = trade.price
    return Bar(
        trade.ts + PRINT_STEP_NS,
        trade.symbol,
        price,
        trade.high,
        trade.low,
        price,
        trade.qty,
        PRINT_STEP_NS,
        trade.count,
    )


class Stretch(Protocol):
    """Closed bars of one symbol and length by column, oldest first: a bar is built where one is wanted.

    They may be those of prints, one each: then `events` are the prints.
    """

    @property
    def symbol(self) -> str:
        """Whose bars they are."""
        ...

    @property
    def step_ns(self) -> int:
        """Their length."""
        ...

    @property
    def kind(self) -> type[MarketEvent]:
        """What tells of them: Bar or Trade."""
        ...

    @property
    def ts(self) -> Sequence[int]:
        """Their closes, ns UTC, rising."""
        ...

    @property
    def told(self) -> Sequence[int]:
        """The times of their events, ns UTC: their closes, but for a print, which is told before its own."""
        ...

    @property
    def open(self) -> Sequence[float]:
        """Their first prices."""
        ...

    @property
    def high(self) -> Sequence[float]:
        """Their highest prices."""
        ...

    @property
    def low(self) -> Sequence[float]:
        """Their lowest prices."""
        ...

    @property
    def close(self) -> Sequence[float]:
        """Their last prices."""
        ...

    @property
    def volume(self) -> Sequence[float]:
        """Their volumes."""
        ...

    def __len__(self) -> int:
        """Count the bars."""
        ...

    def bar(self, index: int) -> Bar:
        """Return one bar."""
        ...

    def bars(self, first: int, last: int) -> Iterator[Bar]:
        """Yield the bars of [first, last)."""
        ...

    def event(self, index: int) -> MarketEvent:
        """Return what tells of one bar."""
        ...
