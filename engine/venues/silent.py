"""The stand-in for a real venue where a record is handled again: what was sent then is not sent again."""

from collections.abc import Sequence

from typing_extensions import override

from engine.domain.events import Event
from engine.domain.orders import OrderRequest
from engine.venues.away import NO_EVENTS, AwayVenue


class SilentVenue(AwayVenue):
    """A venue that takes everything and answers nothing: its answers of then stand in the record."""

    def __init__(self, *, spares_protection: bool = False) -> None:
        self._spares_protection = spares_protection

    @override
    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Send nothing."""
        return NO_EVENTS

    @override
    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Send nothing."""
        return NO_EVENTS

    @override
    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Ask nothing."""
        return NO_EVENTS

    @override
    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask nothing."""
        return NO_EVENTS

    @property
    @override
    def spares_protection(self) -> bool:
        """As the venue it stands for."""
        return self._spares_protection

    @override
    def cancel_all_after(self, timeout_ms: int, now: int) -> Sequence[Event]:
        """Send nothing."""
        return NO_EVENTS
