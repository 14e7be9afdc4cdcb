"""What the exchange's market is: events by time, bars of the past, and the instruments that are listed."""

from collections.abc import Sequence
from typing import Protocol

from engine.domain.market import NS_PER_S, Bar, Instrument, MarketEvent
from engine.venues.synthetic import SyntheticFeed


class Market(Protocol):
    """A market that moves by itself."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What is listed."""
        ...

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Return the events up to `now` that were not handed out before, oldest first."""
        ...

    def next_at(self) -> int | None:
        """Return when the next event is due, ns UTC; None where none comes any more."""
        ...

    def past(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars of a step inside [since, until), ns UTC."""
        ...

    def opening(self, symbol: str, now: int) -> float | None:
        """Return the price that stands before anything is heard, None where there is none."""
        ...


class SyntheticMarket:
    """The seeded market: its past is known at any time, for it is a function of seed and time."""

    def __init__(self, seed: int, start: int, symbols: Sequence[str], events_per_s: float) -> None:
        self._feed = SyntheticFeed(seed, start, symbols=symbols, events_per_s=events_per_s)
        self.instruments = self._feed.instruments

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Return the events up to `now` that were not handed out before, oldest first."""
        return self._feed.poll(now)

    def next_at(self) -> int:
        """Return when the next event is due, ns UTC."""
        return self._feed.next_at()

    def past(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars of a step inside [since, until), ns UTC."""
        return self._feed.bars(symbol, step_ns, since, until)

    def opening(self, symbol: str, now: int) -> float | None:
        """Return the price that stands before anything is heard, None where there is none."""
        for step_ns in (NS_PER_S, 60 * NS_PER_S):  # a halt lasts seconds, so a minute has a price
            end = now // step_ns * step_ns
            if bars := self.past(symbol, step_ns, end - 2 * step_ns, end):
                return bars[-1].close
        return None
