"""Everything the core can be told, in one union. An event says what happened, never what to do about it."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.limits import LimitsChanged
from engine.domain.market import Bar, Quote, Trade
from engine.domain.orders import Order, OrderState
from engine.domain.play import PlaySpec
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.domain.signals import Side, Signal
from engine.domain.versions import PlaysApproved, TwinChanged
from engine.domain.warming import Warmed


class OrderSent(msgspec.Struct, frozen=True, tag=True):
    """The order was handed to the venue's adapter: from here on it may be live."""

    ts: int
    client_id: str


class OrderAcked(msgspec.Struct, frozen=True, tag=True):
    """The venue holds the order."""

    ts: int
    client_id: str
    venue_id: str


class OrderRejected(msgspec.Struct, frozen=True, tag=True):
    """The order never came to life."""

    ts: int
    client_id: str
    reason: Reason
    text: str = ""


class OrderCanceled(msgspec.Struct, frozen=True, tag=True):
    """The rest of the order is gone, by our wish or by the venue's rules."""

    ts: int
    client_id: str
    reason: Reason | None = None


class CancelRejected(msgspec.Struct, frozen=True, tag=True):
    """A cancel was not carried out."""

    ts: int
    client_id: str
    reason: Reason


class OrderTimedOut(msgspec.Struct, frozen=True, tag=True):
    """A submit got no answer: the order is UNKNOWN until the venue's evidence settles it."""

    ts: int
    client_id: str


class VenueOrder(msgspec.Struct, frozen=True):
    """An open order as the venue lists it."""

    client_id: str
    venue_id: str
    symbol: str
    side: Side
    qty: Decimal
    filled_qty: Decimal
    state: OrderState
    average_price: Decimal | None = None  # of what was filled
    triggered: bool = False  # a stop whose trigger traded


class VenuePosition(msgspec.Struct, frozen=True):
    """A net position as the venue lists it."""

    symbol: str
    qty: Decimal


class VenueReport(msgspec.Struct, frozen=True, tag=True):
    """The answer to a query: all open orders and positions, and the trades of late.

    `complete` is false when any part failed.
    """

    ts: int
    request_id: int
    orders: tuple[VenueOrder, ...]
    positions: tuple[VenuePosition, ...]
    complete: bool = True
    fills: tuple[Fill, ...] = ()


class OrderReport(msgspec.Struct, frozen=True, tag=True):
    """The answer about one order, and its trades; `order` is None where the venue does not know it."""

    ts: int
    client_id: str
    order: VenueOrder | None
    fills: tuple[Fill, ...] = ()
    complete: bool = True


class TimerFired(msgspec.Struct, frozen=True, tag=True):
    """A timer the core had set came due."""

    ts: int
    timer_id: str


class Woken(msgspec.Struct, frozen=True, tag=True):
    """Time went on with nothing else to say; what was due by then is taken before it."""

    ts: int


class Action(StrEnum):
    """What an operator can ask for."""

    ARM = "arm"
    DISARM = "disarm"
    PAUSE = "pause"
    RESUME = "resume"
    FLATTEN = "flatten"
    RISK_MODE = "risk_mode"
    STOP = "stop"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    ACCEPT_LIMITS = "accept_limits"
    ENABLE = "enable"
    CLOSE_POSITION = "close_position"
    CANCEL_ORDER = "cancel_order"
    TAKE_CONTROL = "take_control"
    RELEASE_CONTROL = "release_control"
    DECLINE = "decline"


class OnStop(StrEnum):
    """What a shutdown does with what is open."""

    CANCEL_ENTRIES = "cancel_entries"
    KEEP = "keep"
    FLATTEN = "flatten"


class Resolution(StrEnum):
    """What an operator can say became of an order that the venue does not settle.

    Fills are not among them: they are taken from the venue's report only.
    """

    DEAD = "dead"  # it never came to life, or is gone


class Control(msgspec.Struct, frozen=True, tag=True):
    """An operator's command. `sequence` numbers it, `actor` says who and from where.

    `console` is the id of the console it came from, empty where it came another way: one console at a time
    has control, and the command line needs none.
    """

    ts: int
    sequence: int
    action: Action
    actor: str
    reason: str = ""
    # arm: the typed name; risk_mode: the mode; stop: an OnStop; acknowledge: the alarm;
    # resolve: a client id and a Resolution; promote: a twin, roll_back: a play, both with `now` or without;
    # accept_limits: the id of what waits; enable: a play; close_position: `PLAY SYMBOL` or a play;
    # cancel_order: a client id; take_control: `free` where nobody is to lose it; decline: the id of limits
    # that wait, or a play for which a version waits
    argument: str = ""
    console: str = ""

    @property
    def cycle_id(self) -> str:
        """The evaluation this command is: `op@sequence`."""
        return f"op@{self.sequence}"


class PlaySwapped(msgspec.Struct, frozen=True, tag=True):
    """A validated play takes the place of its earlier version, between two events."""

    ts: int
    spec: PlaySpec
    generation: int
    why: str = ""  # what is different, for the journal
    warmed: Warmed | None = None


class Backfill(msgspec.Struct, frozen=True, tag=True):
    """Bars of the past: they warm indicators and charts and never lead to a signal."""

    ts: int
    bars: tuple[Bar, ...]


class Remark(msgspec.Struct, frozen=True, tag=True):
    """Something of the engine's surroundings that a person should read; it changes nothing."""

    ts: int
    kind: str
    text: str
    is_warning: bool = True


class Recalled(msgspec.Struct, frozen=True, tag=True):
    """What the journal knows of a crashed session beyond its recovered state.

    `orders` are those with a later id than the state knows and those open in it, `fills` their trades, each
    as it was stored and oldest first, `signals` what later orders came from. New ids go on after `sequence`.
    """

    ts: int
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    sequence: int
    signals: tuple[Signal, ...] = ()


class Channel(StrEnum):
    """A way to or from a venue that can fail by itself."""

    MARKET = "market"  # market data
    PRIVATE = "private"  # the stream of our orders and fills
    ORDERS = "orders"  # submits and cancels
    QUERIES = "queries"  # what is asked about orders, positions and the account


class FeedState(StrEnum):
    """How a feed is."""

    CONNECTING = "connecting"  # at the start of a session: it was not there yet
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ENDED = "ended"


class FeedChanged(msgspec.Struct, frozen=True, tag=True):
    """A feed connected, broke off or came to its end; `channel` says what it brings."""

    ts: int
    feed: str
    state: FeedState
    text: str = ""
    channel: Channel = Channel.MARKET


class CallOutcome(StrEnum):
    """How a call on a channel went. A refusal by the venue is OK: the channel works."""

    OK = "ok"
    TRANSIENT = "transient"
    RATE_LIMITED = "rate_limited"
    AUTH = "auth"


class ChannelReport(msgspec.Struct, frozen=True, tag=True):
    """A call on a channel of a venue went well or failed.

    Failures are told each; OK when the outcome changed or a probe was due, not for each message.
    """

    ts: int
    venue: str
    channel: Channel
    outcome: CallOutcome
    text: str = ""


class FaultKind(StrEnum):
    """What kind of thing broke."""

    STORAGE = "storage"
    OVERFLOW = "overflow"
    STALL = "stall"


class Fault(msgspec.Struct, frozen=True, tag=True):
    """Something of the engine itself broke; `cleared` when it works again."""

    ts: int
    kind: FaultKind
    text: str
    cleared: bool = False


class ClockChecked(msgspec.Struct, frozen=True, tag=True):
    """A venue's clock was compared with ours; `offset_ms` is the venue's minus ours."""

    ts: int
    venue: str
    offset_ms: float


VenueEvent = (
    Fill
    | OrderSent
    | OrderAcked
    | OrderRejected
    | OrderCanceled
    | CancelRejected
    | OrderTimedOut
    | VenueReport
    | OrderReport
    | ChannelReport
    | ClockChecked
)
ChangeEvent = PlaySwapped | TwinChanged | PlaysApproved | LimitsChanged
SessionEvent = Backfill | Remark | Recalled | ChangeEvent | FeedChanged | Fault
OtherEvent = SessionEvent | VenueEvent | TimerFired | Woken | Control
Event = Bar | Trade | Quote | OtherEvent
