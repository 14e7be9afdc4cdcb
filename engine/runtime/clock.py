"""The one place that reads the wall clock for the engine."""

import time


class SystemClock:
    """Wall time in nanoseconds UTC; it never goes back within a run, whatever the system's clock does."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """Return nanoseconds UTC, at least as late as the last answer."""
        self._last = max(self._last, time.time_ns())
        return self._last
