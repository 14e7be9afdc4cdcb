"""How long to wait before a connection is tried again: not at all first, then longer and longer."""

import random
from collections.abc import Callable

from engine.domain.errors import RateLimitedError, VenueError

PAUSES_S = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)  # the last one stays
SPREAD = 0.25  # of a pause, to either side: many clients must not come back in one moment
RETRY_AFTER_MAX_S = 120.0


class Backoff:
    """Counts the attempts that failed since one went well."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """`chance` returns numbers in [0, 1)."""
        self._chance = chance
        self._failed = 0

    def worked(self) -> None:
        """Begin again with no pause."""
        self._failed = 0

    def pause_s(self, error: VenueError) -> float:
        """Return how long to wait after one more failure; at least as long as the venue asks for."""
        pause_s = PAUSES_S[min(self._failed, len(PAUSES_S) - 1)]
        pause_s *= 1 + SPREAD * (2 * self._chance() - 1)
        self._failed += 1
        if isinstance(error, RateLimitedError):
            return max(pause_s, min(error.retry_after_s, RETRY_AFTER_MAX_S))
        return pause_s
