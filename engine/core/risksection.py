"""What a screen may know of limits: causes with their distance, the split of capital, blackouts, changes."""

from decimal import Decimal

import msgspec

from engine.domain.modes import RiskMode
from engine.domain.money import ZERO


class CauseRow(msgspec.Struct, frozen=True):
    """What latches a risk mode, and how far it is: `used` is value over limit, negative without a limit."""

    cause: str
    mode: RiskMode
    value: str
    limit: str
    used: float
    latched: int = 0  # ns UTC, 0 where it has not


class BlackoutRow(msgspec.Struct, frozen=True):
    """A window of the calendar that runs or comes next, ns UTC; no symbols means all."""

    name: str
    symbols: tuple[str, ...]
    begins: int
    ends: int


class LimitRow(msgspec.Struct, frozen=True):
    """A limit that a changed file would loosen; it waits for a person."""

    setting: str
    now: str
    wanted: str


class RiskSection(msgspec.Struct, frozen=True, kw_only=True):
    """How near the limits are. Money in settle units."""

    causes: tuple[CauseRow, ...] = ()
    trading_capital: Decimal = ZERO
    reserve: Decimal = ZERO
    reserve_percent: Decimal = ZERO  # of each winning trade's profit
    blackouts: tuple[BlackoutRow, ...] = ()
    pending: tuple[LimitRow, ...] = ()
    pending_id: str = ""  # what a person names to accept them
    stopped: tuple[str, ...] = ()  # `PLAY SYMBOL SIDE` that entered too often
