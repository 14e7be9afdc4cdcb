"""Rate limits as the real exchange has them: so many calls of one endpoint a second, rolling."""

from collections import deque

import msgspec

from engine.domain.market import NS_PER_S
from engine.venues.bybit_server.refusals import TOO_MANY_VISITS, RefusedError

WINDOW_NS = NS_PER_S
IP_WINDOW_NS, IP_CALLS_MAX = 5 * NS_PER_S, 600
IP_BAN_NS = 600 * NS_PER_S

# Calls a second and account, as Bybit publishes them for linear contracts of a unified account.
PER_S = {
    "order.create": 10,
    "order.amend": 10,
    "order.cancel": 10,
    "order.cancel-all": 10,
    "order.realtime": 50,
    "order.history": 50,
    "order.disconnected-cancel-all": 5,
    "execution.list": 50,
    "position.list": 50,
    "position.set-leverage": 10,
    "position.trading-stop": 10,
    "position.switch-mode": 10,
    "account.wallet-balance": 50,
    "account.info": 50,
    "account.fee-rate": 10,
    "user.query-api": 10,
    "asset.coin.query-info": 5,
}


class Allowance(msgspec.Struct, frozen=True):
    """What the headers of an answer tell: the limit, what is left of it, and from when on there is more."""

    limit: int
    left: int
    reset_ms: int
    exceeded: bool = False

    def headers(self) -> dict[str, str]:
        """Write the headers."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms),
        }


def require_left(allowance: Allowance | None) -> None:
    """Refuse a call that is one too many. Raises RefusedError."""
    if allowance is not None and allowance.exceeded:
        raise RefusedError(TOO_MANY_VISITS, "Too many visits. Exceeded the API Rate Limit.")


class Limits:
    """Counts calls; can be turned off at run time."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.banned_until = 0
        self._calls: dict[str, deque[int]] = {name: deque() for name in PER_S}
        self._all: deque[int] = deque()

    def take(self, name: str, now: int, shown_ms: int) -> Allowance | None:
        """Count a call of an endpoint; None where it has no limit of its own."""
        limit = PER_S.get(name)
        if limit is None:
            return None
        calls = self._calls[name]
        _forget(calls, now - WINDOW_NS)
        if self.enabled and len(calls) >= limit:
            wait_ms = (calls[0] + WINDOW_NS - now) // 1_000_000 + 1
            return Allowance(limit, 0, shown_ms + wait_ms, exceeded=True)
        if not self.enabled:
            calls.clear()
        calls.append(now)
        return Allowance(limit, limit - len(calls), shown_ms)

    def admits_address(self, now: int) -> bool:
        """Count a call of the machine; false where it is banned for asking too often."""
        if not self.enabled:
            return True
        _forget(self._all, now - IP_WINDOW_NS)
        self._all.append(now)
        if len(self._all) > IP_CALLS_MAX:
            self.banned_until = now + IP_BAN_NS
        return now >= self.banned_until


def _forget(calls: deque[int], before: int) -> None:
    while calls and calls[0] <= before:
        calls.popleft()
