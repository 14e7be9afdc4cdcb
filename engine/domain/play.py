"""A play in its canonical form: what was written in YAML, checked and stripped of all that does not count."""

import hashlib
from decimal import Decimal
from enum import StrEnum

import msgspec

BASE_TIMEFRAME = "base"


class SizingKind(StrEnum):
    """How an entry's quantity is chosen."""

    NOTIONAL = "notional"  # value = quote units an entry is worth
    EQUITY_FRACTION = "equity_fraction"  # value = part of equity an entry is worth, 0..1


class Sizing(msgspec.Struct, frozen=True):
    """The size of an entry."""

    kind: SizingKind
    value: Decimal


class DistanceKind(StrEnum):
    """In what a stop's or target's distance from the entry price is written."""

    PERCENT = "percent"
    ATR = "atr"


class Distance(msgspec.Struct, frozen=True):
    """How far a stop or target lies from the entry price: `value` percent, or `value` times ATR(`period`)."""

    kind: DistanceKind
    value: float
    period: int = 0


class Rule(msgspec.Struct, frozen=True):
    """A rule in canonical text, as strategy/expression.py prints it."""

    text: str


class PlaySpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a play does. Rules that are absent never fire; a play without shorts has no `short_entry`."""

    name: str
    symbols: tuple[str, ...] = ()  # empty: bound by --data in order
    legs: tuple[str, ...] = ()  # what rules call the symbols, the traded one first; empty for one symbol
    timeframe: str = BASE_TIMEFRAME
    sizing: Sizing
    long_entry: Rule | None = None
    long_exit: Rule | None = None
    short_entry: Rule | None = None
    short_exit: Rule | None = None
    stop_loss: Distance | None = None
    take_profit: Distance | None = None

    @property
    def hash(self) -> str:
        """The sha256 of the canonical form: comments and layout do not count."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()
