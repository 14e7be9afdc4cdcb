"""The side-effect gates: every order that increases exposure passes all of them, in one order."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.modes import Hold, Rung, lowest
from engine.domain.money import ZERO, canonical
from engine.domain.reasons import Reason
from engine.risk.breaker import BreakerState
from engine.risk.limits import Limits


class Verdict(StrEnum):
    """What a gate says. A gate whose subject does not exist yet says so and lets nothing seem checked."""

    PASS = "pass"  # noqa: S105 - a verdict
    VETO = "veto"
    NOT_BUILT = "n/a"


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the gates may look at. Notionals in quote units, profit since 00:00 UTC in settle units."""

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


def _cap(cap: Decimal | None) -> str:
    return "none" if cap is None else canonical(cap)


def _ladder(facts: EntryFacts) -> str:
    rung = lowest(facts.holds, facts.symbol)
    holders = ",".join(sorted(h.holder for h in facts.holds if h.symbol in ("", facts.symbol)))
    return rung.name if not holders else f"{rung.name} by {holders}"


GATES: tuple[Gate, ...] = (
    Gate(
        "takes orders",
        "The mode's venue takes orders.",
        Reason.VENUE_TAKES_NO_ORDERS,
        lambda facts, _: facts.takes_orders,
        lambda facts: "yes" if facts.takes_orders else "no",
        lambda _: "yes",
    ),
    Gate(
        "venue checked",
        "The order cases of the venue have passed with this version of its adapter.",
        Reason.VENUE_NOT_CHECKED,
        lambda facts, _: facts.venue_checked,
        lambda facts: "yes" if facts.venue_checked else "no",
        lambda _: "yes",
    ),
    Gate(
        "lock",
        "This engine holds its instance lock.",
        Reason.LOCK_NOT_HELD,
        lambda facts, _: facts.lock_held,
        lambda facts: "held" if facts.lock_held else "lost",
        lambda _: "held",
    ),
    Gate(
        "ladder",
        "The ladder is at FULL for the symbol.",
        Reason.LADDER,
        lambda facts, _: not facts.holds or lowest(facts.holds, facts.symbol) is Rung.FULL,
        _ladder,
        lambda _: "FULL",
    ),
    Gate(
        "data fresh",
        "The bar that led to the order closed a short while ago.",
        Reason.DATA_STALE,
        lambda facts, limits: facts.data_age_s <= limits.stale_after_s,
        lambda facts: f"{facts.data_age_s:.1f}s",
        lambda limits: f"{limits.stale_after_s:g}s",
    ),
    Gate(
        "breaker",
        "The channel of orders works; after its rest one order at a time tries it.",
        Reason.BREAKER,
        lambda facts, _: (
            facts.breaker is BreakerState.CLOSED
            or (facts.breaker is BreakerState.HALF_OPEN and not facts.trying)
        ),
        lambda facts: facts.breaker.value.replace("_", " ") + (" and tried" if facts.trying else ""),
        lambda _: "closed",
    ),
    Gate(
        "daily loss",
        "The loss since 00:00 UTC is under its limit.",
        Reason.DAILY_LOSS,
        lambda facts, limits: (cap := limits.daily_loss_max) is None or facts.loss_today <= cap,
        lambda facts: f"{facts.loss_today:.2f}",
        lambda limits: _cap(limits.daily_loss_max),
    ),
    Gate(
        "order cap",
        "The order is not larger than an order may be.",
        Reason.ORDER_NOTIONAL_MAX,
        lambda facts, limits: (cap := limits.order_notional_max) is None or facts.order_notional <= cap,
        lambda facts: f"{facts.order_notional:.2f}",
        lambda limits: _cap(limits.order_notional_max),
    ),
    Gate(
        "position cap",
        "The position does not grow past its cap.",
        Reason.POSITION_NOTIONAL_MAX,
        lambda facts, limits: (
            (cap := limits.position_notional_max) is None or facts.position_notional_after <= cap
        ),
        lambda facts: f"{facts.position_notional_after:.2f}",
        lambda limits: _cap(limits.position_notional_max),
    ),
    Gate(
        "open orders",
        "There is room for one more open order.",
        Reason.OPEN_ORDERS_MAX,
        lambda facts, limits: facts.open_orders < limits.open_orders_max,
        lambda facts: str(facts.open_orders),
        lambda limits: str(limits.open_orders_max),
    ),
    Gate(
        "play approved",
        "The play's hash is approved for live; approvals are not built yet.",
        None,
        None,
        lambda _: "-",
        lambda _: "in live",
    ),
)

_ASKED = tuple((gate.passes, gate) for gate in GATES if gate.passes is not None)


def ask(facts: EntryFacts, limits: Limits) -> GateResult | None:
    """Return the first gate that vetoes, None when all let the order through."""
    for passes, gate in _ASKED:
        if not passes(facts, limits):
            return gate.result(facts, limits)
    return None


def ask_all(facts: EntryFacts, limits: Limits) -> tuple[GateResult, ...]:
    """Return every gate's answer, for the screen."""
    return tuple(gate.result(facts, limits) for gate in GATES)
