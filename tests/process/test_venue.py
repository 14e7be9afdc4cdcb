"""The local exchange as a program: it says where it is, outlives its clients, and keeps its state."""

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.venues.bybit_server.serve import Address
from tests.process.harness import LIMIT_S, PROGRAM
from tests.unit.venues.bybit_server.raw_client import Raw

pytestmark = pytest.mark.process

BURST = "--events-per-s=1000"


@asynccontextmanager
async def venue(house: Any, *words: str) -> AsyncIterator[tuple[Process, Raw]]:
    """Run the exchange on a free port, with a client."""
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "venue", "--port", "0", "--json", *words),
        stdout=PIPE,
        stderr=PIPE,
        cwd=house.root,
        env=house.env,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), LIMIT_S)
        if not line:
            _, why = await process.communicate()
            raise AssertionError(why.decode())
        listening = json.loads(line)
        assert listening["rest"] == f"http://127.0.0.1:{listening['port']}"
        async with aiohttp.ClientSession() as session:
            yield process, Raw(session, Address(listening["port"]))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def traded(raw: Raw) -> None:
    """Wait until the market has spoken."""
    async with raw.socket("public/linear") as socket:
        await socket.subscribe("publicTrade.BTCUSDT")
        await socket.hear()


async def test_it_ends_in_order_on_a_signal(house: Any):
    for number in (signal.SIGINT, signal.SIGTERM):
        async with venue(house, BURST) as (process, raw):
            async with raw.socket("public/linear") as socket:
                await socket.subscribe("publicTrade.BTCUSDT")
                process.send_signal(number)
                assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0
            assert process.stderr is not None
            assert await process.stderr.read() == b""


async def test_orders_outlive_a_kill_of_the_exchange_with_a_state_file(house: Any):
    words = ("--state", "venue.state", BURST)
    async with venue(house, *words) as (process, raw):
        await traded(raw)
        assert (await raw.order(orderLinkId="rests", qty="0.01", price="1000"))["retCode"] == 0
        told = await raw.order(orderType="Market", price="", qty="0.01", orderLinkId="filled")
        assert told["retCode"] == 0
        before = await raw.ledger()
        process.kill()
        await process.wait()
    async with venue(house, *words) as (_, raw):
        after = await raw.ledger()
        assert [order["orderLinkId"] for order in after["orders"]] == ["rests", "filled"]
        for name in ("orders", "executions", "submits"):
            assert after[name] == before[name]
        assert [(each["symbol"], each["size"]) for each in after["positions"]] == [("BTCUSDT", "0.01")]
        assert (await raw.order(orderLinkId="filled", qty="0.01", price="1000"))["retCode"] == 110072


async def test_faults_come_from_a_file(house: Any):
    (Path(house.root) / "faults.yaml").write_text(
        "faults:\n  - {on: market.time, do: ret-code, code: 10016}\n"
    )
    async with venue(house, "--faults", "faults.yaml") as (_, raw):
        assert (await raw.get("market/time"))["retCode"] == 10016


async def test_a_recorded_file_may_be_the_market(house: Any):
    rows = [f"{1_600_000_000_000 + 1000 * at},{100 + at % 5},1.0,buy" for at in range(4_000)]
    (Path(house.root) / "xrpusdt.csv").write_text("\n".join(["ts_ms,price,qty,side", *rows, ""]))
    async with venue(house, "--data", "xrpusdt.csv", "--lead", "3000", "--speed", "100") as (_, raw):
        async with raw.socket("public/linear") as socket:
            await socket.subscribe("publicTrade.XRPUSDT")
            assert (await socket.hear())["data"][0]["s"] == "XRPUSDT"
        told = await raw.get("market/kline", category="linear", symbol="XRPUSDT", interval="1", limit=40)
        assert len(told["result"]["list"]) == 40


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "none.csv"), "none.csv"),
        (("--symbols", "NOPE"), "the synthetic market has no 'NOPE'"),
        (("--lead", "5"), "--lead needs --data"),
        (("--speed", "5"), "--speed needs --data"),
        (("--data", "x.csv", "--seed", "5"), "--seed is of the made-up market"),
        (("--faults", "none.yaml"), "none.yaml"),
        (("--state", "none/venue.state"), "cannot be opened"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
async def test_wrong_words_are_one_message(house: Any, words: tuple[str, ...], said: str):
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "venue", "--port", "0", *words), stdout=PIPE, stderr=PIPE, cwd=house.root, env=house.env
    )
    out, why = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert (process.returncode, out) == (2, b"")
    assert said in why.decode()
    assert "Traceback" not in why.decode()


async def test_a_port_in_use_is_told(house: Any):
    async with venue(house) as (_, raw):
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "venue", "--port", str(raw.address.port)),
            stdout=PIPE,
            stderr=PIPE,
            cwd=house.root,
            env=house.env,
        )
        _, why = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert process.returncode == 2
    assert f"--port: port {raw.address.port} of 127.0.0.1 cannot be had" in why.decode()
