"""The settings of one engine: checked once at the edge, frozen from then on, passed on as JSON."""

import re
import shutil
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
)

from engine.config.blackout import BlackoutSettings
from engine.config.limits import LimitSettings
from engine.config.modelsettings import ModelSettings
from engine.config.section import Money, Seconds, Section
from engine.config.versionsettings import PromotionSettings, ShadowSettings
from engine.domain.events import OnStop
from engine.domain.modes import Mode
from engine.domain.news import Topic
from engine.risk.breaker import BreakerPolicy
from engine.risk.stops import OnMissing, OnStuck, StopPolicy

PAPER_EQUITY = Decimal(50_000)

FeeRate = Annotated[Decimal, Field(ge=Decimal("-0.01"), le=Decimal("0.05"), allow_inf_nan=False)]


class OnHangup(StrEnum):
    """What the engine does when its terminal goes away."""

    IGNORE = "ignore"
    STOP = "stop"


class Synchronous(StrEnum):
    """How far SQLite goes before it calls a commit durable (its PRAGMA synchronous)."""

    FULL = "full"  # survives a power cut
    NORMAL = "normal"  # survives a killed process; a power cut may lose the last commits
    OFF = "off"


class LogLevel(StrEnum):
    """The least severe line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class BarStamp(StrEnum):
    """Which end of a bar the timestamps of a data file name."""

    OPEN = "open"
    CLOSE = "close"


def _plain_name(value: str) -> str:
    """Names become parts of paths, so they hold nothing that leads elsewhere."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", value):
        raise ValueError("must be 1 to 32 letters, digits, dots, dashes or underscores, the first no sign")
    return value


def _split_data(value: Any) -> Any:
    """Take `SYM=FILE` or `FILE` apart; a symbol holds no path separator."""
    if not isinstance(value, str):
        return value
    symbol, found, file = value.partition("=")
    if found and "/" not in symbol:
        return {"symbol": symbol, "path": file}
    return {"path": value}


def _split_commas(value: Any) -> Any:
    """Let one text stand for a list, as environment variables need it."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Symbols = Annotated[tuple[str, ...], BeforeValidator(_split_commas), Field(min_length=1, max_length=50)]


class DataFile(Section):
    """A file of market data and the symbol it is bound to; written `[SYM=]FILE`."""

    symbol: str = ""
    path: Path


Name = Annotated[str, AfterValidator(_plain_name)]
DataFiles = Annotated[
    tuple[Annotated[DataFile, BeforeValidator(_split_data)], ...], BeforeValidator(_split_commas)
]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_split_commas)]


Speed = Annotated[
    Annotated[float, Field(gt=0, le=100_000)] | None,
    BeforeValidator(lambda value: None if value == "max" else value),
]


class AccountSettings(Section):
    """What a simulated account starts with."""

    currency: Name | None = None  # None: the one that the traded instruments settle in
    equity: Money = PAPER_EQUITY


class StopSettings(Section):
    """What is done about a position whose stop does not protect it."""

    missing: OnMissing = OnMissing.PROTECT
    missing_after_s: Seconds = 5.0
    stuck: OnStuck = OnStuck.ALARM
    stuck_after_s: Seconds = 10.0

    def to_policy(self) -> StopPolicy:
        """Return the settings as the core takes them."""
        return StopPolicy(**{name: getattr(self, name) for name in StopPolicy.__struct_fields__})


class BreakerSettings(Section):
    """When a channel of the venue counts as broken, and when that calls for a person."""

    failures_max: Annotated[int, Field(ge=2, le=100)] = 5  # so many within the window open the breaker
    window_s: Seconds = 30.0
    cooldown_s: Seconds = 15.0
    alarm_after_s: Seconds = 60.0
    outage_latch_s: Seconds = 600.0

    def to_policy(self) -> BreakerPolicy:
        """Return the settings as the core takes them."""
        return BreakerPolicy(**{name: getattr(self, name) for name in BreakerPolicy.__struct_fields__})


class BudgetSettings(Section):
    """How much of the venue's rate limits the engines of this machine use."""

    share: Annotated[float, Field(ge=0.05, le=1)] = 0.9
    reserve: Annotated[float, Field(ge=0.05, le=0.9)] = 0.2  # of that, for cancels and reductions only


class SimulatedSettings(Section):
    """How the embedded venue answers. Fees are rates of notional; a negative one is a rebate."""

    latency_ms: Annotated[float, Field(ge=0, le=60_000)] = 50.0
    participation: Annotated[float, Field(gt=0, le=1)] = 0.25  # part of traded volume our orders may take
    maker_fee: FeeRate = Decimal("0.0002")
    taker_fee: FeeRate = Decimal("0.0005")


class SyntheticSettings(Section):
    """The embedded market; the same seed gives the same market."""

    symbols: Symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 7
    events_per_s: Annotated[float, Field(gt=0, le=20_000)] = 60.0  # of all symbols together
    base_step_s: Annotated[int, Field(ge=1, le=86_400)] = 5


class BookKind(StrEnum):
    """How much of an order book a stream is asked for."""

    TOUCH = "touch"  # the best bid and offer
    DEPTH = "depth"  # all levels the venue streams, kept in sequence


def _address(value: str) -> str:
    """Take the address of a host, without anything behind it but a path."""
    parts = urlsplit(value)
    if parts.scheme not in {"ws", "wss", "http", "https"} or not parts.hostname or parts.query:
        raise ValueError("must read like wss://HOST[:PORT][/PATH] or https://HOST[:PORT]")
    return value.rstrip("/")


class StreamSettings(Section):
    """The live market of a real venue. Addresses stand in for the venue's own."""

    symbols: Symbols = ("BTCUSDT",)  # for plays that name none
    base_step_s: Annotated[int, Field(ge=1, le=86_400)] = 60  # `timeframe: base`
    book: BookKind = BookKind.TOUCH
    silent_s: Annotated[float, Field(ge=1, le=3_600)] = 15.0  # without data for so long: connect anew
    ping_s: Annotated[float, Field(ge=0.1, le=60)] = 5.0
    renew_h: Annotated[float, Field(gt=0, le=24)] = 23.5  # venues end each connection after 24 h
    stream_url: Annotated[str, AfterValidator(_address)] | None = None
    query_url: Annotated[str, AfterValidator(_address)] | None = None


class LocalSettings(Section):
    """Where the local exchange (`trader-tui venue`) listens: the venue that is called `local`."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 7475

    @property
    def rest_url(self) -> str:
        """The base of its REST endpoints."""
        return f"http://{self.host}:{self.port}"


class DemoSite(StrEnum):
    """Which of a venue's sites takes the orders of mode demo."""

    DEMO = "demo"  # its paper account on real prices, else its testnet
    TESTNET = "testnet"


class OrderSettings(Section):
    """How orders are sent to a real venue. A time-out counts from when the request leaves."""

    submit_timeout_s: Annotated[float, Field(ge=1, le=120)] = 30.0
    query_timeout_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    demo_site: DemoSite = DemoSite.DEMO


class RuntimeSettings(Section):
    """The engine's own rhythm and bounds."""

    heartbeat_s: Seconds = 5.0
    checkpoint_s: Seconds = 60.0
    reconcile_s: Seconds = 10.0  # how often orders and trades are compared with the venue's
    reconcile_positions_s: Seconds = 60.0  # how often positions are
    dead_man_s: Annotated[float, Field(ge=5, le=3_600)] | None = None  # the venue's dead-man's switch
    shutdown_deadline_s: Annotated[float, Field(ge=1, le=600)] = 30.0
    snapshot_hz: Annotated[float, Field(gt=0, le=10)] = 10.0
    record_max_gb: Annotated[float, Field(ge=0.01, le=10_000)] = 5.0
    synchronous: Synchronous = Synchronous.FULL


class ConsoleSettings(Section):
    """The screen."""

    theme: Annotated[str, Field(min_length=1)] = "dark"
    frame_rate: Annotated[float, Field(gt=0, le=30)] = 10.0
    bandwidth_max_kb_s: Annotated[float, Field(ge=1, le=100_000)] = 80.0
    ascii_only: bool | None = None  # None: where the locale's encoding is not UTF-8
    low_bandwidth: bool = False  # at most 4 frames a second, 8 kB/s, sixteen colours, no sparklines
    welcome: bool = True  # explain the screen once, at the first start


class LogSettings(Section):
    """The log file: at most `files` of `max_mb` each are kept."""

    level: LogLevel = LogLevel.INFO
    max_mb: Annotated[float, Field(ge=0.01, le=10_000)] = 10.0
    files: Annotated[int, Field(ge=1, le=100)] = 5


class HookSettings(Section):
    """A program that is told what happens; `run` is its path, or its name on the PATH, and its arguments."""

    on: Annotated[tuple[Topic, ...], Field(min_length=1)]
    run: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0

    @field_validator("run")
    @classmethod
    def _is_there(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if shutil.which(value[0]) is None:
            raise ValueError(f"there is no program {value[0]!r} that may be run")
        return value


class CacheSettings(Section):
    """The columns of data files that were read, kept in the user's cache folder; 0 keeps none."""

    columns_max_gb: Annotated[float, Field(ge=0, le=10_000)] = 2.0


class Settings(Section):
    """Everything an engine and its console are told at start. Paths are absolute once loaded by layers.py."""

    mode: Mode = Mode.PAPER
    instance: Name = "default"
    state_dir: Path | None = None  # holds one folder per instance; None: the platform's state directory
    plays: Paths = ()
    shadows: Paths = ()  # plays that run as shadow twins beside them
    data: DataFiles = ()
    bar_ts: BarStamp | None = None  # None: as the instrument file says, else open
    venue: Name = "simulated"
    profile: str = ""
    on_stop: OnStop = OnStop.CANCEL_ENTRIES
    on_hangup: OnHangup = OnHangup.IGNORE
    arm: bool = False
    confirm: bool = False  # of real money
    keys_file: Path | None = None  # None: keys.yaml beside the user's config.yaml
    speed: Speed = 1.0  # of a replay, in times of real time; None, written `max`: as fast as possible
    duration_s: Seconds | None = None
    account: AccountSettings = AccountSettings()
    limits: LimitSettings = LimitSettings()
    model: ModelSettings = ModelSettings()
    blackout: BlackoutSettings = BlackoutSettings()
    stops: StopSettings = StopSettings()
    breaker: BreakerSettings = BreakerSettings()
    budget: BudgetSettings = BudgetSettings()
    simulated: SimulatedSettings = SimulatedSettings()
    synthetic: SyntheticSettings = SyntheticSettings()
    stream: StreamSettings = StreamSettings()
    local: LocalSettings = LocalSettings()
    orders: OrderSettings = OrderSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    console: ConsoleSettings = ConsoleSettings()
    log: LogSettings = LogSettings()
    cache: CacheSettings = CacheSettings()
    shadow: ShadowSettings = ShadowSettings()
    promotion: PromotionSettings = PromotionSettings()
    hooks: Annotated[tuple[HookSettings, ...], Field(max_length=20)] = ()

    def to_json(self) -> str:
        """Write the settings for another process."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read what `to_json` wrote."""
        return cls.model_validate_json(text)
