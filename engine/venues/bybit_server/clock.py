"""The exchange's own time: the machine's, off by what a fault says."""

from collections.abc import Callable

from engine.domain.market import NS_PER_MS


class VenueClock:
    """Tells the time that the exchange shows. Its matching and its market run by the machine's time."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.skew_ms = 0

    def shown_ms(self) -> int:
        """Return the time the exchange claims, ms UTC."""
        return self.now() // NS_PER_MS + self.skew_ms
