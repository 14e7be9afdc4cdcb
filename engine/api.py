"""The only door for the console: what it may see (Snapshot), say (Action) and hold (Link)."""

from collections.abc import AsyncIterator
from typing import Protocol

from engine import __version__
from engine.core.snapshot import (
    AccountSection,
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
)
from engine.domain.alarms import Alarm, Severity
from engine.domain.commands import Notice, NoticeLevel
from engine.domain.errors import ConfigError, ControlError, LockHeldError, NotFlatError, TraderError
from engine.domain.events import Action, OnStop
from engine.domain.ids import OrderRole
from engine.domain.modes import HOLDERS, RUNG_MEANING, Hold, Holder, Mode, RiskMode, Rung
from engine.domain.orders import OrderKind, OrderState
from engine.domain.reasons import REASONS, Reason
from engine.domain.signals import Side, SignalKind
from engine.runtime.protocol import CommandReply, Goodbye, Hello

__all__ = [
    "HOLDERS",
    "REASONS",
    "RUNG_MEANING",
    "AccountSection",
    "Action",
    "Alarm",
    "CommandReply",
    "ConfigError",
    "ControlError",
    "FeedRow",
    "FlattenSection",
    "GateRow",
    "GateStatus",
    "Goodbye",
    "HealthSection",
    "Hello",
    "Hold",
    "Holder",
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
    "Phase",
    "PositionRow",
    "Reason",
    "ReloadRow",
    "RiskMode",
    "Rung",
    "Severity",
    "Side",
    "SignalKind",
    "SignalRow",
    "Snapshot",
    "StatusSection",
    "TickRow",
    "TraderError",
    "__version__",
]


class Link(Protocol):
    """A console's connection to an engine: snapshots come, commands go."""

    @property
    def hello(self) -> Hello:
        """What the engine said of itself."""
        ...

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield whole snapshots, at most 10 a second, ending when the engine says goodbye or is gone."""
        ...

    async def command(self, action: Action, *, reason: str = "", argument: str = "") -> CommandReply:
        """Send a command and wait for what became of it. Raises ControlError without an answer in time."""
        ...

    def panic(self) -> None:
        """Flatten now: synchronous, on a connection of its own, callable from any thread."""
        ...

    @property
    def goodbye(self) -> Goodbye | None:
        """What the engine said at its end, None while it runs or if it vanished."""
        ...

    async def close(self) -> None:
        """Let go of the connection; the engine goes on."""
        ...
