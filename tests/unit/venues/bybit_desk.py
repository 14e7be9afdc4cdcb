"""A desk on loopback that speaks what orders need of Bybit v5, and answers exactly what a test tells it."""

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from engine.core.snapshot import BudgetRow
from engine.domain.events import Event, FeedChanged
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.market import NS_PER_MS
from engine.domain.orders import OrderKind, OrderRequest
from engine.domain.signals import Side
from engine.runtime.retry import Retry
from engine.venues.ccxt_account import Account, AccountWish
from engine.venues.ccxt_calls import Timeouts
from engine.venues.ccxt_client import AccountKeys
from engine.venues.ccxt_profiles import LOCAL, Endpoint, profile_of
from engine.venues.ratelimits import Kind
from tests.unit.venues.bybit_history import linear

PATIENCE_S = 5.0
NOW = 1_750_000_000_000_000_000
IDS = IdSpace(1_700_000_000, "default")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def ok(result: Any, code: int = 0, text: str = "OK", ms: int = 1) -> web.Response:
    """Return an answer as the venue wraps it."""
    return web.json_response(
        {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": ms}
    )


def refuses(code: int, text: str = "no") -> Answer:
    """Return an answer with the venue's own code."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return ok({}, code, text)

    return answer


def says(body: str, status: int = 200, content_type: str = "application/json") -> Answer:
    """Return an answer of any text."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, content_type=content_type)

    return answer


async def resets(request: web.Request) -> web.StreamResponse:
    """Break the connection off instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(_: web.Request) -> web.StreamResponse:
    """Answer never."""
    await asyncio.Event().wait()
    return web.Response()


class Asked(msgspec.Struct):
    """One request that came in."""

    method: str
    path: str
    params: dict[str, Any]
    headers: dict[str, str]


def raw_order(client_id: str, status: str = "New", **changes: Any) -> dict[str, Any]:
    """Return an order as the venue writes it."""
    row = {
        "symbol": "BTCUSDT",
        "orderId": f"v-{client_id}",
        "orderLinkId": client_id,
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.010",
        "price": "20000.0",
        "leavesQty": "0.010",
        "cumExecQty": "0",
        "cumExecValue": "0",
        "avgPrice": "",
        "orderStatus": status,
        "timeInForce": "GTC",
        "reduceOnly": False,
        "tpslMode": "",
        "category": "linear",
        "createdTime": "1750000000000",
        "updatedTime": "1750000000000",
        "rejectReason": "EC_NoError",
        "cancelType": "UNKNOWN",
    }
    return row | changes


def raw_trade(client_id: str, trade_id: str = "t1", **changes: Any) -> dict[str, Any]:
    """Return an execution as the venue writes it."""
    row = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": f"v-{client_id}",
        "orderLinkId": client_id,
        "execId": trade_id,
        "execType": "Trade",
        "execPrice": "20000.5",
        "execQty": "0.010",
        "execValue": "200.005",
        "execFee": "0.11",
        "feeRate": "0.00055",
        "feeCurrency": "USDT",
        "isMaker": False,
        "side": "Buy",
        "execTime": "1750000000123",
        "orderType": "Limit",
        "leavesQty": "0",
    }
    return row | changes


def raw_position(size: str = "0", side: str = "", **changes: Any) -> dict[str, Any]:
    """Return a position as the venue writes it."""
    row = {"symbol": "BTCUSDT", "size": size, "side": side, "positionIdx": 0, "positionValue": "0"}
    return row | {"avgPrice": "0", "leverage": "10", "tradeMode": 0, "markPrice": "20000"} | changes


class BybitDesk:
    """The desk: what it was asked, what it answers out of turn, and its private socket."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.instead: dict[str, deque[Answer]] = defaultdict(deque)
        self.always: dict[str, Answer] = {}
        self.orders: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.positions: list[dict[str, Any]] = []
        self.skew_ms = 0
        self.silent = False  # answers no ping
        self.sockets: list[web.WebSocketResponse] = []
        self.frames: list[dict[str, Any]] = []
        self.url = ""

    def of(self, path: str) -> list[Asked]:
        """Return what was asked of a path."""
        return [asked for asked in self.asked if asked.path == path]

    async def push(self, topic: str, *rows: dict[str, Any]) -> None:
        """Tell something on the private socket."""
        for socket in self.sockets:
            await socket.send_str(json.dumps({"id": "1", "topic": topic, "creationTime": 1, "data": rows}))

    def drop(self) -> None:
        """Break the private sockets off."""
        for socket in self.sockets:
            transport = socket._req.transport  # type: ignore[union-attr]  # it is open
            assert transport is not None
            transport.abort()
        self.sockets.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request: as told, else as a plain venue does."""
        params = dict(request.query) or (json.loads(await request.text() or "{}"))
        path = request.path
        self.asked.append(Asked(request.method, path, params, dict(request.headers)))
        if self.instead[path]:
            return await self.instead[path].popleft()(request)
        if path in self.always:
            return await self.always[path](request)
        return ok(self._result(path, params), ms=self.now_ms())

    def _result(self, path: str, params: dict[str, Any]) -> Any:
        def listed(rows: list[dict[str, Any]]) -> dict[str, Any]:
            wanted = params.get("orderLinkId")
            chosen = [row for row in rows if wanted in (None, row.get("orderLinkId"))]
            start = int(params.get("cursor") or 0)
            page = chosen[start : start + int(params.get("limit") or 50)]
            return {"category": "linear", "list": page, "nextPageCursor": str(start + len(page))}

        match path:
            case "/v5/market/time":
                ms = self.now_ms()
                return {"timeSecond": str(ms // 1000), "timeNano": str(ms * NS_PER_MS)}
            case "/v5/market/instruments-info":
                return {"category": "linear", "list": [linear()], "nextPageCursor": ""}
            case "/v5/order/realtime":
                return listed(self.orders)
            case "/v5/order/history":
                return listed(self.history)
            case "/v5/execution/list":
                return listed(self.trades)
            case "/v5/position/list":
                return listed(self.positions)
            case "/v5/account/wallet-balance":
                coin = {"coin": "USDT", "walletBalance": "1000.5", "equity": "1000.5", "locked": "0"}
                return {"list": [{"accountType": "UNIFIED", "coin": [coin], "totalEquity": "1000.5"}]}
            case _:
                link = params.get("orderLinkId", "")
                return {"orderId": f"v-{link}", "orderLinkId": link}

    def now_ms(self) -> int:
        """Return the desk's time."""
        return time.time_ns() // NS_PER_MS + self.skew_ms

    async def private(self, request: web.Request) -> web.StreamResponse:
        """Serve the private socket."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            frame = json.loads(message.data)
            self.frames.append(frame)
            match frame["op"]:
                case "auth":
                    await socket.send_json({"success": True, "ret_msg": "", "op": "auth", "conn_id": "c"})
                case "subscribe":
                    await socket.send_json(
                        {"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "c"}
                    )
                    if socket not in self.sockets:
                        self.sockets.append(socket)
                case "ping" if not self.silent:
                    await socket.send_json({"req_id": frame.get("req_id"), "op": "pong", "args": ["1"]})
        return socket


@asynccontextmanager
async def serving() -> AsyncIterator[BybitDesk]:
    """Run a desk on a free port."""
    desk = BybitDesk()
    app = web.Application()
    app.router.add_get("/v5/private", desk.private)
    app.router.add_route("*", "/{path:.*}", desk.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.05, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    desk.url = f"http://{host}:{port}"
    try:
        yield desk
    finally:
        await runner.cleanup()


class FreeBudget:
    """A budget with room for everything but the kinds that a test holds back."""

    def __init__(self) -> None:
        self.taken: list[Kind] = []
        self.held: dict[Kind, asyncio.Event] = {}
        self.held_back_s: list[float] = []

    async def take(self, kind: Kind, cost: int = 1) -> None:
        """Let through, unless the kind is held."""
        if kind in self.held:
            await self.held[kind].wait()
        self.taken.append(kind)

    flaw = ""

    def hold_back(self, seconds: float) -> None:
        """Note that the venue asked for it."""
        self.held_back_s.append(seconds)

    def use(self) -> tuple[BudgetRow, ...]:
        """Count nothing."""
        return ()

    def close(self) -> None:
        """Let go of nothing."""


class Heard:
    """What an adapter posted."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def post(self, event: Event) -> bool:
        """Take an event."""
        self.events.append(event)
        self._news.set()
        return True

    async def until(self, kind: type[Any], **fields: Any) -> Any:
        """Wait for an event of a kind whose fields are so."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.events:
                    if type(event) is kind and all(getattr(event, k) == v for k, v in fields.items()):
                        return event
                self._news.clear()
                await self._news.wait()

    def all(self, kind: type[Any]) -> list[Any]:
        """Return the events of a kind so far."""
        return [event for event in self.events if type(event) is kind]


async def hurried(seconds: float) -> None:
    """Sleep a hundredth of what was asked for."""
    await asyncio.sleep(seconds / 100)


def keys(key: str = "local-key", secret: str = "local-secret") -> AccountKeys:
    """Return keys."""
    return AccountKeys(key, secret, "local-passphrase")


def account(desk: BybitDesk, budget: FreeBudget | None = None, **timeouts: float) -> Account:
    """Return an account at a desk, not opened yet."""
    wish = AccountWish(
        profile=profile_of(LOCAL),
        endpoint=Endpoint.LOCAL,
        keys=keys(),
        symbols=("BTCUSDT",),
        local_url=desk.url,
        timeouts=Timeouts(**timeouts),
    )
    retry = Retry(sleep=hurried)
    return Account(wish, budget or FreeBudget(), now=lambda: NOW, sleep=hurried, again=retry)


class Connected(msgspec.Struct):
    """An open account whose adapter runs."""

    desk: BybitDesk
    account: Account
    budget: FreeBudget
    heard: Heard

    @property
    def venue(self) -> Any:
        """The adapter."""
        return self.account.venue

    def submit(self, number: int = 1, **changes: Any) -> OrderRequest:
        """Hand over an order."""
        request = order(number, **changes)
        self.venue.submit(request, NOW)
        return request


def order(number: int = 1, **changes: Any) -> OrderRequest:
    """Return an order of ours."""
    role = changes.pop("role", OrderRole.ENTRY)
    facts: dict[str, Any] = {
        "client_id": IDS.client_id("play", role, number),
        "cycle_id": "play@1",
        "play": "play",
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "role": role,
        "kind": OrderKind.LIMIT,
        "qty": Decimal("0.01"),
        "ts": NOW,
        "price": Decimal(20000),
    }
    return OrderRequest(**(facts | changes))


@asynccontextmanager
async def connected(*, runs: bool = True, **timeouts: float) -> AsyncIterator[Connected]:
    """Open an account at a desk of its own and let its adapter run."""
    async with serving() as desk:
        budget, heard = FreeBudget(), Heard()
        opened = account(desk, budget, **timeouts)
        try:
            await opened.open()
            opened.venue.own(IDS.owns)
            running = asyncio.create_task(opened.venue.run(heard.post))
            if runs:
                await heard.until(FeedChanged)
            yield Connected(desk, opened, budget, heard)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        finally:
            await opened.close()
