"""What time it is at a venue, measured from its messages: no clock of ours is assumed to be right."""

from engine.domain.market import NS_PER_S

WINDOW_NS = 60 * NS_PER_S  # how long the fastest message counts


class VenueTime:
    """The venue's clock as its fastest messages of late show it: what is late only seems to be earlier.

    The offset is that of the venue's clock to ours less the shortest way of a message, so the venue's time
    is never put ahead of what it is.
    """

    __slots__ = ("_best", "_best_before", "_until")

    def __init__(self) -> None:
        self._best: int | None = None
        self._best_before: int | None = None
        self._until = 0

    def heard(self, ts: int, now: int) -> None:
        """Take a message that the venue stamped `ts` and that came at `now`, our time; both ns UTC."""
        offset = ts - now
        if self._best is None or offset > self._best:
            self._best = offset
        if now >= self._until:
            self._best_before, self._best, self._until = self._best, offset, now + WINDOW_NS

    @property
    def offset_ns(self) -> int | None:
        """How far the venue's clock is ahead of ours, less a message's way; None before the first."""
        if self._best is None or self._best_before is None:
            return self._best
        return max(self._best, self._best_before)

    def at(self, now: int) -> int:
        """Return the venue's time at a time of ours; ours before the first message."""
        return now + (self.offset_ns or 0)
