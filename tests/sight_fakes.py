"""What a console is shown when it looks: a chart, a book, trades and equity, for tests and pictures."""

import math
from decimal import Decimal

from engine.api import (
    Blotted,
    BookView,
    BookWish,
    Chart,
    ChartPoint,
    ChartWish,
    ClosedTrade,
    Curve,
    Depth,
    EquityPoint,
    EquityWish,
    FillMark,
    LookReply,
    Series,
    Side,
    TradesWish,
    TradeTotals,
    Wish,
)
from tests.console_positions import NOW, S

MINUTE = 60 * S
BARS = 150


def chart(symbol: str = "BTCUSDT", base: float = 61_234.5) -> Chart:
    """Two hours and a half of a market that looks like one, with the canary's average and an RSI."""
    closes = [
        base * (1 + 0.006 * math.sin((i - BARS) / 19) + 0.0012 * math.sin((i - BARS) * 1.7))
        for i in range(BARS + 1)
    ]
    bars = tuple(
        ChartPoint(
            NOW - (BARS - i) * MINUTE + 20 * S,
            closes[i],
            max(closes[i : i + 2]) * (1 + 0.0004 * (1 + math.sin(i))),
            min(closes[i : i + 2]) * (1 - 0.0004 * (1 + math.cos(i))),
            closes[i + 1],
        )
        for i in range(BARS)
    )
    means = tuple(sum(closes[i - 18 : i + 2]) / 20 if i >= 19 else None for i in range(BARS))
    slow = tuple(sum(closes[i - 48 : i + 2]) / 50 if i >= 49 else None for i in range(BARS))
    rsi = tuple(50 + 30 * math.cos((i - BARS) / 19) for i in range(BARS))
    fills = (
        FillMark(
            bars[-40].ts - 5 * S, "canary", symbol, Side.BUY, Decimal(str(closes[-40])), Decimal("0.25")
        ),
        FillMark(
            bars[-25].ts - 5 * S, "canary", symbol, Side.SELL, Decimal(str(closes[-25])), Decimal("0.25")
        ),
        FillMark(bars[-6].ts - 5 * S, "canary", symbol, Side.BUY, Decimal("61099.8"), Decimal("0.25")),
    )
    series = (
        Series("sma(20)", True, means),
        Series("sma(50)", True, slow),
        Series("rsi(14)", False, rsi),
    )
    return Chart(symbol, "canary", MINUTE, bars, series, fills)


def book(symbol: str = "BTCUSDT", levels: int = 20) -> BookView:
    """A book with our bid in it: 61,100.0 is an entry of the busy snapshot."""
    asks = tuple(
        (round(61_236.9 + 13.4 * i, 1), round(0.4 + 0.9 * abs(math.sin(i * 2.1)), 3)) for i in range(levels)
    )
    bids = tuple(
        (round(61_232.0 - 13.2 * i, 1), round(0.3 + 1.1 * abs(math.cos(i * 1.3)), 3)) for i in range(levels)
    )
    return BookView(symbol, Depth(bids, asks))


def trade(number: int, pnl: str, side: Side = Side.BUY, symbol: str = "BTCUSDT") -> ClosedTrade:
    """One closed trade, `number` times seven minutes ago."""
    entry = Decimal("61000.5") if symbol == "BTCUSDT" else Decimal("2700.25")
    move = Decimal(pnl) / Decimal("0.25") * (1 if side is Side.BUY else -1)
    return ClosedTrade(
        play="canary" if symbol == "BTCUSDT" else "ema_cross",
        symbol=symbol,
        side=side,
        qty=Decimal("0.25"),
        entry_price=entry,
        exit_price=entry + move,
        opened=NOW - number * 420 * S - 95 * S,
        closed=NOW - number * 420 * S,
        pnl=Decimal(pnl),
        fees=Decimal("1.53"),
    )


def trades() -> Blotted:
    """Eight closed trades of two plays."""
    told = (
        trade(8, "12.40"),
        trade(7, "-8.15", Side.SELL),
        trade(6, "20.03"),
        trade(5, "-4.50", symbol="ETHUSDT"),
        trade(4, "3.75", Side.SELL),
        trade(3, "-10.02"),
        trade(2, "33.68", symbol="ETHUSDT"),
        trade(1, "5.00"),
    )
    canary = TradeTotals("canary", 6, 4, Decimal("41.18"), Decimal("18.17"), Decimal("9.18"))
    cross = TradeTotals("ema_cross", 2, 1, Decimal("33.68"), Decimal("4.50"), Decimal("3.06"))
    return Blotted(told, (canary, cross), (canary, cross))


def curve() -> Curve:
    """An hour of equity that fell once and came back."""
    values = [10_000 + 90 * math.sin(i / 31) + 0.35 * i - (80 if 120 < i < 160 else 0) for i in range(240)]
    return Curve(tuple(EquityPoint(NOW - (240 - i) * 15 * S, v, v - 4, v + 4) for i, v in enumerate(values)))


def sights() -> dict[type[Wish], LookReply]:
    """What a fake link answers."""
    return {
        ChartWish: LookReply(1, chart()),
        BookWish: LookReply(2, book()),
        TradesWish: LookReply(3, trades()),
        EquityWish: LookReply(4, curve()),
    }
