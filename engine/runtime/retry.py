"""Asks again, later and later, where the fault may pass by itself."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from engine.domain.errors import RateLimitedError, TransientError

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0)
SPREAD = 0.25  # of a pause, to either side: many clients must not come back in one moment
RETRY_AFTER_MAX_S = 120.0
# A person waits for a start. The exchange on this machine is there or is not.
START_BACKOFF_S = (1.0, 2.0, 4.0)
START_BACKOFF_LOCAL_S = (0.25, 0.5)

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]


class Retry:
    """Repeats reads that failed for a reason that may pass, with growing pauses; not for orders."""

    def __init__(
        self,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        tell: Callable[[str], None] = lambda _: None,
        pauses_s: Sequence[float] = BACKOFF_S,
    ) -> None:
        """`chance` returns numbers in [0, 1); `tell` hears why and for how long it waits."""
        self._sleep, self._chance, self._tell, self._pauses_s = sleep, chance, tell, pauses_s

    async def __call__(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; the last attempt's error goes to the caller. Raises TransientError."""
        for delay_s in self._pauses_s:
            try:
                return await ask()
            except TransientError as error:
                pause_s = self._pause_s(delay_s, error)
                self._tell(f"{error}; asking again in {pause_s:.1f} s")
                await self._sleep(pause_s)
        return await ask()

    def _pause_s(self, delay_s: float, error: TransientError) -> float:
        spread_s = delay_s * (1 + SPREAD * (2 * self._chance() - 1))
        if isinstance(error, RateLimitedError):
            return max(spread_s, min(error.retry_after_s, RETRY_AFTER_MAX_S))
        return spread_s


def at_start(*, is_local: bool) -> Retry:
    """Return what repeats the questions of a start."""
    return Retry(pauses_s=START_BACKOFF_LOCAL_S if is_local else START_BACKOFF_S)
