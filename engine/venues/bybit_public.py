"""Bybit's public queries of version 5, linear contracts: rules, bars, trades."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.errors import RateLimitedError, RefusedError, TransientError
from engine.domain.market import NS_PER_DAY, NS_PER_MS, NS_PER_S, Bar, Instrument, Trade
from engine.domain.money import decimals_of
from engine.venues.publicrest import Params, PublicRest
from engine.venues.ws_source import Fees, Snapshot, picked
from engine.venues.ws_trades import Named, TradeId

URL = "https://api.bybit.com"
CATEGORY = "linear"
PAGE_ROWS = 1_000
PAGES_MAX = 20
NS_PER_MIN = 60 * NS_PER_S
_INTERVALS = {n * NS_PER_MIN: str(n) for n in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)} | {NS_PER_DAY: "D"}
_LIMITED = frozenset({10006, 10018})
_FAULTS = frozenset({10000, 10016})


class _Prices(msgspec.Struct, rename="camel"):
    tick_size: Decimal


class _Lots(msgspec.Struct, rename="camel"):
    qty_step: Decimal
    min_order_qty: Decimal
    min_notional_value: Decimal = Decimal(0)


class _Contract(msgspec.Struct, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    base_coin: str
    quote_coin: str
    settle_coin: str
    price_filter: _Prices
    lot_size_filter: _Lots


class _Contracts(msgspec.Struct, rename="camel"):
    list: list[_Contract]
    next_page_cursor: str | None = ""


class _Candles(msgspec.Struct):
    list: list[tuple[int, float, float, float, float, float, float]]  # open time, OHLC, volume, turnover


class _Print(msgspec.Struct, rename="camel"):
    exec_id: str
    price: float
    size: float
    side: str
    time: int
    is_block_trade: bool = False


class _Prints(msgspec.Struct):
    list: list[_Print]


class _Answer(msgspec.Struct, rename="camel"):
    ret_code: int
    ret_msg: str = ""
    result: Any = None


class BybitPublic:
    """The Source of Bybit's linear contracts."""

    steps_ns: Sequence[int] = tuple(_INTERVALS)

    def __init__(self, rest: PublicRest) -> None:
        self._rest = rest

    async def instruments(self, symbols: Sequence[str], fees: Fees) -> tuple[Instrument, ...]:
        """Return the rules of some contracts. Raises ConfigError for one that is not traded."""
        known: dict[str, Instrument] = {}
        params: Params = {"category": CATEGORY, "limit": PAGE_ROWS}
        for _ in range(PAGES_MAX):
            page = await self._ask("/v5/market/instruments-info", params, _Contracts)
            known |= {c.symbol: _instrument(c, fees) for c in page.list if c.status == "Trading"}
            if not page.next_page_cursor:
                break
            params = {**params, "cursor": page.next_page_cursor}
        return picked(self._rest.venue, symbols, known)

    async def bars(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars that close in [since, until], oldest first."""
        bars: dict[int, Bar] = {}
        end_ms = (until - step_ns) // NS_PER_MS  # the last one's open
        start_ms = (since - step_ns) // NS_PER_MS
        while end_ms >= start_ms:
            params: Params = {
                "category": CATEGORY,
                "symbol": symbol,
                "interval": _INTERVALS[step_ns],
                "start": start_ms,
                "end": end_ms,
                "limit": PAGE_ROWS,
            }
            rows = (await self._ask("/v5/market/kline", params, _Candles)).list  # the newest first
            for row in rows:
                bar = _bar(symbol, step_ns, row)
                if since <= bar.ts <= until:
                    bars[bar.ts] = bar
            if len(rows) < PAGE_ROWS:
                break
            end_ms = rows[-1][0] - 1
        return [bars[ts] for ts in sorted(bars)]

    async def trades(self, symbol: str, _after: TradeId | None) -> list[Named]:
        """Return the last thousand trades, oldest first: the venue tells no earlier ones."""
        params: Params = {"category": CATEGORY, "symbol": symbol, "limit": PAGE_ROWS}
        prints = (await self._ask("/v5/market/recent-trade", params, _Prints)).list
        return [Named(p.exec_id, _trade(symbol, p)) for p in reversed(prints) if not p.is_block_trade]

    async def snapshot(self, _symbol: str) -> Snapshot | None:
        """Nothing: the stream begins with it."""
        return None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._rest.close()

    async def _ask(self, path: str, params: Params, kind: type[Any]) -> Any:
        answer = await self._rest.get(path, params, _Answer)
        code = answer.ret_code
        if code:
            text = f"{self._rest.venue} answered {path} with {code}: {answer.ret_msg}"
            if code in _LIMITED:
                raise RateLimitedError(text, 0.0)
            raise TransientError(text) if code in _FAULTS else RefusedError(text)
        try:
            return msgspec.convert(answer.result, kind, strict=False)
        except msgspec.ValidationError as error:
            raise TransientError(f"{self._rest.venue} answered {path} in an unknown form: {error}") from error


def _instrument(contract: _Contract, fees: Fees) -> Instrument:
    lots, tick = contract.lot_size_filter, contract.price_filter.tick_size
    return Instrument(
        symbol=contract.symbol,
        tick=tick,
        lot=lots.qty_step,
        qty_min=lots.min_order_qty,
        notional_min=lots.min_notional_value,
        base=contract.base_coin,
        quote=contract.quote_coin,
        settle=contract.settle_coin,
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        price_digits=decimals_of(tick),
        qty_digits=decimals_of(lots.qty_step),
    )


def _bar(symbol: str, step_ns: int, row: tuple[int, float, float, float, float, float, float]) -> Bar:
    open_ms, opened, high, low, close, volume, _ = row
    return Bar(open_ms * NS_PER_MS + step_ns, symbol, opened, high, low, close, volume, step_ns)


def _trade(symbol: str, each: _Print) -> Trade:
    side = 1 if each.side == "Buy" else -1
    return Trade(each.time * NS_PER_MS, symbol, each.price, each.size, side, each.price, each.price)
