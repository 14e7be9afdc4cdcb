"""What a gate is, and all that gates may look at."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.limits import Limits
from engine.domain.modes import Hold
from engine.domain.money import ZERO
from engine.domain.reasons import Reason
from engine.risk.breaker import BreakerState


class Verdict(StrEnum):
    """What a gate says. A gate whose subject does not exist yet says so and lets nothing seem checked."""

    PASS = "pass"  # noqa: S105 - a verdict
    VETO = "veto"
    NOT_BUILT = "n/a"


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that the gates may look at. Notionals in quote units, profit since 00:00 UTC in settle units.

    What is `after` counts the order itself and all entries that work, as if they were filled.
    """

    symbol: str
    takes_orders: bool
    lock_held: bool
    holds: tuple[Hold, ...]
    data_age_s: float
    order_notional: Decimal
    position_notional_after: Decimal
    open_orders: int
    day_pnl: float
    breaker: BreakerState = BreakerState.CLOSED  # of the channel that orders go by
    trying: bool = False  # an order is on its way, and its answer will tell
    venue_checked: bool = True
    play_hash: str = ""  # where it must be among the approved ones
    approved: tuple[str, ...] = ()
    cycle_notional_after: Decimal = ZERO
    symbol_notional_after: float = 0.0
    gross_notional_after: float = 0.0
    leverage_after: float = 0.0  # infinite where there is no trading capital
    capital_left: float = 0.0  # trading capital that the gross notional leaves free
    price_off_percent: float = 0.0  # of the order's price from the last mark, never negative
    recent_entries: int = 0  # within the window
    repeats: int = 0  # entries of the same play, symbol and side within the window
    repeats_stopped: bool = False  # until a person goes on
    drawdown_percent: float = 0.0
    losses_in_a_row: int = 0

    @property
    def loss_today(self) -> Decimal:
        """The loss since 00:00 UTC, never negative, to 8 decimals."""
        return max(ZERO, Decimal(repr(round(-self.day_pnl, 8))))


class GateResult(msgspec.Struct, frozen=True):
    """One gate's answer, with the value it saw and the limit it held against it."""

    name: str
    verdict: Verdict
    value: str
    limit: str
    reason: Reason | None = None


class Gate(msgspec.Struct, frozen=True):
    """One gate as data: what it asks, and how it writes what it saw; None to ask where it is not built.

    Asking is apart from writing: every order is asked about, and words are wanted on a veto and on a screen.
    """

    name: str
    about: str
    reason: Reason | None
    passes: Callable[[EntryFacts, Limits], bool] | None
    value: Callable[[EntryFacts], str]
    limit: Callable[[Limits], str]

    def result(self, facts: EntryFacts, limits: Limits) -> GateResult:
        """Return the answer in words."""
        if self.passes is None:
            verdict = Verdict.NOT_BUILT
        else:
            verdict = Verdict.PASS if self.passes(facts, limits) else Verdict.VETO
        reason = self.reason if verdict is Verdict.VETO else None
        return GateResult(self.name, verdict, self.value(facts), self.limit(limits), reason)
