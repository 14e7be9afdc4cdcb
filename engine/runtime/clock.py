"""The one place that reads the wall clock for the engine."""

import time

from engine.domain.market import NS_PER_S

JUMP_NS = NS_PER_S  # what the system's clock gains in no time at all, when somebody puts it right


class SystemClock:
    """Wall time in nanoseconds UTC that goes on at its own pace while the system's clock is set back.

    It is ahead of the system's clock then, so that timers fire in their time and no id repeats; it gives way
    where the system's clock is put forward again.
    """

    def __init__(self) -> None:
        self._wall, self._turned = time.time_ns(), time.monotonic_ns()
        self._last = self._wall
        self.ahead_ns = 0

    def now(self) -> int:
        """Return nanoseconds UTC, at least as late as the last answer."""
        wall, turned = time.time_ns(), time.monotonic_ns()
        passed = turned - self._turned
        if wall + self.ahead_ns < self._last:
            self.ahead_ns = self._last + passed - wall
        elif self.ahead_ns and (jump := wall - self._wall - passed) > JUMP_NS:
            self.ahead_ns = max(0, self.ahead_ns - jump)
        self._wall, self._turned = wall, turned
        self._last = max(self._last, wall + self.ahead_ns)
        return self._last

    def go_on_from(self, ns: int) -> None:
        """Show `ns` at least from now on: a session goes on from there, whatever the system's clock says."""
        self.ahead_ns += max(0, ns - self.now())
