"""What a console is shown of the versions of plays: twins beside them, and what can be rolled back to."""

from decimal import Decimal

import msgspec

from engine.domain.shadow import Whose
from engine.domain.signals import Side, SignalKind


class EarlierVersion(msgspec.Struct, frozen=True):
    """The version of a play that a roll back returns to, and the one that runs now."""

    play: str
    generation: int
    hash: str
    running_generation: int
    running_hash: str


class DivergenceRow(msgspec.Struct, frozen=True):
    """A signal, and which of two versions gave it."""

    ts: int
    side: Side
    kind: SignalKind
    whose: Whose


class TwinRow(msgspec.Struct, frozen=True, kw_only=True):
    """A shadow twin beside the play `of`. Profits are in settle units after fees, since `since` (ns UTC).

    `both`, `only_running` and `only_twin` count signals of the last bars by who gave them.
    """

    label: str
    of: str
    play: str
    symbol: str
    hash: str
    running_hash: str
    generation: int
    since: int
    bars: int
    bars_missing: int  # until it is warm
    qty: Decimal
    entry_price: Decimal
    pnl: float
    running_pnl: float
    trades: int
    signals: int
    both: int
    only_running: int
    only_twin: int
    differing: tuple[DivergenceRow, ...]  # newest last
    waits: bool  # to take the running one's place, once that is flat
    running_generation: int = 0
    approved: bool = True  # its entries would not be refused where plays need approval
