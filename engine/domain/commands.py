"""Everything the core can ask for, in one union. The dispatcher carries it out; the core never waits."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.intents import IntentState
from engine.domain.orders import Order, OrderRequest
from engine.domain.positions import Fill, Position
from engine.domain.shadow import SaveShadow, SaveStage
from engine.domain.signals import Signal
from engine.domain.vetoes import Veto


class SubmitOrder(msgspec.Struct, frozen=True, tag=True):
    """Store the intent, then send the order. `increases` tells whether the entry gates apply to it."""

    request: OrderRequest
    increases: bool


class CancelOrder(msgspec.Struct, frozen=True, tag=True):
    """Ask the venue to cancel one of our orders."""

    client_id: str
    venue_id: str
    symbol: str


class QueryVenue(msgspec.Struct, frozen=True, tag=True):
    """Ask the venue for all open orders and positions; a VenueReport with this id answers."""

    request_id: int


class QueryOrder(msgspec.Struct, frozen=True, tag=True):
    """Ask the venue about one of our orders; an OrderReport answers."""

    client_id: str
    symbol: str


class CancelAllAfter(msgspec.Struct, frozen=True, tag=True):
    """Renew the venue's dead-man's switch: it cancels our entries unless renewed in time; 0 turns it off."""

    timeout_ms: int


class SetTimer(msgspec.Struct, frozen=True, tag=True):
    """Fire TimerFired(timer_id) at `at` (ns UTC); a later one under the same id replaces it."""

    timer_id: str
    at: int


class ClearTimer(msgspec.Struct, frozen=True, tag=True):
    """Forget a timer."""

    timer_id: str


class SaveOrder(msgspec.Struct, frozen=True, tag=True):
    """Store an order's new state, and how its intent stands."""

    order: Order
    intent: IntentState


class SaveFill(msgspec.Struct, frozen=True, tag=True):
    """Store a fill and the position it led to."""

    fill: Fill
    position: Position


class SaveSignal(msgspec.Struct, frozen=True, tag=True):
    """Store a signal and what became of it: an order, or a veto."""

    signal: Signal
    client_id: str = ""
    veto: Veto | None = None


class SaveVeto(msgspec.Struct, frozen=True, tag=True):
    """Store a veto that no signal led to: an operator's command or an order refused later."""

    veto: Veto


class TransitionKind(StrEnum):
    """Which persisted value changed."""

    PHASE = "phase"
    PAUSE = "pause"
    RISK_MODE = "risk_mode"
    VERSION = "version"  # of a play: which hash runs
    LIMITS = "limits"
    ORDER = "order"  # by an operator's word, not by the venue's
    POSITION = "position"  # an operator closes it
    CONTROL = "control"  # which console commands


class SaveTransition(msgspec.Struct, frozen=True, tag=True):
    """Store a change of an operator's or risk setting, or what an operator did to an order or a position."""

    ts: int
    kind: TransitionKind
    before: str
    after: str
    actor: str
    reason: str


class NoticeLevel(StrEnum):
    """How loud a notice is."""

    INFO = "info"
    GOOD = "good"
    WARNING = "warning"
    ERROR = "error"


class Notice(msgspec.Struct, frozen=True, tag=True):
    """A line for the event pane and the log."""

    ts: int
    level: NoticeLevel
    kind: str
    text: str
    symbol: str = ""


class Latch(msgspec.Struct, frozen=True, tag=True):
    """Set or remove the latch file that keeps every process from sending entries."""

    engaged: bool
    text: str = ""


class FlattenEnded(msgspec.Struct, frozen=True, tag=True):
    """A flatten came to its end: flat, or with what is left."""

    ts: int
    flat: bool
    residual: tuple[str, ...]
    elapsed_ms: Decimal


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """What a STOP had to do is done; the runtime may leave."""

    ts: int


Command = (
    SubmitOrder
    | CancelOrder
    | QueryVenue
    | QueryOrder
    | CancelAllAfter
    | SetTimer
    | ClearTimer
    | SaveOrder
    | SaveFill
    | SaveSignal
    | SaveVeto
    | SaveTransition
    | SaveShadow
    | SaveStage
    | Notice
    | Latch
    | FlattenEnded
    | Stopped
)
NOTHING: tuple[Command, ...] = ()
