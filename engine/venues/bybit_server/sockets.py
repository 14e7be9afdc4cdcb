"""The three sockets: public topics, private topics after auth, and orders over the trade socket."""

import asyncio
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from engine.domain.errors import StorageError
from engine.venues.bybit_server import dcp
from engine.venues.bybit_server.auth import check_socket
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.faultrules import Do
from engine.venues.bybit_server.hub import Connection, Socket
from engine.venues.bybit_server.refusals import RefusedError
from engine.venues.bybit_server.streams import Streams
from engine.venues.bybit_server.tradesocket import Spawn, TradeSocket

Json = dict[str, Any]
MESSAGE_MAX = 256 * 1024
PRIVATE_TOPICS = frozenset(
    {"order", "execution", "execution.fast", "position", "wallet", "greeks", *dcp.TOPICS}
)
_SUFFIXES = (".linear", ".inverse", ".spot", ".option")


class Sockets:
    """Serves all sockets."""

    def __init__(self, core: Core, streams: Streams, spawn: Spawn) -> None:
        self._core, self._streams = core, streams
        self._trade = TradeSocket(core, spawn)

    async def public(self, request: web.Request) -> web.StreamResponse:
        """Serve /v5/public/linear."""
        return await self._serve(request, Socket.PUBLIC)

    async def private(self, request: web.Request) -> web.StreamResponse:
        """Serve /v5/private."""
        return await self._serve(request, Socket.PRIVATE)

    async def trade(self, request: web.Request) -> web.StreamResponse:
        """Serve /v5/trade."""
        return await self._serve(request, Socket.TRADE)

    async def _serve(self, request: web.Request, kind: Socket) -> web.StreamResponse:
        core, now = self._core, self._core.clock.now()
        if core.in_maintenance() or core.faults.standing(Do.DISCONNECT, kind, now):
            return web.Response(status=503)
        ws = web.WebSocketResponse(autoping=False, max_msg_size=MESSAGE_MAX, compress=False, timeout=1.0)
        await ws.prepare(request)
        connection = core.hub.open(ws, kind)
        connection.transport = request.transport
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(connection.write())
            try:
                await self._read(connection)
            except StorageError:
                connection.break_off()  # nobody is told what was not written down
            finally:
                core.hub.close(connection)
                if connection.is_protected:
                    core.dcp.left(core.clock.now())
                writer.cancel()
        return ws

    async def _read(self, connection: Connection) -> None:
        async for message in connection.ws:
            if message.type is WSMsgType.TEXT:
                self._take(connection, message.data)
            elif message.type is WSMsgType.PING and not self._is_silent(connection):
                await connection.ws.pong(message.data)

    def _is_silent(self, connection: Connection) -> bool:
        return self._core.faults.standing(Do.SILENT, connection.kind, self._core.clock.now())

    def _take(self, connection: Connection, text: str) -> None:
        """Do what a message asks."""
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            connection.reply(
                _text(
                    {"success": False, "ret_msg": "error:request is not JSON", "conn_id": connection.identity}
                )
            )
            return
        op = message.get("op")
        if op == "ping":
            self._pong(connection, message)
        elif op == "auth":
            self._auth(connection, message)
        elif connection.kind is Socket.TRADE:
            self._trade.take(connection, message)
        elif op == "subscribe":
            self._subscribe(connection, message)
        elif op == "unsubscribe":
            self._core.hub.unsubscribe(connection, set(_args(message)))
            connection.reply(_text(_ack(connection, message, "unsubscribe")))
        else:
            connection.reply(_text(_ack(connection, message, str(op), "error:invalid op")))

    def _pong(self, connection: Connection, message: Json) -> None:
        shown_ms = str(self._core.shown_ms())
        match connection.kind:
            case Socket.PUBLIC:
                told = _ack(connection, message, "ping") | {"ret_msg": "pong"}
            case Socket.PRIVATE:
                told = {"op": "pong", "args": [shown_ms], "conn_id": connection.identity}
                told |= {"req_id": message["req_id"]} if "req_id" in message else {}
            case Socket.TRADE:
                told = {
                    "op": "pong",
                    "retCode": 0,
                    "retMsg": "OK",
                    "data": [shown_ms],
                    "connId": connection.identity,
                }
        connection.reply(_text(told))

    def _auth(self, connection: Connection, message: Json) -> None:
        trading = connection.kind is Socket.TRADE
        code, text = 0, ""
        try:
            connection.key = check_socket(_args(message), self._core.shown_ms())
        except RefusedError as refused:
            code, text = refused.code, refused.text
            self._core.refused[str(code)] += 1
        if trading:
            told: Json = {
                "retCode": code,
                "retMsg": text or "OK",
                "op": "auth",
                "connId": connection.identity,
            }
            told |= {"reqId": message["reqId"]} if "reqId" in message else {}
        else:
            told = _ack(connection, message, "auth", text)
        connection.reply(_text(told))

    def _subscribe(self, connection: Connection, message: Json) -> None:
        topics = [_plain_topic(str(topic)) for topic in _args(message)]
        is_private = connection.kind is Socket.PRIVATE
        if is_private and connection.key is None:
            connection.reply(_text(_ack(connection, message, "subscribe", "Request not authorized")))
            return
        for topic in topics:
            if not (topic in PRIVATE_TOPICS if is_private else self._streams.accepts(topic)):
                text = f"error:handler not found,topic:{topic}"
                connection.reply(_text(_ack(connection, message, "subscribe", text)))
                return
        connection.reply(_text(_ack(connection, message, "subscribe")))
        for topic in topics:
            first = None if is_private else self._streams.first(topic)
            self._core.hub.subscribe(connection, topic)
            if first is not None:
                connection.push(topic, first)
        if is_private and dcp.TOPICS & connection.topics and not connection.is_protected:
            connection.is_protected = True
            self._core.dcp.joined()


def _args(message: Json) -> list[Any]:
    args = message.get("args")
    return args if isinstance(args, list) else []


def _ack(connection: Connection, message: Json, op: str, error: str = "") -> Json:
    told: Json = {"success": not error, "ret_msg": error, "conn_id": connection.identity, "op": op}
    return told | ({"req_id": str(message["req_id"])} if "req_id" in message else {})


def _plain_topic(topic: str) -> str:
    """Take the category off a private topic: `order.linear` is the linear part of `order`, which is all."""
    for suffix in _SUFFIXES:
        if topic.endswith(suffix) and topic.removesuffix(suffix) in PRIVATE_TOPICS:
            return topic.removesuffix(suffix)
    return topic


def _text(message: Json) -> str:
    return msgspec.json.encode(message).decode()
