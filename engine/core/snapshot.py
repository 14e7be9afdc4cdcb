"""What a screen may know: frozen sections, cheap to compare and to encode. Money is Decimal, times ns UTC."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.core.feesection import FeeRow
from engine.core.openrisk import OpenRisk
from engine.core.risksection import RiskSection
from engine.core.versionrows import EarlierVersion, TwinRow
from engine.domain.alarms import Alarm
from engine.domain.commands import Notice
from engine.domain.events import Channel
from engine.domain.ids import OrderRole
from engine.domain.modes import Hold, Mode, RiskMode, Rung
from engine.domain.orders import OrderKind, OrderState
from engine.domain.signals import Side, SignalKind
from engine.risk.breaker import BreakerState


class Phase(StrEnum):
    """Where the operator has put the engine."""

    DISARMED = "disarmed"
    ARMED = "armed"
    FLATTENING = "flattening"
    HALTED = "halted"
    STOPPING = "stopping"


class StatusSection(msgspec.Struct, frozen=True):
    """The status row."""

    mode: Mode
    instance: str
    phase: Phase
    paused: bool
    risk_mode: RiskMode
    rung: Rung
    holds: tuple[Hold, ...]
    now: int
    plays: tuple[str, ...]
    confirm_name: str  # what must be typed to arm
    data_ended: bool
    dead_man_s: float = 0.0  # the time-out of the venue's dead-man's switch; 0: it is off
    dead_man_renewed: int = 0  # ns UTC
    swaps_waiting: tuple[str, ...] = ()  # plays for which another version waits until they are flat
    in_control: str = ""  # the id of the console that commands, and who sits there
    in_control_name: str = ""
    needs_approval: bool = False  # entries are real: a play's hash must have been promoted
    earlier: tuple[EarlierVersion, ...] = ()  # what can be rolled back to


class TickRow(msgspec.Struct, frozen=True):
    """The market of one symbol. `history` holds recent closes or prices, oldest first."""

    symbol: str
    ts: int
    price: float
    bid: float
    ask: float
    change: float  # since the first price seen today (UTC), as a ratio
    volume: float  # since the same moment
    price_digits: int
    history: tuple[float, ...]


class SignalRow(msgspec.Struct, frozen=True):
    """A signal and its verdict: `reason` is empty where it was approved."""

    ts: int
    play: str
    symbol: str
    side: Side
    kind: SignalKind
    price: float
    strength: float
    cycle_id: str
    reason: str
    text: str


class OrderRow(msgspec.Struct, frozen=True):
    """One of our orders."""

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
    price: Decimal | None  # limit or trigger
    average_price: Decimal | None
    created: int
    updated: int
    reason: str


class PositionRow(msgspec.Struct, frozen=True):
    """A play's open or closed position in one symbol."""

    play: str
    symbol: str
    qty: Decimal
    entry_price: Decimal
    mark: float
    unrealized: Decimal
    realized: Decimal
    fees: Decimal
    stop_price: Decimal | None
    target_price: Decimal | None
    opened: int
    bare: Decimal = Decimal(0)  # quantity that no confirmed stop protects
    to_stop: Decimal = Decimal(0)  # how equity moves from the mark if the stops fill
    at_stop: Decimal | None = None  # what the position makes from its entry then, before fees
    stop_distance: float = 0.0  # from the mark, as a ratio of it


class AccountSection(msgspec.Struct, frozen=True):
    """The money. `drawdown` is a ratio of the peak."""

    currency: str
    start_equity: Decimal
    equity: Decimal
    realized: Decimal
    unrealized: Decimal
    fees: Decimal
    day_pnl: Decimal
    drawdown: float
    fills: int
    trades: int
    signals: int


class GateStatus(StrEnum):
    """How a gate would answer an entry now."""

    PASS = "pass"  # noqa: S105 - a verdict
    VETO = "veto"
    NOT_BUILT = "n/a"


class GateRow(msgspec.Struct, frozen=True):
    """One gate in the order they are asked."""

    name: str
    status: GateStatus
    value: str
    limit: str


class FlattenSection(msgspec.Struct, frozen=True):
    """A running or ended flatten; `step` is empty where none ever ran."""

    step: str = ""
    since: int = 0
    cancels_left: int = 0
    positions_left: int = 0
    residual: tuple[str, ...] = ()


class ReloadRow(msgspec.Struct, frozen=True):
    """Hot-reload of one play file."""

    play: str
    file: str
    generation: int
    hash: str
    result: str  # loaded | swapped | rejected | waiting
    text: str
    at: int
    failures: int
    next_try_s: float
    changes: tuple[str, ...] = ()  # of the last version that was taken: fields, old and new
    signals: str = ""  # and which signals of the last bars it would have given


class ModelBin(msgspec.Struct, frozen=True):
    """Of a model's forecasts in one bin: how many, their mean and how often they came true."""

    count: int
    forecast: float
    came_true: float


class ModelRow(msgspec.Struct, frozen=True):
    """The model of a play, and how its last resolved forecasts did. `demoted` is since when, 0: it is not."""

    play: str
    sha256: str
    architecture: str
    horizon_bars: int
    resolved: int
    resolved_min: int  # before so many nothing is judged
    rate: float
    brier: float
    brier_base: float  # of always saying the base rate of the training
    gap: float
    bins: tuple[ModelBin, ...]
    demoted: int = 0
    text: str = ""


class FeedRow(msgspec.Struct, frozen=True):
    """One feed."""

    name: str
    state: str
    age_ms: float
    events: int
    text: str
    reconnects: int = 0
    error: str = ""  # why it stood still last
    offset_ms: float | None = None  # the venue's clock minus ours, by the stream's times


class BudgetRow(msgspec.Struct, frozen=True):
    """One rate limit of the venue: what all engines of this machine used within the window that ends now."""

    name: str
    used: int
    count: int
    window_s: float
    reserve: int  # of `count`, for cancels and reductions only


class VenueSection(msgspec.Struct, frozen=True):
    """A venue outside this program, as its adapter knows it; `name` is empty where there is none."""

    name: str = ""
    clock_offset_ms: float | None = None  # its clock minus ours
    last_error: str = ""
    last_error_at: int = 0  # ns UTC, 0 where there was none
    budgets: tuple[BudgetRow, ...] = ()
    budget_flaw: str = ""  # why other engines are not counted with


class BreakerRow(msgspec.Struct, frozen=True):
    """The circuit breaker of one channel of a venue. Times are ns UTC, 0 where there is none."""

    venue: str
    channel: Channel
    state: BreakerState
    since: int
    failures: int  # within the window
    broken_since: int
    text: str  # what failed last


class HealthSection(msgspec.Struct, frozen=True):
    """How the engine itself is. Latency is event-in to effects-out."""

    pid: int = 0
    uptime_s: float = 0.0
    events: int = 0
    events_per_s: float = 0.0
    latency_p50_ms: float = 0.0
    latency_p99_ms: float = 0.0
    latency_p999_ms: float = 0.0
    loop_lag_ms: float = 0.0
    inbox_depth: int = 0
    inbox_bound: int = 0
    conflated: int = 0
    commit_p99_ms: float = 0.0
    record_mb: float = 0.0
    checkpoint_age_s: float = -1.0  # negative: none yet
    rss_mb: float = 0.0
    session: str = ""
    version: str = ""


class ChartPoint(msgspec.Struct, frozen=True, array_like=True):
    """One bar of a chart."""

    ts: int
    open: float
    high: float
    low: float
    close: float


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All sections. Over the control socket only changed ones travel (api.SnapshotDelta)."""

    status: StatusSection
    account: AccountSection
    ticks: tuple[TickRow, ...] = ()
    signals: tuple[SignalRow, ...] = ()  # newest last
    orders: tuple[OrderRow, ...] = ()  # open ones first, then the newest ended
    positions: tuple[PositionRow, ...] = ()
    gates: tuple[GateRow, ...] = ()
    flatten: FlattenSection = FlattenSection()
    notices: tuple[Notice, ...] = ()  # newest last
    alarms: tuple[Alarm, ...] = ()
    reloads: tuple[ReloadRow, ...] = ()
    twins: tuple[TwinRow, ...] = ()
    models: tuple[ModelRow, ...] = ()
    feeds: tuple[FeedRow, ...] = ()
    breakers: tuple[BreakerRow, ...] = ()
    venue: VenueSection = VenueSection()
    risk: RiskSection = RiskSection()
    open_risk: OpenRisk = OpenRisk()
    fees: tuple[FeeRow, ...] = ()
    health: HealthSection = HealthSection()
