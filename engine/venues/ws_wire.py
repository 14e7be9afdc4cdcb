"""What a venue's protocol offers to the feed that speaks it."""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Protocol, TypeVar

from engine.domain.errors import VenueError


class Said(Enum):
    """What a venue may say beside market data."""

    REFUSED = auto()  # a subscription was not taken
    FAREWELL = auto()  # the connection will end soon
    BROKEN_BOOK = auto()  # a book fell out of sequence; the text is its symbol


Hear = Callable[[Said, str], None]
F_contra = TypeVar("F_contra", contravariant=True)  # a message as it comes


class Wire(Protocol[F_contra]):
    """A venue's language: what its messages mean."""

    @property
    def asks_books(self) -> bool:
        """Whether a book's snapshot comes by query, and not on the stream."""
        ...

    def take(self, frame: F_contra, now: int, /) -> bool:
        """Take a message that came at `now`; tell whether it was market data."""
        ...

    def renew_book(self, symbol: str, /) -> Sequence[str]:
        """Return what to say to get a book's snapshot; nothing where it is asked for elsewhere."""
        ...

    def begin(self) -> None:
        """Forget what holds for one connection only: a new one begins."""
        ...


class SocketWire(Wire[bytes], Protocol):
    """A language that is spoken over a WebSocket: where to connect, and what to say there."""

    @property
    def url(self) -> str:
        """Where to connect."""
        ...

    @property
    def greeting(self) -> Sequence[str]:
        """What to say at once on a new connection."""
        ...

    @property
    def ping(self) -> str:
        """What to say to hear something back; empty where the protocol's own ping does."""
        ...


class Listener(Protocol[F_contra]):
    """Who a stream is for."""

    def opened(self, *, took_over: bool) -> None:
        """Messages of another connection follow; `took_over` from one that worked until now."""
        ...

    def take(self, frame: F_contra, /) -> bool:
        """Take a message; tell whether it was market data."""
        ...

    async def flush(self) -> None:
        """Hand on what the messages led to."""
        ...

    def broke(self, error: VenueError) -> None:
        """The stream stands still: a connection ended, or could not be made."""
        ...


class LiveStream(Protocol):
    """What keeps messages coming."""

    @property
    def connections(self) -> int:
        """How many connections there were."""
        ...

    async def run(self) -> None:
        """Keep the stream alive. Ends by cancellation only."""
        ...

    def renew(self) -> None:
        """Move over to a fresh connection."""
        ...

    def say(self, text: str) -> None:
        """Send a message."""
        ...
