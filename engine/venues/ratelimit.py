"""The venue's rate limits, counted by all engines on this machine together, with a reserve for reductions.

Each limit is a ring of the times at which requests were let through, in a small file that every process maps
into its memory. A request passes when the oldest of the last `count` is out of the window: as many in any
window as the venue allows, and never more. docs/adr/0022 says why this is not a library.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from engine.core.snapshot import BudgetRow
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.venues.ratefile import RateFile, Ring, ring_words
from engine.venues.ratelimits import REDUCING, Kind, RateLimit, Scope

LOCK_POLL_S = 0.002
LOCK_PATIENCE_NS = 50 * NS_PER_MS  # a reduction waits no longer for a process that stopped inside the lock
_HELD_SINCE, _HELD_UNTIL, _RINGS = 0, 1, 2  # a file's words: two of what the venue forbade, then the rings

Sleep = Callable[[float], Awaitable[object]]


class VenueBudget:
    """What may be sent to one host of a venue with one key. One for each process; they count together."""

    def __init__(
        self,
        folder: Path,
        *,
        venue: str,
        host: str,
        key: str = "",
        limits: Sequence[RateLimit],
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`key` may be the key itself: only a hash of it is kept. `clock` must be one for all processes."""
        self._clock, self._sleep = clock, sleep
        self._turns = {kind: asyncio.Lock() for kind in Kind}
        owner = {Scope.HOST: f"{venue}|{host}", Scope.ACCOUNT: f"{venue}|{host}|{key}"}
        self._files: dict[Scope, RateFile] = {}
        self._limits: list[tuple[RateLimit, Ring]] = []
        for scope in Scope:
            own = [limit for limit in limits if limit.scope is scope]
            words = _RINGS + sum(ring_words(limit.count) for limit in own)
            file = RateFile(folder / f"{_code(owner[scope], own)}.budget", words)
            self._files[scope] = file
            self._limits += _rings(own, file)
        self._gate = self._files[Scope.HOST]  # whose lock is the lock of both

    async def take(self, kind: Kind, cost: int = 1) -> None:
        """Wait until `cost` requests of a kind may leave; those of one kind leave in the order they came."""
        async with self._turns[kind]:
            while (wait_ns := await self._count(kind, cost)) > 0:
                await self._sleep(wait_ns / NS_PER_S)

    def hold_back(self, seconds: float, scope: Scope = Scope.ACCOUNT) -> None:
        """Let nobody ask for a while, for the venue said so; reductions wait one window of it at most."""
        now, words = self._clock(), self._files[scope].words
        words[_HELD_SINCE], words[_HELD_UNTIL] = now, now + round(seconds * NS_PER_S)

    def use(self) -> tuple[BudgetRow, ...]:
        """Return how much of each limit is used."""
        now = self._clock()
        return tuple(
            BudgetRow(limit.name, ring.used(now), limit.count, limit.window_s, limit.reserve)
            for limit, ring in self._limits
        )

    @property
    def flaw(self) -> str:
        """Why other processes are not counted with, empty where they are."""
        return next((file.flaw for file in self._files.values() if file.flaw), "")

    def close(self) -> None:
        """Let go of the files; what was counted stays for the others."""
        self._limits.clear()
        for file in self._files.values():
            file.close()

    async def _count(self, kind: Kind, cost: int) -> int:
        """Let requests through and return 0, or return how long (ns) to wait before the next try."""
        began = self._clock()
        while not (locked := self._gate.lock()):
            if kind in REDUCING and self._clock() - began >= LOCK_PATIENCE_NS:
                break
            await self._sleep(LOCK_POLL_S)
        try:
            return self._let_through(kind, cost, self._clock())
        finally:
            if locked:
                self._gate.unlock()

    def _let_through(self, kind: Kind, cost: int, now: int) -> int:
        limits = [(limit, ring) for limit, ring in self._limits if kind in limit.kinds]
        waits = [ring.wait_ns(now, limit.room(kind), cost) for limit, ring in limits]
        wait_ns = max(self._forbidden_ns(kind, now), *waits, 0)
        if not wait_ns:
            for _, ring in limits:
                ring.record(now, cost)
        return wait_ns

    def _forbidden_ns(self, kind: Kind, now: int) -> int:
        """Return how long the venue wants to hear nothing."""
        longest_ns = 0
        for scope, file in self._files.items():
            since, until = file.words[_HELD_SINCE], file.words[_HELD_UNTIL]
            if since > now:  # of before the last boot
                continue
            if kind in REDUCING:
                windows = (limit.window_s for limit, _ in self._limits if limit.scope is scope)
                until = min(until, since + round(max(windows, default=0.0) * NS_PER_S))
            longest_ns = max(longest_ns, until - now)
        return longest_ns


def _rings(limits: Sequence[RateLimit], file: RateFile) -> list[tuple[RateLimit, Ring]]:
    rings: list[tuple[RateLimit, Ring]] = []
    at = _RINGS
    for limit in limits:
        end = at + ring_words(limit.count)
        rings.append((limit, Ring(file.words[at:end], limit.count, round(limit.window_s * NS_PER_S))))
        at = end
    return rings


def _code(owner: str, limits: Sequence[RateLimit]) -> str:
    """Name a file after whom it counts and how: other limits are other rings."""
    layout = "|".join(f"{limit.name}:{limit.count}:{limit.window_s:g}" for limit in limits)
    return hashlib.sha256(f"{owner}|{layout}".encode()).hexdigest()[:32]
