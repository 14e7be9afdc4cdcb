"""Why a bar led to an order or to none, as a screen may know it."""

from enum import StrEnum

import msgspec

from engine.core.snapshot import SignalRow
from engine.domain.readings import Miss, RuleReading


class LinkStatus(StrEnum):
    """What one link of the chain said, or would have."""

    PASS = "pass"  # noqa: S105 - a verdict
    VETO = "veto"
    NOT_ASKED = "not asked"


class ChainLink(msgspec.Struct, frozen=True):
    """One thing that an entry must get past, with the value it had and the limit it was held against."""

    name: str
    status: LinkStatus
    value: str = ""
    limit: str = ""
    reason: str = ""


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """All that led to what a play did on a bar. `ts` is the bar's close, ns UTC.

    `recomputed_bars` is 0 where the running play's own numbers are shown; else the rules were evaluated anew
    on so many bars that are kept. `asked` says of which entry the chain is, empty where none was asked for;
    `as_of_now` that it is one which the play did not ask for, with all else as it is now.
    """

    ts: int
    play: str
    symbol: str
    cycle_id: str
    generation: int
    close: float
    bars: int
    warmup_bars: int
    recomputed_bars: int
    position: int  # its sign now
    rules: tuple[RuleReading, ...]
    signal: SignalRow | None
    asked: str
    as_of_now: bool
    chain: tuple[ChainLink, ...]
    outcome: str
    misses: tuple[Miss, ...]  # of the entry rules that were not true, nearest first
