"""What a console may ask for while it shows it, beside the snapshot: too large to be sent always."""

import msgspec

from engine.core.snapshot import ChartPoint
from engine.domain.market import Depth
from engine.execution.blotter import ClosedTrade, FillMark, TradeTotals
from engine.execution.equitycurve import EquityPoint


class ChartWish(msgspec.Struct, frozen=True, tag="chart"):
    """The last closed bars of a symbol, with what a play computes from them; the first one for no play."""

    symbol: str
    play: str = ""
    bars: int = 120


class BookWish(msgspec.Struct, frozen=True, tag="book"):
    """The best levels of a symbol's order book."""

    symbol: str
    levels: int = 10


class TradesWish(msgspec.Struct, frozen=True, tag="trades"):
    """The closed trades with their totals."""


class EquityWish(msgspec.Struct, frozen=True, tag="equity"):
    """Equity over time."""


Wish = ChartWish | BookWish | TradesWish | EquityWish


class Series(msgspec.Struct, frozen=True):
    """An indicator of a play over a chart's bars, None where it had no value. `on_price`: in its scale."""

    name: str
    on_price: bool
    values: tuple[float | None, ...]


class Chart(msgspec.Struct, frozen=True, tag="chart"):
    """Closed bars, oldest first. Indicators are the play's, computed anew on the bars that are kept.

    `plays` may be asked for: those that trade the symbol first, then those that only look at it.
    """

    symbol: str
    play: str
    step_ns: int
    bars: tuple[ChartPoint, ...]
    series: tuple[Series, ...]
    fills: tuple[FillMark, ...]
    plays: tuple[str, ...] = ()


class BookView(msgspec.Struct, frozen=True, tag="book"):
    """An order book; `text` says why there is none, and the best bid and offer are all there is."""

    symbol: str
    depth: Depth | None
    text: str = ""


class Blotted(msgspec.Struct, frozen=True, tag="trades"):
    """The newest closed trades, oldest first; totals by play of this run and since 00:00 UTC."""

    trades: tuple[ClosedTrade, ...]
    session: tuple[TradeTotals, ...]
    today: tuple[TradeTotals, ...]


class Curve(msgspec.Struct, frozen=True, tag="equity"):
    """Equity over time, oldest first."""

    points: tuple[EquityPoint, ...]


Sight = Chart | BookView | Blotted | Curve
