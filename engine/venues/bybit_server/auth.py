"""Who asks: keys, signatures and the recv window."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from engine.venues.bybit_server.refusals import (
    EXPIRED,
    INVALID_KEY,
    NOT_PERMITTED,
    WRONG_SIGNATURE,
    RefusedError,
)

AHEAD_MAX_MS = 1_000  # a client's clock may be ahead by no more
DEFAULT_WINDOW_MS = 5_000


class Key(msgspec.Struct, frozen=True):
    """A key of the one account. The secrets are published in docs/venue.md: they guard nothing."""

    name: str
    secret: str
    read_only: bool = False
    may_withdraw: bool = False


KEYS = {
    key.name: key
    for key in (
        Key("local-key", "local-secret"),
        Key("local-read-key", "local-secret", read_only=True),
        Key("local-withdraw-key", "local-secret", may_withdraw=True),
    )
}


def sign(secret: str, text: str) -> str:
    """Return the signature of a text: hex HMAC-SHA256."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_request(headers: Mapping[str, str], payload: str, now_ms: int, *, writes: bool) -> Key:
    """Check a REST request; the payload is the query or the body. Raises RefusedError."""
    name, stamp = headers.get("X-BAPI-API-KEY", ""), headers.get("X-BAPI-TIMESTAMP", "")
    window = headers.get("X-BAPI-RECV-WINDOW", "") or str(DEFAULT_WINDOW_MS)
    key = KEYS.get(name)
    if key is None:
        raise RefusedError(INVALID_KEY, "API key is invalid.")
    check_time(stamp, window, now_ms)
    given = headers.get("X-BAPI-SIGN", "")
    # ccxt signs the query as it was before it was percent-encoded
    forms = {payload, unquote(payload)}
    if not any(hmac.compare_digest(sign(key.secret, stamp + name + window + form), given) for form in forms):
        raise RefusedError(
            WRONG_SIGNATURE,
            f"error sign! origin_string[{stamp}{name}{window}{payload}]",
        )
    require_permitted(key, writes=writes)
    return key


def require_permitted(key: Key | None, *, writes: bool) -> None:
    """Refuse who showed no key, and a write by a key that only reads. Raises RefusedError."""
    if key is None:
        raise RefusedError(INVALID_KEY, "Request not authorized")
    if writes and key.read_only:
        raise RefusedError(NOT_PERMITTED, "Permission denied, please check your API key permissions.")


def check_time(stamp: str, window: str, now_ms: int) -> None:
    """Check that a request is neither too old nor from the future. Raises RefusedError."""
    try:
        sent_ms, window_ms = int(stamp), int(window)
    except ValueError:
        raise RefusedError(
            EXPIRED, "invalid request, please check your timestamp and recv_window param"
        ) from None
    if not now_ms - window_ms <= sent_ms < now_ms + AHEAD_MAX_MS:
        raise RefusedError(
            EXPIRED,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{sent_ms}],server_timestamp[{now_ms}],recv_window[{window_ms}]",
        )


def check_socket(args: list[object], now_ms: int) -> Key:
    """Check the `auth` of a socket: key, expiry in ms and signature. Raises RefusedError."""
    if len(args) != 3:
        raise RefusedError(10001, "Params Error")
    name, expires, given = (str(arg) for arg in args)
    key = KEYS.get(name)
    if key is None:
        raise RefusedError(INVALID_KEY, "API key is invalid.")
    if not expires.isdigit() or int(expires) < now_ms:
        raise RefusedError(EXPIRED, "Params Error: expires has passed")
    if not hmac.compare_digest(sign(key.secret, f"GET/realtime{expires}"), given):
        raise RefusedError(WRONG_SIGNATURE, "Sign verification failed")
    return key
