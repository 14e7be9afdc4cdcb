"""A fetch by way of ccxt from an exchange on loopback that does everything wrong once."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from engine.domain.errors import VenueError
from engine.runtime.datafetch import FetchReport, FetchRequest, fetch
from engine.runtime.retry import BACKOFF_S, Retry
from engine.venues.ccxt_history import CcxtHistory
from engine.venues.datafile import read_data
from engine.venues.instruments import BarTime, describe
from tests.unit.venues.bybit_history import (
    DAY_MS,
    MINUTE_MS,
    START_MS,
    Exchange,
    bars,
    code,
    kline,
    line,
    reset,
    serving,
    text,
    torn,
)

SILENCE_S = 0.3
PAGE = 1_000


def at(minute: int) -> int:
    return START_MS + minute * MINUTE_MS


class Desk:
    """Fetches from one exchange into one file, without pauses."""

    def __init__(self, exchange: Exchange, host: str, out: Path) -> None:
        self.exchange, self._host, self.out = exchange, host, out
        self.waits: list[str] = []

    async def fetch(self, *, since_ms: int = START_MS, until_ms: int | None = None) -> FetchReport:
        """Fetch BTCUSDT's minutes."""
        source = CcxtHistory("bybit", host=self._host, timeout_s=SILENCE_S)
        source._ccxt.enableRateLimit = False
        request = FetchRequest(
            venue="bybit",
            symbol="BTCUSDT",
            timeframe="1m",
            since=since_ms * 10**6,
            until=None if until_ms is None else until_ms * 10**6,
            out=self.out,
        )

        async def no_pause(_: float) -> None:
            return None

        try:
            return await fetch(
                source,
                request,
                tell=lambda _: None,
                make_retry=lambda _: Retry(sleep=no_pause, tell=self.waits.append),
            )
        finally:
            await source.close()

    @property
    def lines(self) -> list[str]:
        """The file without its first line."""
        return gzip.decompress(self.out.read_bytes()).decode().splitlines()[1:]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    exchange = Exchange()
    async with serving(exchange) as host:
        yield Desk(exchange, host, tmp_path / "bars.csv.gz")


async def test_after_every_fault_the_file_is_what_the_exchange_has(desk: Desk):
    desk.exchange.absent = {at(minute) for minute in range(400, 417)}
    twins = bars(lambda ts: [kline(ts), kline(ts), kline(ts + MINUTE_MS)])
    desk.exchange.answers += [
        text("slow down", status=429, Retry_After="1"),
        text("<html>Bad gateway</html>", status=502),
        text("<html>Maintenance</html>"),
        code(10016, "Server error."),
        twins,  # the page that counts: two bars
        *(reset, reset, torn),
        bars(lambda ts: [kline(ts + MINUTE_MS), [*kline(ts)[:4], "nan", "1", "0"]]),
        bars(lambda ts: [kline(ts), [*kline(ts)[:4], "40000.0", "1", "0"]]),
    ]
    report = await desk.fetch()
    assert desk.lines == [line(at(minute)) for minute in range(2_500) if not 400 <= minute < 417]
    assert (report.gaps, report.missing, report.rows) == (1, 17, 2_483)
    assert "asks for fewer requests" in desk.waits[0]
    assert any("sent two different bars" in wait for wait in desk.waits)
    assert any("number that is none" in wait for wait in desk.waits)
    about = describe(read_data(desk.out))
    instrument = about.instrument
    assert (instrument.symbol, str(instrument.tick), str(instrument.lot)) == ("BTCUSDT", "0.1", "0.001")
    assert (str(instrument.notional_min), instrument.volume_caps_fills) == ("5", True)
    assert (about.bar_ts, about.derived) == (BarTime.OPEN, ())


async def test_an_exchange_that_hangs_is_asked_again(desk: Desk):
    async def hang(request: web.Request) -> web.StreamResponse:
        await desk.exchange.released.wait()
        return web.Response()

    desk.exchange.answers.append(hang)
    await desk.fetch(until_ms=at(5))
    assert desk.lines == [line(at(minute)) for minute in range(5)]
    assert "bybit did not answer within 0.3 s" in desk.waits[0]


async def test_an_exchange_that_stays_down_ends_the_fetch_with_its_pages_kept(desk: Desk):
    html = text("<html>Maintenance</html>")

    async def right(request: web.Request) -> web.StreamResponse:
        return desk.exchange.right(request.query)

    desk.exchange.answers += [right, *[html] * (len(BACKOFF_S) + 1)]
    with pytest.raises(VenueError) as caught:
        await desk.fetch()
    assert str(caught.value) == (
        "bybit cannot be reached: answered with no JSON: <html>Maintenance</html>;"
        " 1,000 bars are kept, the same command goes on from there"
    )
    assert len(desk.waits) == len(BACKOFF_S)
    report = await desk.fetch()
    assert (report.rows, report.fetched) == (2_500, 1_500)
    assert desk.lines == [line(at(minute)) for minute in range(2_500)]


@pytest.mark.parametrize("minutes", [1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
async def test_pages_meet_without_a_seam(desk: Desk, minutes: int):
    await desk.fetch(since_ms=at(7), until_ms=at(7 + minutes))
    assert desk.lines == [line(at(minute)) for minute in range(7, 7 + minutes)]


async def test_a_market_that_is_younger_than_asked_for_begins_with_its_first_bar(desk: Desk):
    report = await desk.fetch(since_ms=START_MS - 400 * DAY_MS, until_ms=at(30))
    assert desk.lines == [line(at(minute)) for minute in range(30)]
    assert (report.first_ns, report.gaps) == (START_MS * 10**6, 0)
    assert len(desk.exchange.asked) <= 6
