"""Runs the exchange: its sockets on loopback, and its market by the clock."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from engine.domain.errors import ConfigError, TraderError
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.venues.bybit_server.control import Control
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.market import Market
from engine.venues.bybit_server.rest import BODY_MAX, Rest
from engine.venues.bybit_server.sockets import Sockets
from engine.venues.bybit_server.streams import Streams
from engine.venues.bybit_server.tradesocket import Spawn

HOST = "127.0.0.1"  # nowhere else, ever: the keys are published
DEFAULT_PORT = 7475
TICK_NS = 10 * NS_PER_MS  # how long the market may wait for its next look
CLOSING_S = 0.5


class Address(msgspec.Struct, frozen=True):
    """Where the exchange listens."""

    port: int

    @property
    def rest(self) -> str:
        """The base of the REST endpoints."""
        return f"http://{HOST}:{self.port}"

    def socket(self, path: str) -> str:
        """The address of a socket: public/linear, private or trade."""
        return f"ws://{HOST}:{self.port}/v5/{path}"


@asynccontextmanager
async def serving(core: Core, market: Market, port: int = DEFAULT_PORT) -> AsyncIterator[Address]:
    """Serve the exchange for as long as the block lasts; port 0 takes a free one.

    Raises ConfigError, and StorageError out of the block where the state cannot be written any more.
    """
    try:
        async with asyncio.TaskGroup() as group, _listening(core, market, port, group) as address:
            yield address
    except* TraderError as failed:
        raise failed.exceptions[0] from None


@asynccontextmanager
async def _listening(
    core: Core, market: Market, port: int, group: asyncio.TaskGroup
) -> AsyncIterator[Address]:
    stopping = asyncio.Event()
    streams = Streams(core)
    running: set[asyncio.Task[None]] = set()

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        task = group.create_task(work)
        running.add(task)
        task.add_done_callback(running.discard)

    # A call is not given up where its client goes away: what has arrived takes effect.
    app = _application(core, streams, stopping, spawn)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING_S)
    await runner.setup()
    try:
        streams.open(market, core.clock.now())
        address = Address(await _listen(runner, port))
        spawn(_tick(core, market, streams))
        yield address
    finally:
        stopping.set()
        for task in tuple(running):
            task.cancel()
        core.hub.break_off("*")
        await runner.cleanup()


def _application(core: Core, streams: Streams, stopping: asyncio.Event, spawn: Spawn) -> web.Application:
    sockets, rest = Sockets(core, streams, spawn), Rest(core, stopping)
    app = web.Application(client_max_size=BODY_MAX)
    app.router.add_routes(Control(core).routes())
    app.router.add_get("/v5/public/linear", sockets.public)
    app.router.add_get("/v5/private", sockets.private)
    app.router.add_get("/v5/trade", sockets.trade)
    app.router.add_route("*", "/{path:.*}", rest.handle)
    return app


async def _listen(runner: web.AppRunner, port: int) -> int:
    try:
        await web.TCPSite(runner, HOST, port, reuse_address=True).start()
    except OSError as error:
        raise ConfigError(
            f"port {port} of {HOST} cannot be had ({error.strerror}); 0 takes a free one",
            field="--port",
        ) from None
    bound: int = runner.addresses[0][1]
    return bound


async def _tick(core: Core, market: Market, streams: Streams) -> None:
    """Let the market move by the clock. Raises StorageError."""
    while True:
        if core.broken is not None:
            raise core.broken
        now = core.clock.now()
        streams.on_events(market.poll(now))
        if core.dcp.goes_off(now):
            core.exchange.cancel_all(
                core.exchange.listings, now, waiting=False, active=True, cause="CancelByDCP"
            )
            core.commit()
        streams.flush(now)
        due = market.next_at()
        wait_ns = TICK_NS if due is None else min(max(due - core.clock.now(), 0), TICK_NS)
        await asyncio.sleep(max(wait_ns, NS_PER_MS) / NS_PER_S)
