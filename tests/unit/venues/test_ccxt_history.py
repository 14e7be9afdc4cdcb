"""Past bars through ccxt from an exchange on loopback: exact texts, faults sorted, nothing else touched."""

import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.domain.errors import ConfigError, RateLimitedError, RefusedError, TransientError
from engine.venues import ccxt_history
from engine.venues.barpages import RawBar, Series
from engine.venues.ccxt_history import CcxtHistory
from tests.unit.venues.bybit_history import (
    DAY_MS,
    MINUTE_MS,
    START_MS,
    Exchange,
    bars,
    code,
    kline,
    line,
    linear,
    reset,
    serving,
    text,
    torn,
)

SILENCE_S = 0.3
HTML = "<!DOCTYPE html>\n<html><body>Maintenance</body></html>"


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    """An exchange; its address is in `host`."""
    made = Exchange()
    async with serving(made) as made.host:
        yield made


@pytest.fixture
async def history(exchange: Exchange) -> AsyncIterator[CcxtHistory]:
    """The adapter, with ccxt's own pacing off: the exchange has no limit, and the tests no time."""
    made = CcxtHistory("bybit", host=exchange.host, timeout_s=SILENCE_S)
    made._ccxt.enableRateLimit = False
    yield made
    await made.close()


@pytest.fixture
async def series(history: CcxtHistory) -> Series:
    """BTCUSDT's minutes."""
    return await history.load("BTCUSDT", "1m")


async def test_a_market_is_loaded_with_its_rules(history: CcxtHistory):
    series = await history.load("BTCUSDT", "1h")
    assert (series.symbol, series.timeframe, series.step_ms) == ("BTC/USDT:USDT", "1h", 60 * MINUTE_MS)
    assert (series.page_rows, series.has_days) == (1_000, True)
    assert (str(series.stated.tick), str(series.stated.lot), series.stated.symbol) == (
        "0.10",
        "0.001",
        "BTCUSDT",
    )
    assert (await history.load("BTC/USDT", "1m")).stated.kind == "spot"


async def test_bars_keep_the_texts_of_the_venue(history: CcxtHistory, series: Series, exchange: Exchange):
    page = await history.page(series, START_MS)
    assert [bar.line for bar in page] == [line(START_MS + n * MINUTE_MS) for n in range(1_000)]
    assert page[0].open == "40228.10"
    assert exchange.asked[-1]["start"] == str(START_MS)


async def test_days_tell_where_bars_begin(history: CcxtHistory, series: Series):
    assert await history.first_day(series, START_MS - 7 * DAY_MS + 1) == START_MS
    assert await history.first_day(series, START_MS - 2_000 * DAY_MS) is None


async def test_the_venues_time_is_asked(history: CcxtHistory, exchange: Exchange):
    assert await history.now_ms() == exchange.now_ms
    history._ccxt.has["fetchTime"] = False
    assert await history.now_ms() is None


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (text("slow down", status=429), RateLimitedError, "bybit asks for fewer requests: "),
        (code(10006, "Too many visits!"), RateLimitedError, "Too many visits!"),
        (
            text(HTML, status=503),
            TransientError,
            "bybit cannot be reached: HTTP 503 Service Unavailable /v5/market/kline <!DOCTYPE",
        ),
        (text("{}", status=500), TransientError, "bybit cannot be reached: HTTP 500"),
        (
            text(HTML),
            TransientError,
            "bybit cannot be reached: answered with no JSON: <!DOCTYPE html> <html>",
        ),
        (text('{"retCode":0,"result":{"li'), TransientError, "answered with no JSON"),
        (text(""), TransientError, "answered with no JSON"),
        (reset, TransientError, "bybit cannot be reached: GET http://127.0.0.1"),
        (torn, TransientError, "bybit cannot be reached: "),
        (code(10016, "Server error."), TransientError, "bybit reports a fault of its own: "),
        (code(10000, "Server Timeout"), TransientError, "bybit reports a fault of its own: "),
        (bars(lambda ts: [["x"]]), TransientError, "bybit sent bars in an unknown form"),
        (text('{"retCode":0,"result":{"list":[5]}}'), TransientError, "bybit "),
        (code(10001, "params error: Symbol Is Invalid"), RefusedError, "bybit refuses: "),
        (text(HTML, status=451), RefusedError, "bybit refuses: HTTP 451"),
        (text('{"a":1}', status=404), RefusedError, "bybit refuses: HTTP 404 Not Found /v5/market/kline"),
    ],
)
async def test_faults_are_sorted_by_whether_asking_again_may_help(
    history: CcxtHistory, series: Series, exchange: Exchange, answer: Any, kind: type[Exception], message: str
):
    exchange.answers.extend([answer] * 2)  # aiohttp asks a second time by itself where a connection breaks
    with pytest.raises(kind) as caught:
        await history.page(series, START_MS)
    assert type(caught.value) is kind
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


async def test_a_venue_that_asks_to_wait_is_heard(history: CcxtHistory, series: Series, exchange: Exchange):
    exchange.answers += [
        text("slow", status=429, Retry_After="7"),
        text("slow", status=429, Retry_After="soon"),
    ]
    for wait_s in (7.0, 0.0):
        with pytest.raises(RateLimitedError) as caught:
            await history.page(series, START_MS)
        assert caught.value.retry_after_s == wait_s


async def test_silence_ends_in_time(history: CcxtHistory, series: Series, exchange: Exchange):
    exchange.held_from = 1
    with pytest.raises(TransientError, match=r"bybit did not answer within 0.3 s: GET http://127.0.0.1"):
        await history.page(series, START_MS)


async def test_a_venue_that_is_down_cannot_be_reached():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    history = CcxtHistory("bybit", host=f"http://127.0.0.1:{port}", timeout_s=SILENCE_S)
    with pytest.raises(TransientError, match="bybit cannot be reached: "):
        await history.load("BTCUSDT", "1m")
    await history.close()


@pytest.mark.parametrize(
    ("symbol", "timeframe", "message"),
    [
        ("BTCUSTD", "1m", "--symbol: bybit has no market 'BTCUSTD'; did you mean BTC"),
        ("BTCUSDT", "1min", "--timeframe: bybit has no bars of '1min'; did you mean 1m?"),
        ("BTCUSDT", "1H", "did you mean 1h?"),
        ("BTCUSDT", "fortnight", "bybit has no bars of 'fortnight'; known: 1m, 3m, 5m"),
        ("BTCUSDT", "1M", "--timeframe: 1M has no fixed length; fetch 1d instead"),
    ],
)
async def test_what_the_venue_has_not_is_the_users_error(
    history: CcxtHistory, symbol: str, timeframe: str, message: str
):
    with pytest.raises(ConfigError) as caught:
        await history.load(symbol, timeframe)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("venue", "host", "message"),
    [
        ("bybitt", None, "--venue: ccxt knows no 'bybitt'; did you mean bybit"),
        ("Bybit", None, "did you mean bybit?"),
        ("???", None, "ccxt knows no '???'; known: "),
        ("bybit", "http://api.bybit.com", "--host: 'http://api.bybit.com' is not on this machine"),
        ("bybit", "https://127.0.0.1:1", "write http://127.0.0.1:PORT"),
        ("bybit", "127.0.0.1:80", "is not on this machine"),
        ("bybit", "http://[oops", "is not on this machine"),
    ],
)
def test_an_unknown_venue_and_a_host_elsewhere_are_refused(venue: str, host: str | None, message: str):
    with pytest.raises(ConfigError) as caught:
        CcxtHistory(venue, host=host)
    assert message in str(caught.value)


async def test_a_venue_without_bars_is_refused(history: CcxtHistory):
    history._ccxt.has["fetchOHLCV"] = "emulated"
    with pytest.raises(ConfigError, match="--venue: bybit hands out no bars"):
        await history.load("BTCUSDT", "1m")


async def test_a_venue_that_lists_nothing_is_refused(history: CcxtHistory, exchange: Exchange):
    exchange.markets = {}
    with pytest.raises(RefusedError, match="bybit lists no markets"):
        await history.load("BTCUSDT", "1m")


async def test_an_odd_market_does_no_harm(history: CcxtHistory, exchange: Exchange):
    exchange.markets["linear"].append(linear("1000币USDT", "1000币"))
    assert (await history.load("1000币USDT", "1m")).stated.base is None


async def test_paths_stay_where_a_host_stands_in():
    history = CcxtHistory("gate", host="http://localhost:9")
    assert history._ccxt.urls["api"]["public"]["spot"] == "http://localhost:9/api/v4"
    await history.close()


def test_numbers_are_texts_without_exponents():
    raw = ccxt_history._raw([60_000, "1e-7", 2.5e-07, 3, "0.50", None])
    assert raw == RawBar(60_000, "0.0000001", "0.00000025", "3", "0.50", "0")
    assert ccxt_history._raw([1, None, float("nan"), "x", "1", "1"]).open == "None"
    with pytest.raises(ValueError, match="a bar of 3 values"):
        ccxt_history._raw([1, 2, 3])


def test_json_numbers_keep_their_digits():
    assert ccxt_history._exact_json("[1, 0.10, 1.000000000000000000001]") == [
        1,
        "0.10",
        "1.000000000000000000001",
    ]


class Contacts:
    """Hears of every name that is looked up and every address that is connected to."""

    def __init__(self) -> None:
        self.listening = False
        self.heard: set[str] = set()

    def __call__(self, event: str, details: tuple[Any, ...]) -> None:
        if self.listening and event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
            place = details[1] if event == "socket.connect" else details[0]
            self.heard.add(str(place[0] if isinstance(place, tuple) else place))


async def test_nothing_but_loopback_is_touched(history: CcxtHistory, exchange: Exchange):
    contacts = Contacts()
    sys.addaudithook(contacts)
    contacts.listening = True
    series = await history.load("BTCUSDT", "1m")
    await history.now_ms()
    await history.page(series, START_MS)
    await history.first_day(series, START_MS)
    contacts.listening = False
    assert contacts.heard == {"127.0.0.1"}


def test_the_exchange_of_the_tests_speaks_of_real_bars():
    assert kline(START_MS)[0] == str(START_MS)
