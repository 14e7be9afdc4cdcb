"""The only door for the console: what it may see (Snapshot), say (Action) and hold (Link)."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.core.commands_table import COLUMNS as COMMANDS_COLUMNS
from engine.core.commands_table import COMMANDS_TABLE, RowKind
from engine.core.commands_table import Row as CommandsRow
from engine.core.snapshot import (
    AccountSection,
    BreakerRow,
    BudgetRow,
    FeedRow,
    FlattenSection,
    GateRow,
    GateStatus,
    HealthSection,
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
from engine.domain.alarms import Alarm, Severity
from engine.domain.commands import Notice, NoticeLevel
from engine.domain.errors import ConfigError, ControlError, LockHeldError, NotFlatError, TraderError
from engine.domain.events import Action, Channel, OnStop
from engine.domain.ids import OrderRole
from engine.domain.modes import HOLDERS, RUNG_MEANING, Hold, Holder, Mode, RiskMode, Rung
from engine.domain.orders import OrderKind, OrderState
from engine.domain.reasons import Reason
from engine.domain.reasontable import REASONS
from engine.domain.signals import Side, SignalKind
from engine.offline import (
    bench_parity,
    check_play,
    compare_backtests,
    data_cache,
    examine,
    fetch_bars,
    play_schema,
    run_backtest,
    run_venue,
    summarize_data,
    verify_session,
)
from engine.risk.breaker import BreakerState
from engine.runtime.leaving import leave
from engine.runtime.parity.report import FirstDifference, ParityReport, ParityWish
from engine.runtime.parity.report import Outcome as ParityOutcome
from engine.runtime.parity.report import Verdict as ParityVerdict
from engine.runtime.protocol import CommandReply, Goodbye, Hello, Link
from engine.runtime.study.sheet import SHEET, Kind, write_figure
from engine.runtime.study.sheet import Group as FigureGroup
from engine.runtime.study.sheet import Line as FigureLine

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from engine.config.playcheck import PlayCheck as PlayCheck  # noqa: PLC0414 - exported for annotations
    from engine.config.settings import Settings as Settings  # noqa: PLC0414 - exported for annotations
    from engine.runtime.datafetch import FetchProgress as FetchProgress  # noqa: PLC0414 - likewise
    from engine.runtime.datafetch import FetchReport as FetchReport  # noqa: PLC0414 - likewise
    from engine.runtime.datasummary import DataSummary as DataSummary  # noqa: PLC0414 - likewise
    from engine.runtime.doctor import Check as Check  # noqa: PLC0414 - likewise
    from engine.runtime.exitreport import ExitReport
    from engine.runtime.inprocess import InProcessEngine
    from engine.runtime.study.compare import RunComparison as RunComparison  # noqa: PLC0414 - likewise
    from engine.runtime.study.recorder import Recorder as Recorder  # noqa: PLC0414 - likewise
    from engine.runtime.study.study import Study as Study  # noqa: PLC0414 - likewise
    from engine.runtime.venueserver import Listening as Listening  # noqa: PLC0414 - likewise
    from engine.storage.columncache import CacheUsage as CacheUsage  # noqa: PLC0414 - likewise
    from engine.storage.lock import LockOwner
    from engine.strategy.explain import PlayFacts as PlayFacts  # noqa: PLC0414 - likewise
    from engine.strategy.explain import StreamFacts as StreamFacts  # noqa: PLC0414 - likewise
    from engine.strategy.explain import Tree as Tree  # noqa: PLC0414 - likewise

__all__ = [
    "COMMANDS_COLUMNS",
    "COMMANDS_TABLE",
    "HOLDERS",
    "REASONS",
    "RUNG_MEANING",
    "SHEET",
    "AccountSection",
    "Action",
    "Alarm",
    "BreakerRow",
    "BreakerState",
    "BudgetRow",
    "Channel",
    "CommandReply",
    "CommandsRow",
    "ConfigError",
    "ControlError",
    "FeedRow",
    "FigureGroup",
    "FigureLine",
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
    "Link",
    "LockHeldError",
    "Mode",
    "NotFlatError",
    "Notice",
    "NoticeLevel",
    "OnStop",
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
    "Reason",
    "ReloadRow",
    "RiskMode",
    "RowKind",
    "Rung",
    "Severity",
    "Side",
    "SignalKind",
    "SignalRow",
    "Snapshot",
    "StatusSection",
    "TickRow",
    "TraderError",
    "VenueSection",
    "__version__",
    "bench_parity",
    "block_signals",
    "check_play",
    "check_start",
    "compare_backtests",
    "connect",
    "data_cache",
    "examine",
    "fetch_bars",
    "fetch_status",
    "find_again",
    "flatten_direct",
    "leave",
    "load_settings",
    "open_engine",
    "play_schema",
    "recorded_sessions",
    "run_backtest",
    "run_engine",
    "run_venue",
    "running_engine",
    "running_instances",
    "send_command",
    "set_latch",
    "shipped",
    "state_directory",
    "summarize_data",
    "user_directory",
    "verify_session",
    "wait_flat",
    "write_figure",
]


# The functions below import what they need when called: a console starts without the engine's weight.


def load_settings(flags: Mapping[str, Any]) -> "Settings":
    """Load the settings in layers; `flags` by dotted name. Raises ConfigError with every problem."""
    from engine.config import layers

    return layers.load_settings(flags)


def state_directory(settings: "Settings") -> Path:
    """Return the folder of the instance's state."""
    from engine.config.packaged import instance_dir

    return instance_dir(settings)


def user_directory() -> Path:
    """Return the folder of the user's own configuration, plays and themes."""
    from engine.config.packaged import user_config_dir

    return user_config_dir()


def shipped(name: str) -> Path:
    """Return a shipped file or folder by its name in the repository. Raises ConfigError."""
    from engine.config.packaged import data_path

    return data_path(name)


def running_engine(settings: "Settings") -> "LockOwner | None":
    """Return who runs the instance's engine, None where nobody does."""
    from engine.storage.lock import holder

    return holder(state_directory(settings))


def running_instances(settings: "Settings") -> tuple["Settings", ...]:
    """Return the settings narrowed to each instance on this machine whose engine runs, wherever it lies."""
    from engine.config.packaged import state_root
    from engine.storage.elsewhere import instance_folders
    from engine.storage.lock import is_held

    folders = {*instance_folders(state_root()), *instance_folders(state_directory(settings).parent)}
    return tuple(
        settings.model_copy(update={"instance": folder.name, "state_dir": folder.parent})
        for folder in sorted(folders)
        if is_held(folder)
    )


def find_again(settings: "Settings") -> str:
    """Return the options by which a command finds the instance again."""
    from engine.config.packaged import find_again as options_of

    return options_of(state_directory(settings))


def recorded_sessions(settings: "Settings") -> list[Path]:
    """Return the folders of the instance's recorded sessions, oldest first."""
    from engine.storage.records import all_sessions

    return all_sessions(state_directory(settings))


async def connect(settings: "Settings", actor: str, timeout_s: float = 2.0) -> Link:
    """Connect to the instance's engine. Raises ControlError."""
    from engine.config.packaged import socket_path
    from engine.runtime.link import SocketLink

    directory = state_directory(settings)
    return await SocketLink.connect(
        socket_path(directory),
        actor=actor,
        timeout_s=timeout_s,
        instance=settings.instance,
        latch_dir=directory,
    )


def fetch_status(settings: "Settings") -> tuple[Hello, Snapshot]:
    """Ask the instance's engine how it is. Raises ControlError."""
    from engine.config.packaged import socket_path
    from engine.runtime import ask

    return ask.fetch_status(socket_path(state_directory(settings)), instance=settings.instance)


def send_command(
    settings: "Settings", action: Action, *, actor: str, reason: str = "", argument: str = ""
) -> CommandReply:
    """Send the instance's engine a command and return what became of it. Raises ControlError."""
    from engine.config.packaged import socket_path
    from engine.runtime import ask

    return ask.send_command(
        socket_path(state_directory(settings)),
        action,
        actor=actor,
        reason=reason,
        argument=argument,
        instance=settings.instance,
    )


def wait_flat(settings: "Settings", *, timeout_s: float, on_progress: Callable[[Snapshot], None]) -> Snapshot:
    """Watch a flatten to its end. Raises ControlError, also past the time-out."""
    from engine.config.packaged import socket_path
    from engine.runtime import ask

    path = socket_path(state_directory(settings))
    return ask.wait_flat(path, timeout_s=timeout_s, on_progress=on_progress, instance=settings.instance)


def block_signals() -> None:
    """Block the signals an engine takes in its own thread; call it first thing in the process."""
    from engine.runtime.sigmask import block_signals as block

    block()


def check_start(settings: "Settings") -> None:
    """Refuse what no engine can run: mode, venue, plays, missing data, an account that is not cleared.

    Raises ConfigError.
    """
    from engine.runtime.binding import load_plays
    from engine.runtime.clearance import clear_start
    from engine.runtime.factory import check_start as check

    check(settings)
    load_plays(settings.plays)
    clear_start(settings, time.time_ns())


def run_engine(settings: "Settings") -> "ExitReport":
    """Run an engine in this process until it ends. Raises TraderError."""
    from engine.storage.lock import refuse_while_held

    refuse_while_held(state_directory(settings))  # at once: what an engine needs takes a second to import
    from engine.runtime.process import run_engine as run

    return run(settings)


def open_engine(settings: "Settings") -> "AbstractAsyncContextManager[InProcessEngine]":
    """Run an engine in the running event loop, for as long as the block lasts. Raises TraderError."""
    from engine.runtime.inprocess import open_engine as open_

    return open_(settings)


def flatten_direct(settings: "Settings", tell: Callable[[str], None]) -> "ExitReport":
    """Flatten without the help of the running engine. Raises TraderError."""
    from engine.runtime.direct import flatten_direct as flatten

    return flatten(settings, tell)


def set_latch(settings: "Settings", why: str) -> None:
    """Forbid entries to whatever runs the instance, now and later, until it is armed. Raises StorageError."""
    from engine.storage.latch import Latch

    Latch(state_directory(settings)).engage(why)
