"""Past bars from exchanges through ccxt: public data only, no keys.

Numbers keep the text of the venue's answer: ccxt is told to hand over strings, and JSON numbers are read as
the text they are. Where a venue's own module of ccxt computes a number, it is the shortest text of its float.
"""

import json
import re
from collections.abc import Awaitable, Sequence
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

from engine.domain.errors import ConfigError, RateLimitedError, RefusedError, TransientError, VenueError
from engine.venues.barpages import DAY_MS, MS_PER_S, RawBar, Series
from engine.venues.ccxt_markets import Steps, decimal_of, find_market, hint, stated_by
from engine.venues.plaintext import shown

TIMEOUT_S = 10.0
PAGE_ROWS = 500  # where ccxt does not know the venue's own limit
MONTH_S = 28 * 86_400
# Statuses that asking again does not change, 451 being "not in your country". 403 is not among them: venues
# send it to clients that ask too often.
FINAL_STATUS = frozenset({400, 401, 404, 405, 407, 410, 422, 451})
# What a venue itself calls its own fault, though ccxt raises the error of a refusal.
SERVER_FAULTS = {"bybit": re.compile(r'"retCode":\s*(10000|10016)\b')}
# Markets that are never fetched take several requests of their own: options.
OPTIONS: dict[str, dict[str, object]] = {"bybit": {"fetchMarkets": {"types": ["spot", "linear", "inverse"]}}}
STEPS = {
    ccxt.TICK_SIZE: Steps.TICKS,
    ccxt.DECIMAL_PLACES: Steps.DECIMALS,
    ccxt.SIGNIFICANT_DIGITS: Steps.DIGITS,
}
_PLAIN = re.compile(r"\d+(\.\d+)?")

T = TypeVar("T")


class CcxtHistory:
    """One exchange's past bars. ccxt keeps to the venue's rate limit; nothing here is an order's way."""

    def __init__(self, venue: str, *, host: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """`host` (http://127.0.0.1:PORT) stands in for the exchange. Raises ConfigError for either."""
        if venue not in ccxt.exchanges:
            raise ConfigError(f"ccxt knows no {venue!r}; {hint(venue, ccxt.exchanges)}", field="--venue")
        self.venue, self._timeout_s = venue, timeout_s
        self._ccxt: Any = getattr(ccxt, venue)(
            {
                "number": str,
                "timeout": round(timeout_s * MS_PER_S),
                "enableRateLimit": True,
                "options": dict(OPTIONS.get(venue, {})),
            }
        )
        self._ccxt.on_rest_response = self._require_json
        self._ccxt.on_json_response = _exact_json
        self._ccxt.filter_by_since_limit = _unfiltered
        if host is not None:
            self._ccxt.timeout_on_exit = 0  # ms; a grace for TLS, which a local host has not
            self._ccxt.urls["api"] = _redirected(self._ccxt.urls["api"], _local(host))

    async def load(self, symbol: str, timeframe: str) -> Series:
        """Find a market by ccxt's symbol or the venue's. Raises ConfigError, VenueError."""
        if self._ccxt.has.get("fetchOHLCV") is not True:
            raise ConfigError(f"{self.venue} hands out no bars", field="--venue")
        step_ms = self._step_ms(timeframe)
        await self._asked(self._ccxt.load_markets())
        market = find_market(self._ccxt.markets or {}, symbol, self.venue)
        rows = self._ccxt.feature_value(market["symbol"], "fetchOHLCV", "limit", PAGE_ROWS)
        return Series(
            venue=self.venue,
            symbol=market["symbol"],
            timeframe=timeframe,
            step_ms=step_ms,
            page_rows=int(rows),
            has_days="1d" in self._ccxt.timeframes,
            stated=stated_by(market, self.venue, timeframe, STEPS[self._ccxt.precisionMode]),
        )

    async def now_ms(self) -> int | None:
        """Return the venue's time, None where it does not tell. Raises VenueError."""
        if self._ccxt.has.get("fetchTime") is not True:
            return None
        now_ms: int | None = await self._asked(self._ccxt.fetch_time())
        return now_ms

    async def page(self, series: Series, since_ms: int) -> list[RawBar]:
        """Return bars from `since_ms` on, at most a page of them. Raises VenueError."""
        return await self._bars(series, series.timeframe, since_ms)

    async def first_day(self, series: Series, since_ms: int) -> int | None:
        """Return the open of the first daily bar in a page from `since_ms`'s day on. Raises VenueError."""
        days = await self._bars(series, "1d", since_ms - since_ms % DAY_MS)
        return days[0].ts_ms if days else None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._ccxt.close()

    async def _bars(self, series: Series, timeframe: str, since_ms: int) -> list[RawBar]:
        rows = await self._asked(
            self._ccxt.fetch_ohlcv(series.symbol, timeframe, since=since_ms, limit=series.page_rows)
        )
        try:
            return [_raw(row) for row in rows]
        except (TypeError, ValueError) as error:
            raise TransientError(f"{self.venue} sent bars in an unknown form: {error}") from error

    def _step_ms(self, timeframe: str) -> int:
        known = list(self._ccxt.timeframes or ())
        if timeframe not in known:
            raise ConfigError(
                f"{self.venue} has no bars of {timeframe!r}; {hint(timeframe, known)}", field="--timeframe"
            )
        step_s = int(self._ccxt.parse_timeframe(timeframe))
        if step_s >= MONTH_S:
            raise ConfigError(f"{timeframe} has no fixed length; fetch 1d instead", field="--timeframe")
        return step_s * MS_PER_S

    async def _asked(self, answer: Awaitable[T]) -> T:
        """Wait for an answer; whatever goes wrong becomes a VenueError."""
        try:
            return await answer
        except ccxt.BaseError as error:
            raise self._told(error) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # ccxt trusts the form of what a venue sends.
            raise TransientError(f"{self.venue} answered what ccxt cannot read: {error!r}") from error

    def _told(self, error: Exception) -> VenueError:
        """Sort an error of ccxt by whether asking again may help."""
        text = shown(str(error).removeprefix(self.venue)) or type(error).__name__
        if isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
            return RateLimitedError(f"{self.venue} asks for fewer requests: {text}", self._retry_after_s())
        if isinstance(error, ccxt.RequestTimeout):
            return TransientError(f"{self.venue} did not answer within {self._timeout_s:g} s: {text}")
        fault = SERVER_FAULTS.get(self.venue)
        # A cause that is not ccxt's is the connection's: broken off in the middle, say.
        broken = error.__cause__ is not None and not isinstance(error.__cause__, ccxt.BaseError)
        if broken or isinstance(error, ccxt.OperationFailed):
            reason = f" ({error.__cause__})" if broken else ""
            return TransientError(f"{self.venue} cannot be reached: {text}{reason}")
        if fault is not None and fault.search(str(error)):
            return TransientError(f"{self.venue} reports a fault of its own: {text}")
        return RefusedError(f"{self.venue} refuses: {text}")

    def _retry_after_s(self) -> float:
        headers = self._ccxt.last_response_headers or {}
        text = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
        return float(text) if text.isdecimal() else 0.0

    def _require_json(self, code: int, reason: str, url: str, *answer: Any) -> str:
        """Refuse errors and what is no JSON: ccxt would take a page of HTML for an answer without bars."""
        body: str = answer[2].strip()  # after the method and the headers
        if code in FINAL_STATUS or code >= 500:
            # Some modules of ccxt look at the body first and take a server's fault for a refusal.
            kind = ccxt.ExchangeError if code in FINAL_STATUS else ccxt.ExchangeNotAvailable
            raise kind(f"HTTP {code} {reason} {urlsplit(url).path} {body}")
        if code < 300:
            try:
                json.loads(body)
            except ValueError:
                raise ccxt.ExchangeNotAvailable(f"answered with no JSON: {body}") from None
        return body


def _exact_json(body: str) -> Any:
    return json.loads(body, parse_float=str)


def _unfiltered(rows: list[Any], *_: object) -> list[Any]:
    """Stand in for ccxt's filter, which drops a bar without a time in silence: that is a fault to be told."""
    return rows


def _raw(row: Sequence[Any]) -> RawBar:
    ts_ms, *numbers = row[:6]
    if len(numbers) != 5:  # open, high, low, close, volume
        raise ValueError(f"a bar of {len(row)} values")
    if numbers[-1] is None:
        numbers[-1] = "0"  # as files without volume have it
    return RawBar(int(ts_ms), *map(_text, numbers))


def _text(value: Any) -> str:
    """Return a number's text without an exponent; what is no number stays as it is, to be refused."""
    text = value if isinstance(value, str) else repr(value)
    if _PLAIN.fullmatch(text):
        return text
    number = decimal_of(text)
    return text if number is None else f"{number:f}"


def _local(host: str) -> str:
    """Check that a host is this machine. Raises ConfigError."""
    try:
        parts = urlsplit(host)
        name = parts.hostname or ""
        here = parts.scheme == "http" and (name == "localhost" or ip_address(name).is_loopback)
    except ValueError:
        here = False
    if not here:
        raise ConfigError(f"{host!r} is not on this machine; write http://127.0.0.1:PORT", field="--host")
    return f"{parts.scheme}://{parts.netloc}"


def _redirected(urls: Any, host: str) -> Any:
    """Return ccxt's addresses with another host and the paths they had."""
    if isinstance(urls, dict):
        return {name: _redirected(url, host) for name, url in urls.items()}
    if isinstance(urls, str) and urls.startswith("http"):
        return host + urlsplit(urls).path
    return urls
