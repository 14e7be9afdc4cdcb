"""The venue's clock as measured: requests carry its time, so that a machine that is off is not refused."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from engine.domain.errors import VenueError
from engine.domain.market import NS_PER_MS

SAMPLES = 3
EVERY_S = 30.0
AGAIN_S = 5.0  # at least between two measurements, however often the venue refuses our time


class VenueClock:
    """The venue's time: ours and an offset."""

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._wall_ns = wall_ns
        self.offset_ms = 0  # the venue's clock minus ours
        self.on_measured: Callable[[int], None] = lambda _: None  # hears each new offset
        self._doubted = asyncio.Event()

    def venue_ms(self) -> int:
        """Return the venue's time now, ms UTC."""
        return self._wall_ns() // NS_PER_MS + self.offset_ms

    def doubt(self) -> None:
        """The venue refused a request for its time: measure again soon."""
        self._doubted.set()

    async def measure(self, ask_ms: Callable[[], Awaitable[int]]) -> int:
        """Ask the venue for its time and take the offset (ms) of the quickest answer. Raises VenueError."""
        best: tuple[int, int] | None = None
        for _ in range(SAMPLES):
            sent = self._wall_ns()
            theirs = await ask_ms()
            took = self._wall_ns() - sent
            offset_ms = theirs - (sent + took // 2) // NS_PER_MS
            best = min(best, (took, offset_ms)) if best is not None else (took, offset_ms)
        assert best is not None, "at least one sample is taken"
        self.offset_ms = best[1]
        self.on_measured(self.offset_ms)
        return self.offset_ms

    async def keep(self, ask_ms: Callable[[], Awaitable[int]]) -> None:
        """Measure every half minute, and soon after a doubt, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._doubted.wait()
            self._doubted.clear()
            with suppress(VenueError):  # the offset of before stays
                await self.measure(ask_ms)
            await asyncio.sleep(AGAIN_S)
