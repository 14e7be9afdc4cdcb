"""Who listens to what, and how a message gets to them: late, twice, or not at all where a fault says so."""

import asyncio
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from fnmatch import fnmatchcase
from socket import SO_LINGER, SOL_SOCKET

from aiohttp import web

from engine.venues.bybit_server.auth import Key
from engine.venues.bybit_server.faultrules import Do
from engine.venues.bybit_server.faults import Fault, Faults

OUTBOX_MAX = 20_000  # messages a slow reader may be behind before it is cut off
_NO_LINGER = struct.pack("ii", 1, 0)  # closing sends a reset instead of an orderly end


class Socket(StrEnum):
    """The sockets of the exchange; faults name them so."""

    PUBLIC = "public"
    PRIVATE = "private"
    TRADE = "trade"


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Break a connection off, as a network does that fails."""
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGER)
    assert isinstance(transport, asyncio.Transport), "sockets have full transports"
    transport.abort()


class Connection:
    """One open socket with what it subscribed to."""

    def __init__(
        self, ws: web.WebSocketResponse, kind: Socket, identity: str, faults: Faults, now: Callable[[], int]
    ) -> None:
        self.ws, self.kind, self.identity = ws, kind, identity
        self.key: Key | None = None
        self.topics: set[str] = set()
        self.is_protected = False  # the disconnection protection looks at it
        self.transport: asyncio.BaseTransport | None = None
        self._faults, self._now = faults, now
        self._outbox: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
        self._held: str | None = None

    def reply(self, text: str) -> None:
        """Send an answer to what came over this socket."""
        self._put(0.0, text)

    def push(self, topic: str, text: str) -> None:
        """Send a message of a topic, as far as the faults let it through."""
        delay_s = 0.0
        copies = 1
        for fault in self._faults.message(topic, self._now()):
            delay_s, copies = self._befall(fault, text, delay_s, copies)
        for _ in range(copies):
            self._put(delay_s, text)
        if copies and self._held is not None:
            held, self._held = self._held, None
            self._put(delay_s, held)

    def break_off(self) -> None:
        """End the connection without a word."""
        reset(self.transport)

    async def write(self) -> None:
        """Send what is in the outbox until the socket ends."""
        while True:
            delay_s, text = await self._outbox.get()
            if delay_s:
                await asyncio.sleep(delay_s)
            if self._faults.standing(Do.SILENT, self.kind, self._now()):
                continue
            try:
                await self.ws.send_str(text)
            except (ConnectionError, RuntimeError):  # closed while we were sending
                return

    def _befall(self, fault: Fault, text: str, delay_s: float, copies: int) -> tuple[float, int]:
        match fault.rule.do:
            case Do.STALE:
                return delay_s + fault.delay_s(), copies
            case Do.DUPLICATE:
                return delay_s, copies * 2
            case Do.REORDER:
                if self._held is None and copies:
                    self._held = text
                    return delay_s, 0
                return delay_s, copies
            case _:
                return delay_s, 0

    def _put(self, delay_s: float, text: str) -> None:
        if self._outbox.qsize() >= OUTBOX_MAX:
            self.break_off()
            return
        self._outbox.put_nowait((delay_s, text))


class Hub:
    """All open sockets."""

    def __init__(self, faults: Faults, now: Callable[[], int]) -> None:
        self.connections: set[Connection] = set()
        self._faults, self._now = faults, now
        self._opened = 0
        self._listeners: dict[str, set[Connection]] = {}

    def open(self, ws: web.WebSocketResponse, kind: Socket) -> Connection:
        """Take in a socket that was dialed."""
        self._opened += 1
        connection = Connection(ws, kind, f"local-{kind}-{self._opened}", self._faults, self._now)
        self.connections.add(connection)
        return connection

    def close(self, connection: Connection) -> None:
        """Forget a socket that has ended."""
        self.connections.discard(connection)
        self.unsubscribe(connection, connection.topics)

    def subscribe(self, connection: Connection, topic: str) -> None:
        """Let a socket hear a topic."""
        connection.topics.add(topic)
        self._listeners.setdefault(topic, set()).add(connection)

    def unsubscribe(self, connection: Connection, topics: set[str]) -> None:
        """Let a socket hear some topics no more."""
        for topic in tuple(topics):
            connection.topics.discard(topic)
            listeners = self._listeners.get(topic)
            if listeners is not None:
                listeners.discard(connection)
                if not listeners:
                    del self._listeners[topic]

    def topics(self) -> Iterator[str]:
        """Yield the topics that anybody hears."""
        return iter(tuple(self._listeners))

    def heard(self, topic: str) -> bool:
        """Tell whether anybody hears a topic."""
        return topic in self._listeners

    def has_private(self) -> bool:
        """Tell whether a private socket is open."""
        return any(connection.kind is Socket.PRIVATE for connection in self.connections)

    def publish(self, topic: str, text: str, *, private: bool = False) -> None:
        """Send a message to all who hear its topic."""
        for connection in tuple(self._listeners.get(topic, ())):
            if not private or connection.key is not None:
                connection.push(topic, text)

    def break_off(self, pattern: str) -> None:
        """Break off the sockets whose name fits."""
        for connection in tuple(self.connections):
            if fnmatchcase(connection.kind, pattern):
                connection.break_off()
