"""The side-effect gates: every order that increases exposure passes all of them, in one order."""

from engine.domain.limits import Limits
from engine.domain.modes import Rung, lowest
from engine.domain.reasons import Reason
from engine.risk.breaker import BREAKER_WORDS, BreakerState
from engine.risk.capital import CAPITAL_GATES
from engine.risk.gate import EntryFacts, Gate, GateResult, Verdict

__all__ = ["GATES", "EntryFacts", "Gate", "GateResult", "Verdict", "ask", "ask_all"]


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
        lambda facts: BREAKER_WORDS[facts.breaker] + (", one order tries it" if facts.trying else ""),
        lambda _: BREAKER_WORDS[BreakerState.CLOSED],
    ),
    *CAPITAL_GATES,
    Gate(
        "play approved",
        "The play's hash was promoted to live: where orders cost no money, none needs to be.",
        Reason.PLAY_NOT_APPROVED,
        lambda facts, _: not facts.play_hash or facts.play_hash in facts.approved,
        lambda facts: facts.play_hash[:12] or "not needed",
        lambda _: "promoted",
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
