"""What every venue outside the loop says to the loop itself: nothing. Its answers come as events."""

from collections.abc import Sequence

from typing_extensions import override

from engine.domain.events import Event
from engine.domain.market import MarketEvent
from engine.ports import Venue

NO_EVENTS: tuple[Event, ...] = ()


class AwayVenue(Venue):
    """The half of the venue port that only a venue inside the loop has something to do for."""

    @override
    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Say nothing: the venue matches by itself."""
        return NO_EVENTS

    @override
    def on_time(self, now: int) -> Sequence[Event]:
        """Say nothing: answers are posted."""
        return NO_EVENTS

    @override
    def next_at(self) -> int | None:
        """Return that nothing is due."""
        return None

    @override
    def state(self) -> bytes:
        """Keep nothing: the venue does."""
        return b""

    @override
    def restore(self, state: bytes) -> None:
        """Take up nothing."""
