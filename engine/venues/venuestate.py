"""What the simulated venue carries over a restart: its book, what it remembers, and requests on their way."""

import msgspec

from engine.domain.errors import CheckpointError
from engine.domain.orders import OrderRequest
from engine.domain.positions import Fill
from engine.venues.working import BookState, WorkingOrder

STATE_VERSION = 1


class Submission(msgspec.Struct, frozen=True, tag=True):
    """An order on its way; `due` is when it reaches the venue."""

    due: int
    request: OrderRequest


class Cancellation(msgspec.Struct, frozen=True, tag=True):
    """A cancel on its way."""

    due: int
    client_id: str
    symbol: str


class Inquiry(msgspec.Struct, frozen=True, tag=True):
    """A query on its way."""

    due: int
    request_id: int


class OrderInquiry(msgspec.Struct, frozen=True, tag=True):
    """A query about one order on its way."""

    due: int
    client_id: str
    symbol: str


class Renewal(msgspec.Struct, frozen=True, tag=True):
    """A renewal of the dead-man's switch on its way; a time-out of 0 turns it off."""

    due: int
    timeout_ns: int


Inbound = Submission | Cancellation | Inquiry | OrderInquiry | Renewal


class VenueState(msgspec.Struct, frozen=True):
    """All that the venue carries over a restart."""

    version: int
    arrivals: int
    ids: tuple[str, ...]
    inbound: tuple[Inbound, ...]
    books: tuple[BookState, ...]
    orders: tuple[WorkingOrder, ...] = ()
    fills: tuple[Fill, ...] = ()
    deadline: int | None = None  # when the dead-man's switch goes off


def decode_state(state: bytes) -> VenueState:
    """Read a checkpoint of the venue. Raises CheckpointError."""
    try:
        saved = msgspec.msgpack.decode(state, type=VenueState)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"the simulated venue's checkpoint is damaged: {error}") from error
    if saved.version != STATE_VERSION:
        raise CheckpointError(
            f"the simulated venue's checkpoint is of version {saved.version}, "
            f"this program reads version {STATE_VERSION}"
        )
    return saved
