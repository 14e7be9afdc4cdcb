"""The program on a venue's live market: it loses the venue, comes back, restarts and is verified."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.loopback import LoopbackVenue
from tests.process.harness import LIMIT_S, eventually, finish, one_message
from tests.unit.venues.bybit_history import linear
from tests.unit.venues.stream_builders import bybit_book, bybit_trades

pytestmark = pytest.mark.process

BACK_S = 0.5  # from a break to the first data of a new connection, on loopback
PLAY = """\
name: minute
timeframe: base
size: {notional: 500}
long:
  enter: close > 0
stop_loss: {percent: 5}
"""


class Market:
    """A Bybit with one market, whose trades come when the test says."""

    def __init__(self) -> None:
        self.trades: list[tuple[str, int]] = []  # names and times (ns) of all, also of those nobody heard
        self.venue = LoopbackVenue(
            {
                "/v5/market/instruments-info": lambda _: said({"list": [linear()], "nextPageCursor": ""}),
                "/v5/market/kline": self._klines,
                "/v5/market/recent-trade": self._prints,
            }
        )

    @property
    def env(self) -> dict[str, str]:
        """What sends the program here."""
        return {
            "TRADER_TUI_STREAM__STREAM_URL": f"{self.venue.stream_url}/v5/public/linear",
            "TRADER_TUI_STREAM__QUERY_URL": self.venue.query_url,
        }

    def _klines(self, query: Any) -> object:
        opens = range(int(query["start"]) // 60_000 * 60_000, int(query["end"]) + 1, 60_000)
        rows = [[str(open_ms), "100", "101", "99", "100", "1", "100"] for open_ms in opens]
        return said({"list": rows[::-1][:1_000]})

    def _prints(self, _query: Any) -> object:
        facts = {"symbol": "BTCUSDT", "price": "100.0", "size": "0.001", "side": "Buy", "isBlockTrade": False}
        rows = [{**facts, "execId": name, "time": str(ts // 10**6)} for name, ts in self.trades]
        return said({"list": rows[::-1]})

    def trade(self, *names: str) -> bytes:
        """Let trades happen; return them as they are streamed."""
        now = time.time_ns()
        self.trades += [(name, now) for name in names]
        return bybit_trades(*names, ts=now)

    def book(self, number: int) -> bytes:
        """Return the best bid and offer."""
        return bybit_book(number, [(100.0, 5.0)], [(100.1, 5.0)], ts=time.time_ns(), snapshot=True, levels=1)


def said(result: object) -> dict[str, object]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": 1}


@contextmanager
def engine(house: Any, market: Market) -> Iterator["subprocess.Popen[str]"]:
    """Start an engine on the market."""
    play = house.root / "minute.yaml"
    play.write_text(PLAY)
    words = ("run", "--headless", "--venue", "bybit", "--play", play, "--arm")
    process = house.start(*words, env=market.env)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()


async def feed_row(house: Any, true: Any) -> Any:
    """Wait until the engine's row of its feed is so, and return it."""

    def look() -> Any:
        (row,) = house.snapshot().feeds
        return row if true(row) else None

    return await asyncio.to_thread(eventually, look, "the feed's row")


async def test_a_lost_venue_is_back_at_once_and_nothing_is_lost(house: Any):
    market = Market()
    async with market.venue as venue:
        with engine(house, market) as process:
            await venue.until(lambda: venue.heard)
            assert json.loads(venue.heard[0])["args"] == ["publicTrade.BTCUSDT", "orderbook.1.BTCUSDT"]
            await venue.send(market.book(5), market.trade("a", "b"))
            row = await feed_row(house, lambda row: row.state == "connected" and row.events >= 2)
            assert (row.name, row.reconnects, row.error) == ("bybit", 0, "")
            await venue.cut()
            broken_s = time.monotonic()
            market.trade("c")  # nobody hears it
            await venue.until(lambda: len(venue.heard) == 2)
            await venue.send(market.book(6), market.trade("d"))
            assert time.monotonic() - broken_s < BACK_S
            row = await feed_row(house, lambda row: row.reconnects == 1 and row.state == "connected")
            assert row.error == "the connection broke off"
            await venue.until(lambda: any(path.endswith("recent-trade") for path, _ in venue.queries))
            volume = lambda: sum(round(tick.volume, 6) for tick in house.snapshot().ticks)  # noqa: E731
            await asyncio.to_thread(eventually, lambda: volume() == 0.004, "every trade is counted once")
            process.send_signal(signal.SIGTERM)
            done = await asyncio.to_thread(finish, process)
            assert done.code == 143, done.err
    (record,) = (house.folder() / "paper" / "records").iterdir()
    verified = await asyncio.to_thread(house.run, "verify", record)
    assert "identical" in verified.out, verified.out + verified.err


async def test_a_restart_goes_on_with_the_bars_that_were_missed(house: Any):
    market = Market()
    async with market.venue as venue:
        for start in (1, 2):
            with engine(house, market) as process:
                await venue.until(lambda: len(venue.heard) == start)  # noqa: B023 - waited for here
                await venue.send(market.book(5), market.trade(f"t{start}"))
                await feed_row(house, lambda row: row.state == "connected")
                process.send_signal(signal.SIGTERM if start == 2 else signal.SIGKILL)
                await asyncio.to_thread(process.wait, LIMIT_S)
    log = (house.folder() / "logs" / "engine.log").read_text()
    assert "goes on from session" in log
    assert log.count('"bybit connected"') == 2


async def test_a_venue_that_is_not_there_is_told_in_one_message(house: Any):
    market = Market()
    async with market.venue:
        pass
    done = await asyncio.to_thread(house.run, "run", "--headless", "--venue", "bybit", env=market.env)
    assert done.code == 1
    message = one_message(done)
    assert message.startswith("trader-tui: bybit cannot be reached at http://127.0.0.1:")
    assert "nobody listens there. Nothing was started" in message


async def test_an_unknown_symbol_leaves_nothing_behind(house: Any):
    market = Market()
    async with market.venue:
        words = ("run", "--headless", "--venue", "bybit", "--symbol", "BTCUSD", "--symbol", "BTCUSDT")
        done = await asyncio.to_thread(house.run, *words, env=market.env)
    assert done.code == 2
    assert one_message(done).endswith("did you mean BTCUSDT?")
    assert not house.state_dir.exists()
