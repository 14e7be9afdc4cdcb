"""Bybit's public stream of version 5, linear contracts: trades and the order book.

Messages read `{"topic":"publicTrade.BTCUSDT","type":"snapshot",...}`. The topic at the front finds the
reader, so that each message is decoded once and only the fields that are used.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec

from engine.domain.market import NS_PER_MS
from engine.venues.ws_book import Level
from engine.venues.ws_line import Line
from engine.venues.ws_sync import Change
from engine.venues.ws_time import VenueTime
from engine.venues.ws_wire import Hear, Said

TOUCH_LEVELS, DEPTH_LEVELS = 1, 50
ARGS_MAX = 10  # topics in one request
_FRONT = len(b'{"topic":"')
_RESTARTED = 1  # the number of a book that begins anew after the venue's own restart


class _Trade(
    msgspec.Struct,
    gc=False,
    rename={"ts_ms": "T", "side": "S", "qty": "v", "price": "p", "id": "i", "is_block": "BT"},
):
    ts_ms: int
    side: Literal["Buy", "Sell"]  # the taker's
    qty: float
    price: float
    id: str
    is_block: bool = False  # agreed beside the book


class _Book(msgspec.Struct, gc=False, rename={"number": "u", "bids": "b", "asks": "a"}):
    number: int
    bids: list[Level]
    asks: list[Level]


class _TradeFrame(msgspec.Struct, gc=False):
    data: list[_Trade]
    ts: int


class _BookFrame(msgspec.Struct, gc=False):
    data: _Book
    type: Literal["snapshot", "delta"]
    ts: int
    cts: int = 0  # when the book was so; `ts` is when the message was made


class _OtherFrame(msgspec.Struct):
    topic: str = ""
    op: str = ""
    success: bool = True
    ret_msg: str = ""


Reader = Callable[[bytes, int], None]


class BybitWire:
    """Reads the topics of some symbols. Prices and quantities are text, read as numbers."""

    ping = '{"op":"ping"}'
    asks_books = False

    def __init__(
        self, url: str, lines: Mapping[str, Line], time: VenueTime, hear: Hear, *, depth: bool
    ) -> None:
        """`depth`: the book of 50 levels in place of the best one alone."""
        self.url = url
        self._lines, self._time, self._hear = lines, time, hear
        self._levels = DEPTH_LEVELS if depth else TOUCH_LEVELS
        self._read_trades = msgspec.json.Decoder(_TradeFrame, strict=False).decode
        self._read_book = msgspec.json.Decoder(_BookFrame, strict=False).decode
        self._read_other = msgspec.json.Decoder(_OtherFrame).decode
        self._readers: dict[bytes, Reader] = {}
        for symbol, line in lines.items():
            self._readers[f"publicTrade.{symbol}".encode()] = partial(self._on_trades, line)
            self._readers[self._book_topic(symbol).encode()] = partial(self._on_book, line)
        topics = [name.decode() for name in self._readers]
        self.greeting: Sequence[str] = tuple(
            _request("subscribe", topics[at : at + ARGS_MAX]) for at in range(0, len(topics), ARGS_MAX)
        )

    def begin(self) -> None:
        """A new connection: books begin with a snapshot."""
        for line in self._lines.values():
            line.book.begin()
            line.forget_quotes()

    def renew_book(self, symbol: str) -> Sequence[str]:
        """Leave the book's topic and join it again: a snapshot comes first."""
        topic = [self._book_topic(symbol)]
        return _request("unsubscribe", topic), _request("subscribe", topic)

    def take(self, frame: bytes, now: int) -> bool:
        """Take a message; tell whether it was market data. Raises msgspec.DecodeError."""
        reader = self._readers.get(frame[_FRONT : frame.find(b'"', _FRONT)])
        if reader is None:
            return self._take_other(frame, now)
        reader(frame, now)
        return True

    def _take_other(self, frame: bytes, now: int) -> bool:
        """Take what does not begin with a topic: an answer, or another order of fields."""
        other = self._read_other(frame)
        reader = self._readers.get(other.topic.encode())
        if reader is not None:
            reader(frame, now)
            return True
        if not other.success:
            self._hear(Said.REFUSED, other.ret_msg or other.op)
        return False

    def _book_topic(self, symbol: str) -> str:
        return f"orderbook.{self._levels}.{symbol}"

    def _on_trades(self, line: Line, frame: bytes, now: int) -> None:
        message = self._read_trades(frame)
        self._time.heard(message.ts * NS_PER_MS, now)
        for trade in message.data:
            if not trade.is_block:
                side = 1 if trade.side == "Buy" else -1
                line.trade(trade.id, trade.ts_ms * NS_PER_MS, trade.price, trade.qty, side)

    def _on_book(self, line: Line, frame: bytes, now: int) -> None:
        message = self._read_book(frame)
        self._time.heard(message.ts * NS_PER_MS, now)
        ts = (message.cts or message.ts) * NS_PER_MS
        data, book = message.data, line.book
        if message.type == "snapshot":
            if book.is_true and _RESTARTED < data.number < book.last:
                return  # a connection that took over tells what is known
            if data.number == _RESTARTED:
                book.begin()
                line.forget_quotes()
            if not book.snapshot(data.number, data.bids, data.asks):
                self._hear(Said.BROKEN_BOOK, line.symbol)
            line.show_book(ts, anyhow=True)
            return
        was_true = book.is_true
        if book.change(Change(data.number - 1, data.number, data.bids, data.asks)):
            line.show_book(ts)
        elif was_true and not book.is_true:
            self._hear(Said.BROKEN_BOOK, line.symbol)


def _request(op: str, topics: Sequence[str]) -> str:
    return msgspec.json.encode({"op": op, "args": topics}).decode()
