"""Signals: what a play wants, before anyone asked whether it may."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.market import NS_PER_MS


class Side(StrEnum):
    """Direction of an order or a fill."""

    BUY = "buy"
    SELL = "sell"

    def __init__(self, word: str) -> None:
        self.sign = 1 if word == "buy" else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class SignalKind(StrEnum):
    """Whether a signal opens or closes."""

    ENTRY = "entry"
    EXIT = "exit"
    SCALE_IN = "scale_in"  # a further entry into an open position


class Part(msgspec.Struct, frozen=True):
    """A target for a part of a position: a distance in price units, and how many percent it closes."""

    distance: float
    close: Decimal


class EntryPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an entry is signaled with besides two distances; None where the play does without.

    A price that could not be computed, or is not positive, is 0.
    """

    price: float | None = None  # of a limit or stop entry
    stop: float | None = None  # a stop at a price of the rules
    ladder: tuple[Part, ...] = ()
    volatility: float | None = None  # percent a year


class Signal(msgspec.Struct, frozen=True):
    """A play's wish at a bar's close. `side` is the side of the order that would follow.

    `stop` and `target` are distances from the entry price in price units, None where the play has none.
    """

    ts: int
    play: str
    symbol: str
    side: Side
    kind: SignalKind
    price: float
    stop: float | None = None
    target: float | None = None
    strength: float = 1.0
    plan: EntryPlan | None = None

    @property
    def cycle_id(self) -> str:
        """The evaluation this signal came from: `play@close_ms`."""
        return cycle_id(self.play, self.ts)


def cycle_id(play: str, close_ts: int) -> str:
    """Name one evaluation of one play at one close time, as `play@close_ms`."""
    return f"{play}@{close_ts // NS_PER_MS}"
