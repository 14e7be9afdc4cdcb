"""What would have been: signals of shadow twins, what became of them, and how long a version was watched."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.signals import Side, SignalKind


class Whose(StrEnum):
    """Which of two versions gave a signal."""

    BOTH = "both"
    RUNNING = "running"
    TWIN = "twin"


class ShadowSignal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A twin's signal, and how it ended once that is known (`resolved`, ns UTC; 0 while it is open).

    An entry that its books took ends with its position: `pnl` is that trade's profit after fees, in settle
    units. One that they did not take, or that did not fill, ends after the horizon, and has no `pnl`. The
    percentages are of `price`, in favour of the signal where positive: what it made until the end
    (`return_percent`), the worst and the best on the way (MAE and MFE, by highs and lows).
    """

    ts: int
    label: str
    play: str
    hash: str
    symbol: str
    side: Side
    kind: SignalKind
    price: float
    strength: float = 1.0
    reason: str = ""  # why its own books did not take it
    resolved: int = 0
    exit_price: float = 0.0
    return_percent: float = 0.0
    mae_percent: float = 0.0
    mfe_percent: float = 0.0
    pnl: Decimal | None = None


class Role(StrEnum):
    """As what a version of a play ran."""

    RUNNING = "running"
    TWIN = "twin"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """For how long a version of a play ran, as what and where. Times are ns UTC, money in settle units.

    It is told again as it grows; `until` is the time of the last bar.
    """

    hash: str
    play: str
    role: Role
    mode: str
    began: int
    until: int
    bars: int
    signals: int
    trades: int
    pnl: Decimal


class SaveShadow(msgspec.Struct, frozen=True, tag=True):
    """Store a twin's signal, or how it ended."""

    signal: ShadowSignal


class SaveStage(msgspec.Struct, frozen=True, tag=True):
    """Store for how long a version has run: evidence for its promotion."""

    stage: Stage
