"""A WebSocket to a venue: dialled, read, kept awake, and closed; what goes wrong is told in one line."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from engine.domain.errors import RateLimitedError, RefusedError, TransientError, VenueError

DIAL_S = 10.0
CLOSE_S = 1.0
FRAME_BYTES_MAX = 8 * 2**20
QUEUE_FRAMES = 1_024  # frames that may wait here before the network is left to wait
BLOCKED_STATUS = frozenset({403, 451})  # 403: too many connections, or a country that is not served
LIMIT_STATUS = frozenset({418, 429})


class Socket:
    """One open connection. `heard_s` and `data_s` are when (monotonic) anything and market data came last."""

    __slots__ = ("_connection", "_why", "data_s", "heard_s")

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._why = ""
        self.heard_s = self.data_s = time.monotonic()

    @classmethod
    async def dial(cls, url: str, greeting: Sequence[str], *, timeout_s: float = DIAL_S) -> "Socket":
        """Connect and say the greeting. Raises TransientError or RefusedError."""
        try:
            connection = await connect(
                url,
                open_timeout=timeout_s,
                close_timeout=CLOSE_S,
                ping_interval=None,  # the feed asks for signs of life itself, as each venue wants it
                compression=None,
                max_size=FRAME_BYTES_MAX,
                max_queue=QUEUE_FRAMES,
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise _dial_error(url, error, timeout_s) from error
        socket = cls(connection)
        try:
            for text in greeting:
                await connection.send(text)
        except ConnectionClosed as error:
            raise TransientError(f"{host_of(url)} closed the connection at once: {_closed(error)}") from error
        return socket

    async def receive(self) -> bytes:
        """Return the next message. Raises TransientError where the connection ended."""
        try:
            frame = await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise TransientError(self._why or _closed(error)) from error
        self.heard_s = time.monotonic()
        return frame

    async def say(self, text: str) -> None:
        """Send a message; a connection that is gone is told by `receive`."""
        try:
            await self._connection.send(text)
        except ConnectionClosed:
            return

    async def ask_for_life(self, ping: str) -> None:
        """Send what the venue answers: its own ping, or the protocol's where that is empty."""
        if ping:
            await self.say(ping)
            return
        try:
            pong = await self._connection.ping()
        except ConnectionClosed:
            return
        asyncio.ensure_future(pong).add_done_callback(self._on_pong)

    async def close(self) -> None:
        """Close in order, or after a second without it; what came before can still be received."""
        await self._connection.close()

    def break_off(self, why: str) -> None:
        """End the connection at once; `receive` says why."""
        self._why = why
        self._connection.transport.abort()

    def _on_pong(self, pong: "asyncio.Future[float]") -> None:
        if not pong.cancelled() and pong.exception() is None:
            self.heard_s = time.monotonic()


def host_of(url: str) -> str:
    """Return the part of an address that a person knows."""
    return urlsplit(url).netloc or url


def _dial_error(url: str, error: Exception, timeout_s: float) -> VenueError:
    host = host_of(url)
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in LIMIT_STATUS:
            after = error.response.headers.get("Retry-After", "")
            return RateLimitedError(f"{host} asks for fewer connections (HTTP {status})", _seconds(after))
        if status in BLOCKED_STATUS:
            return TransientError(
                f"{host} refuses the connection (HTTP {status}): too many, or not served here"
            )
        if status < 500:
            return RefusedError(f"{host} does not know this address (HTTP {status})")
        return TransientError(f"{host} answers HTTP {status}")
    if isinstance(error, TimeoutError):
        return TransientError(f"{host} did not answer within {timeout_s:g} s")
    if isinstance(error, ssl.SSLError):
        return TransientError(f"{host} cannot be reached safely: {error.reason or error}")
    if isinstance(error, ConnectionRefusedError):
        return TransientError(f"{host} cannot be reached: nobody listens there")
    if isinstance(error, OSError):
        return TransientError(f"{host} cannot be reached: {error.strerror or error}")
    if isinstance(error, InvalidURI):
        return RefusedError(f"{url!r} is no address of a WebSocket")
    return TransientError(f"{host} does not speak WebSocket: {error}")


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0


def _closed(error: ConnectionClosed) -> str:
    """Say how a connection ended."""
    close = error.rcvd or error.sent
    if close is None:
        return "the connection broke off"
    reason = f" ({close.reason})" if close.reason else ""
    return f"the connection was closed with code {close.code}{reason}"
