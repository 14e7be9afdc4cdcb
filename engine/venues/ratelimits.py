"""What venues allow: their published rate limits as data, and the part of them that an engine may use."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a request is for."""

    QUERY = "query"
    ORDER = "order"  # it may increase exposure
    REDUCE = "reduce"  # an order that only reduces
    CANCEL = "cancel"


class Scope(StrEnum):
    """Whom the venue counts."""

    HOST = "host"  # this machine's address, whatever the key
    ACCOUNT = "account"  # the key


EVERY = frozenset(Kind)
REDUCING = frozenset({Kind.REDUCE, Kind.CANCEL})
PLACING = frozenset({Kind.ORDER, Kind.REDUCE})


class RateLimit(msgspec.Struct, frozen=True):
    """One limit: so many requests of these kinds in any window, some of them kept for reductions."""

    name: str
    count: int
    window_s: float
    kinds: frozenset[Kind] = EVERY
    scope: Scope = Scope.ACCOUNT
    reserve: int = 0

    def room(self, kind: Kind) -> int:
        """Return how many requests a kind may bring the window to."""
        return self.count if kind in REDUCING else self.count - self.reserve


_CANCELS, _QUERIES = frozenset({Kind.CANCEL}), frozenset({Kind.QUERY})
_BYBIT = (
    RateLimit("requests", 600, 5.0, EVERY, Scope.HOST),
    RateLimit("orders", 10, 1.0, PLACING),
    RateLimit("cancels", 10, 1.0, _CANCELS),
    RateLimit("queries", 50, 1.0, _QUERIES),
)
# As the venues publish them for a plain account; the costs of dearer requests are the adapter's to know.
LIMITS: dict[str, tuple[RateLimit, ...]] = {
    "bybit": _BYBIT,
    "local": _BYBIT,
    "binance": (
        RateLimit("weight", 6000, 60.0, EVERY, Scope.HOST),
        RateLimit("orders", 100, 10.0, PLACING),
    ),
    "binanceusdm": (
        RateLimit("weight", 2400, 60.0, EVERY, Scope.HOST),
        RateLimit("orders", 300, 10.0, PLACING),
        RateLimit("orders a minute", 1200, 60.0, PLACING),
    ),
    "okx": (
        RateLimit("orders", 60, 2.0, PLACING),
        RateLimit("cancels", 60, 2.0, _CANCELS),
        RateLimit("queries", 20, 2.0, _QUERIES),
    ),
}
# For any other venue: slow enough for all that ccxt knows.
CAREFUL = (
    RateLimit("requests", 10, 1.0, EVERY, Scope.HOST),
    RateLimit("orders", 5, 1.0, PLACING),
)


# A burst may take so long to arrive, and the next one less: the venue would count both within one window.
ARRIVES_LATE_S = 0.2


def limits_of(venue: str, *, share: float = 0.9, reserve: float = 0.2) -> tuple[RateLimit, ...]:
    """Return the limits to keep: a share of the venue's own, a part of which is for reductions only.

    As many as leave within a window and the time that a request may be on its way are fewer than the venue
    takes in a window, whenever they arrive.
    """
    return tuple(_kept(limit, share, reserve) for limit in LIMITS.get(venue, CAREFUL))


def _kept(limit: RateLimit, share: float, reserve: float) -> RateLimit:
    count = max(1, int(limit.count * share))
    mixed = bool(limit.kinds & REDUCING) and bool(limit.kinds - REDUCING)
    kept = min(count - 1, max(1, round(count * reserve))) if mixed else 0
    window_s = round(limit.window_s + ARRIVES_LATE_S, 3)
    return msgspec.structs.replace(limit, count=count, reserve=kept, window_s=window_s)
