"""Bybit's public stream, read."""

import msgspec
import pytest

from engine.domain.market import NS_PER_MS, Quote, Trade
from engine.venues.ws_bybit import BybitWire
from engine.venues.ws_line import Line
from engine.venues.ws_time import VenueTime
from engine.venues.ws_trades import UnnumberedTrades
from engine.venues.ws_wire import Said
from tests.unit.venues.stream_builders import T0, bybit_book, bybit_trades, instrument, text

NOW = T0 + 7 * NS_PER_MS
BIDS, ASKS = [(99.0, 1.0)], [(100.0, 1.0)]
MADE = T0 - 3 * NS_PER_MS  # when the book was so


class Desk:
    """A wire and what comes of it."""

    def __init__(self, *, depth: bool = True, symbols: int = 1) -> None:
        self.out: list = []
        self.said: list[tuple[Said, str]] = []
        names = ["BTCUSDT", *(f"C{n}USDT" for n in range(1, symbols))]
        self.lines = {name: Line(instrument(name), UnnumberedTrades(), (), self.out) for name in names}
        self.line = self.lines["BTCUSDT"]
        self.wire = BybitWire(
            "wss://host/v5/public/linear",
            self.lines,
            VenueTime(),
            lambda said, what: self.said.append((said, what)),
            depth=depth,
        )

    def take(self, *frames: bytes) -> bool:
        taken = [self.wire.take(frame, NOW) for frame in frames]
        return all(taken)


def test_topics_are_asked_for_ten_at_a_time():
    greeting = [msgspec.json.decode(each) for each in Desk(symbols=6).wire.greeting]
    assert [len(each["args"]) for each in greeting] == [10, 2]
    assert greeting[0]["op"] == "subscribe"
    assert greeting[0]["args"][:2] == ["publicTrade.BTCUSDT", "orderbook.50.BTCUSDT"]
    assert "orderbook.1.BTCUSDT" in Desk(depth=False).wire.greeting[0]


def test_trades_are_read_with_the_taker_s_side():
    desk = Desk()
    assert desk.take(bybit_trades("a", "b", ts=T0, price=100.5), bybit_trades("c", ts=T0, side="Sell"))
    assert desk.out[0] == Trade(T0, "BTCUSDT", 100.5, 0.001, 1, 100.5, 100.5)
    assert [each.side for each in desk.out] == [1, 1, -1]


def test_block_trades_are_not_of_the_book():
    desk = Desk()
    assert desk.take(bybit_trades("a", ts=T0, block=True))
    assert desk.out == []


def test_a_book_begins_with_a_snapshot_and_follows_its_changes():
    desk = Desk()
    assert desk.take(bybit_book(5, BIDS, ASKS, snapshot=True), bybit_book(6, [(99.5, 2.0)], []))
    assert desk.out == [
        Quote(MADE, "BTCUSDT", 99.0, 1.0, 100.0, 1.0),
        Quote(MADE, "BTCUSDT", 99.5, 2.0, 100.0, 1.0),
    ]


def test_a_change_elsewhere_in_the_book_is_no_news():
    desk = Desk()
    desk.take(bybit_book(5, BIDS, ASKS, snapshot=True), bybit_book(6, [(90.0, 2.0)], []))
    assert len(desk.out) == 1


def test_a_missing_number_breaks_the_book_and_its_topic_is_joined_again():
    desk = Desk()
    desk.take(bybit_book(5, BIDS, ASKS, snapshot=True), bybit_book(7, [(99.5, 2.0)], []))
    assert desk.said == [(Said.BROKEN_BOOK, "BTCUSDT")]
    assert [msgspec.json.decode(each)["op"] for each in desk.wire.renew_book("BTCUSDT")] == [
        "unsubscribe",
        "subscribe",
    ]
    desk.take(bybit_book(9, BIDS, [(100.0, 9.0)], snapshot=True))
    assert desk.line.book.last == 9
    assert desk.out[-1] == Quote(MADE, "BTCUSDT", 99.0, 1.0, 100.0, 9.0)


def test_a_snapshot_with_number_one_begins_anew():
    desk = Desk()
    desk.take(
        bybit_book(5_000, BIDS, ASKS, snapshot=True), bybit_book(1, BIDS, [(100.0, 9.0)], snapshot=True)
    )
    assert desk.line.book.last == 1
    assert desk.out[-1] == Quote(MADE, "BTCUSDT", 99.0, 1.0, 100.0, 9.0)


def test_an_older_snapshot_of_a_connection_that_took_over_is_known():
    desk = Desk()
    desk.take(bybit_book(5_000, BIDS, ASKS, snapshot=True), bybit_book(4_990, [], [], snapshot=True))
    assert desk.line.book.last == 5_000
    assert len(desk.out) == 1


def test_a_crossed_snapshot_is_asked_for_again_and_never_shown():
    desk = Desk()
    desk.take(bybit_book(5, [(101.0, 1.0)], ASKS, snapshot=True))
    assert desk.said == [(Said.BROKEN_BOOK, "BTCUSDT")]
    assert desk.out == []


def test_a_snapshot_that_says_the_same_shows_that_the_stream_lives():
    desk = Desk(depth=False)
    for ts in (T0, T0 + NS_PER_MS):
        desk.take(bybit_book(5, BIDS, ASKS, snapshot=True, levels=1, ts=ts))
    assert len(desk.out) == 2


def test_a_new_connection_forgets_books_and_quotes():
    desk = Desk()
    desk.take(bybit_book(5_000, BIDS, ASKS, snapshot=True))
    desk.wire.begin()
    desk.take(bybit_book(7, BIDS, ASKS, snapshot=True, ts=T0 - 9))
    assert desk.line.book.last == 7
    assert len(desk.out) == 2


def test_a_book_without_its_own_time_has_the_message_s():
    desk = Desk()
    message = msgspec.json.decode(bybit_book(5, BIDS, ASKS, snapshot=True))
    del message["cts"]
    desk.take(text(message))
    assert desk.out[0].ts == T0


def test_answers_are_no_market_data():
    desk = Desk()
    assert not desk.take(b'{"success":true,"ret_msg":"pong","conn_id":"x","op":"ping"}')
    assert not desk.take(b'{"success":false,"ret_msg":"error:handler not found","op":"subscribe"}')
    assert not desk.take(b'{"success":false,"op":"subscribe"}')
    assert not desk.take(b'{"topic":"kline.1.BTCUSDT"}')
    assert [text for _, text in desk.said] == ["error:handler not found", "subscribe"]


def test_the_order_of_the_fields_does_not_matter():
    desk = Desk()
    message = msgspec.json.decode(bybit_trades("a", ts=T0))
    assert desk.take(text(dict(reversed(message.items()))))
    assert len(desk.out) == 1


@pytest.mark.parametrize("frame", [b"{", b'{"topic":"publicTrade.BTCUSDT","ts":1,"data":[{"S":"?"}]}', b"[]"])
def test_what_cannot_be_read_is_refused(frame):
    with pytest.raises(msgspec.MsgspecError):
        Desk().take(frame)
