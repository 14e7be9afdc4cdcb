"""What happened, told to whoever listens beside the engine: the log, hooks, later metrics and alerts."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.commands import NoticeLevel, TransitionKind
from engine.domain.ids import OrderRole
from engine.domain.layers import Layer
from engine.domain.orders import OrderKind, OrderState
from engine.domain.positions import Liquidity
from engine.domain.signals import Side


class Topic(StrEnum):
    """What one may listen for."""

    SUBMITTED = "submitted"  # an order was stored and is on its way
    ORDER = "order"  # an order came to another state
    FILLED = "filled"
    REJECTED = "rejected"  # a gate, a protection or the venue said no
    MODE = "mode"  # armed, paused, risk mode: what a person or a limit set
    FLATTEN = "flatten"  # a flatten came to its end
    RELOAD = "reload"
    CHECKPOINT = "checkpoint"
    ERROR = "error"  # a notice that calls for a person
    NOTICE = "notice"  # any other


class OrderNews(msgspec.Struct, frozen=True, tag_field="news", tag="order"):
    """An order was asked for, or came to another state. Times are ns UTC."""

    ts: int
    client_id: str
    venue_id: str
    play: str
    symbol: str
    side: Side
    role: OrderRole
    kind: OrderKind
    state: OrderState
    qty: Decimal
    filled_qty: Decimal
    price: Decimal | None
    reason: str = ""


class FillNews(msgspec.Struct, frozen=True, tag_field="news", tag="fill"):
    """A fill was booked, and the position it led to."""

    ts: int
    client_id: str
    trade_id: str
    play: str
    symbol: str
    side: Side
    price: Decimal
    qty: Decimal
    fee: Decimal
    liquidity: Liquidity
    position_qty: Decimal


class RefusalNews(msgspec.Struct, frozen=True, tag_field="news", tag="refusal"):
    """Something was not done: by whom, why, and the values that mattered."""

    ts: int
    cycle_id: str
    layer: Layer
    reason: str
    values: dict[str, str]
    play: str = ""
    symbol: str = ""


class ModeNews(msgspec.Struct, frozen=True, tag_field="news", tag="mode"):
    """A setting that survives restarts changed."""

    ts: int
    kind: TransitionKind
    before: str
    after: str
    actor: str
    reason: str


class FlattenNews(msgspec.Struct, frozen=True, tag_field="news", tag="flatten"):
    """A flatten ended: flat, or with what is left."""

    ts: int
    flat: bool
    residual: tuple[str, ...]
    elapsed_ms: Decimal


class ReloadNews(msgspec.Struct, frozen=True, tag_field="news", tag="reload"):
    """A watched file was taken or refused."""

    ts: int
    play: str
    generation: int
    result: str
    text: str


class CheckpointNews(msgspec.Struct, frozen=True, tag_field="news", tag="checkpoint"):
    """A checkpoint was saved."""

    ts: int
    sequence: int
    size_bytes: int
    took_ms: float


class NoticeNews(msgspec.Struct, frozen=True, tag_field="news", tag="notice"):
    """A line for people."""

    ts: int
    level: NoticeLevel
    kind: str
    text: str
    symbol: str = ""


class MissedNews(msgspec.Struct, frozen=True, tag_field="news", tag="missed"):
    """So many news were not kept for a listener that was too slow."""

    count: int


News = (
    OrderNews
    | FillNews
    | RefusalNews
    | ModeNews
    | FlattenNews
    | ReloadNews
    | CheckpointNews
    | NoticeNews
    | MissedNews
)


def topics_of(news: News) -> tuple[Topic, ...]:
    """Return what one must listen for to hear a piece of news; those missed are told to everyone."""
    match news:
        case OrderNews():
            if news.state is OrderState.PENDING:
                return (Topic.SUBMITTED, Topic.ORDER)
            return (Topic.REJECTED, Topic.ORDER) if news.state is OrderState.REJECTED else (Topic.ORDER,)
        case FillNews():
            return (Topic.FILLED,)
        case RefusalNews():
            return (Topic.REJECTED,)
        case ModeNews():
            return (Topic.MODE,)
        case FlattenNews():
            return (Topic.FLATTEN,)
        case ReloadNews():
            return (Topic.RELOAD,)
        case CheckpointNews():
            return (Topic.CHECKPOINT,)
        case NoticeNews():
            return (Topic.ERROR,) if news.level is NoticeLevel.ERROR else (Topic.NOTICE,)
        case MissedNews():
            return tuple(Topic)
