"""Builders for the tests of streams: instruments, messages of Binance and Bybit, a source of answers."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from engine.domain.errors import TransientError
from engine.domain.market import NS_PER_MS, NS_PER_S, Bar, Instrument, Trade
from engine.venues.ws_book import Level
from engine.venues.ws_source import Fees, Snapshot
from engine.venues.ws_trades import Named, TradeId
from tests.loopback import LIMIT_S

MINUTE = 60 * NS_PER_S
T0 = 1_700_000_040 * NS_PER_S  # a whole minute
FEES = Fees(Decimal("0.0002"), Decimal("0.0005"))


def instrument(symbol: str = "BTCUSDT") -> Instrument:
    """Return a linear contract."""
    return Instrument(
        symbol=symbol,
        tick=Decimal("0.1"),
        lot=Decimal("0.001"),
        qty_min=Decimal("0.001"),
        notional_min=Decimal(5),
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        settle="USDT",
        maker_fee=FEES.maker,
        taker_fee=FEES.taker,
        price_digits=1,
        qty_digits=3,
    )


def trade(ts: int, price: float = 100.0, qty: float = 0.001, symbol: str = "BTCUSDT", side: int = 1) -> Trade:
    """Return a print."""
    return Trade(ts, symbol, price, qty, side, price, price)


def bar(ts: int, step_ns: int = MINUTE, close: float = 100.0, symbol: str = "BTCUSDT") -> Bar:
    """Return a flat bar."""
    return Bar(ts, symbol, close, close, close, close, 1.0, step_ns)


def text(message: object) -> bytes:
    """Write a message as venues do."""
    return msgspec.json.encode(message)


def binance_trade(number: int, ts: int, price: float = 100.0, *, kind: str = "MARKET") -> bytes:
    """Return a trade of USD-M futures."""
    ms = ts // NS_PER_MS
    data = {"e": "trade", "E": ms, "T": ms, "s": "BTCUSDT", "t": number, "p": f"{price:.2f}", "q": "0.001"}
    return text({"stream": "btcusdt@trade", "data": {**data, "X": kind, "m": False}})


def binance_ticker(number: int, ts: int, bid: float = 100.0, ask: float = 100.1) -> bytes:
    """Return a best bid and offer of USD-M futures."""
    ms = ts // NS_PER_MS
    data = {
        "e": "bookTicker",
        "u": number,
        "s": "BTCUSDT",
        "b": f"{bid}",
        "B": "2.5",
        "a": f"{ask}",
        "A": "1",
    }
    return text({"stream": "btcusdt@bookTicker", "data": {**data, "T": ms, "E": ms}})


def binance_depth(
    first: int, last: int, before: int | None, bids: Sequence[Level], asks: Sequence[Level], ts: int = T0
) -> bytes:
    """Return a change of a book; spot has no `before`."""
    data = {"e": "depthUpdate", "E": ts // NS_PER_MS, "s": "BTCUSDT", "U": first, "u": last}
    if before is not None:
        data["pu"] = before
    return text({"stream": "btcusdt@depth@100ms", "data": {**data, "b": _texts(bids), "a": _texts(asks)}})


def bybit_trades(*names: str, ts: int, price: float = 100.0, side: str = "Buy", block: bool = False) -> bytes:
    """Return trades of one message."""
    ms = ts // NS_PER_MS
    rows = [
        {"T": ms, "s": "BTCUSDT", "S": side, "v": "0.001", "p": f"{price}", "i": name, "BT": block}
        for name in names
    ]
    return text({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": ms, "data": rows})


def bybit_book(
    number: int,
    bids: Sequence[Level],
    asks: Sequence[Level],
    *,
    ts: int = T0,
    snapshot: bool = False,
    levels: int = 50,
) -> bytes:
    """Return a book or a change of one."""
    ms = ts // NS_PER_MS
    data = {"s": "BTCUSDT", "b": _texts(bids), "a": _texts(asks), "u": number, "seq": 7 * number}
    kind = "snapshot" if snapshot else "delta"
    return text({"topic": f"orderbook.{levels}.BTCUSDT", "type": kind, "ts": ms, "data": data, "cts": ms - 3})


def _texts(levels: Sequence[Level]) -> list[list[str]]:
    return [[f"{price}", f"{qty}"] for price, qty in levels]


class HandSource:
    """A source whose answers a test writes; an answer that is an error is raised, once."""

    steps_ns: Sequence[int] = (MINUTE,)

    def __init__(self) -> None:
        self.said_trades: list[Named] = []
        self.said_bars: list[Bar] = []
        self.said_snapshot: Snapshot | None = None
        self.fails: list[TransientError] = []
        self.asked: list[tuple[str, object]] = []
        self.closed = 0
        self._changed = asyncio.Condition()

    async def instruments(self, symbols: Sequence[str], _fees: Fees) -> tuple[Instrument, ...]:
        """Return what was asked for."""
        return tuple(instrument(symbol) for symbol in symbols)

    async def bars(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars of a stretch."""
        await self._note("bars", (since, until))
        bars = (b for b in self.said_bars if b.symbol == symbol and b.step_ns == step_ns)
        return [b for b in bars if since <= b.ts <= until]

    async def trades(self, _symbol: str, after: TradeId | None) -> list[Named]:
        """Return the trades of late."""
        await self._note("trades", after)
        return list(self.said_trades)

    async def snapshot(self, _symbol: str) -> Snapshot | None:
        """Return a book."""
        await self._note("snapshot", None)
        return self.said_snapshot

    async def close(self) -> None:
        """Count."""
        self.closed += 1

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true; it is looked at when something was asked."""
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    async def _note(self, what: str, detail: object) -> None:
        self.asked.append((what, detail))
        async with self._changed:
            self._changed.notify_all()
        if self.fails:
            raise self.fails.pop(0)
