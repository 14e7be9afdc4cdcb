"""How the submit of an order stands, as it is stored: from the state of the order itself."""

from engine.domain.intents import IntentState, IntentTrigger, next_intent_state
from engine.domain.orders import Order, OrderState

_INTENT_OF = {
    OrderState.PENDING: IntentState.PENDING,
    OrderState.SUBMITTED: IntentState.PENDING,
    OrderState.UNKNOWN: next_intent_state(IntentState.PENDING, IntentTrigger.NO_ANSWER),
    OrderState.REJECTED: next_intent_state(IntentState.PENDING, IntentTrigger.REFUSED),
}
_COMMITTED = IntentState.COMMITTED


def intent_state_of(order: Order) -> IntentState:
    """Return how the submit of an order stands: an order that lives or lived at the venue is COMMITTED."""
    return _INTENT_OF.get(order.state, _COMMITTED)
