"""What an error of ccxt calls for: one table by class, one by the venue's own code, and the code goes first.

ccxt raises the same class for "no" and for "who knows": a server's time-out becomes a plain ExchangeError,
and a rejection of our clock a NetworkError. A write that was taken for refused and lives is the worst of
mistakes, so whatever is in no table is taken as unanswered.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from engine.domain.errors import (
    AmbiguousError,
    AuthError,
    RateLimitedError,
    RefusedError,
    TransientError,
    VenueError,
)
from engine.domain.reasons import Reason
from engine.venues.plaintext import shown


class Reaction(StrEnum):
    """What to do about an error."""

    REFUSED = "refused"  # nothing was done, and asking again does not help
    LIMITED = "limited"  # nothing was done; ask less often
    CLOCK = "clock"  # nothing was done: the time was wrong
    AUTH = "auth"  # nothing was done: the keys are not accepted
    LOST = "lost"  # a read may be repeated, what became of a write is unknown
    TWICE = "twice"  # the venue knows this id: only its evidence says what stands behind it
    UNSENT = "unsent"  # no connection: nothing left this machine


class Rule(msgspec.Struct, frozen=True):
    """A reaction, and the reason that an order is told to have been refused for."""

    reaction: Reaction
    reason: Reason = Reason.VENUE_REFUSED


_R = Reaction
_LOST, _TWICE = Rule(_R.LOST, Reason.NO_ANSWER), Rule(_R.TWICE, Reason.DUPLICATE_ID)
_REFUSED, _AUTH = Rule(_R.REFUSED), Rule(_R.AUTH, Reason.AUTH_FAILED)
_LIMITED, _CLOCK = Rule(_R.LIMITED, Reason.RATE_LIMITED), Rule(_R.CLOCK, Reason.CLOCK_SKEW)
_UNSENT = Rule(_R.UNSENT, Reason.VENUE_UNREACHABLE)


def _refused(reason: Reason) -> Rule:
    return Rule(_R.REFUSED, reason)


# By the name of a class; the nearest ancestor that stands here counts.
CLASSES: Mapping[str, Rule] = {
    "AuthenticationError": _AUTH,  # and PermissionDenied, AccountSuspended, AccountNotEnabled
    "RateLimitExceeded": _LIMITED,
    "DDoSProtection": _LIMITED,
    "InvalidNonce": _CLOCK,  # a NetworkError in ccxt
    "ChecksumError": _LOST,
    "InsufficientFunds": _refused(Reason.INSUFFICIENT_FUNDS),
    "OrderNotFound": _refused(Reason.ORDER_NOT_FOUND),
    "OrderImmediatelyFillable": _refused(Reason.POST_ONLY_WOULD_TAKE),
    "OrderNotFillable": _refused(Reason.FOK_UNFILLED),
    "DuplicateOrderId": _TWICE,
    "InvalidOrder": _REFUSED,
    "BadSymbol": _refused(Reason.UNKNOWN_SYMBOL),
    "BadRequest": _REFUSED,
    "OperationRejected": _REFUSED,
    "ArgumentsRequired": _REFUSED,
    "InvalidAddress": _REFUSED,
    "NotSupported": _REFUSED,
    "InvalidProxySettings": _REFUSED,
    "RequestTimeout": _LOST,
    "OnMaintenance": _LOST,
    "ExchangeNotAvailable": _LOST,
    "NetworkError": _LOST,
    "BadResponse": _LOST,
    "OperationFailed": _LOST,
    "ExchangeError": _LOST,
    "BaseError": _LOST,
}

_BYBIT: Mapping[str, Rule] = {
    "10000": _LOST,  # server time-out
    "10016": _LOST,  # server error
    "10429": _LIMITED,
    "20003": _LIMITED,
    "10014": _TWICE,
    "110001": _refused(Reason.ORDER_NOT_FOUND),
    "110008": _refused(Reason.ORDER_NOT_FOUND),  # finished or canceled
    "110010": _refused(Reason.ORDER_NOT_FOUND),  # already canceled
    "110017": _refused(Reason.REDUCE_ONLY_WOULD_INCREASE),
    "110030": _TWICE,
    "110063": _REFUSED,  # settlement
    "110066": _REFUSED,  # no trading at the time
    "110071": _REFUSED,
    "110072": _TWICE,
    "110092": _refused(Reason.TRIGGER_PASSED),
    "110093": _refused(Reason.TRIGGER_PASSED),
    "110094": _refused(Reason.VENUE_MINIMUM),
    "170007": _LOST,
    "170032": _LOST,
    "170146": _LOST,
    "170147": _LOST,
}
_BINANCE: Mapping[str, Rule] = {
    "-1000": _LOST,
    "-1001": _LOST,
    "-1003": _LIMITED,
    "-1006": _LOST,
    "-1007": _LOST,  # "execution status unknown"
    "-1008": _LIMITED,
    "-1015": _LIMITED,
    "-1016": _LOST,
    "-1021": _CLOCK,
    "-2011": _refused(Reason.ORDER_NOT_FOUND),
    "-2013": _refused(Reason.ORDER_NOT_FOUND),
    "-2018": _refused(Reason.INSUFFICIENT_FUNDS),
    "-2019": _refused(Reason.INSUFFICIENT_FUNDS),
    "-2021": _refused(Reason.TRIGGER_PASSED),
    "-2022": _refused(Reason.REDUCE_ONLY_WOULD_INCREASE),
    "-4015": _REFUSED,
    "-4116": _TWICE,
    "-4164": _refused(Reason.VENUE_MINIMUM),
    "-5021": _refused(Reason.FOK_UNFILLED),
    "-5022": _refused(Reason.POST_ONLY_WOULD_TAKE),
}
_OKX: Mapping[str, Rule] = {
    "50001": _LOST,
    "50004": _LOST,  # "does not mean that the request was successful or failed"
    "50011": _LIMITED,
    "50013": _LIMITED,
    "50026": _LOST,
    "50061": _LIMITED,
    "50102": _CLOCK,
    "51008": _refused(Reason.INSUFFICIENT_FUNDS),
    "51016": _TWICE,
    "51020": _refused(Reason.VENUE_MINIMUM),
    "51169": _refused(Reason.REDUCE_ONLY_WOULD_INCREASE),
    "51400": _refused(Reason.ORDER_NOT_FOUND),
    "51401": _refused(Reason.ORDER_NOT_FOUND),
    "51402": _refused(Reason.ORDER_NOT_FOUND),
    "51603": _refused(Reason.ORDER_NOT_FOUND),
}

# By ccxt's name of a venue: how its answers write a code, and what the code calls for.
CODES: Mapping[str, tuple[re.Pattern[str], Mapping[str, Rule]]] = {
    "bybit": (re.compile(r'"retCode":\s*"?(-?\d+)'), _BYBIT),
    "binanceusdm": (re.compile(r'"code":\s*"?(-\d+)'), _BINANCE),
    "okx": (re.compile(r'"(?:sCode|code)":\s*"([1-9]\d+)"'), _OKX),
}
_SAID = re.compile(r'"(?:retMsg|sMsg|msg)":\s*"([^"]*)"')
_CODE = re.compile(r'"(?:retCode|sCode|code)":\s*"?(-?\d+)')
_TAG = re.compile(r"<[^<>]*>?")  # a page says little, and its tags nothing
_HANDSHAKE = re.compile(r"(\d{3}), message='[^']*', url='?([^'?\s]*)")
# A connection that could not be made carries nothing away. One that broke may have.
_NO_CONNECTION = frozenset({"ClientConnectorError", "gaierror"})


def rule_of(error: BaseException, ccxt_id: str) -> Rule:
    """Return what an error calls for."""
    if _never_left(error):
        return _UNSENT
    if ccxt_id in CODES:
        pattern, rules = CODES[ccxt_id]
        for code in reversed(pattern.findall(str(error))):  # an item's own code says more than its envelope's
            if code in rules:
                return rules[code]
    for cls in type(error).__mro__:
        if cls.__name__ in CLASSES:
            return CLASSES[cls.__name__]
    return _LOST


def judged(error: BaseException, rule: Rule, venue: str, *, writes: bool, retry_after_s: float) -> VenueError:
    """Return the error that the caller of a read or a write is told."""
    text = f"{venue}: {_words(str(error)) or type(error).__name__}"
    if rule.reaction is Reaction.UNSENT:
        text = f"{venue} cannot be reached: {_why_unsent(error)} ({shown(_address(str(error)))})"
    match rule.reaction:
        case Reaction.AUTH:
            return AuthError(text)
        case Reaction.LIMITED:
            return RateLimitedError(text, retry_after_s)
        case Reaction.REFUSED:
            return RefusedError(text, rule.reason)
        case Reaction.LOST | Reaction.TWICE:
            return AmbiguousError(text) if writes else TransientError(text)
        case Reaction.CLOCK | Reaction.UNSENT:
            return RefusedError(text, rule.reason) if writes else TransientError(text)


def _words(text: str) -> str:
    """Return the words and code of an answer that holds them, else the text after the name it begins with."""
    words = [found for found in _SAID.findall(text) if found]
    if not words:
        return shown(_TAG.sub(" ", _plain(text)))
    codes = _CODE.findall(text)
    return shown(f"{words[-1]} ({codes[-1]})" if codes else words[-1])


def _plain(text: str) -> str:
    """Return what was said without the name it begins with; of a refused socket, its status and address."""
    socket = _HANDSHAKE.search(text)
    if socket:
        return "HTTP {} from {}".format(*socket.groups())
    first, _, rest = text.partition(" ")
    return rest if rest and first.isalnum() and not first.isdigit() else text


def _why_unsent(error: BaseException) -> str:
    """Return in plain words why no connection was made."""
    for each in _causes(error):
        inner = getattr(each, "os_error", each)  # aiohttp keeps the system's error there
        if isinstance(inner, ConnectionRefusedError):
            return "nobody listens there"
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
    return "no connection"


def _address(text: str) -> str:
    """Return the address that ccxt names, or all that it said."""
    found = re.search(r"[a-z]+://\S+", text)
    return found.group() if found else text


def _never_left(error: BaseException) -> bool:
    return any(cls.__name__ in _NO_CONNECTION for each in _causes(error) for cls in type(each).__mro__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
