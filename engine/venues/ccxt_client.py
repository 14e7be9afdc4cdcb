"""Builds the ccxt client of one account: quiet, without side effects, on the site that was asked for.

ccxt takes a second to import. This module is imported where a real venue is opened, and nowhere else.
"""

import json
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import ccxt.pro as ccxtpro

from engine.domain.errors import ConfigError
from engine.venues.ccxt_clock import VenueClock
from engine.venues.ccxt_markets import Steps
from engine.venues.ccxt_profiles import Endpoint, Profile

CCXT_VERSION: str = ccxtpro.__version__
STEPS = {
    ccxt.TICK_SIZE: Steps.TICKS,
    ccxt.DECIMAL_PLACES: Steps.DECIMALS,
    ccxt.SIGNIFICANT_DIGITS: Steps.DIGITS,
}
CcxtError: type[Exception] = ccxtpro.BaseError
MS_PER_S = 1_000
KEEP_ALIVE_MS = 5_000  # a socket that answers no ping for two of these is dead
# What a venue or a gate before it sends with a status of this kind is nothing that it has decided.
_SERVER_FAULT = 500
_OK = 300
# The gate before a venue says by its status what it refuses; its body may be anything.
_BY_STATUS: dict[int, type[Exception]] = {
    401: ccxtpro.AuthenticationError,
    403: ccxtpro.RateLimitExceeded,
    418: ccxtpro.DDoSProtection,
    429: ccxtpro.RateLimitExceeded,
}
_BROKER_OPTIONS = ("broker", "brokerId", "builder", "builderFee", "referrer", "feeRate", "feeInt")

Json = Any


class AccountKeys:
    """What a venue knows us by; it never shows itself."""

    __slots__ = ("api_key", "api_secret", "passphrase")

    def __init__(self, api_key: str, api_secret: str, passphrase: str = "") -> None:
        self.api_key, self.api_secret, self.passphrase = api_key, api_secret, passphrase

    def __repr__(self) -> str:
        return "AccountKeys([redacted])"


class NotJsonError(ccxtpro.BadResponse):  # type: ignore[misc]  # ccxt has no types
    """An answer of status 2xx that holds no JSON, or an empty one: nothing follows from it."""


class Evidence:
    """The raw answers of the call that runs in this task: what ccxt makes of them is held against them."""

    def __init__(self) -> None:
        self._answers: ContextVar[list[Json] | None] = ContextVar("answers", default=None)

    def begin(self) -> list[Json]:
        """Collect from here on; the list fills while the call runs."""
        answers: list[Json] = []
        self._answers.set(answers)
        return answers

    def take(self, code: int, reason: str, url: str, *answer: Any) -> str:
        """Look at an answer before ccxt does, which takes an empty or unreadable one for no rows."""
        body: str = answer[2]  # after the method and the headers
        if code >= _SERVER_FAULT:
            # Some modules of ccxt look at the body first and take a server's fault for a refusal.
            raise ccxtpro.ExchangeNotAvailable(f"HTTP {code} {reason} {urlsplit(url).path} {body}")
        if code in _BY_STATUS:
            raise _BY_STATUS[code](f"HTTP {code} {reason} {urlsplit(url).path} {body}")
        if code < _OK:
            try:
                decoded = json.loads(body)
            except ValueError:
                raise NotJsonError(f"{urlsplit(url).path} answered with no JSON: {body}") from None
            collecting = self._answers.get()
            if collecting is not None:
                collecting.append(decoded)
        return body


def build_client(
    profile: Profile,
    endpoint: Endpoint,
    keys: AccountKeys,
    *,
    clock: VenueClock,
    evidence: Evidence,
    timeout_s: float,
    local_url: str = "",
) -> Any:
    """Return a ccxt.pro client that sends what we ask for and nothing else. Raises ConfigError."""
    client: Any = getattr(ccxtpro, profile.ccxt_id)(
        {
            "apiKey": keys.api_key,
            "secret": keys.api_secret,
            "password": keys.passphrase,
            "number": str,  # numbers keep the text of the answer
            "timeout": round(timeout_s * MS_PER_S),
            "enableRateLimit": False,  # the budget is ours, with a reserve for what reduces
            "options": {"adjustForTimeDifference": False, **_plain(profile.options)},
        }
    )
    _choose_site(client, profile, endpoint, local_url)
    # With keys set it would be asked for before the venue's time is known, and fail on a skewed clock.
    client.has["fetchCurrencies"] = False
    client.on_rest_response = evidence.take
    client.streaming = {**client.streaming, "keepAlive": KEEP_ALIVE_MS}
    _follow_clock(client, clock)
    _drop_side_effects(client)
    return client


def _plain(options: Any) -> Any:
    """Copy options: ccxt writes to them."""
    return {key: dict(value) if isinstance(value, dict) else value for key, value in options.items()}


def _choose_site(client: Any, profile: Profile, endpoint: Endpoint, local_url: str) -> None:
    match endpoint:
        case Endpoint.LIVE:
            pass
        case Endpoint.LOCAL:
            client.urls["api"] = redirected(client.urls["api"], local_url)
            client.timeout_on_exit = 0  # ms; a grace for TLS, which a local host has not
        case Endpoint.TESTNET if profile.has_testnet:
            client.set_sandbox_mode(True)
        case Endpoint.DEMO if profile.has_demo:
            client.enable_demo_trading(True)  # noqa: FBT003 - its name differs by venue
        case Endpoint.DEMO if profile.has_testnet:
            client.set_sandbox_mode(True)
        case _:
            raise ConfigError(f"{profile.name} has no {endpoint} site", field="venue")


def redirected(urls: Any, base_url: str) -> Any:
    """Return ccxt's addresses on another host, with the paths they had."""
    if isinstance(urls, dict):
        return {name: redirected(url, base_url) for name, url in urls.items()}
    parts = urlsplit(base_url)
    if isinstance(urls, str) and urls.startswith(("http", "ws")):
        scheme = parts.scheme if urls.startswith("http") else parts.scheme.replace("http", "ws")
        path = urls.split("://", 1)[1].partition("/")[2]
        return f"{scheme}://{parts.netloc}/{path}".rstrip("/")
    return urls


def _follow_clock(client: Any, clock: VenueClock) -> None:
    """Let REST, sockets and nonces tell the venue's time; ccxt signs sockets by the local clock.

    Only the time that a socket's last pong came at stays ours: ccxt compares it with the local clock.
    """
    client.milliseconds = clock.venue_ms
    if hasattr(client, "handle_pong"):

        def on_pong(socket: Any, message: Any) -> Any:
            socket.lastPong = ccxtpro.Exchange.milliseconds()
            return message

        client.handle_pong = on_pong


def _drop_side_effects(client: Any) -> None:
    """Send no broker's id, referrer or builder with our orders, and nothing before the first of them."""
    for name in _BROKER_OPTIONS:
        client.options.pop(name, None)
    sign = client.sign

    def unreferred(*args: Any, **kwargs: Any) -> Any:
        signed = sign(*args, **kwargs)
        for name in ("Referer", "X-BM-BROKER-ID", "X-CB-CLIENT"):
            (signed.get("headers") or {}).pop(name, None)
        return signed

    client.sign = unreferred

    async def nothing(*_: Any) -> bool:
        return True

    for name in ("handle_builder_fee_approval", "set_ref"):  # hyperliquid's, sent before a first order
        if hasattr(client, name):
            setattr(client, name, nothing)
