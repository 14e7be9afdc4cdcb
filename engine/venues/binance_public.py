"""Binance's public queries, spot and USD-M futures: rules, bars, trades, books."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.domain.market import (
    NS_PER_DAY,
    NS_PER_MS,
    NS_PER_S,
    Bar,
    Instrument,
    InstrumentKind,
    Trade,
)
from engine.domain.money import decimals_of
from engine.venues.publicrest import Params, PublicRest
from engine.venues.ws_book import Level
from engine.venues.ws_source import Fees, Snapshot, picked
from engine.venues.ws_trades import Named, TradeId

SPOT_URL, FUTURES_URL = "https://api.binance.com", "https://fapi.binance.com"
PAGE_ROWS = 1_000
BARS_PAGES_MAX = 20
TRADES_PAGES_MAX = 20
BOOK_ROWS = 1_000
NS_PER_MIN = 60 * NS_PER_S
_HOUR = 60 * NS_PER_MIN
_INTERVALS = {n * NS_PER_MIN: f"{n}m" for n in (1, 3, 5, 15, 30)}
_INTERVALS |= {n * _HOUR: f"{n}h" for n in (1, 2, 4, 6, 8, 12)} | {NS_PER_DAY: "1d"}


class _Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    tick_size: Decimal | None = None
    step_size: Decimal | None = None
    min_qty: Decimal | None = None
    min_notional: Decimal | None = None
    notional: Decimal | None = None  # what futures call it


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[_Filter]
    margin_asset: str = ""
    contract_type: str = ""


class _Rules(msgspec.Struct):
    symbols: list[_Symbol]


class _Print(msgspec.Struct, rename="camel"):
    id: int
    price: float
    qty: float
    time: int
    is_buyer_maker: bool


class _Book(msgspec.Struct, rename="camel"):
    last_update_id: int
    bids: list[Level]
    asks: list[Level]


# open time, OHLC, volume, close time, quote volume, number of trades; the rest is not used
_Candle = tuple[int, float, float, float, float, float, int, float, int, float, float, object]


class BinancePublic:
    """The Source of Binance's spot markets or, with `futures`, its USD-M futures."""

    def __init__(self, rest: PublicRest, *, futures: bool) -> None:
        self._rest, self._futures = rest, futures
        self._path = "/fapi/v1" if futures else "/api/v3"
        self.steps_ns: Sequence[int] = (*(() if futures else (NS_PER_S,)), *_INTERVALS)

    async def instruments(self, symbols: Sequence[str], fees: Fees) -> tuple[Instrument, ...]:
        """Return the rules of some markets. Raises ConfigError for one that is not traded."""
        rules = await self._rest.get(f"{self._path}/exchangeInfo", {}, _Rules, weight=20)
        known = {s.symbol: _instrument(s, fees, futures=self._futures) for s in rules.symbols if _traded(s)}
        return picked(self._rest.venue, symbols, known)

    async def bars(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars that close in [since, until], oldest first."""
        bars: list[Bar] = []
        start_ms, end_ms = ((ts - step_ns) // NS_PER_MS for ts in (since, until))
        for _ in range(BARS_PAGES_MAX):
            params: Params = {
                "symbol": symbol,
                "interval": "1s" if step_ns == NS_PER_S else _INTERVALS[step_ns],
                "startTime": start_ms,
                "endTime": end_ms,
                "limit": PAGE_ROWS,
            }
            rows = await self._rest.get(f"{self._path}/klines", params, list[_Candle], weight=5)
            bars += [bar for row in rows if since <= (bar := _bar(symbol, step_ns, row)).ts <= until]
            if len(rows) < PAGE_ROWS:
                break
            start_ms = rows[-1][0] + step_ns // NS_PER_MS
        return bars

    async def trades(self, symbol: str, after: TradeId | None) -> list[Named]:
        """Return the last thousand trades, and on spot what lies between them and the one named `after`.

        Futures tell earlier ones only to those with a key.
        """
        prints = await self._prints("trades", symbol, weight=25)
        if self._futures or not isinstance(after, int):
            return [Named(p.id, _trade(symbol, p)) for p in prints]
        found = {p.id: p for p in prints}
        at = after + 1
        for _ in range(TRADES_PAGES_MAX):
            if not prints or at >= prints[0].id:
                break
            page = await self._prints("historicalTrades", symbol, from_id=at, weight=25)
            if not page:
                break
            found |= {p.id: p for p in page}
            at = page[-1].id + 1
        return [Named(number, _trade(symbol, found[number])) for number in sorted(found)]

    async def snapshot(self, symbol: str) -> Snapshot | None:
        """Return a thousand levels of each side."""
        params: Params = {"symbol": symbol, "limit": BOOK_ROWS}
        weight = 20 if self._futures else 50
        book = await self._rest.get(f"{self._path}/depth", params, _Book, weight=weight)
        return Snapshot(book.last_update_id, book.bids, book.asks)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._rest.close()

    async def _prints(
        self, query: str, symbol: str, *, weight: int, from_id: int | None = None
    ) -> list[_Print]:
        params: dict[str, str | int] = {"symbol": symbol, "limit": PAGE_ROWS}
        if from_id is not None:
            params["fromId"] = from_id
        return await self._rest.get(f"{self._path}/{query}", params, list[_Print], weight=weight)


def _traded(symbol: _Symbol) -> bool:
    return symbol.status == "TRADING" and symbol.contract_type in ("", "PERPETUAL")


def _instrument(symbol: _Symbol, fees: Fees, *, futures: bool) -> Instrument:
    filters = {each.filter_type: each for each in symbol.filters}
    price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    least = filters.get("MIN_NOTIONAL") or filters.get("NOTIONAL")
    tick, step = price.tick_size or Decimal(0), lot.step_size or Decimal(0)
    return Instrument(
        symbol=symbol.symbol,
        tick=tick.normalize(),
        lot=step.normalize(),
        qty_min=(lot.min_qty or step).normalize(),
        notional_min=Decimal(0) if least is None else (least.notional or least.min_notional or Decimal(0)),
        base=symbol.base_asset,
        quote=symbol.quote_asset,
        settle=symbol.margin_asset or symbol.quote_asset,
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        price_digits=decimals_of(tick),
        qty_digits=decimals_of(step),
        kind=InstrumentKind.LINEAR if futures else InstrumentKind.SPOT,
    )


def _bar(symbol: str, step_ns: int, row: _Candle) -> Bar:
    open_ms, opened, high, low, close, volume, _, _, count, *_ = row
    return Bar(open_ms * NS_PER_MS + step_ns, symbol, opened, high, low, close, volume, step_ns, count)


def _trade(symbol: str, each: _Print) -> Trade:
    side = -1 if each.is_buyer_maker else 1
    return Trade(each.time * NS_PER_MS, symbol, each.price, each.qty, side, each.price, each.price)
