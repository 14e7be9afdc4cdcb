"""The operator's word on an order that the venue does not settle: what it needs, and what follows from it."""

from engine.core.authority import Authority
from engine.core.guards import Guards
from engine.core.operator import Refused
from engine.core.reconciling import Reconciler
from engine.core.trading import Trading
from engine.domain.events import Control, Resolution
from engine.domain.orders import Order, OrderState
from engine.domain.reasons import Reason
from engine.execution.desk import Desk


class Resolver:
    """Ends an order on an operator's word."""

    def __init__(
        self, desk: Desk, authority: Authority, reconciler: Reconciler, trading: Trading, guards: Guards
    ) -> None:
        self._desk, self._authority, self._reconciler = desk, authority, reconciler
        self._trading, self._guards = trading, guards

    def on_control(self, control: Control, now: int) -> None:
        """Carry out `CLIENT_ID OUTCOME`, or refuse it with a Reason.

        Nothing is booked: should the order have traded, its fills count when the venue tells them.
        """
        order = self._named(control)
        if isinstance(order, Refused):
            self._authority.refuse(control, order, now)
            return
        after = self._desk.resolve(order, now)
        self._authority.record_resolved(control, order, after, now)
        self._reconciler.forget(after.client_id)
        self._follow(after, now)

    def _follow(self, order: Order, now: int) -> None:
        """Do what an order's end asks for: what it protected is protected anew."""
        self._trading.on_unfilled(order, now)
        self._authority.flatten.on_unfilled(order, now)
        self._guards.follow_unknown(now)
        self._trading.following.reprotect(now)

    def _named(self, control: Control) -> Order | Refused:
        """Return the order that a command names, or why it is not resolved."""
        client_id, _, outcome = control.argument.partition(" ")
        if outcome not in list(Resolution):
            known = " ".join(Resolution)
            return Refused(Reason.UNKNOWN_COMMAND, {"outcome": outcome, "known": known})
        order = self._desk.book.get(client_id)
        if order is None:
            return Refused(Reason.NO_SUCH_ORDER, {"order": client_id})
        if order.state is not OrderState.UNKNOWN and not self._reconciler.is_unsettled(client_id):
            return Refused(Reason.ORDER_NOT_UNKNOWN, {"order": client_id, "state": order.state.value})
        if not control.reason.strip():
            return Refused(Reason.REASON_REQUIRED, {"order": client_id})
        return order
