"""A venue's live market through ccxt.pro, with a client of the test's own in place of ccxt's."""

import asyncio
from contextlib import suppress
from decimal import ROUND_UP, Decimal, getcontext
from typing import Any, Self

import ccxt.async_support as ccxt
import msgspec
import pytest

from engine.domain.errors import ConfigError, RateLimitedError, RefusedError, TransientError
from engine.domain.events import Event, FeedChanged, FeedState
from engine.domain.market import NS_PER_MS, NS_PER_S, Bar, InstrumentKind, Quote, Trade
from engine.venues.ccxt_source import CcxtSource, client_of, told
from engine.venues.ccxt_stream import CcxtStream, CcxtWire, Told
from engine.venues.ws_feed import VenueFeed
from engine.venues.ws_line import Line
from engine.venues.ws_time import VenueTime
from engine.venues.ws_trades import UnnumberedTrades
from tests.loopback import LIMIT_S
from tests.unit.venues.stream_builders import FEES, MINUTE, T0, instrument

T0_MS = T0 // NS_PER_MS
NAME = "BTC/USDT:USDT"

MARKET = {
    "id": "BTCUSDT",
    "symbol": NAME,
    "base": "BTC",
    "quote": "USDT",
    "settle": "USDT",
    "swap": True,
    "linear": True,
    "contractSize": 1.0,
    "precision": {"price": 0.1, "amount": 0.001},
    "limits": {"amount": {"min": 0.001}, "cost": {"min": 5}},
}


def row(name: str | None, ms: int = T0_MS, price: float = 100.5, side: str | None = "buy") -> dict[str, Any]:
    return {"id": name, "timestamp": ms, "price": price, "amount": 0.25, "side": side}


class HandClient:
    """What the adapter uses of ccxt; answers are put into queues, an exception is raised."""

    precisionMode = ccxt.TICK_SIZE  # noqa: N815 - ccxt's name

    def __init__(self, **has: bool) -> None:
        self.has = {"watchTrades": True, "fetchTrades": True, **has}
        self.timeframes = {"1m": "1", "1M": "M"}
        self.trades: asyncio.Queue[Any] = asyncio.Queue()
        self.touches: asyncio.Queue[Any] = asyncio.Queue()
        self.markets: dict[str, Any] = {}
        self.answers: list[Any] = []
        self.closed = 0

    async def load_markets(self) -> None:
        self.markets = {NAME: MARKET}

    async def watch_trades(self, _name: str) -> Any:
        return _answer(await self.trades.get())

    async def watch_bids_asks(self, names: list[str]) -> Any:
        return {names[0]: _answer(await self.touches.get())}

    async def watch_order_book(self, _name: str) -> Any:
        return _answer(await self.touches.get())

    async def fetch_trades(self, _name: str, limit: int) -> Any:
        return _answer(self.answers.pop(0))

    async def fetch_ohlcv(self, _name: str, timeframe: str, since: int, limit: int) -> Any:
        assert timeframe == "1m"
        return _answer(self.answers.pop(0))

    async def close(self) -> None:
        self.closed += 1


def _answer(what: Any) -> Any:
    if isinstance(what, Exception):
        raise what
    return what


class Desk:
    """A feed over a client, and what was delivered."""

    def __init__(self, client: HandClient, *, silent_s: float = 60) -> None:
        self.client = client
        self.events: list[Event] = []
        self._changed = asyncio.Condition()
        source = CcxtSource("kraken", client, {"BTCUSDT": NAME})

        async def sleep(_seconds: float) -> None:
            await asyncio.sleep(0)

        self.feed = VenueFeed[Told](
            "kraken",
            [instrument()],
            [MINUTE],
            source=source,
            make_wire=lambda lines, time, _: CcxtWire(lines, time),
            make_stream=lambda _, listener: CcxtStream(
                source, ["BTCUSDT"], listener, silent_s=silent_s, sleep=sleep
            ),
            make_trades=UnnumberedTrades,
            now=lambda: T0,
            sleep=sleep,
        )

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.feed.run(self._deliver))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        assert self.client.closed == 1

    async def _deliver(self, event: Event, _since_ns: int) -> None:
        self.events.append(event)
        async with self._changed:
            self._changed.notify_all()

    async def until(self, true) -> None:
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if type(event) is kind]


async def test_trades_and_best_prices_are_delivered():
    client = HandClient(watchBidsAsks=True)
    async with Desk(client) as desk:
        client.trades.put_nowait([row("a"), row("b", side=None)])
        client.touches.put_nowait(
            {"timestamp": T0_MS, "bid": 100.0, "bidVolume": 2.0, "ask": 100.5, "askVolume": None}
        )
        await desk.until(lambda: desk.of(Quote) and len(desk.of(Trade)) == 2)
        assert desk.of(Trade)[0] == Trade(T0, "BTCUSDT", 100.5, 0.25, 1, 100.5, 100.5)
        assert desk.of(Trade)[1].side == 0
        assert desk.of(Quote) == [Quote(T0, "BTCUSDT", 100.0, 2.0, 100.5, 0.0)]


async def test_without_best_prices_the_book_tells_them():
    client = HandClient()
    async with Desk(client) as desk:
        client.touches.put_nowait({"timestamp": None, "bids": [[100.0, 1.0, 7]], "asks": [[101.0, 2.0]]})
        await desk.until(lambda: desk.of(Quote))
        assert desk.of(Quote) == [Quote(T0, "BTCUSDT", 100.0, 1.0, 101.0, 2.0)]


async def test_after_a_break_the_venue_is_asked_for_what_came_in_between():
    client = HandClient()
    async with Desk(client) as desk:
        client.trades.put_nowait([row("a")])
        await desk.until(lambda: desk.of(Trade))
        client.answers = [[row("c", T0_MS + 2), row("b", T0_MS + 1), row("a")]]
        client.trades.put_nowait(ccxt.NetworkError("kraken gone"))
        client.trades.put_nowait([row("c", T0_MS + 2), row("d", T0_MS + 3)])
        await desk.until(lambda: len(desk.of(Trade)) == 4)
        assert [each.ts - T0 for each in desk.of(Trade)] == [0, NS_PER_MS, 2 * NS_PER_MS, 3 * NS_PER_MS]
        states = [each.state for each in desk.of(FeedChanged)]
        assert states == [FeedState.CONNECTED, FeedState.DISCONNECTED, FeedState.CONNECTED]
        assert desk.feed.facts().error == "kraken cannot be reached: gone"
        assert desk.feed.facts().connections == 2


async def test_a_venue_without_trades_of_late_leaves_a_loss():
    client = HandClient(fetchTrades=False)
    async with Desk(client) as desk:
        client.trades.put_nowait([row("a")])
        await desk.until(lambda: desk.of(Trade))
        client.trades.put_nowait(ccxt.NetworkError("gone"))
        client.trades.put_nowait([row("b", T0_MS + 1)])
        await desk.until(lambda: len(desk.of(Trade)) == 2)
        assert desk.feed.facts().lost == 1


async def test_silent_best_prices_break_the_stream():
    client = HandClient()
    async with Desk(client, silent_s=0.05) as desk:
        await desk.until(lambda: desk.of(FeedChanged))
        assert "told no best price of BTCUSDT for 0.05 s" in desk.feed.facts().error


@pytest.mark.parametrize("touch", [{"bids": [], "asks": []}, {"bids": [["x", 1]], "asks": [[1, 1]]}, {}])
async def test_a_best_price_without_one_breaks_the_stream(touch):
    client = HandClient()
    async with Desk(client) as desk:
        client.touches.put_nowait(touch)
        await desk.until(lambda: desk.of(FeedChanged))
        assert "kraken" in desk.feed.facts().error


async def test_a_trade_that_cannot_be_read_is_told_and_left_out():
    client = HandClient()
    async with Desk(client) as desk:
        client.trades.put_nowait([{"id": "x", "price": None}])
        client.trades.put_nowait([row("a")])
        await desk.until(lambda: desk.of(Trade))
        assert desk.feed.facts().garbled == 1


def test_trades_without_a_name_are_told_apart_by_what_they_say():
    out: list[Any] = []
    line = Line(instrument(), UnnumberedTrades(), (), out)
    wire = CcxtWire({"BTCUSDT": line}, VenueTime())
    wire.take(Told("BTCUSDT", trades=[row(None), row(None), row(None, price=7.0)]), T0)
    assert [each.price for each in out] == [100.5, 7.0]
    assert wire.renew_book("BTCUSDT") == ()
    with pytest.raises(msgspec.ValidationError):
        wire.take(Told("BTCUSDT", trades=[{}]), T0)


async def test_rules_and_names_are_taken_from_ccxt():
    source = CcxtSource("kraken", HandClient())
    (btc,) = await source.instruments(["BTCUSDT"], FEES)
    assert source.names == {"BTCUSDT": NAME}
    assert (btc.symbol, btc.base, btc.quote, btc.settle) == ("BTCUSDT", "BTC", "USDT", "USDT")
    assert btc.kind is InstrumentKind.LINEAR
    assert btc.tick > 0
    assert isinstance(btc.lot, Decimal)
    assert await source.snapshot("BTCUSDT") is None
    with pytest.raises(ConfigError, match="did you mean"):
        await source.instruments(["BTCUSD"], FEES)


async def test_bars_come_by_their_close_page_by_page():
    client = HandClient()
    source = CcxtSource("kraken", client, {"BTCUSDT": NAME})
    assert source.steps_ns == (MINUTE,)
    opens = [T0_MS - 60_000, T0_MS]
    client.answers = [[[open_ms, 1.0, 2.0, 0.5, 1.5, None]] for open_ms in opens]
    bars = await source.bars("BTCUSDT", MINUTE, T0, T0 + MINUTE)
    assert bars[0] == Bar(T0, "BTCUSDT", 1.0, 2.0, 0.5, 1.5, 0.0, MINUTE)
    assert [bar.ts for bar in bars] == [T0, T0 + MINUTE]
    client.answers = [[]]
    assert await source.bars("BTCUSDT", MINUTE, T0, T0 + NS_PER_S) == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ccxt.RateLimitExceeded("kraken busy"), RateLimitedError),
        (ccxt.NetworkError("kraken gone"), TransientError),
        (ccxt.BadSymbol("kraken what\x1b[31m"), RefusedError),
        (ccxt.ExchangeError(""), RefusedError),
    ],
)
def test_errors_are_sorted_by_what_asking_again_does(error, kind):
    sorted_out = told("kraken", error)
    assert type(sorted_out) is kind
    assert "\x1b" not in str(sorted_out)


async def test_what_ccxt_cannot_read_may_be_asked_again():
    async def answer() -> None:
        raise KeyError("result")

    with pytest.raises(TransientError, match="sent what ccxt cannot read"):
        await CcxtSource("kraken", HandClient()).asked(answer())


async def test_how_decimals_are_rounded_stays_ours():
    async def answer() -> None:
        getcontext().rounding = ROUND_UP

    before = getcontext().rounding
    await CcxtSource("kraken", HandClient()).asked(answer())
    assert getcontext().rounding == before


def test_a_testnet_is_another_place():
    assert "testnet" in str(client_of("bybit", testnet=True).urls["api"])
    assert "testnet" not in str(client_of("bybit").urls["api"])
    with pytest.raises(ConfigError, match="kraken has no testnet that ccxt knows"):
        client_of("kraken", testnet=True)


def test_a_venue_that_is_none_is_told_with_what_is_close():
    with pytest.raises(ConfigError, match="'krakn' is no venue; did you mean kraken"):
        client_of("krakn")
