"""Binance's market streams, spot and USD-M futures: combined streams of trades, best prices and depth.

Messages read `{"stream":"btcusdt@trade","data":{...}}`. The name at the front finds the reader, so that each
message is decoded once and only the fields that are used.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from engine.domain.market import NS_PER_MS, Quote
from engine.venues.ws_book import Level
from engine.venues.ws_line import Line
from engine.venues.ws_sync import Change
from engine.venues.ws_time import VenueTime
from engine.venues.ws_wire import Hear, Said

MARKET = "MARKET"  # what is not: trades of the insurance fund, and what is taken in auto-deleveraging
_FRONT = len(b'{"stream":"')
SHUTDOWN = "serverShutdown"


class _Trade(
    msgspec.Struct,
    gc=False,
    rename={"id": "t", "price": "p", "qty": "q", "ts_ms": "T", "is_sell": "m", "kind": "X"},
):
    id: int
    price: float
    qty: float
    ts_ms: int
    is_sell: bool  # the buyer was the maker, so the aggressor sold
    kind: str = MARKET


class _Ticker(
    msgspec.Struct,
    gc=False,
    rename={"number": "u", "bid": "b", "bid_qty": "B", "ask": "a", "ask_qty": "A", "ts_ms": "T"},
):
    number: int
    bid: float
    bid_qty: float
    ask: float
    ask_qty: float
    ts_ms: int = 0  # spot does not say


class _Depth(
    msgspec.Struct,
    gc=False,
    rename={"first": "U", "last": "u", "before": "pu", "bids": "b", "asks": "a", "sent_ms": "E"},
):
    first: int
    last: int
    bids: list[Level]
    asks: list[Level]
    sent_ms: int
    before: int | None = None  # futures only


class _TradeFrame(msgspec.Struct, gc=False):
    data: _Trade


class _TickerFrame(msgspec.Struct, gc=False):
    data: _Ticker


class _DepthFrame(msgspec.Struct, gc=False):
    data: _Depth


class _Fault(msgspec.Struct):
    msg: str = ""


class _Kind(msgspec.Struct, frozen=True, rename={"kind": "e"}):
    kind: str = ""


class _OtherFrame(msgspec.Struct, rename={"kind": "e"}):
    stream: str = ""
    error: _Fault | None = None
    kind: str = ""
    data: _Kind = _Kind()


Reader = Callable[[bytes, int], None]


class BinanceWire:
    """Reads the combined streams of some symbols. Prices and quantities are text, read as numbers."""

    ping = ""
    greeting: Sequence[str] = ()

    def __init__(
        self, url: str, lines: Mapping[str, Line], time: VenueTime, hear: Hear, *, depth: bool
    ) -> None:
        """`depth`: the whole book, too."""
        self.asks_books = depth
        self._lines, self._time, self._hear = lines, time, hear
        self._read_trade = msgspec.json.Decoder(_TradeFrame, strict=False).decode
        self._read_ticker = msgspec.json.Decoder(_TickerFrame, strict=False).decode
        self._read_depth = msgspec.json.Decoder(_DepthFrame, strict=False).decode
        self._read_other = msgspec.json.Decoder(_OtherFrame).decode
        self._readers: dict[bytes, Reader] = {}
        for symbol, line in lines.items():
            name = symbol.lower()
            self._readers[f"{name}@trade".encode()] = partial(self._on_trade, line)
            self._readers[f"{name}@bookTicker".encode()] = partial(self._on_ticker, line)
            if depth:
                self._readers[f"{name}@depth@100ms".encode()] = partial(self._on_depth, line)
        streams = "/".join(name.decode() for name in self._readers)
        self.url = f"{url}/stream?streams={streams}"

    def begin(self) -> None:
        """A new connection: numbers go on, books need a snapshot."""
        for line in self._lines.values():
            line.book.begin()

    def renew_book(self, _symbol: str) -> Sequence[str]:
        """Nothing: snapshots come by query."""
        return ()

    def take(self, frame: bytes, now: int) -> bool:
        """Take a message; tell whether it was market data. Raises msgspec.DecodeError."""
        reader = self._readers.get(frame[_FRONT : frame.find(b'"', _FRONT)])
        if reader is None:
            return self._take_other(frame, now)
        reader(frame, now)
        return True

    def _take_other(self, frame: bytes, now: int) -> bool:
        """Take what does not begin with a stream's name: an answer, a notice, or another order of fields."""
        other = self._read_other(frame)
        reader = self._readers.get(other.stream.encode())
        if reader is not None:
            reader(frame, now)
            return True
        if other.error is not None:
            self._hear(Said.REFUSED, other.error.msg)
        elif SHUTDOWN in (other.kind, other.data.kind):
            self._hear(Said.FAREWELL, "the server will be shut down")
        return False

    def _on_trade(self, line: Line, frame: bytes, now: int) -> None:
        trade = self._read_trade(frame).data
        if trade.kind != MARKET:
            line.no_trade(trade.id)
            return
        ts = trade.ts_ms * NS_PER_MS
        self._time.heard(ts, now)
        line.trade(trade.id, ts, trade.price, trade.qty, -1 if trade.is_sell else 1)

    def _on_ticker(self, line: Line, frame: bytes, now: int) -> None:
        ticker = self._read_ticker(frame).data
        if ticker.ts_ms:
            ts = ticker.ts_ms * NS_PER_MS
            self._time.heard(ts, now)
        else:
            ts = self._time.at(now)
        quote = Quote(ts, line.symbol, ticker.bid, ticker.bid_qty, ticker.ask, ticker.ask_qty)
        line.quote(ticker.number, quote)

    def _on_depth(self, line: Line, frame: bytes, now: int) -> None:
        depth = self._read_depth(frame).data
        ts = depth.sent_ms * NS_PER_MS
        self._time.heard(ts, now)
        before = depth.first - 1 if depth.before is None else depth.before
        was_true = line.book.is_true
        if line.book.change(Change(before, depth.last, depth.bids, depth.asks)):
            line.show_book(ts)
        elif was_true and not line.book.is_true:
            self._hear(Said.BROKEN_BOOK, line.symbol)
