"""What a feed asks its venue for beside the stream: rules of the markets, past bars, missed trades, books."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from engine.domain.errors import ConfigError
from engine.domain.market import Bar, Instrument
from engine.venues.ws_book import Level
from engine.venues.ws_trades import Named, TradeId

SHOWN_MAX = 8  # names that a message lists


class Address(msgspec.Struct, frozen=True):
    """Where a venue is, if not where it usually is; empty for the usual place."""

    stream_url: str = ""
    query_url: str = ""


class Fees(msgspec.Struct, frozen=True):
    """Rates of notional that the venue does not tell without keys."""

    maker: Decimal
    taker: Decimal


class Snapshot(msgspec.Struct, frozen=True):
    """A whole book and the number it stands at."""

    last: int
    bids: list[Level]
    asks: list[Level]


class Source(Protocol):
    """A venue's public queries. Every call may raise VenueError."""

    @property
    def steps_ns(self) -> Sequence[int]:
        """The lengths of bars it hands out."""
        ...

    async def instruments(self, symbols: Sequence[str], fees: Fees) -> tuple[Instrument, ...]:
        """Return the rules of some markets. Raises ConfigError for one that is not there."""
        ...

    async def bars(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars that close in [since, until], oldest first."""
        ...

    async def trades(self, symbol: str, after: TradeId | None, /) -> list[Named]:
        """Return the trades of late, oldest first; back to the one named `after` where the venue can."""
        ...

    async def snapshot(self, symbol: str, /) -> Snapshot | None:
        """Return a book, None where the stream brings it."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


def picked(venue: str, symbols: Iterable[str], known: Mapping[str, Instrument]) -> tuple[Instrument, ...]:
    """Return some symbols' instruments, whatever their case. Raises ConfigError that names what is close."""
    found: dict[str, Instrument] = {}
    for symbol in symbols:
        name = symbol.upper().replace("/", "").replace("-", "").partition(":")[0]
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3) or [
                other for other in known if name and other.startswith(name[:3])
            ]
            hint = f"did you mean {' or '.join(close[:SHOWN_MAX])}?" if close else "see the venue's own list"
            raise ConfigError(
                f"{venue} has no market {symbol!r} that is traded now; {hint}", field="--symbol"
            )
        found[name] = known[name]
    return tuple(found.values())
