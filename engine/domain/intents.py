"""Intents: what was decided, durable before it is sent, and how the sending ended."""

from decimal import Decimal
from enum import StrEnum

import msgspec


class IntentAction(StrEnum):
    """What was to be done at the venue."""

    SUBMIT = "submit"
    CANCEL = "cancel"


class IntentState(StrEnum):
    """How the action ended. UNKNOWN is ended by the venue's evidence or an operator, never by a timer."""

    PENDING = "pending"
    COMMITTED = "committed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class IntentTrigger(StrEnum):
    """What can be learnt about an action."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"


# An absent pair changes nothing: evidence that came later than the end is no news.
INTENT_TABLE: dict[IntentState, dict[IntentTrigger, IntentState]] = {
    IntentState.PENDING: {
        IntentTrigger.ACCEPTED: IntentState.COMMITTED,
        IntentTrigger.REFUSED: IntentState.FAILED,
        IntentTrigger.NO_ANSWER: IntentState.UNKNOWN,
    },
    IntentState.UNKNOWN: {
        IntentTrigger.ACCEPTED: IntentState.COMMITTED,
        IntentTrigger.REFUSED: IntentState.FAILED,
    },
    IntentState.COMMITTED: {},
    IntentState.FAILED: {IntentTrigger.ACCEPTED: IntentState.COMMITTED},
}


def next_intent_state(state: IntentState, trigger: IntentTrigger) -> IntentState:
    """Return the state after a trigger; the same state where the trigger is no news."""
    return INTENT_TABLE[state].get(trigger, state)


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the journal: the action, its order, when and on whose evaluation."""

    client_id: str
    action: IntentAction
    cycle_id: str
    symbol: str
    ts: int
    qty: Decimal
    state: IntentState = IntentState.PENDING
