"""Keeps what goes to the terminal under a budget by lowering the frame rate, and raises it again."""

from collections import deque

RATES = (10.0, 8.0, 5.0, 4.0, 2.0)
WINDOW_S = 3.0
SETTLE_S = 2.0  # how long a rate must stand before it changes again
HEADROOM = 0.8  # a faster rate must fit the budget with this much to spare
BACKLOG_MAX = 2  # writes waiting for the terminal; more than that and a frame is skipped


class ByteMeter:
    """Counts what was written to the terminal."""

    __slots__ = ("total", "writes")

    def __init__(self) -> None:
        self.total = 0
        self.writes = 0

    def add(self, size: int) -> None:
        """Count one write of `size` bytes."""
        self.total += size
        self.writes += 1


class Governor:
    """Chooses the frame rate from the bytes of the last seconds. Times are seconds of any steady clock."""

    def __init__(self, budget_bytes_per_s: int, *, fastest: float = RATES[0]) -> None:
        self.budget = budget_bytes_per_s
        self._rates = (fastest, *(rate for rate in RATES if rate < fastest))
        self._index = 0
        self._changed_at = float("-inf")
        self._samples: deque[tuple[float, int]] = deque()
        self.skipped = 0

    @property
    def rate(self) -> float:
        """Frames a second in force."""
        return self._rates[self._index]

    @property
    def throttled(self) -> bool:
        """Whether the rate is below the fastest one."""
        return self._index > 0

    def bytes_per_s(self) -> float:
        """Bytes a second over the window; 0 before there are two samples."""
        if len(self._samples) < 2:
            return 0.0
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return (after - before) / (last - first) if last > first else 0.0

    def allow(self, backlog: int) -> bool:
        """Tell whether to draw now; a frame is skipped, never queued, while the terminal is behind."""
        if backlog > BACKLOG_MAX:
            self.skipped += 1
            return False
        return True

    def sample(self, now: float, total_bytes: int) -> float:
        """Take the meter's reading and return the rate to use from now on."""
        self._samples.append((now, total_bytes))
        while now - self._samples[0][0] > WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        if now - self._changed_at >= SETTLE_S and now - self._samples[0][0] >= min(1.0, SETTLE_S):
            self._adjust(now)
        return self.rate

    def _adjust(self, now: float) -> None:
        used = self.bytes_per_s()
        if used > self.budget and self._index < len(self._rates) - 1:
            self._move(self._index + 1, now)
        elif self._index > 0:
            faster = self._rates[self._index - 1]
            if used * faster / self.rate < self.budget * HEADROOM:
                self._move(self._index - 1, now)

    def _move(self, index: int, now: float) -> None:
        self._index, self._changed_at = index, now
        last = self._samples[-1]
        self._samples.clear()
        self._samples.append(last)
