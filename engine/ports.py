"""The ports of the engine: what the core's surroundings must offer, one Protocol each."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from engine.domain.commands import Command
from engine.domain.events import Event
from engine.domain.market import Bar, Depth, Instrument, MarketEvent
from engine.domain.orders import OrderRequest
from engine.risk.clearance import VenueFacts


class Clock(Protocol):
    """Wall time that never goes back."""

    def now(self) -> int:
        """Nanoseconds UTC."""
        ...

    def go_on_from(self, ns: int) -> None:
        """Show `ns` at least from now on, and go on from there."""
        ...


class HistoricalFeed(Protocol):
    """A finite tape: market events in order of time, addressable by offset so that a restart can go on."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What the tape is of."""
        ...

    @property
    def base_step_ns(self) -> int:
        """The tape's own step; 5 s for trades."""
        ...

    def events(self, offset: int = 0) -> Iterator[MarketEvent]:
        """Yield the events from the offset on. Offsets count yielded events."""
        ...

    def fingerprint(self) -> dict[str, str]:
        """Return sha256 by file path, for the record."""
        ...


class LiveFeed(Protocol):
    """An endless stream of market events."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What the stream is of."""
        ...

    @property
    def base_step_ns(self) -> int:
        """The finest bar's step."""
        ...

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Return the events up to `now` that were not handed out before, oldest first."""
        ...

    def next_at(self) -> int:
        """Return when (ns UTC) the next event is due."""
        ...

    def history(self, bars: int) -> Sequence[Bar]:
        """Return so many closed bars of each symbol and step from before the start, oldest first."""
        ...

    @property
    def skipped_ns(self) -> int:
        """How much market time was never handed out because nobody asked in time."""
        ...


class FeedCondition(StrEnum):
    """How a push feed is."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class FeedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a push feed went through since it began. Counts, but for what is named otherwise."""

    state: FeedCondition
    messages: int = 0
    connections: int = 0
    repeated: int = 0  # trades that were told again and left out
    lost: int = 0  # trades, or breaks with a loss where the venue does not number trades
    late: int = 0  # trades that came after their bar had closed
    book_breaks: int = 0
    garbled: int = 0  # messages that could not be read
    offset_ms: float | None = None  # the venue's clock ahead of ours, less a message's way
    error: str = ""  # why the stream stood still last


Deliver = Callable[[Event, int], Awaitable[None]]  # an event, and when (monotonic ns) it came


class PushFeed(Protocol):
    """A venue's live market: it brings events when they come, its own state among them."""

    @property
    def name(self) -> str:
        """The venue's name."""
        ...

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What the feed is of."""
        ...

    @property
    def base_step_ns(self) -> int:
        """The finest bar's step."""
        ...

    async def history(self, bars: int) -> Sequence[Bar]:
        """Return so many closed bars of each symbol and step, oldest first. Raises VenueError."""
        ...

    async def run(self, deliver: Deliver) -> None:
        """Bring the market to `deliver` until the task is canceled; it is let go of then."""
        ...

    def facts(self) -> FeedFacts:
        """Return what the feed went through."""
        ...

    def depth(self, symbol: str, levels: int) -> Depth | None:
        """Return the best levels of a symbol's book, None while the feed keeps none that is true."""
        ...


class Venue(Protocol):
    """Where orders go. Calls hand over and return what is known at once; the rest comes as events later.

    The simulated venue answers here; an adapter of a real one returns nothing and posts to the inbox.
    """

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Hand over an order."""
        ...

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask to cancel an order of ours."""
        ...

    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Ask for all open orders and positions, and the trades of late; a VenueReport answers."""
        ...

    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask about one order of ours; an OrderReport answers."""
        ...

    @property
    def spares_protection(self) -> bool:
        """Whether cancel-all-after leaves alone what reduces: protective stops must outlive the engine."""
        ...

    def cancel_all_after(self, timeout_ms: int, now: int) -> Sequence[Event]:
        """Have our orders canceled unless this is called again within the time-out; 0 turns it off."""
        ...

    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Let the market move; only a simulated venue has something to say to it."""
        ...

    def on_time(self, now: int) -> Sequence[Event]:
        """Return answers that fell due by `now` (simulated latency)."""
        ...

    def next_at(self) -> int | None:
        """Return when the next answer falls due, None where nothing waits."""
        ...

    def state(self) -> bytes:
        """Return the venue's own state for the checkpoint, empty for a real one."""
        ...

    def restore(self, state: bytes) -> None:
        """Take up a state returned by `state`."""
        ...


class OutsideVenue(Venue, Protocol):
    """A venue outside the loop: it works in tasks of its own and posts what it has to say."""

    def own(self, owns: Callable[[str], bool]) -> None:
        """Say which client ids are this engine's."""
        ...

    async def run(self, post: Callable[[Event], bool]) -> None:
        """Work until cancelled; `post` says False where nothing more can be taken for a moment."""
        ...


class VenueProbe(Protocol):
    """Asks a real venue, before the first order, what a start must know."""

    async def facts(self) -> VenueFacts:
        """Return what it says of our keys, its symbols and its clock. Raises VenueError."""
        ...


class Journal(Protocol):
    """The durable side of commands: one writer, one transaction a batch."""

    async def commit(self, commands: Iterable[Command]) -> None:
        """Make the batch durable, in order. Idempotent by client id and trade id. Raises StorageError."""
        ...


class Recorder(Protocol):
    """The record of what the core consumed."""

    def consumed(self, sequence: int, now: int, event: Event) -> None:
        """Record one event."""
        ...

    def tape(self, sequence: int, offset: int) -> None:
        """Record that a historical feed was consumed up to an offset."""
        ...

    def effects(self, sequence: int, digest: bytes) -> None:
        """Record the digest of the commands that an event led to."""
        ...


class AccountFacts(msgspec.Struct, frozen=True):
    """What the engine starts its books with."""

    currency: str
    equity: Decimal
