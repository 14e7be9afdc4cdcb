"""Public streams by a clock of the test's own: klines that close, trades that come together."""

import json
from typing import Any, cast

import pytest

from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.venues.bybit_server.candles import MINUTE_NS
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.hub import OUTBOX_MAX, Connection, Socket
from engine.venues.bybit_server.market import SyntheticMarket
from engine.venues.bybit_server.streams import Streams
from engine.venues.synthetic import DEFAULT_SYMBOLS
from tests.unit.venues.bybit_server.floor import START, StillMarket, core_of, quote, trade

OPENED = START // MINUTE_NS * MINUTE_NS


class Stage:
    """Streams with one listener, and a clock that a test moves."""

    def __init__(self, *topics: str) -> None:
        self.core: Core = core_of(StillMarket())
        self.now = OPENED
        self.core.clock.now = lambda: self.now
        self.core.tape = type(self.core.tape)(self.core.exchange, StillMarket(), OPENED)
        self.streams = Streams(self.core)
        self.listener: Connection = self.core.hub.open(cast("Any", None), Socket.PUBLIC)
        for topic in topics:
            self.streams.first(topic)
            self.core.hub.subscribe(self.listener, topic)

    def trade(self, after_s: float, price: float, qty: float = 1.0) -> None:
        """Let the market trade so long after the first minute's open."""
        self.now = OPENED + int(after_s * NS_PER_S)
        self.streams.on_events([trade(price, qty, self.now)])

    def flush(self, after_s: float | None = None) -> list[Any]:
        """Send what is due and return it."""
        if after_s is not None:
            self.now = OPENED + int(after_s * NS_PER_S)
        self.streams.flush(self.now)
        outbox = self.listener._outbox
        return [json.loads(outbox.get_nowait()[1]) for _ in range(outbox.qsize())]


def test_a_kline_goes_on_and_closes_once_by_the_clock():
    stage = Stage("kline.1.BTCUSDT", "kline.5.BTCUSDT")
    stage.trade(1, 100.0)
    stage.trade(2, 103.0)
    running = {message["topic"]: message["data"][0] for message in stage.flush()}
    assert set(running) == {"kline.1.BTCUSDT", "kline.5.BTCUSDT"}
    assert {row["confirm"] for row in running.values()} == {False}
    (closed,) = [message["data"][0] for message in stage.flush(60) if message["data"][0]["confirm"]]
    assert (closed["start"], closed["end"]) == (OPENED // NS_PER_MS, (OPENED + MINUTE_NS) // NS_PER_MS - 1)
    assert (closed["open"], closed["high"], closed["close"], closed["volume"]) == (
        "100.0",
        "103.0",
        "103.0",
        "2",
    )
    assert not [message for message in stage.flush(61) if message["data"][0]["confirm"]]


def test_a_later_trade_closes_the_minute_before_it():
    stage = Stage("kline.1.BTCUSDT")
    stage.trade(1, 100.0)
    stage.trade(65, 105.0)
    rows = [message["data"][0] for message in stage.flush()]
    assert [(row["confirm"], row["close"]) for row in rows] == [(True, "100.0"), (False, "105.0")]


def test_klines_keep_a_pace():
    stage = Stage("kline.1.BTCUSDT")
    stage.trade(1, 100.0)
    assert len(stage.flush()) == 1
    stage.trade(1.1, 101.0)
    assert stage.flush() == []
    stage.trade(1.3, 101.0)
    assert len(stage.flush()) == 1


def test_trades_of_one_moment_come_in_one_message():
    stage = Stage("publicTrade.BTCUSDT")
    stage.trade(1, 100.0)
    stage.trade(1, 100.5)
    (message,) = stage.flush()
    assert [row["p"] for row in message["data"]] == ["100.0", "100.5"]
    assert len({row["i"] for row in message["data"]}) == 2
    assert stage.flush() == []


def test_a_book_that_did_not_change_is_not_told():
    stage = Stage("orderbook.50.BTCUSDT")
    stage.streams.on_events([quote(100.0, 100.5)])
    assert len(stage.flush(1)) == 1
    stage.streams.on_events([quote(100.0, 100.5)])
    assert stage.flush(2) == []


@pytest.mark.parametrize("seed", range(20))
def test_every_symbol_has_a_price_from_the_first_moment(seed: int):
    core = core_of(SyntheticMarket(seed, START, DEFAULT_SYMBOLS, 0.1))
    Streams(core).open(SyntheticMarket(seed, START, DEFAULT_SYMBOLS, 0.1), START)
    for listing in core.exchange.listings.values():
        assert listing.last > 0
        assert 0 < listing.ladder.bid < listing.ladder.ask


@pytest.mark.parametrize(
    ("topic", "known"),
    [
        ("publicTrade.BTCUSDT", True),
        ("publicTrade.NOPE", False),
        ("orderbook.200.BTCUSDT", True),
        ("orderbook.3.BTCUSDT", False),
        ("orderbook.x.BTCUSDT", False),
        ("kline.D.BTCUSDT", True),
        ("kline.7.BTCUSDT", False),
        ("liquidation.BTCUSDT", False),
    ],
)
def test_topics_are_known_or_not(topic: str, known: bool):
    assert Stage().streams.accepts(topic) is known


def test_a_reader_that_is_too_slow_is_cut_off():
    stage = Stage()
    for _ in range(OUTBOX_MAX + 1):
        stage.listener.reply("x")
    assert stage.listener._outbox.qsize() == OUTBOX_MAX
