"""The only door for the console: what it may see (Snapshot), say (Action) and hold (Link)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.core.commands_table import COMMANDS_TABLE
from engine.core.effects import COLUMNS as COMMANDS_COLUMNS
from engine.core.effects import Row as CommandsRow
from engine.core.effects import RowKind
from engine.core.feesection import FeeRow
from engine.core.openrisk import OpenRisk
from engine.core.risksection import BlackoutRow, CauseRow, LimitRow, RiskSection
from engine.core.sights import (
    Blotted,
    BookView,
    BookWish,
    Chart,
    ChartWish,
    Curve,
    EquityWish,
    Series,
    Sight,
    TradesWish,
    Wish,
)
from engine.core.snapshot import (
    AccountSection,
    BreakerRow,
    BudgetRow,
    ChartPoint,
    FeedRow,
    FlattenSection,
    GateRow,
    GateStatus,
    HealthSection,
    ModelRow,
    OrderRow,
    Phase,
    PositionRow,
    ReloadRow,
    SignalRow,
    Snapshot,
    StatusSection,
    TickRow,
    VenueSection,
)
from engine.core.versionrows import EarlierVersion, TwinRow
from engine.core.why import ChainLink, LinkStatus, Why
from engine.domain.alarms import Alarm, Severity
from engine.domain.commands import Notice, NoticeLevel
from engine.domain.errors import (
    ConfigError,
    ControlError,
    LockHeldError,
    NotFlatError,
    NotPromotedError,
    TraderError,
)
from engine.domain.events import Action, Channel, OnStop
from engine.domain.ids import OrderRole
from engine.domain.market import Depth
from engine.domain.modes import HOLDERS, RUNG_MEANING, Hold, Holder, Mode, RiskMode, Rung
from engine.domain.orders import OrderKind, OrderState
from engine.domain.readings import Miss, Reading, RuleReading
from engine.domain.reasons import Reason
from engine.domain.reasontable import REASONS
from engine.domain.signals import Side, SignalKind
from engine.execution.blotter import ClosedTrade, FillMark, TradeTotals
from engine.execution.equitycurve import EquityPoint
from engine.instance import (
    ask_why,
    block_signals,
    broken_off,
    check_start,
    connect,
    connect_at,
    control_socket,
    fetch_status,
    find_again,
    flatten_direct,
    open_engine,
    recorded_sessions,
    run_engine,
    running_engine,
    running_instances,
    send_command,
    set_latch,
    state_directory,
    wait_flat,
)
from engine.offline import (
    approve_play,
    bench_parity,
    check_model,
    check_play,
    check_venue,
    compare_backtests,
    data_cache,
    examine,
    fetch_bars,
    find_play,
    keep_evidence,
    play_schema,
    run_backtest,
    run_venue,
    shadow_report,
    summarize_data,
    train_model,
    verify_session,
    why_recorded,
)
from engine.risk.breaker import BREAKER_WORDS, BreakerState
from engine.runtime.leaving import leave
from engine.runtime.parity.report import FirstDifference, ParityReport, ParityWish
from engine.runtime.parity.report import Outcome as ParityOutcome
from engine.runtime.parity.report import Verdict as ParityVerdict
from engine.runtime.protocol import CommandReply, Goodbye, Hello, Link, LookReply, WhyReply
from engine.runtime.study.sheet import SHEET, Kind, write_figure
from engine.runtime.study.sheet import Group as FigureGroup
from engine.runtime.study.sheet import Line as FigureLine

if TYPE_CHECKING:
    from engine.config.playcheck import PlayCheck as PlayCheck  # noqa: PLC0414 - exported for annotations
    from engine.config.settings import Settings as Settings  # noqa: PLC0414 - exported for annotations
    from engine.domain.shadow import ShadowSignal as ShadowSignal  # noqa: PLC0414 - likewise
    from engine.models.manifest import Calibration as Calibration  # noqa: PLC0414 - likewise
    from engine.models.manifest import Manifest as Manifest  # noqa: PLC0414 - likewise
    from engine.runtime.datafetch import FetchProgress as FetchProgress  # noqa: PLC0414 - likewise
    from engine.runtime.datafetch import FetchReport as FetchReport  # noqa: PLC0414 - likewise
    from engine.runtime.datasummary import DataSummary as DataSummary  # noqa: PLC0414 - likewise
    from engine.runtime.doctor import Check as Check  # noqa: PLC0414 - likewise
    from engine.runtime.shadowreport import ShadowReport as ShadowReport  # noqa: PLC0414 - likewise
    from engine.runtime.study.compare import RunComparison as RunComparison  # noqa: PLC0414 - likewise
    from engine.runtime.study.recorder import Recorder as Recorder  # noqa: PLC0414 - likewise
    from engine.runtime.study.study import Study as Study  # noqa: PLC0414 - likewise
    from engine.runtime.training import ModelReport as ModelReport  # noqa: PLC0414 - likewise
    from engine.runtime.training import TrainingReport as TrainingReport  # noqa: PLC0414 - likewise
    from engine.runtime.venueserver import Listening as Listening  # noqa: PLC0414 - likewise
    from engine.storage.columncache import CacheUsage as CacheUsage  # noqa: PLC0414 - likewise
    from engine.storage.promotions import Approval as Approval  # noqa: PLC0414 - likewise
    from engine.strategy.explain import PlayFacts as PlayFacts  # noqa: PLC0414 - likewise
    from engine.strategy.explain import StreamFacts as StreamFacts  # noqa: PLC0414 - likewise
    from engine.strategy.explain import Tree as Tree  # noqa: PLC0414 - likewise

__all__ = [
    "BREAKER_WORDS",
    "COMMANDS_COLUMNS",
    "COMMANDS_TABLE",
    "HOLDERS",
    "REASONS",
    "RUNG_MEANING",
    "SHEET",
    "AccountSection",
    "Action",
    "Alarm",
    "BlackoutRow",
    "Blotted",
    "BookView",
    "BookWish",
    "BreakerRow",
    "BreakerState",
    "BudgetRow",
    "CauseRow",
    "ChainLink",
    "Channel",
    "Chart",
    "ChartPoint",
    "ChartWish",
    "ClosedTrade",
    "CommandReply",
    "CommandsRow",
    "ConfigError",
    "ControlError",
    "Curve",
    "Depth",
    "EarlierVersion",
    "EquityPoint",
    "EquityWish",
    "FeeRow",
    "FeedRow",
    "FigureGroup",
    "FigureLine",
    "FillMark",
    "FirstDifference",
    "FlattenSection",
    "GateRow",
    "GateStatus",
    "Goodbye",
    "HealthSection",
    "Hello",
    "Hold",
    "Holder",
    "Kind",
    "LimitRow",
    "Link",
    "LinkStatus",
    "LockHeldError",
    "LookReply",
    "Miss",
    "Mode",
    "ModelRow",
    "NotFlatError",
    "NotPromotedError",
    "Notice",
    "NoticeLevel",
    "OnStop",
    "OpenRisk",
    "OrderKind",
    "OrderRole",
    "OrderRow",
    "OrderState",
    "ParityOutcome",
    "ParityReport",
    "ParityVerdict",
    "ParityWish",
    "Phase",
    "PositionRow",
    "Reading",
    "Reason",
    "ReloadRow",
    "RiskMode",
    "RiskSection",
    "RowKind",
    "RuleReading",
    "Rung",
    "Series",
    "Severity",
    "Side",
    "Sight",
    "SignalKind",
    "SignalRow",
    "Snapshot",
    "StatusSection",
    "TickRow",
    "TradeTotals",
    "TraderError",
    "TradesWish",
    "TwinRow",
    "VenueSection",
    "Why",
    "WhyReply",
    "Wish",
    "__version__",
    "approve_play",
    "ask_why",
    "bench_parity",
    "block_signals",
    "broken_off",
    "check_model",
    "check_play",
    "check_start",
    "check_venue",
    "compare_backtests",
    "connect",
    "connect_at",
    "control_socket",
    "data_cache",
    "examine",
    "fetch_bars",
    "fetch_status",
    "find_again",
    "find_play",
    "flatten_direct",
    "keep_evidence",
    "leave",
    "load_settings",
    "open_engine",
    "play_schema",
    "read_yaml",
    "recorded_sessions",
    "run_backtest",
    "run_engine",
    "run_venue",
    "running_engine",
    "running_instances",
    "send_command",
    "set_latch",
    "shadow_report",
    "shipped",
    "state_directory",
    "summarize_data",
    "train_model",
    "user_directory",
    "verify_session",
    "wait_flat",
    "why_recorded",
    "write_figure",
]


# The functions below import what they need when called: a console starts without the engine's weight.


def read_yaml(path: Path) -> tuple[Any, Mapping[tuple[str | int, ...], tuple[int, int]]]:
    """Read a YAML file that a user wrote, within limits: its values and the line and column of each by path.

    Raises ConfigError with the place, whatever stands in the file.
    """
    from engine.config import yamlfile

    return yamlfile.read_yaml(path)


def load_settings(
    flags: Mapping[str, Any], *, without: tuple[str, ...] = (), user_file: Path | None = None
) -> "Settings":
    """Load the settings in layers; `flags` by dotted name. Raises ConfigError with every problem.

    Sections named in `without` keep what the defaults and the profile say. `user_file` stands in for the
    user's own file.
    """
    from engine.config import layers

    return layers.load_settings(flags, without=without, user_file=user_file)


def user_directory() -> Path:
    """Return the folder of the user's own configuration, plays and themes."""
    from engine.config.packaged import user_config_dir

    return user_config_dir()


def shipped(name: str) -> Path:
    """Return a shipped file or folder by its name in the repository. Raises ConfigError."""
    from engine.config.packaged import data_path

    return data_path(name)
