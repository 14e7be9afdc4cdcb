"""A client that says exactly what a test wants: REST calls and sockets of the local exchange."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from engine.venues.bybit_server.auth import sign
from engine.venues.bybit_server.serve import Address
from tests.unit.venues.bybit_server.floor import SYMBOL, milliseconds

SOON_S = 5.0


class Raw:
    """One client with one key."""

    def __init__(self, session: aiohttp.ClientSession, address: Address) -> None:
        self.session, self.address = session, address
        self.key, self.secret = "local-key", "local-secret"
        self.off_ms = 0  # how far its clock is off

    async def get(self, name: str, **query: Any) -> dict[str, Any]:
        """Ask; the answer must be JSON."""
        text = urlencode(query)
        headers = self.headers(text)
        url = f"{self.address.rest}/v5/{name}?{text}"
        async with self.session.get(url, headers=headers) as answer:
            return dict(await answer.json())

    async def post(self, name: str, **body: Any) -> dict[str, Any]:
        """Write; the answer must be JSON."""
        async with self.send(name, **body) as answer:
            return dict(await answer.json())

    def send(self, name: str, **body: Any) -> Any:
        """Write; the answer is looked at by the test."""
        text = json.dumps({"category": "linear", **body})
        return self.session.post(f"{self.address.rest}/v5/{name}", data=text, headers=self.headers(text))

    def headers(self, payload: str) -> dict[str, str]:
        """Sign a request."""
        stamp = str(milliseconds() + self.off_ms)
        return {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": self.key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": sign(self.secret, f"{stamp}{self.key}5000{payload}"),
        }

    async def order(self, **more: Any) -> dict[str, Any]:
        """Send a resting order."""
        return await self.post("order/create", **resting(**more))

    async def fault(self, **rule: Any) -> Any:
        """Put a fault in force."""
        async with self.session.post(f"{self.address.rest}/_faults", json=rule) as answer:
            return await answer.json()

    async def ledger(self) -> dict[str, Any]:
        """Ask for the truth."""
        async with self.session.get(f"{self.address.rest}/_ledger") as answer:
            return dict(await answer.json())

    @asynccontextmanager
    async def socket(self, path: str, *, auth: bool = False) -> AsyncIterator["RawSocket"]:
        """Dial a socket, and show the key where asked for."""
        async with self.session.ws_connect(self.address.socket(path)) as ws:
            opened = RawSocket(ws)
            if auth:
                expires = str(milliseconds() + 10_000)
                await opened.say(
                    op="auth", args=[self.key, expires, sign(self.secret, f"GET/realtime{expires}")]
                )
                answer = await opened.hear()
                assert answer.get("success") or answer.get("retCode") == 0, answer
            yield opened


class RawSocket:
    """An open socket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.ws.send_json(message)

    async def hear(self) -> dict[str, Any]:
        """Return the next message."""
        return dict(await self.ws.receive_json(timeout=SOON_S))

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Send a message and return the next one."""
        await self.say(**message)
        return await self.hear()

    async def subscribe(self, *topics: str) -> dict[str, Any]:
        """Subscribe and return the answer."""
        return await self.ask(op="subscribe", args=list(topics), req_id=1)

    async def order(self, *, at_ms: int | None = None, **more: Any) -> dict[str, Any]:
        """Send an order over the trade socket."""
        await self.say_order(at_ms=at_ms, **more)
        return await self.hear()

    async def say_order(self, *, at_ms: int | None = None, **more: Any) -> None:
        """Send an order over the trade socket and wait for nothing."""
        stamp = str(milliseconds() if at_ms is None else at_ms)
        header = {"X-BAPI-TIMESTAMP": stamp, "X-BAPI-RECV-WINDOW": "5000"}
        order = {"category": "linear", **resting(**more)}
        await self.say(op="order.create", reqId="r", header=header, args=[order])

    async def ended(self) -> bool:
        """Wait for the end; tell whether it came without a word of goodbye."""
        while True:
            message = await self.ws.receive(timeout=SOON_S)
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return message.type is not aiohttp.WSMsgType.CLOSE


def resting(**more: Any) -> dict[str, Any]:
    """Return an order that rests far below the market."""
    return {
        "symbol": SYMBOL,
        "side": "Buy",
        "orderType": "Limit",
        "qty": "1",
        "price": "50",
        **more,
    }
