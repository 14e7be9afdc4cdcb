"""A fetch that is interrupted and killed comes out whole: the program against an exchange on loopback."""

import asyncio
import gzip
import json
import signal
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from tests.process.harness import LIMIT_S, PROGRAM
from tests.unit.venues.bybit_history import MINUTE_MS, START_MS, Exchange, line, serving

pytestmark = pytest.mark.process

BARS = 5_500


async def start(house: Any, host: str, *words: str) -> Process:
    """Start a fetch of one market's minutes."""
    market = ("--venue", "bybit", "--symbol", "BTCUSDT", "--timeframe", "1m", "--since", str(START_MS))
    return await asyncio.create_subprocess_exec(
        *(PROGRAM, "data", "fetch", *market, "--out", "bars.csv.gz", "--host", host, *words),
        stdout=PIPE,
        stderr=PIPE,
        cwd=house.root,
        env=house.env,
    )


async def ended(process: Process) -> tuple[int | None, str, str]:
    """Wait for the end and return code, output and errors."""
    out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    return process.returncode, out.decode(), err.decode()


async def stopped(
    exchange: Exchange, process: Process, number: signal.Signals
) -> tuple[int | None, str, str]:
    """Send a signal while the venue keeps the process waiting for a page."""
    try:
        await asyncio.wait_for(exchange.held.wait(), LIMIT_S)
        process.send_signal(number)
        return await ended(process)
    finally:
        if process.returncode is None:
            process.kill()


async def test_an_interrupted_and_a_killed_fetch_go_on_and_come_out_whole(house: Any):
    exchange = Exchange()
    exchange.now_ms = START_MS + BARS * MINUTE_MS + 10_000
    root: Path = house.root
    out, part = root / "bars.csv.gz", root / "bars.csv.gz.part"
    async with serving(exchange) as host:
        exchange.held_from = 3
        code, said, why = await stopped(exchange, await start(house, host), signal.SIGINT)
        assert (code, said) == (130, "")
        assert why == (
            "trader-tui: interrupted; 2,000 bars kept in bars.csv.gz.part,"
            " the same command goes on from there\n"
        )
        assert (out.exists(), part.exists()) == (False, True)

        exchange.held.clear()
        exchange.held_from = len(exchange.asked) + 2
        code, said, why = await stopped(exchange, await start(house, host), signal.SIGKILL)
        assert (code, said, why) == (-signal.SIGKILL, "", "")
        part.write_bytes(part.read_bytes()[:-5])  # as a crash of the machine may leave it

        exchange.held_from = None
        code, said, why = await ended(await start(house, host, "--json"))
    assert (code, why) == (0, "")
    report = json.loads(said)
    assert (report["rows"], report["fetched"], report["gaps"]) == (BARS, BARS - 2_000, 0)
    rows = gzip.decompress(out.read_bytes()).decode().splitlines()
    assert rows[1:] == [line(START_MS + minute * MINUTE_MS) for minute in range(BARS)]
    assert not part.exists()
