"""What travels on the control socket: msgspec-JSON messages, one a frame, tagged by `type`.

And what a console holds of it, however it travels: a Link.
"""

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from engine.core.feesection import FeeRow
from engine.core.openrisk import OpenRisk
from engine.core.risksection import RiskSection
from engine.core.sights import Sight, Wish
from engine.core.snapshot import (
    AccountSection,
    BreakerRow,
    FeedRow,
    FlattenSection,
    GateRow,
    HealthSection,
    ModelRow,
    OrderRow,
    PositionRow,
    ReloadRow,
    SignalRow,
    Snapshot,
    StatusSection,
    TickRow,
    VenueSection,
)
from engine.core.versionrows import TwinRow
from engine.core.why import Why
from engine.domain.alarms import Alarm
from engine.domain.commands import Notice
from engine.domain.events import Action

PROTOCOL_VERSION = 1
WORDS_MAX = 500  # characters of a reason, an argument, an actor's name


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The engine's first message."""

    protocol: int
    version: str
    pid: int
    instance: str
    session: str


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    """Ask for snapshots, at most `rate_hz` a second (10 at most)."""

    rate_hz: float = 10.0


class CommandRequest(msgspec.Struct, frozen=True, tag="command"):
    """An operator's command; the reply carries the same id."""

    id: int
    action: Action
    actor: str
    reason: str = ""  # what is beyond WORDS_MAX is cut off, and says so
    argument: str = ""
    console: str = ""  # the id of the console it comes from; the command line has none

    def __post_init__(self) -> None:
        """Bound what people wrote: a frame that the engine does not read would end the conversation."""
        _bound(self, "actor", "reason", "argument")


def _bound(message: msgspec.Struct, *fields: str) -> None:
    for field in fields:
        written = getattr(message, field)
        bounded = _bounded(written)
        if bounded is not written:
            msgspec.structs.force_setattr(message, field, bounded)


def _bounded(text: str) -> str:
    """Cut a long text, and replace what no text holds: a shell hands over bytes that are no characters."""
    if len(text) > WORDS_MAX:
        text = f"{text[: WORDS_MAX - 1]}…"
    return text if text.isascii() else text.encode(errors="replace").decode()


class CommandReply(msgspec.Struct, frozen=True, tag="reply"):
    """What became of a command: `reason` is a Reason code where it was refused."""

    id: int
    ok: bool
    reason: str = ""
    text: str = ""


class StatusRequest(msgspec.Struct, frozen=True, tag="status"):
    """Ask for one whole snapshot."""


class WhyRequest(msgspec.Struct, frozen=True, tag="ask_why"):
    """Ask why a play's last bars led to orders or to none; `at` (ns UTC) for the bar that was newest then."""

    id: int
    play: str = ""
    last: int = 1
    at: int = 0

    def __post_init__(self) -> None:
        """Bound the name that somebody typed."""
        _bound(self, "play")


class WhyReply(msgspec.Struct, frozen=True, tag="why"):
    """The bars asked for, oldest first; `text` says why there are none."""

    id: int
    bars: tuple[Why, ...] = ()
    text: str = ""


class LookRequest(msgspec.Struct, frozen=True, tag="look"):
    """Ask for what a console shows and no snapshot holds: a chart, a book, trades, equity."""

    id: int
    wish: Wish


class LookReply(msgspec.Struct, frozen=True, tag="seen"):
    """What was asked for; `text` says why there is none."""

    id: int
    sight: Sight | None = None
    text: str = ""


class SnapshotDelta(msgspec.Struct, frozen=True, tag="snapshot", omit_defaults=True):
    """The sections that changed since the last one; the first holds all. None = unchanged."""

    status: StatusSection | None = None
    account: AccountSection | None = None
    ticks: tuple[TickRow, ...] | None = None
    signals: tuple[SignalRow, ...] | None = None
    orders: tuple[OrderRow, ...] | None = None
    positions: tuple[PositionRow, ...] | None = None
    gates: tuple[GateRow, ...] | None = None
    flatten: FlattenSection | None = None
    notices: tuple[Notice, ...] | None = None
    alarms: tuple[Alarm, ...] | None = None
    reloads: tuple[ReloadRow, ...] | None = None
    twins: tuple[TwinRow, ...] | None = None
    models: tuple[ModelRow, ...] | None = None
    feeds: tuple[FeedRow, ...] | None = None
    breakers: tuple[BreakerRow, ...] | None = None
    venue: VenueSection | None = None
    risk: RiskSection | None = None
    open_risk: OpenRisk | None = None
    fees: tuple[FeeRow, ...] | None = None
    health: HealthSection | None = None


class Goodbye(msgspec.Struct, frozen=True, tag="goodbye"):
    """The engine ends; `exit_code` is the one its process will return."""

    exit_code: int
    text: str


ToConsole = Hello | SnapshotDelta | CommandReply | WhyReply | LookReply | Goodbye
ToEngine = Subscribe | CommandRequest | StatusRequest | WhyRequest | LookRequest

SECTIONS: tuple[str, ...] = SnapshotDelta.__struct_fields__


def difference(before: Snapshot | None, after: Snapshot) -> SnapshotDelta:
    """Return what changed; everything where there was nothing before."""
    if before is None:
        return SnapshotDelta(**{name: getattr(after, name) for name in SECTIONS})
    changed = {
        name: getattr(after, name) for name in SECTIONS if getattr(before, name) != getattr(after, name)
    }
    return SnapshotDelta(**changed)


def merge(before: Snapshot | None, delta: SnapshotDelta) -> Snapshot:
    """Apply a delta to the snapshot it was made against."""
    changed = {name: value for name in SECTIONS if (value := getattr(delta, name)) is not None}
    return Snapshot(**changed) if before is None else msgspec.structs.replace(before, **changed)


class Link(Protocol):
    """A console's connection to an engine: snapshots come, commands go."""

    @property
    def hello(self) -> Hello:
        """What the engine said of itself."""
        ...

    @property
    def console(self) -> str:
        """The id under which this console has control or not; empty where it needs none."""
        ...

    def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield whole snapshots, at most 10 a second, ending when the engine says goodbye or is gone."""
        ...

    async def command(self, action: Action, *, reason: str = "", argument: str = "") -> CommandReply:
        """Send a command and wait for what became of it. Raises ControlError without an answer in time."""
        ...

    async def why(self, *, play: str = "", last: int = 1, at: int = 0) -> WhyReply:
        """Ask why bars led to what they did. Raises ControlError without an answer in time."""
        ...

    async def look(self, wish: Wish) -> LookReply:
        """Ask for what no snapshot holds. Raises ControlError without an answer in time."""
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
