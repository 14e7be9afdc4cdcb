"""The side-effect gates: every order that increases exposure passes all of them, in one order."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.modes import Hold, Rung, lowest
from engine.domain.money import ZERO, canonical
from engine.domain.reasons import Reason
from engine.risk.limits import Limits


class Verdict(StrEnum):
    """What a gate says. A gate whose subject does not exist yet says so and lets nothing seem checked."""

    PASS = "pass"  # noqa: S105 - a verdict
    VETO = "veto"
    NOT_BUILT = "n/a"


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the gates may look at. Notionals in quote units, `loss_today` positive when losing."""

    symbol: str
    takes_orders: bool
    lock_held: bool
    holds: tuple[Hold, ...]
    data_age_s: float
    order_notional: Decimal
    position_notional_after: Decimal
    open_orders: int
    loss_today: Decimal


class GateResult(msgspec.Struct, frozen=True):
    """One gate's answer, with the value it saw and the limit it held against it."""

    name: str
    verdict: Verdict
    value: str
    limit: str
    reason: Reason | None = None


Gate = Callable[[EntryFacts, Limits], GateResult]


def _result(name: str, reason: Reason, *, ok: bool, value: str, limit: str) -> GateResult:
    return GateResult(name, Verdict.PASS if ok else Verdict.VETO, value, limit, None if ok else reason)


def _cap(name: str, reason: Reason, value: Decimal, cap: Decimal | None) -> GateResult:
    limit = "none" if cap is None else canonical(cap)
    return _result(name, reason, ok=cap is None or value <= cap, value=f"{value:.2f}", limit=limit)


def venue_gate(facts: EntryFacts, _limits: Limits) -> GateResult:
    """The mode's venue takes orders."""
    value = "yes" if facts.takes_orders else "no"
    return _result(
        "takes orders", Reason.VENUE_TAKES_NO_ORDERS, ok=facts.takes_orders, value=value, limit="yes"
    )


def lock_gate(facts: EntryFacts, _limits: Limits) -> GateResult:
    """This engine holds its instance lock."""
    value = "held" if facts.lock_held else "lost"
    return _result("lock", Reason.LOCK_NOT_HELD, ok=facts.lock_held, value=value, limit="held")


def ladder_gate(facts: EntryFacts, _limits: Limits) -> GateResult:
    """The ladder is at FULL for the symbol."""
    rung = lowest(facts.holds, facts.symbol)
    holders = ",".join(sorted(h.holder for h in facts.holds if h.symbol in ("", facts.symbol)))
    value = rung.name if not holders else f"{rung.name} by {holders}"
    return _result("ladder", Reason.LADDER, ok=rung is Rung.FULL, value=value, limit="FULL")


def freshness_gate(facts: EntryFacts, limits: Limits) -> GateResult:
    """The bar that led to the order closed a short while ago."""
    return _result(
        "data fresh",
        Reason.DATA_STALE,
        ok=facts.data_age_s <= limits.stale_after_s,
        value=f"{facts.data_age_s:.1f}s",
        limit=f"{limits.stale_after_s:g}s",
    )


def breaker_gate(_facts: EntryFacts, _limits: Limits) -> GateResult:
    """The venue's circuit breaker; there is none before real venues are."""
    return GateResult("breaker", Verdict.NOT_BUILT, "-", "closed")


def daily_loss_gate(facts: EntryFacts, limits: Limits) -> GateResult:
    """The loss since 00:00 UTC is under its limit."""
    return _cap("daily loss", Reason.DAILY_LOSS, max(ZERO, facts.loss_today), limits.daily_loss_max)


def order_notional_gate(facts: EntryFacts, limits: Limits) -> GateResult:
    """The order is not larger than an order may be."""
    return _cap("order cap", Reason.ORDER_NOTIONAL_MAX, facts.order_notional, limits.order_notional_max)


def position_notional_gate(facts: EntryFacts, limits: Limits) -> GateResult:
    """The position does not grow past its cap."""
    return _cap(
        "position cap",
        Reason.POSITION_NOTIONAL_MAX,
        facts.position_notional_after,
        limits.position_notional_max,
    )


def open_orders_gate(facts: EntryFacts, limits: Limits) -> GateResult:
    """There is room for one more open order."""
    return _result(
        "open orders",
        Reason.OPEN_ORDERS_MAX,
        ok=facts.open_orders < limits.open_orders_max,
        value=str(facts.open_orders),
        limit=str(limits.open_orders_max),
    )


def approval_gate(_facts: EntryFacts, _limits: Limits) -> GateResult:
    """The play's hash is approved for live; approvals do not exist before live does."""
    return GateResult("play approved", Verdict.NOT_BUILT, "-", "in live")


GATES: tuple[Gate, ...] = (
    venue_gate,
    lock_gate,
    ladder_gate,
    freshness_gate,
    breaker_gate,
    daily_loss_gate,
    order_notional_gate,
    position_notional_gate,
    open_orders_gate,
    approval_gate,
)


def ask(facts: EntryFacts, limits: Limits) -> GateResult | None:
    """Return the first gate that vetoes, None when all let the order through."""
    for gate in GATES:
        result = gate(facts, limits)
        if result.verdict is Verdict.VETO:
            return result
    return None


def ask_all(facts: EntryFacts, limits: Limits) -> tuple[GateResult, ...]:
    """Return every gate's answer, for the screen."""
    return tuple(gate(facts, limits) for gate in GATES)
