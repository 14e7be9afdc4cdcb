"""Binance's combined streams, read."""

import msgspec
import pytest

from engine.domain.market import NS_PER_MS, Quote, Trade
from engine.venues.ws_binance import BinanceWire
from engine.venues.ws_line import Line
from engine.venues.ws_time import VenueTime
from engine.venues.ws_trades import NumberedTrades
from engine.venues.ws_wire import Said
from tests.unit.venues.stream_builders import (
    T0,
    binance_depth,
    binance_ticker,
    binance_trade,
    instrument,
    text,
)

NOW = T0 + 7 * NS_PER_MS
BIDS, ASKS = [(99.0, 1.0)], [(100.0, 1.0)]


class Desk:
    """A wire and what comes of it."""

    def __init__(self, *, depth: bool = True) -> None:
        self.out: list = []
        self.said: list[tuple[Said, str]] = []
        self.time = VenueTime()
        self.line = Line(instrument(), NumberedTrades(), (), self.out)
        lines = {"BTCUSDT": self.line}
        self.wire = BinanceWire(
            "wss://host", lines, self.time, lambda said, what: self.said.append((said, what)), depth=depth
        )

    def take(self, frame: bytes) -> bool:
        return self.wire.take(frame, NOW)


def test_the_streams_are_asked_for_by_the_address():
    streams = "btcusdt@trade/btcusdt@bookTicker"
    assert Desk(depth=False).wire.url == f"wss://host/stream?streams={streams}"
    assert Desk().wire.url == f"wss://host/stream?streams={streams}/btcusdt@depth@100ms"
    assert (Desk().wire.asks_books, Desk(depth=False).wire.asks_books) == (True, False)
    assert Desk().wire.renew_book("BTCUSDT") == ()


@pytest.mark.parametrize(("maker_bought", "side"), [(True, -1), (False, 1)])
def test_a_trade_is_read_with_the_aggressor_s_side(maker_bought, side):
    desk = Desk()
    frame = binance_trade(5, T0, 61800.3).replace(b'"m":false', f'"m":{str(maker_bought).lower()}'.encode())
    assert desk.take(frame)
    assert desk.out == [Trade(T0, "BTCUSDT", 61800.3, 0.001, side, 61800.3, 61800.3)]
    assert desk.time.offset_ns == -7 * NS_PER_MS


def test_a_trade_of_spot_says_no_kind():
    data = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": 7, "p": "61685.99000000", "q": "0.00017000", "T": 1438}
    desk = Desk()
    assert desk.take(text({"stream": "btcusdt@trade", "data": {**data, "m": True, "M": True}}))
    assert desk.out == [Trade(1438 * NS_PER_MS, "BTCUSDT", 61685.99, 0.00017, -1, 61685.99, 61685.99)]


def test_what_an_insurance_fund_took_is_no_trade_but_has_a_number():
    desk = Desk()
    for frame in (binance_trade(1, T0), binance_trade(2, T0, kind="INSURANCE_FUND"), binance_trade(3, T0)):
        assert desk.take(frame)
    assert len(desk.out) == 2
    assert not desk.line.trades.lacks


def test_the_best_prices_are_read():
    desk = Desk()
    assert desk.take(binance_ticker(9, T0))
    assert desk.out == [Quote(T0, "BTCUSDT", 100.0, 2.5, 100.1, 1.0)]


def test_best_prices_of_spot_get_the_venue_s_time():
    data = {"u": 50, "s": "BTCUSDT", "b": "61685.99", "B": "1.25869000", "a": "61686.00", "A": "2.44816000"}
    desk = Desk()
    desk.time.heard(NOW + 100, NOW)
    assert desk.take(text({"stream": "btcusdt@bookTicker", "data": data}))
    assert desk.out == [Quote(NOW + 100, "BTCUSDT", 61685.99, 1.25869, 61686.0, 2.44816)]


def test_a_futures_book_follows_the_number_before():
    desk = Desk()
    assert desk.take(binance_depth(5, 8, 4, [], []))
    assert desk.line.book.snapshot(8, BIDS, ASKS)
    assert desk.take(binance_depth(20, 25, 8, [(99.5, 2.0)], []))
    assert desk.out == [Quote(T0, "BTCUSDT", 99.5, 2.0, 100.0, 1.0)]
    assert desk.take(binance_depth(40, 45, 30, [], []))
    assert desk.said == [(Said.BROKEN_BOOK, "BTCUSDT")]
    assert desk.take(binance_depth(50, 55, 45, [], []))
    assert len(desk.said) == 1


def test_a_spot_book_counts_without_holes():
    desk = Desk()
    assert desk.line.book.snapshot(8, BIDS, ASKS)
    assert desk.take(binance_depth(7, 10, None, [(99.5, 2.0)], []))
    assert desk.line.book.last == 10
    assert desk.take(binance_depth(12, 13, None, [], []))
    assert not desk.line.book.is_true


def test_a_new_connection_forgets_the_books():
    desk = Desk()
    desk.line.book.snapshot(8, BIDS, ASKS)
    desk.wire.begin()
    assert not desk.line.book.is_true


def test_the_order_of_the_fields_does_not_matter():
    desk = Desk()
    data = msgspec.json.decode(binance_trade(1, T0))["data"]
    assert desk.take(text({"data": data, "stream": "btcusdt@trade"}))
    assert len(desk.out) == 1


def test_answers_and_notices_are_no_market_data():
    desk = Desk()
    assert not desk.take(b'{"result":null,"id":1}')
    assert not desk.take(b'{"error":{"code":2,"msg":"Invalid request"},"id":1}')
    assert not desk.take(b'{"e":"serverShutdown","E":1}')
    assert not desk.take(b'{"stream":"ethusdt@trade","data":{}}')
    assert [said for said, _ in desk.said] == [Said.REFUSED, Said.FAREWELL]
    assert desk.said[0][1] == "Invalid request"


@pytest.mark.parametrize("frame", [b"{", b'{"stream":"btcusdt@trade","data":{"t":"x"}}', b"<html>", b"[]"])
def test_what_cannot_be_read_is_refused(frame):
    with pytest.raises(msgspec.MsgspecError):
        Desk().take(frame)
