"""Asks a venue's public REST interface: no keys, typed answers, errors sorted by what asking again does."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Protocol, TypeVar

import aiohttp
import msgspec

from engine.domain.errors import RateLimitedError, RefusedError, TransientError, VenueError

TIMEOUT_S = 10.0
BODY_BYTES_MAX = 64 * 2**20
SHOWN_MAX = 160  # characters of a venue's answer that a message repeats
LIMIT_STATUS = frozenset({418, 429})
# Asking again changes nothing about these, 451 being "not in your country". 403 is not among them: venues
# send it to those who ask too often.
FINAL_STATUS = frozenset({400, 401, 404, 405, 410, 422, 451})

T = TypeVar("T")
Params = Mapping[str, str | int]


class Budget(Protocol):
    """How much may be asked."""

    async def take(self, weight: int) -> None:
        """Wait until a query of this weight may be sent."""
        ...

    def hold_back(self, seconds: float) -> None:
        """Let nobody ask for a while."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class PublicRest:
    """One venue's public queries. `base_url` holds no path."""

    def __init__(
        self, venue: str, base_url: str, *, timeout_s: float = TIMEOUT_S, budget: Budget | None = None
    ) -> None:
        self.venue, self.base_url = venue, base_url
        self._timeout_s, self._budget = timeout_s, budget
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, params: Params, kind: type[T], *, weight: int = 1) -> T:
        """Return an answer in its form. Raises VenueError."""
        if self._budget is not None:
            await self._budget.take(weight)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_s), trust_env=True
            )
        try:
            async with self._session.get(self.base_url + path, params=dict(params)) as response:
                body = await response.content.read(BODY_BYTES_MAX)
                while not response.content.at_eof() and len(body) < BODY_BYTES_MAX:
                    body += await response.content.read(BODY_BYTES_MAX)
                self._require_ok(path, response, body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unreached(error) from error
        try:
            return msgspec.json.decode(body, type=kind, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            text = f"{self.venue} answered {path} in an unknown form ({error}): {_short(body)}"
            raise TransientError(text) from error

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._budget is not None:
            self._budget.close()
            self._budget = None

    def _require_ok(self, path: str, response: aiohttp.ClientResponse, body: bytes) -> None:
        status = response.status
        if status < 300:
            return
        text = f"{self.venue} answered {path} with HTTP {status}: {_short(body)}"
        if status in LIMIT_STATUS:
            after = response.headers.get("Retry-After", "")
            wait_s = float(after) if after.isdecimal() else 0.0
            if self._budget is not None and wait_s:
                self._budget.hold_back(wait_s)
            raise RateLimitedError(text, wait_s)
        if status in FINAL_STATUS:
            raise RefusedError(text)
        raise TransientError(text)

    def _unreached(self, error: Exception) -> VenueError:
        if isinstance(error, asyncio.TimeoutError | TimeoutError):
            return TransientError(
                f"{self.venue} ({self.base_url}) did not answer within {self._timeout_s:g} s"
            )
        if isinstance(error, aiohttp.InvalidURL):
            return RefusedError(f"{self.base_url!r} is no address")
        return TransientError(f"{self.venue} cannot be reached at {self.base_url}: {_cause(error)}")


def _cause(error: Exception) -> str:
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(inner, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(inner, ssl.SSLError):
        return inner.reason or str(inner)
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__


def _short(body: bytes) -> str:
    """Return an answer on one line without what a terminal might obey, cut where it is long."""
    text = body[: 4 * SHOWN_MAX].decode(errors="replace")
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= SHOWN_MAX else f"{line[: SHOWN_MAX - 3]}..."
