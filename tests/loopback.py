"""A venue on loopback for tests: answers queries from a table and plays what it is told on its sockets."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

import msgspec
from aiohttp import WSMsgType, web

LIMIT_S = 10.0  # how long anything may take on a busy machine

Answer = Callable[[Mapping[str, str]], Any]  # of a query's parameters; a web.Response is sent as it is


class LoopbackVenue:
    """One port with the queries of `answers` by path, and sockets at any other path."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.heard: list[str] = []  # what clients said on sockets
        self.paths: list[str] = []  # where sockets were opened
        self.refuses = 0  # the HTTP status that dials get instead of a socket
        self.greets: list[str] = []  # what every new socket is told at once
        self.sockets: list[web.WebSocketResponse] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def query_url(self) -> str:
        """Where queries go."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        """Where sockets go."""
        return f"ws://127.0.0.1:{self.port}"

    async def send(self, *frames: str | bytes, to: int = -1) -> None:
        """Send messages on a socket, the newest unless another one is named."""
        for frame in frames:
            await self.sockets[to].send_str(frame.decode() if isinstance(frame, bytes) else frame)

    async def cut(self, which: int | None = None) -> None:
        """Break a socket, or all of them, without a word."""
        for socket in self.sockets if which is None else [self.sockets[which]]:
            if not socket.closed and (transport := socket._req and socket._req.transport):
                transport.abort()

    async def until(self, true: Callable[[], object], why: str = "") -> None:
        """Wait until something is true; it is looked at after everything that happens here."""
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    async def _happened(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            if self.refuses:
                return web.Response(status=self.refuses, headers={"Retry-After": "7"})
            return await self._serve(request)
        self.queries.append((request.path, dict(request.query)))
        await self._happened()
        if request.path not in self.answers:
            return web.Response(status=404, text="no such path")
        answer = self.answers[request.path](request.query)
        if isinstance(answer, web.Response):
            return answer
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        for text in self.greets:
            await socket.send_str(text)
        self.sockets.append(socket)
        self.paths.append(request.path_qs)
        await self._happened()
        with suppress(ConnectionError):
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.heard.append(message.data)
                    await self._happened()
        return socket
