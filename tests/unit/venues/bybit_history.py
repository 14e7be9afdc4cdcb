"""An exchange on loopback that speaks what past bars need of Bybit v5, and answers wrong when told to."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

from aiohttp import web

MINUTE_MS = 60_000
DAY_MS = 1_440 * MINUTE_MS
START_MS = 1_704_067_200_000  # 2024-01-01
STEPS_MS = {"1": MINUTE_MS, "60": 60 * MINUTE_MS, "D": DAY_MS}
CLOSING_S = 0.2  # for requests that are still held when a test ends

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def kline(ts_ms: int) -> list[str]:
    """Return the bar that opens then, as the wire has it: texts with the zeros a venue writes."""
    level = Decimal(40_000) + ts_ms // MINUTE_MS * 37 % 1_009
    return [str(ts_ms), f"{level}.10", f"{level + 9}.50", f"{level - 9}.00", f"{level + 1}.30", "12.340", "0"]


def line(ts_ms: int) -> str:
    """Return the line a file has of the same bar."""
    return ",".join(kline(ts_ms)[:6])


def linear(symbol: str = "BTCUSDT", base: str = "BTC") -> dict[str, object]:
    """Return what instruments-info says of a linear perpetual."""
    return {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": base,
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "launchTime": "1584230400000",
        "deliveryTime": "0",
        "priceScale": "2",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
        "lotSizeFilter": {
            "maxOrderQty": "1190.000",
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "minNotionalValue": "5",
        },
    }


def spot() -> dict[str, object]:
    """Return what instruments-info says of a spot market."""
    return {
        "symbol": "BTCUSDT",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "status": "Trading",
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "quotePrecision": "0.00000001",
            "minOrderQty": "0.000048",
            "maxOrderQty": "71",
            "minOrderAmt": "1",
        },
        "priceFilter": {"tickSize": "0.01"},
    }


class Exchange:
    """The exchange: bars of every minute in [first, now), but for those in `absent`."""

    def __init__(self) -> None:
        self.first_ms = START_MS
        self.host = ""
        self.now_ms = START_MS + 2_500 * MINUTE_MS + 30_000
        self.absent: set[int] = set()
        self.asked: list[dict[str, str]] = []  # the queries for bars
        self.answers: deque[Answer] = deque()  # given to the next queries for bars instead of the right one
        self.held_from: int | None = None  # the number of the first query for bars that gets no answer
        self.held = asyncio.Event()  # set when one is waiting
        self.released = asyncio.Event()
        self.markets: dict[str, list[dict[str, object]]] = {"linear": [linear()], "spot": [spot()]}

    async def time(self, _: web.Request) -> web.StreamResponse:
        """Answer /v5/market/time."""
        second, ms = divmod(self.now_ms, 1_000)
        return _ok({"timeSecond": str(second), "timeNano": f"{second}{ms:03d}000000"}, self.now_ms)

    async def instruments(self, request: web.Request) -> web.StreamResponse:
        """Answer /v5/market/instruments-info."""
        category = request.query["category"]
        rows = [] if "status" in request.query else self.markets.get(category, [])
        return _ok({"category": category, "list": rows, "nextPageCursor": ""}, self.now_ms)

    async def klines(self, request: web.Request) -> web.StreamResponse:
        """Answer /v5/market/kline."""
        self.asked.append(dict(request.query))
        if self.held_from is not None and len(self.asked) >= self.held_from:
            self.held.set()
            await self.released.wait()
        if self.answers:
            return await self.answers.popleft()(request)
        return self.right(request.query)

    def right(self, query: Mapping[str, str]) -> web.Response:
        """Answer as the exchange does: newest first."""
        return rows([kline(ts_ms) for ts_ms in self._opens(query)], query, self.now_ms)

    def _opens(self, query: Mapping[str, str]) -> list[int]:
        step_ms, start_ms = STEPS_MS[query["interval"]], int(query["start"])
        opens = range(start_ms, start_ms + int(query["limit"]) * step_ms, step_ms)
        first_ms = self.first_ms - self.first_ms % step_ms
        return [ts for ts in opens if first_ms <= ts <= self.now_ms and ts not in self.absent]


def rows(bars: list[list[str]], query: Mapping[str, str], now_ms: int = START_MS) -> web.Response:
    """Answer with some bars."""
    result: dict[str, object] = {
        "symbol": query["symbol"],
        "category": query["category"],
        "list": bars[::-1],
    }
    return _ok(result, now_ms)


def _ok(result: dict[str, object], now_ms: int) -> web.Response:
    return web.json_response(
        {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms}
    )


def text(body: str, *, status: int = 200, **headers: str) -> Answer:
    """Return an answer of plain text."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            text=body,
            status=status,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return answer


def code(number: int, message: str = "") -> Answer:
    """Return an answer of the exchange's own error."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"retCode": number, "retMsg": message, "result": {}, "time": START_MS})

    return answer


def bars(make: Callable[[int], list[list[str]]]) -> Answer:
    """Return an answer of bars made from the time that was asked for."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return rows(make(int(request.query["start"])), request.query)

    return answer


async def reset(request: web.Request) -> web.StreamResponse:
    """Break the connection off."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def torn(request: web.Request) -> web.StreamResponse:
    """Break the connection off in the middle of an answer."""
    answer = web.StreamResponse(headers={"Content-Length": "5000"})
    await answer.prepare(request)
    await answer.write(b'{"retCode":0,"result":{"list":[["17040')
    assert request.transport is not None
    request.transport.close()
    return answer


@asynccontextmanager
async def serving(exchange: Exchange) -> AsyncIterator[str]:
    """Serve an exchange on a free port and yield its address."""
    app = web.Application()
    app.router.add_get("/v5/market/time", exchange.time)
    app.router.add_get("/v5/market/instruments-info", exchange.instruments)
    app.router.add_get("/v5/market/kline", exchange.klines)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        exchange.released.set()
        await runner.cleanup()
